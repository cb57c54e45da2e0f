using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>Keeps a database's event triggers from firing while a restore finishes its work, and gives them their state back.</summary>
internal sealed class EventTriggers
{
    private readonly List<(string Name, string Enable)> _disabled = [];

    /// <summary>Event triggers belong to superusers, so where there are any, the session is one's.</summary>
    public async Task DisableAsync(PsqlSession session, CancellationToken cancellation)
    {
        foreach (string?[] row in await session.QueryAsync("SELECT evtname, evtenabled FROM pg_catalog.pg_event_trigger WHERE evtenabled <> 'D'", cancellation))
        {
            await session.ExecuteAsync($"ALTER EVENT TRIGGER {SqlText.Identifier(row[0]!)} DISABLE", cancellation);
            _disabled.Add((row[0]!, row[1] switch { "R" => "ENABLE REPLICA", "A" => "ENABLE ALWAYS", _ => "ENABLE" }));
        }
    }

    public async Task EnableAsync(PsqlSession session, CancellationToken cancellation)
    {
        foreach ((string name, string enable) in _disabled)
            await session.ExecuteAsync($"ALTER EVENT TRIGGER {SqlText.Identifier(name)} {enable}", cancellation);
        _disabled.Clear();
    }
}
