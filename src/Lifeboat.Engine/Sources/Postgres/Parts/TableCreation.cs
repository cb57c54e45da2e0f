using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Parts;

/// <summary>Makes tables anew by their definitions, in the transaction of its session.</summary>
/// <param name="state">Holds the definitions.</param>
/// <param name="tables">Those that are made.</param>
internal sealed class TableCreation(PsqlSession session, PartSchema state, IReadOnlyCollection<StateTable> tables)
{
    /// <summary>All that the rows need.</summary>
    public async Task BeginAsync(CancellationToken cancellation)
    {
        if (tables.Count == 0)
            return;
        await RunAsync(DefinitionPhase.Table, cancellation);
        string names = string.Join(", ", tables.Select(static one => one.Name).Concat(await state.SequencesAsync(cancellation)).Select(static name => name.Oid));
        // Rights that somebody gets by default are not in the definition, which names all others.
        foreach (string?[] row in await session.QueryAsync(
            $"""
            SELECT DISTINCT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, n.nspname, c.relname, r.rolname
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, pg_catalog.aclexplode(c.relacl) a
            LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
            WHERE c.oid IN ({names}) AND a.grantee <> c.relowner AND c.xmin::text = (pg_catalog.pg_current_xact_id()::text::numeric % 4294967296)::text
            """, cancellation))
            await session.ExecuteAsync(
                $"REVOKE ALL ON {row[0]} {SqlText.Identifier(row[1]!, row[2]!)} FROM {(row[3] is null ? "PUBLIC" : SqlText.Identifier(row[3]!))}", cancellation);
    }

    /// <summary>All else, when the rows are there.</summary>
    public async Task FinishAsync(CancellationToken cancellation)
    {
        foreach (DefinitionPhase phase in new[] { DefinitionPhase.Index, DefinitionPhase.Attach, DefinitionPhase.IndexAttach, DefinitionPhase.Rest })
            await RunAsync(phase, cancellation);
    }

    private async Task RunAsync(DefinitionPhase phase, CancellationToken cancellation)
    {
        if (tables.Count == 0)
            return;
        foreach ((string sql, string? unless) in await state.DefinitionsAsync(phase, tables, cancellation))
            if (unless is null || (await session.QueryAsync(unless, cancellation)).Count == 0)
                await session.ExecuteAsync(sql, cancellation);
    }

    /// <summary>As <see cref="BeginAsync"/> and <see cref="FinishAsync"/> with all that touches these tables alone, to see whether the server takes it.</summary>
    /// <returns>The first refusal for each table that has one.</returns>
    public static async Task<IReadOnlyDictionary<SelectedTable, LifeboatException>> TryAsync(
        PsqlSession session, IEnumerable<SelectedTable> tables, CancellationToken cancellation)
    {
        Dictionary<SelectedTable, LifeboatException> refused = [];
        foreach ((SelectedTable table, DefinitionStatement statement) in tables
            .SelectMany(static one => one.Definition.Statements, static (one, statement) => (one, statement)).Where(static one => !one.statement.TouchesOthers)
            .OrderBy(static one => one.statement.Phase).ThenBy(static one => one.statement.Position))
        {
            if (refused.ContainsKey(table) || (statement.Unless is { } unless && (await session.QueryAsync(unless, cancellation)).Count > 0))
                continue;
            if (await Trial.RunAsync(session, token => session.ExecuteAsync(statement.Sql, token), cancellation) is { } refusal)
                refused[table] = refusal;
        }

        return refused;
    }
}
