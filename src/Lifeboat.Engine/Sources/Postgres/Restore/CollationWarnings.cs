using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>Says where texts may be ordered in another way than on the captured server, because the library that compares them has another version.</summary>
internal sealed class CollationWarnings(RestoreTarget target)
{
    /// <summary>The database's own locale.</summary>
    public async Task OfDatabaseAsync(PsqlSession session, string? oid, CancellationToken cancellation)
    {
        string? here = await session.QueryOneAsync(
            $"SELECT pg_catalog.to_jsonb(d) ->> 'datcollversion' FROM pg_catalog.pg_database d WHERE oid = {oid}", cancellation);
        if (target.Details.Database.CollationVersion is { } there && here is not null && here != there)
            Warn($"the database's locale has version {there} in the snapshot and {here} on this server");
    }

    /// <summary>The collations of columns and indexes.</summary>
    /// <param name="session">With the staged database.</param>
    public async Task OfColumnsAsync(PsqlSession session, CancellationToken cancellation)
    {
        if (target.Details.Collations is not { } captured)
            return;
        Dictionary<(string, string), string?> here = (await UsedCollation.ReadAsync(session, cancellation)).ToDictionary(
            static used => (used.Captured.Schema, used.Captured.Name), static used => used.Actual);
        string[] other =
        [
            .. captured.Select(c => (Collation: c, Here: here.GetValueOrDefault((c.Schema, c.Name)))).Where(static c => c.Here is not null && c.Here != c.Collation.Version)
                .Select(static c => $"{c.Collation.QuotedName} version {c.Collation.Version} in the snapshot and {c.Here} on this server"),
        ];
        if (other.Length > 0)
            Warn($"collations that columns or indexes use: {string.Join(", ", other)}");
    }

    private void Warn(string which) => target.Context.Progress.Report(new Warned(target.Source, new Problem(
        ErrorCodes.PostgresCollationVersion, which + ": texts may be ordered in another way",
        "indexes are built anew and are right; look at what relies on an order", target.Source)));
}
