using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Parts;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>Names rows that break a constraint, and tells how many there are.</summary>
internal static class ViolatingRows
{
    private const int Named = 3;

    /// <summary>What a warning says; null where it cannot be told.</summary>
    /// <param name="session">With the rights of the table's owner: the server calls the functions of the constraint.</param>
    public static async Task<string?> DescribeAsync(PsqlSession session, ConstraintValidation one, CancellationToken cancellation)
    {
        if (one.IsDomain)
            return null;
        try
        {
            string? query = one.Kind == 'f' ? await OrphansSqlAsync(session, one, cancellation) : await BreakingSqlAsync(session, one, cancellation);
            if (query is null)
                return null;
            IReadOnlyList<string?[]> rows = await session.QueryAsync($"SELECT r.named, count(*) OVER () FROM ({query}) r LIMIT {Named}", cancellation);
            if (rows.Count == 0)
                return null;
            string named = string.Join(", ", rows.Select(static row => row[0]));
            return $"{rows[0][1]} rows of {one.On} {(one.Kind == 'f' ? "refer to rows that are not there" : "do not pass it")}: {named}{(rows[0][1] == $"{rows.Count}" ? "" : ", …")}";
        }
        catch (LifeboatException e) when (PostgresError.Of(e) is { RefusesTheStatement: true })
        {
            return null;
        }
    }

    /// <summary>The partitions and heirs that have the constraint as well, and whether each would have it without its parent.</summary>
    public static async Task<IReadOnlyList<(RelationName Heir, bool Own)>> HeirsAsync(PsqlSession session, ConstraintValidation one, CancellationToken cancellation)
    {
        if (one.IsDomain)
            return [];
        IReadOnlyList<string?[]> rows = await session.QueryAsync(
            $"""
            WITH RECURSIVE down(oid) AS (
              SELECT inhrelid FROM pg_catalog.pg_inherits WHERE inhparent = {one.On.Oid}
              UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN down ON down.oid = i.inhparent)
            SELECT n.nspname, c.relname, k.conislocal FROM down JOIN pg_catalog.pg_class c ON c.oid = down.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid WHERE k.conname = {SqlText.Literal(one.Name)} AND k.contype = '{one.Kind}' AND NOT k.convalidated
            """,
            cancellation);
        return [.. rows.Select(static row => (new RelationName(row[0]!, row[1]!), row[2] == "t"))];
    }

    /// <summary>Rows whose key is not there, by the operators that the key itself compares with.</summary>
    private static async Task<string?> OrphansSqlAsync(PsqlSession session, ConstraintValidation one, CancellationToken cancellation)
    {
        IReadOnlyList<string?[]> columns = await session.QueryAsync(
            $"""
            SELECT pg_catalog.quote_ident(f.attname), pg_catalog.quote_ident(p.attname), pg_catalog.quote_ident(n.nspname) || '.' || o.oprname,
              pg_catalog.quote_ident(pn.nspname) || '.' || pg_catalog.quote_ident(pc.relname)
            FROM pg_catalog.pg_constraint k
            CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey), pg_catalog.unnest(k.conpfeqop)) WITH ORDINALITY u(here, there, op, place)
            JOIN pg_catalog.pg_attribute f ON f.attrelid = k.conrelid AND f.attnum = u.here JOIN pg_catalog.pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = u.there
            JOIN pg_catalog.pg_operator o ON o.oid = u.op JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
            JOIN pg_catalog.pg_class pc ON pc.oid = k.confrelid JOIN pg_catalog.pg_namespace pn ON pn.oid = pc.relnamespace
            WHERE k.contype = 'f' AND k.conrelid = {one.On.Oid} AND k.conname = {SqlText.Literal(one.Name)} ORDER BY u.place
            """,
            cancellation);
        if (columns.Count == 0)
            return null;
        string given = string.Join(" AND ", columns.Select(static c => $"f.{c[0]} IS NOT NULL"));
        string same = string.Join(" AND ", columns.Select(static c => $"p.{c[1]} OPERATOR({c[2]}) f.{c[0]}"));
        string named = string.Join(", ", columns.Select(static c => $"f.{c[0]}"));
        return $"""
            SELECT '(' || {SqlText.Literal(string.Join(", ", columns.Select(static c => c[0])))} || ')=' || pg_catalog.left(ROW({named})::pg_catalog.text, 100) AS named
            FROM ONLY {one.On.Quoted} f WHERE {given} AND NOT EXISTS (SELECT FROM ONLY {columns[0][3]} p WHERE {same})
            """;
    }

    /// <summary>Rows by their primary key, or by their place where they have none.</summary>
    private static async Task<string?> BreakingSqlAsync(PsqlSession session, ConstraintValidation one, CancellationToken cancellation)
    {
        IReadOnlyList<string?[]> check = await session.QueryAsync(
            $"""
            SELECT pg_catalog.pg_get_expr(k.conbin, k.conrelid),
              (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY u.place) FROM pg_catalog.pg_index i
               CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY u(number, place)
               JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.number WHERE i.indrelid = k.conrelid AND i.indisprimary)
            FROM pg_catalog.pg_constraint k WHERE k.contype = 'c' AND k.conrelid = {one.On.Oid} AND k.conname = {SqlText.Literal(one.Name)}
            """,
            cancellation);
        if (check.Count == 0)
            return null;
        string key = check[0][1] is { } columns
            ? $"'(' || {SqlText.Literal(columns)} || ')=' || pg_catalog.left(ROW({columns})::pg_catalog.text, 100)" : "'row ' || tableoid::pg_catalog.regclass || ' ' || ctid::pg_catalog.text";
        return $"SELECT {key} AS named FROM {one.On.Quoted} WHERE NOT ({check[0][0]})";
    }
}
