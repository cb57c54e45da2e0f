namespace Lifeboat.Engine.Sources.Postgres.Extensions;

/// <summary>
/// TimescaleDB. Its catalogue names chunks by numbers of its own and is restored as any other configuration; while that happens the
/// extension must be told to keep out of the way (TimescaleDB documentation, "Logical backup"), and its jobs wait until the database is live.
/// </summary>
internal sealed class TimescaleExtension : KnownExtension
{
    public override string Name => "timescaledb";

    public override string PreloadedLibrary => "timescaledb";

    // Its catalogue's tables belong to one version.
    public override bool SameVersion => true;

    public override string AfterCreateSql => Call("timescaledb_pre_restore");

    // timescaledb_post_restore() would start the jobs: a retention policy then drops rows that are yet to be compared.
    public override string AtEndSql =>
        """
        DO $lifeboat$ BEGIN
            EXECUTE pg_catalog.format('ALTER DATABASE %I RESET timescaledb.restoring', pg_catalog.current_database());
            SET timescaledb.restoring TO off;
        END $lifeboat$
        """;

    public override string WhenLiveSql => Call("timescaledb_post_restore");

    public override string QuestionsSql =>
        """
        SELECT pg_catalog.format('SELECT %L, count(*) FROM %I.%I', h.schema_name || '.' || h.table_name, h.schema_name, h.table_name)
        FROM _timescaledb_catalog.hypertable h WHERE h.schema_name <> '_timescaledb_internal' ORDER BY h.id
        """;

    // The functions are in the schema that the extension was created in.
    private static string Call(string function) =>
        $"""
        DO $lifeboat$ BEGIN
            EXECUTE (SELECT pg_catalog.format('SELECT %I.{function}()', n.nspname)
                FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'timescaledb');
        END $lifeboat$
        """;
}
