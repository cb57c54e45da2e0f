using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres.Catalogue;

/// <summary>
/// A collation that texts of the database are sorted by: a column's, an index's, a range type's or a partition key's. The database's own default one is not among
/// them, nor are those without versions (<c>C</c>, <c>POSIX</c>, the built-in provider's that never change).
/// </summary>
/// <param name="Captured">With the version that the database has recorded.</param>
/// <param name="Actual">The version that the server's library has; null where it does not say.</param>
internal sealed record UsedCollation(PostgresCollation Captured, string? Actual)
{
    public static async Task<IReadOnlyList<UsedCollation>> ReadAsync(PsqlSession session, CancellationToken cancellation) =>
    [
        .. (await session.QueryAsync(
            """
            SELECT n.nspname, c.collname, c.collversion, pg_catalog.pg_collation_actual_version(c.oid)
            FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
            WHERE c.collversion IS NOT NULL AND c.oid IN (
                SELECT attcollation FROM pg_catalog.pg_attribute WHERE NOT attisdropped
                UNION SELECT rngcollation FROM pg_catalog.pg_range
                UNION SELECT pg_catalog.unnest(partcollation) FROM pg_catalog.pg_partitioned_table)
            ORDER BY n.nspname COLLATE "C", c.collname COLLATE "C"
            """,
            cancellation)).Select(static row => new UsedCollation(new PostgresCollation(row[0]!, row[1]!, row[2]!), row[3])),
    ];
}
