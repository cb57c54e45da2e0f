using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>
/// Tells whether anything was written to a database between two moments, without reading it again: by the server's own count of rows written to each table
/// (<c>track_counts</c>), by the last value of each sequence, and by which transactions the rows of the system catalogues are from.
/// </summary>
internal static class StagedWrites
{
    private const int CountsAtOnce = 15; // From this major version on counts are in shared memory, and what a session wrote is in them when it has ended.
    private const int FirstOwnId = 16384; // FirstNormalObjectId: what was made after initdb
    private static readonly TimeSpan BeforeCounted = TimeSpan.FromSeconds(1); // The older collector writes its counts twice a second.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(20);

    // Statistics are not among them, because autovacuum gathers them whenever it likes; nor is what only a superuser may read (user mappings).
    private static readonly string[] s_catalogues =
    [
        "aggregate", "am", "amop", "amproc", "attrdef", "attribute", "cast", "class", "collation", "constraint", "conversion", "default_acl", "description", "enum",
        "event_trigger", "extension", "foreign_data_wrapper", "foreign_server", "foreign_table", "index", "inherits", "language", "largeobject_metadata", "namespace",
        "opclass", "operator", "opfamily", "partitioned_table", "policy", "proc", "publication", "publication_rel", "range", "rewrite", "seclabel", "sequence",
        "statistic_ext", "transform", "trigger", "ts_config", "ts_dict", "ts_parser", "ts_template", "type",
    ];

    /// <summary>What was written so far, as a text to be compared; when the sessions that wrote have ended, or were given time to.</summary>
    /// <param name="session">With the database.</param>
    public static async Task<string> ReadAsync(PsqlSession session, RunContext context, CancellationToken cancellation)
    {
        long started = context.Host.Time.GetTimestamp();
        while (context.Host.Time.GetElapsedTime(started) < LongestWait && await session.QueryOneAsync(
            """
            SELECT count(*) FROM pg_catalog.pg_stat_activity
            WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid() AND backend_type = 'client backend'
            """,
            cancellation) != "0")
            await Task.Delay(BetweenLooks, context.Host.Time, cancellation);
        if (session.ServerMajor < CountsAtOnce)
            await Task.Delay(BeforeCounted, context.Host.Time, cancellation);
        return string.Join(' ', (await session.QueryAsync(Sql, cancellation))[0]);
    }

    public static LifeboatException Changed(string database, string source) => new(
        ErrorCodes.PostgresStagedChanged, $"somebody wrote to database {database} after it was compared with the snapshot, so it is not what would be restored any more",
        "only a superuser or the restoring role can have been in it: let them stay out while a restore runs, then restore again", source);

    private static string Sql { get; } =
        $"""
        SELECT
          (SELECT coalesce(pg_catalog.sum(pg_catalog.pg_stat_get_tuples_inserted(oid) + pg_catalog.pg_stat_get_tuples_updated(oid) + pg_catalog.pg_stat_get_tuples_deleted(oid)), 0)
           FROM pg_catalog.pg_class WHERE relkind IN ('r', 'm') AND (oid >= {FirstOwnId} OR oid = 'pg_catalog.pg_largeobject'::pg_catalog.regclass)),
          (SELECT pg_catalog.md5(pg_catalog.string_agg(oid || ' ' ||
             CASE WHEN pg_catalog.has_sequence_privilege(oid, 'SELECT') THEN coalesce(pg_catalog.pg_sequence_last_value(oid)::text, '-') ELSE '?' END, ',' ORDER BY oid))
           FROM pg_catalog.pg_class WHERE relkind = 'S'),
          (SELECT pg_catalog.string_agg(c.rows || '/' || c.written, ' ' ORDER BY c.name) FROM ({string.Join(" UNION ALL ", s_catalogues.Select(static name =>
              $"SELECT '{name}' AS name, count(*) AS rows, coalesce(pg_catalog.sum(xmin::text::bigint), 0) AS written FROM pg_catalog.pg_{name}"))}) c)
        """;
}
