using System.Globalization;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>Fills the staged database and brings it to its final state; each step is a session's with that database.</summary>
internal sealed class StagedContent(RestoreTarget target)
{
    private const int SequencesAtOnce = 500;

    /// <summary>Gives what loads the tables, and reads them back.</summary>
    public async Task<TableLoad> PrepareLoadAsync(TableReadBack readBack, CancellationToken cancellation)
    {
        await using PsqlSession session = await target.OpenStagingAsync(cancellation);
        return new TableLoad(target, await PlanAsync(session, cancellation), await PostgresCatalogue.ReadAsync(session, cancellation), readBack);
    }

    /// <summary>Loads what is no table's rows: sequences' values and large objects.</summary>
    public async Task LoadOthersAsync(CancellationToken cancellation)
    {
        await using PsqlSession session = await target.OpenStagingAsync(cancellation);
        await SetSequencesAsync(session, cancellation);
        await new LargeObjectRestore(target).RunAsync(session, cancellation);
    }

    /// <summary>Fills materialised views that were filled, in an order in which each finds what it reads.</summary>
    public async Task RefreshAsync(PsqlSession session, CancellationToken cancellation)
    {
        foreach (PostgresMaterializedView view in target.Details.MaterializedViews.Where(static view => view.Populated))
            await session.ExecuteAsync($"REFRESH MATERIALIZED VIEW {SqlText.Identifier(view.Schema, view.Name)}", cancellation);
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
