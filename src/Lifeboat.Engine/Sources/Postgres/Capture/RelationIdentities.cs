using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres.Capture;

/// <summary>
/// What tells a relation from another one that has its name later, and from itself before it was altered: name, kind, file, columns, place among partitions.
/// A statement names a relation, and the name is looked up when the statement is run; what its rows are taken for is what the cut's snapshot shows. The two
/// are the same only where nothing of this has changed between them.
/// </summary>
internal static class RelationIdentities
{
    /// <summary>
    /// Whether the relations, all of which are locked, are now what the cut's snapshot shows.
    /// </summary>
    /// <param name="cut">Sees the snapshot.</param>
    /// <param name="watch">In no transaction: sees what has been committed. Asked behind the locks, which keep all of this as it is.</param>
    public static async Task<bool> AreUnchangedAsync(
        PsqlSession cut, PsqlSession watch, IEnumerable<CatalogueRelation> locked, CancellationToken cancellation)
    {
        string sql = Sql(locked);
        Dictionary<string, string?> then = (await cut.QueryAsync(sql, cancellation)).ToDictionary(static row => row[0]!, static row => row[1]);
        IReadOnlyList<string?[]> now = await watch.QueryAsync(sql, cancellation);
        return now.Count == then.Count && now.All(row => then.TryGetValue(row[0]!, out string? before) && before == row[1]);
    }

    /// <summary>
    /// A query that gives those of some relations which this session's statements have read by their names. A lock on a table keeps its own name as it is, but
    /// not that of its schema.
    /// </summary>
    /// <remarks>The session must still be in the transaction, or above the savepoint, in which it read them.</remarks>
    public static string WereReadSql(IEnumerable<uint> relations) =>
        $$"""
        SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = ANY ('{ {{string.Join(',', relations)}} }'::pg_catalog.oid[])
            AND pg_catalog.to_regclass(pg_catalog.format('%I.%I', n.nspname, c.relname)) = c.oid
            AND c.oid IN (SELECT l.relation FROM pg_catalog.pg_locks l WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation')
        """;

    // As a row's text, so that a null is told from an empty text. What can change under a lock that lets others read (statistics, rights, triggers) is not in it.
    private static string Sql(IEnumerable<CatalogueRelation> relations) =>
        $$"""
        SELECT c.oid, ROW(n.nspname, c.relname, c.relkind, c.relfilenode, c.relispartition, c.relpartbound,
            (SELECT pg_catalog.string_agg(ROW(i.inhparent, i.inhseqno)::pg_catalog.text, ' ' ORDER BY i.inhseqno, i.inhparent)
                FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid),
            (SELECT pg_catalog.string_agg(ROW(a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation, a.attnotnull, a.attisdropped, a.attidentity,
                a.attgenerated)::pg_catalog.text, ' ' ORDER BY a.attnum) FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0)
            )::pg_catalog.text
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = ANY ('{ {{string.Join(',', relations.Select(static r => r.Oid))}} }'::pg_catalog.oid[])
        """;
}
