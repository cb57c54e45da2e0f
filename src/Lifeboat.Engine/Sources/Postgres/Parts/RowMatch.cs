using System.Globalization;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Parts;

/// <summary>
/// How rows of ours (<c>s</c>) are found among a live table's (<c>l</c>): by its primary key, or another unique key whose columns are never null; where there is none,
/// by whole rows, as many times as each occurs. Whole rows are the same if their values' images are, which every type has.
/// </summary>
/// <param name="Key">The key's columns, quoted, each with the operator of its index that means equal; empty for none.</param>
/// <param name="SkipsCollisions">Whether the server can leave out a row that another unique or exclusion constraint refuses.</param>
internal sealed record RowMatch(LiveTable Live, IReadOnlyList<(string Column, string Equal)> Key, bool SkipsCollisions)
{
    private const string Image = "\"lifeboat image\"";

    /// <summary>Whether a live row is that of ours.</summary>
    public string SameKey => string.Join(" AND ", Key.Select(static one => $"l.{one.Column} {one.Equal} s.{one.Column}"));

    /// <summary>Whether it is so with all its values.</summary>
    public string SameValues => $"(ROW({Live.Given("s.")})::record OPERATOR(pg_catalog.*=) ROW({Live.Given("l.")})::record OR {ImageOf("s.")} = {ImageOf("l.")})";

    /// <summary>The key's values of a row of ours, for people.</summary>
    public string KeyText => $"ROW({string.Join(", ", Key.Select(static one => "s." + one.Column))})::text";

    private string ImageOf(string prefix) => $"(ROW({Live.Given(prefix)})::text COLLATE \"C\")";

    /// <summary>A query for the rows of a table of ours that are missing.</summary>
    /// <param name="wereRemoved">Whether they were taken away from the live table: then, without a key, none of them is there, though others like them may be.</param>
    public string Missing(string rows, bool wereRemoved) => wereRemoved && Key.Count == 0
        ? $"SELECT {Live.Given("s.")} FROM ONLY {rows} s"
        : Key.Count > 0
        ? $"SELECT {Live.Given("s.")} FROM ONLY {rows} s WHERE NOT EXISTS (SELECT FROM ONLY {Live.Name.Quoted} l WHERE {SameKey})"
        : $"""
            SELECT {Live.Given("s.")}
            FROM (SELECT s.*, {ImageOf("s.")} AS {Image}, row_number() OVER (PARTITION BY {ImageOf("s.")}) AS "lifeboat number" FROM ONLY {rows} s) s
            LEFT JOIN (SELECT {ImageOf("l.")} AS {Image}, count(*) AS n FROM ONLY {Live.Name.Quoted} l GROUP BY 1) l ON l.{Image} = s.{Image}
            WHERE s."lifeboat number" > coalesce(l.n, 0)
            """;

    /// <summary>A DELETE of the live rows that are as those of a table of ours.</summary>
    public string Delete(string rows) => Key.Count > 0
        ? $"DELETE FROM ONLY {Live.Name.Quoted} l USING ONLY {rows} s WHERE {SameKey} AND {SameValues}"
        : $"""
            DELETE FROM ONLY {Live.Name.Quoted} WHERE ctid IN (
              SELECT l.ctid FROM (SELECT l.ctid, {ImageOf("l.")} AS {Image}, row_number() OVER (PARTITION BY {ImageOf("l.")} ORDER BY l.ctid DESC) AS "lifeboat number" FROM ONLY {Live.Name.Quoted} l) l
              JOIN (SELECT {ImageOf("s.")} AS {Image}, count(*) AS n FROM ONLY {rows} s GROUP BY 1) s ON s.{Image} = l.{Image} WHERE l."lifeboat number" <= s.n)
            """;

    public static async Task<RowMatch> OfAsync(PsqlSession session, LiveTable live, CancellationToken cancellation)
    {
        // The smallest of the keys, the primary one first. Operators by name and schema: the search path is empty.
        IReadOnlyList<string?[]> key = await session.QueryAsync(
            $"""
            WITH best AS (
              SELECT i.* FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = c.relam
              WHERE i.indrelid = {live.Oid} AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND m.amname = 'btree'
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) AND NOT a.attnotnull)
              ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1)
            SELECT a.attname, n.nspname, o.oprname
            FROM best b, pg_catalog.generate_series(0, b.indnkeyatts - 1) k
            JOIN pg_catalog.pg_attribute a ON true JOIN pg_catalog.pg_opclass c ON true
            JOIN pg_catalog.pg_amop p ON p.amopfamily = c.opcfamily AND p.amopstrategy = 3 AND p.amoplefttype = c.opcintype AND p.amoprighttype = c.opcintype
            JOIN pg_catalog.pg_operator o ON o.oid = p.amopopr JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
            WHERE a.attrelid = b.indrelid AND a.attnum = b.indkey[k] AND c.oid = b.indclass[k] ORDER BY k
            """, cancellation);
        string? collides = await session.QueryOneAsync(
            $"""
            SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_index WHERE indrelid = {live.Oid} AND NOT indimmediate)
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_rewrite WHERE ev_class = {live.Oid} AND ev_type = '2')
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = {live.Oid} AND reloptions::text LIKE '%user_catalog_table=%')
            """, cancellation);
        return new RowMatch(
            live, [.. key.Select(static row => (SqlText.Identifier(row[0]!), string.Create(CultureInfo.InvariantCulture, $"OPERATOR({SqlText.Identifier(row[1]!)}.{row[2]})")))],
            collides == "t");
    }
}
