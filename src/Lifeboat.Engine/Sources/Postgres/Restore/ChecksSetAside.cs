using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Parts;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>
/// Checks that rows do not pass while they are loaded: because their function was changed after the rows were written, or because it reads a table that is loaded
/// later. They are dropped, and come back behind the load, to be validated then.
/// </summary>
internal sealed class ChecksSetAside(RestoreTarget target) : IDisposable
{
    private readonly SemaphoreSlim _one = new(1);
    private readonly List<(ConstraintValidation Check, string Definition, string? Comment)> _dropped = [];
    private readonly Dictionary<(string?, string?, string?), int> _left = [];

    /// <summary>Takes the checks out of the way that a table's load failed at; false where that is not the reason.</summary>
    public async Task<bool> TryAsync(PostgresTable table, PostgresError error, CancellationToken cancellation)
    {
        bool named = error is { SqlState: PostgresError.CheckViolation, Constraint: not null };
        (string?, string?, string?) key = named ? (error.Schema, error.DataType ?? error.Table, error.Constraint) : (table.Schema, table.Name, null);
        await _one.WaitAsync(cancellation);
        try
        {
            await using PsqlSession session = await target.OpenStagingAsync(cancellation);
            IReadOnlyList<string?[]> rows = await session.QueryAsync(named ? NamedSql(error) : CallingSql(table), cancellation);
            foreach (string?[] row in rows)
            {
                ConstraintValidation check = new(new RelationName(row[0]!, row[1]!), row[2]!, 'c', row[5] == "t");
                await session.ExecuteAsync($"ALTER {(check.IsDomain ? "DOMAIN" : "TABLE")} {check.On.Quoted} DROP CONSTRAINT {SqlText.Identifier(check.Name)}", cancellation);
                _dropped.Add((check, row[3]!, row[4]));
            }

            if (rows.Count > 0)
            {
                _left[key] = target.Workers;
                return true;
            }

            // Another session may have failed at the same before it was dropped; but not without end.
            return _left.TryGetValue(key, out int left) && (_left[key] = left - 1) > 0;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Puts the checks back as ones that rows need not keep to, and gives them.</summary>
    public async Task<IReadOnlyList<ConstraintValidation>> PutBackAsync(PsqlSession session, CancellationToken cancellation)
    {
        // An heir's own before its parent's, which takes it over.
        foreach ((ConstraintValidation check, string definition, string? comment) in Enumerable.Reverse(_dropped))
        {
            string name = SqlText.Identifier(check.Name), on = check.On.Quoted;
            await session.ExecuteAsync($"ALTER {(check.IsDomain ? "DOMAIN" : "TABLE")} {on} ADD CONSTRAINT {name} {definition} NOT VALID", cancellation);
            if (comment is not null)
                await session.ExecuteAsync($"COMMENT ON CONSTRAINT {name} ON {(check.IsDomain ? "DOMAIN " : "")}{on} IS {SqlText.Literal(comment)}", cancellation);
        }

        return [.. _dropped.Select(static one => one.Check)];
    }

    public void Dispose() => _one.Dispose();

    /// <summary>The check that the server names; of an heir's, the one that it comes from.</summary>
    private static string NamedSql(PostgresError error) => error.DataType is { } type
        ? $"{Columns(domain: true)} WHERE n.nspname = {SqlText.LiteralOrNull(error.Schema)} AND t.typname = {SqlText.Literal(type)} AND k.conname = {SqlText.Literal(error.Constraint!)}"
        : $"""
          {Columns(domain: false)}
          WHERE k.contype = 'c' AND k.coninhcount = 0 AND k.conname = {SqlText.Literal(error.Constraint!)} AND k.conrelid IN (
            WITH RECURSIVE up(oid) AS (
              SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE n.nspname = {SqlText.LiteralOrNull(error.Schema)} AND c.relname = {SqlText.LiteralOrNull(error.Table)}
              UNION SELECT i.inhparent FROM pg_catalog.pg_inherits i JOIN up ON up.oid = i.inhrelid)
            SELECT oid FROM up)
          ORDER BY (SELECT pg_catalog.count(*) FROM pg_catalog.pg_inherits i WHERE i.inhrelid = k.conrelid) LIMIT 1
          """;

    /// <summary>The checks of a table, its parents' among them, that call functions which are none of the server's own.</summary>
    private static string CallingSql(PostgresTable table) =>
        $"""
        {Columns(domain: false)}
        WHERE k.contype = 'c' AND k.coninhcount = 0 AND k.conrelid IN (
          WITH RECURSIVE up(oid) AS (
            SELECT {SqlText.Literal(table.QuotedName)}::pg_catalog.regclass::pg_catalog.oid
            UNION SELECT i.inhparent FROM pg_catalog.pg_inherits i JOIN up ON up.oid = i.inhrelid)
          SELECT oid FROM up)
        AND EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid = k.oid
          AND d.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_operator'::pg_catalog.regclass))
        """;

    private static string Columns(bool domain) =>
        $"""
        SELECT n.nspname, {(domain ? "t.typname" : "t.relname")}, k.conname, pg_catalog.pg_get_constraintdef(k.oid), pg_catalog.obj_description(k.oid, 'pg_constraint'), {(domain ? "true" : "false")}
        FROM pg_catalog.pg_constraint k
        JOIN pg_catalog.{(domain ? "pg_type t ON t.oid = k.contypid" : "pg_class t ON t.oid = k.conrelid")}
        JOIN pg_catalog.pg_namespace n ON n.oid = t.{(domain ? "typnamespace" : "relnamespace")}
        """;
}
