using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>
/// Knows whether anything was written to the staged tables since they were verified. Servers of MySQL and MariaDB let nobody be kept out of a database whom rights
/// on the whole server, or on a pattern that its name fits, let in. But they keep the time of each table's making and of its last change, in seconds.
/// </summary>
internal sealed class StagedWatch
{
    /// <summary>Enough for a second to be over. Who writes all the time is found at the switch.</summary>
    private const int MostLooks = 30;

    private static readonly TimeSpan s_betweenLooks = TimeSpan.FromMilliseconds(100);

    private readonly RestoreTarget _target;
    private IReadOnlyDictionary<string, (string Made, string? Written)?> _seen = new Dictionary<string, (string, string?)?>();

    private StagedWatch(RestoreTarget target) => _target = target;

    /// <summary>Begins to watch, as soon as the last change is of a second that is over.</summary>
    public static async Task<StagedWatch> BeginAsync(RestoreTarget target, MySqlSession session, CancellationToken cancellation)
    {
        StagedWatch watch = new(target);
        await watch.LookAgainAsync(session, cancellation);
        return watch;
    }

    /// <summary>Takes what is there now for what shall be switched in.</summary>
    public async Task LookAgainAsync(MySqlSession session, CancellationToken cancellation)
    {
        string staging = SqlText.Literal(_target.Names.Staging);
        string written = $"FROM information_schema.TABLES WHERE TABLE_SCHEMA = {staging} AND UPDATE_TIME >= NOW()";
        for (int look = 0; look < MostLooks && await session.SelectOneAsync("COUNT(*)", written, cancellation) != "0"; look++)
            await Task.Delay(s_betweenLooks, _target.Context.Host.Time, cancellation);
        _seen = await TimesAsync(session, cancellation);
    }

    /// <summary>
    /// Tables that are not what they were. A time that the server has forgotten since (it keeps those of the tables that it has in its cache) tells nothing.
    /// </summary>
    public async Task<IReadOnlyList<string>> ChangedAsync(MySqlSession session, CancellationToken cancellation)
    {
        IReadOnlyDictionary<string, (string Made, string? Written)?> now = await TimesAsync(session, cancellation);
        return [.. now.Keys.Union(_seen.Keys).Where(table => !Same(_seen.GetValueOrDefault(table), now.GetValueOrDefault(table))).Order(StringComparer.Ordinal)];
    }

    /// <exception cref="LifeboatException">Something was written, so that what was verified is not what would be switched in.</exception>
    public async Task RequireUnchangedAsync(MySqlSession session, CancellationToken cancellation)
    {
        if (await ChangedAsync(session, cancellation) is { Count: > 0 } changed)
            throw new LifeboatException(
                ErrorCodes.MySqlStagedChanged,
                $"{changed.Count} table(s) of {_target.Names.Staging} were changed after they were verified, and are not switched in: {string.Join(", ", changed.Take(20))}",
                "see which application or hook writes to databases with that name (SHOW PROCESSLIST, the general log), take its rights on them or stop it, and restore again",
                _target.Source);
    }

    private static bool Same((string Made, string? Written)? seen, (string Made, string? Written)? now)
    {
        if (seen is null || now is null)
            return false;
        return seen.Value.Made == now.Value.Made && (seen.Value.Written == now.Value.Written || now.Value.Written is null);
    }

    private async Task<IReadOnlyDictionary<string, (string Made, string? Written)?>> TimesAsync(MySqlSession session, CancellationToken cancellation) =>
        (await session.SelectAsync(
        ["TABLE_NAME", "CONCAT_WS(' ', TABLE_TYPE, ENGINE, CREATE_TIME)", "UPDATE_TIME"],
        $"FROM information_schema.TABLES WHERE TABLE_SCHEMA = {SqlText.Literal(_target.Names.Staging)}", cancellation))
        .ToDictionary(static row => row[0]!, static row => ((string, string?)?)(row[1] ?? "", row[2]), StringComparer.Ordinal);
}
