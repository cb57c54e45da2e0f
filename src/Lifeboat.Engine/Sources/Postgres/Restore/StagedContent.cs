using System.Globalization;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Extensions;
using Lifeboat.Engine.Sources.Postgres.Owners;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>Fills the staged database and brings it to its final state; each step is a session's with that database.</summary>
internal sealed class StagedContent(RestoreTarget target)
{
    private const int SequencesAtOnce = 500;
    private const int TablesAtOnce = 500;

    /// <summary>Gives what loads the tables, and reads them back.</summary>
    public async Task<TableLoad> PrepareLoadAsync(TableReadBack readBack, OwnerSessions owners, ChecksSetAside checks, CancellationToken cancellation)
    {
        await using PsqlSession session = await target.OpenStagingAsync(cancellation);
        return new TableLoad(target, await PlanAsync(session, cancellation), await PostgresCatalogue.ReadAsync(session, cancellation), readBack, owners, checks);
    }

    /// <summary>Loads what is no table's rows: sequences' values and large objects; and adapts extensions' rows to this server.</summary>
    public async Task LoadOthersAsync(ExtensionRestore extensions, CancellationToken cancellation)
    {
        await using PsqlSession session = await target.OpenStagingAsync(cancellation);
        foreach (string sql in extensions.AfterLoadSql)
            await session.ExecuteAsync(sql, cancellation);
        await SetSequencesAsync(session, cancellation);
        await new LargeObjectRestore(target).RunAsync(session, cancellation);
    }

    /// <summary>
    /// Gathers statistics. Analyzing a table reads its children too, and a foreign one's rows are on a server that need not be there: a table with such a child
    /// is left to autovacuum.
    /// </summary>
    public async Task AnalyzeAsync(PsqlSession session, CancellationToken cancellation)
    {
        IReadOnlyList<string?[]> rows = await session.QueryAsync(
            """
            WITH RECURSIVE remote(oid) AS (
              SELECT i.inhparent FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid WHERE c.relkind = 'f'
              UNION SELECT i.inhparent FROM pg_catalog.pg_inherits i JOIN remote r ON r.oid = i.inhrelid)
            SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't' AND EXISTS (SELECT 1 FROM remote) AND c.oid NOT IN (SELECT oid FROM remote)
            """,
            cancellation);
        if (rows.Count == 0)
            await UnderOwnPath.RunAsync(target, session, "ANALYZE", cancellation);
        foreach (string?[][] some in rows.Chunk(TablesAtOnce))
            await UnderOwnPath.RunAsync(target, session, $"ANALYZE {string.Join(", ", some.Select(static row => SqlText.Identifier(row[0]!, row[1]!)))}", cancellation);
    }

    /// <summary>
    /// Fills materialised views that were filled, in an order in which each finds what it reads. One that cannot be filled here, because its owner lacks a
    /// right that it had or another server does not answer, is left empty, with a warning.
    /// </summary>
    /// <returns>Those that were left empty.</returns>
    public async Task<IReadOnlySet<PostgresMaterializedView>> RefreshAsync(PsqlSession session, CancellationToken cancellation)
    {
        HashSet<PostgresMaterializedView> left = [];
        foreach (PostgresMaterializedView view in target.Details.MaterializedViews.Where(static view => view.Populated))
        {
            if (await RefreshAsync(session, view, cancellation) is not { } error)
                continue;
            left.Add(view);
            string name = SqlText.Identifier(view.Schema, view.Name);
            target.Context.Progress.Report(new Warned(target.Source, new Problem(
                ErrorCodes.PostgresViewNotFilled, $"materialised view {name} could not be filled and is restored empty: {error}",
                $"mend what the message says, then run REFRESH MATERIALIZED VIEW {name}", target.Source)));
        }

        return left;
    }

    private async Task<PostgresError?> RefreshAsync(PsqlSession session, PostgresMaterializedView view, CancellationToken cancellation)
    {
        try
        {
            await UnderOwnPath.RunAsync(target, session, $"REFRESH MATERIALIZED VIEW {SqlText.Identifier(view.Schema, view.Name)}", cancellation);
            return null;
        }
        catch (LifeboatException e) when (PostgresError.Of(e) is { RefusesTheStatement: true } error)
        {
            return error;
        }
    }

    private async Task SetSequencesAsync(PsqlSession session, CancellationToken cancellation)
    {
        foreach (PostgresSequence[] some in target.Details.Sequences.Chunk(SequencesAtOnce))
        {
            IEnumerable<string> values = some.Select(static s => string.Create(
                CultureInfo.InvariantCulture, $"({SqlText.Literal(SqlText.Identifier(s.Schema, s.Name))}::regclass, {s.LastValue}::bigint, {(s.IsCalled ? "true" : "false")})"));
            await session.QueryAsync(
                $"SELECT pg_catalog.setval(s.name, s.value, s.called) FROM (VALUES {string.Join(", ", values)}) s(name, value, called)", cancellation);
        }
    }

    private async Task<LoadPlan> PlanAsync(PsqlSession session, CancellationToken cancellation)
    {
        IReadOnlyList<string?[]> keys = await session.QueryAsync(
            """
            SELECT n1.nspname, c1.relname, n2.nspname, c2.relname
            FROM pg_catalog.pg_constraint k
            JOIN pg_catalog.pg_class c1 ON c1.oid = k.conrelid JOIN pg_catalog.pg_namespace n1 ON n1.oid = c1.relnamespace
            JOIN pg_catalog.pg_class c2 ON c2.oid = k.confrelid JOIN pg_catalog.pg_namespace n2 ON n2.oid = c2.relnamespace
            WHERE k.contype = 'f'
            """,
            cancellation);
        ILookup<string, string> references = keys.ToLookup(static row => SqlText.Identifier(row[0]!, row[1]!), static row => SqlText.Identifier(row[2]!, row[3]!));
        IReadOnlyList<TableMetadata> tables = target.Captured.Tables ?? [];
        if (tables.Count != target.Details.Tables.Count)
            throw new LifeboatException(
                ErrorCodes.BundleDamaged,
                string.Create(CultureInfo.InvariantCulture, $"the metadata names {tables.Count} tables and describes {target.Details.Tables.Count}"),
                "use another snapshot; this one was altered or damaged", target.Source);
        return LoadPlan.Of(target.Details.Tables, tables, references, target.Workers, target.Details.ServerEncoding);
    }
}
