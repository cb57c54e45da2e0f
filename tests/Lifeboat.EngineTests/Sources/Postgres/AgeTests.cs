using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Postgres;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>Apache AGE, whose graphs are known by object ids that no dump carries: on PostgreSQL 17 (AGE 1.5) and 18 (AGE 1.8), in chroots.</summary>
public sealed class AgeTests : IDisposable
{
    private const string UseAge = "LOAD 'age'; SET search_path = ag_catalog, \"$user\", public;\n";
    private readonly RestoreBench _bench = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData("trixie", 17)]
    [InlineData("sid", 18)]
    public async Task A_restored_graph_answers_grows_and_can_be_dropped(string suite, int major)
    {
        await using PostgresServer server = await StartAsync(suite, major);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(server, "memory");

        await _bench.RestoreAsync(snapshot, server, "restored");

        Assert.Equal([], _bench.Host.Warnings.Select(static warning => warning.Message + warning.Hint));
        AssertSameAnswers(server, server, "restored");
        AssertAlive(server, "restored");
    }

    [Fact]
    public async Task A_graph_with_its_views_comes_back_on_an_empty_server_of_the_same_version()
    {
        await using PostgresServer server = await StartAsync("sid", 18);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(server, "memory");
        await using PostgresServer empty = PostgresServer.InChroot("sid", 18);
        await empty.InitializeAsync();

        RestorePlan plan = await _bench.RestoreAsync(snapshot, empty, "memory");

        Assert.Empty(plan.Warnings.Concat(_bench.Host.Warnings));
        AssertSameAnswers(server, empty, "memory");
        AssertAlive(empty, "memory");
    }

    [Fact]
    public async Task A_graph_comes_back_on_a_newer_version_and_its_views_are_refused_there_before_anything_is_written()
    {
        await using PostgresServer server = await StartAsync("trixie", 17);
        await using PostgresServer empty = PostgresServer.InChroot("sid", 18);
        await empty.InitializeAsync();
        using RestoreBench other = new();
        await using (VerifiedSnapshot views = await other.CaptureAsync(server, "memory"))
        await using (IRestoration refused = other.Restoration(views, empty, "memory"))
        {
            Problem blocker = Assert.Single((await refused.PlanAsync(Cancellation)).Blockers);
            Assert.Equal(ErrorCodes.PostgresExtensionMissing, blocker.Code);
            Assert.Contains("extension age is version 1.5.0 in the snapshot, and the server has only 1.", blocker.Message);
            Assert.Contains("public.paths", blocker.Message);
        }

        server.Sql("memory", DropViewsSql);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(server, "memory");
        RestorePlan plan = await _bench.RestoreAsync(snapshot, empty, "memory");

        Assert.Equal(ErrorCodes.PostgresNotComparable, Assert.Single(plan.Warnings).Code);
        Assert.Empty(_bench.Host.Warnings);
        server.Sql("memory", UseAge + ViewsSql);
        empty.Sql("memory", UseAge + ViewsSql);
        AssertSameAnswers(server, empty, "memory");
        AssertAlive(empty, "memory");
    }

    [Fact]
    public async Task A_user_who_may_not_load_the_extension_is_told_and_the_graph_comes_back()
    {
        await using PostgresServer server = await StartAsync("sid", 18);
        server.Sql("memory", "CREATE ROLE lifeboat_backup LOGIN BYPASSRLS; GRANT pg_read_all_data TO lifeboat_backup");

        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(server, "memory", user: "lifeboat_backup");
        Problem[] warnings = [.. _bench.Host.Warnings];
        await _bench.RestoreAsync(snapshot, server, "restored");

        Problem warning = Assert.Single(warnings);
        Assert.Equal(ErrorCodes.PostgresExtensionUnproven, warning.Code);
        Assert.Contains("extension age does not answer", warning.Message);
        Assert.Contains("session_preload_libraries", warning.Hint);
        AssertSameAnswers(server, server, "restored");
        AssertAlive(server, "restored");
    }

    [Fact]
    public async Task A_plain_dump_and_restore_breaks_the_graph()
    {
        await using PostgresServer server = await StartAsync("sid", 18);
        server.Sql("memory", DropViewsSql);
        string dump = server.Dump("memory");
        server.CreateDatabase("plain");

        server.Sql("plain", dump);

        Assert.Equal(server.Sql("memory", "SELECT count(*) FROM mem.\"Person\""), server.Sql("plain", "SELECT count(*) FROM mem.\"Person\""));
        InvalidOperationException failure = Assert.Throws<InvalidOperationException>(() => Cypher(server, "plain", "MERGE (n:Person {name: 'Ann'}) RETURN n"));
        Assert.Contains("does not exist", failure.Message);
    }

    [Theory]
    [InlineData("trixie", 17)]
    [InlineData("sid", 18)]
    public async Task The_graph_comes_back_by_hand_too(string suite, int major)
    {
        await using PostgresServer server = await StartAsync(suite, major);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(server, "memory");
        server.CreateDatabase("hand");

        string url = server.Url("hand").Replace("postgres@", $"postgres:{Uri.EscapeDataString(PostgresServer.Password)}@", StringComparison.Ordinal);
        EndToEnd.LifeboatProgram.Shell(_bench.SnapshotFile("databases/main"), $"psql -X -q -v ON_ERROR_STOP=1 -d '{url}' -f restore.sql");

        AssertSameAnswers(server, server, "hand");
        AssertAlive(server, "hand");
    }

    [Fact]
    public async Task A_stale_graph_is_told_by_verification_although_its_rows_are_right()
    {
        await using PostgresServer server = await StartAsync("sid", 18);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(server, "memory");
        await using IRestoration restoration = _bench.Restoration(snapshot, server, "restored");
        await restoration.StageAsync(Cancellation);
        // As a plain restore would have left it: both tables agree on ids that name no schema.
        server.Sql(
            "restored__staging_testid",
            "SET session_replication_role = replica; UPDATE ag_catalog.ag_label SET graph = (graph::bigint + 1000000)::oid; UPDATE ag_catalog.ag_graph SET graphid = (graphid::bigint + 1000000)::oid");

        VerifyReport report = await restoration.VerifyAsync(Cancellation);

        Assert.False(report.Passed);
        string[] subjects = [.. report.Checks.Where(static check => !check.Passed).Select(static check => check.Subject)];
        Assert.Contains("table ag_catalog.ag_graph", subjects);
        Assert.Contains("table ag_catalog.ag_label", subjects);
        Assert.Contains(subjects, static subject => subject.Contains("cypher('mem'", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_view_that_no_definition_brings_back_is_told_before_the_backup()
    {
        await using PostgresServer server = await StartAsync("sid", 18);
        server.Sql(
            "memory",
            UseAge + """
            CREATE VIEW public.mixed AS SELECT y, (SELECT count(*) FROM cypher('mem', $$ MATCH (n) RETURN n $$) AS (x agtype)) AS c
            FROM cypher('mem', $$ MATCH (n) RETURN n $$) AS (y agtype);
            """);

        PostgresSource source = new(server.Settings("memory"), server.Bin, _bench.Host.Context, new NoSecrets());
        Problem problem = Assert.Single(await source.CheckAsync(Cancellation));
        LifeboatException refused = await Assert.ThrowsAsync<LifeboatException>(() => _bench.CaptureAsync(server, "memory"));

        Assert.Equal(ErrorCodes.PostgresExtensionUnsupported, problem.Code);
        Assert.Contains("\"public\".\"mixed\"", problem.Message);
        Assert.Equal(ErrorCodes.PostgresExtensionUnsupported, refused.Code);
    }

    private static async Task<PostgresServer> StartAsync(string suite, int major)
    {
        PostgresServer server = PostgresServer.InChroot(suite, major);
        await server.InitializeAsync();
        server.CreateDatabase("memory");
        server.Sql("memory", GraphSql);
        server.Sql("memory", UseAge + ViewsSql);
        return server;
    }

    private static string Cypher(PostgresServer server, string database, string query, string columns = "a agtype") =>
        server.Sql(database, $"{UseAge}SELECT * FROM cypher('mem', $q$ {query} $q$) AS ({columns})").Trim();

    private static void AssertSameAnswers(PostgresServer server, PostgresServer restored, string database)
    {
        foreach (string view in new[] { "people", "friends", "paths", "labels", "two", "mpeople", "counted", "of_people", "names()" })
        {
            string query = $"{UseAge}SELECT t::text FROM public.{view} t ORDER BY 1";
            string expected = server.Sql("memory", query);
            Assert.NotEqual("", expected.Trim());
            Assert.Equal(expected, restored.Sql(database, query));
        }

        foreach (string query in new[]
        {
            "MATCH (n) RETURN n ORDER BY id(n)", "MATCH ()-[r]->() RETURN r ORDER BY id(r)", "MATCH (n:Person) WHERE n.age > 30 RETURN n.name",
            "MATCH p = (a:Person)-[*1..3]->(b) RETURN p", "MATCH (n) RETURN label(n)", "OPTIONAL MATCH (n:Person)-[:LIKES]->(t) RETURN t ORDER BY id(n)",
            "MATCH (n:Person) RETURN collect(n.name)", "UNWIND [1, 2] AS x RETURN x", "MATCH (n:Empty) RETURN count(n)",
        })
            Assert.Equal(Cypher(server, "memory", query), Cypher(restored, database, query));
    }

    private static void AssertAlive(PostgresServer server, string database)
    {
        // Nothing is made by a MERGE of what is there; what is not there is made once.
        Cypher(server, database, "MERGE (n:Person {name: 'Ann', age: 40}) RETURN n");
        Cypher(server, database, "MERGE (n:Person {name: 'New'}) RETURN n");
        Cypher(server, database, "MERGE (n:Person {name: 'New'}) RETURN n");
        Assert.Equal("4", Cypher(server, database, "MATCH (n:Person) RETURN count(n)"));
        Cypher(server, database, "MATCH (a:Person {name: 'New'}), (b:Thing) CREATE (a)-[:OWNS {since: 2026}]->(b) RETURN a");
        Assert.Equal("\"OWNS\"", Cypher(server, database, "MATCH (:Person {name: 'New'})-[r]->(:Thing) RETURN type(r)"));
        Cypher(server, database, "CREATE (n:Place {name: 'here'}) RETURN n");
        Assert.Equal("\"Place\"", Cypher(server, database, "MATCH (n:Place) RETURN label(n)"));
        Cypher(server, database, "MATCH (n:Place) SET n.name = 'there' RETURN n");
        Cypher(server, database, "MATCH (n:Place) DETACH DELETE n");
        server.Sql(database, UseAge + "SELECT create_vlabel('mem', 'Later'); SELECT create_elabel('mem', 'AFTER'); SELECT drop_label('mem', 'Empty')");
        server.Sql(database, UseAge + "SELECT create_graph('fresh'); SELECT * FROM cypher('fresh', $$ CREATE (a:A)-[:B]->(c:C) RETURN a $$) AS (a agtype)");
        Assert.Equal("4", server.Sql(database, UseAge + "SELECT count(*) FROM public.people").Trim());
        server.Sql(database, UseAge + "SELECT drop_graph('fresh', true); SELECT drop_graph('Other.graph', true)");
        server.Sql(database, UseAge + "SELECT drop_graph('mem', true)");
        Assert.Equal("0|0", server.Sql(database, "SELECT (SELECT count(*) FROM ag_catalog.ag_graph), (SELECT count(*) FROM ag_catalog.ag_label)").Trim());
    }

    private const string GraphSql =
        UseAgeAfterCreate + """
        SELECT create_graph('mem');
        SELECT create_graph('Other.graph');
        SELECT create_graph('empty');
        SELECT drop_graph('empty', true);
        SELECT * FROM cypher('mem', $$ CREATE (a:Person {name: 'Ann', age: 40})-[:KNOWS {since: 2020}]->(b:Person {name: 'Bob "é🛟"', age: 20})-[:LIKES]->(c:Thing {name: 'x'}) $$) AS (a agtype);
        SELECT * FROM cypher('mem', $$ CREATE (a:Person {name: 'Cyd', age: 50}) $$) AS (a agtype);
        SELECT * FROM cypher('Other.graph', $$ CREATE (a:Node)-[:EDGE]->(b:Node) $$) AS (a agtype);
        SELECT create_vlabel('mem', 'Empty');
        CREATE INDEX ON mem."Person" USING gin (properties);
        CREATE FUNCTION public.names() RETURNS SETOF agtype LANGUAGE sql AS
          $f$ SELECT * FROM ag_catalog.cypher('mem', $$ MATCH (p:Person) RETURN p.name $$) AS (name ag_catalog.agtype) $f$;
        """;

    private const string DropViewsSql = "DROP VIEW public.people, public.friends, public.paths, public.labels, public.two CASCADE";

    private const string ViewsSql =
        """
        CREATE VIEW public.people AS SELECT * FROM cypher('mem', $$ MATCH (p:Person) RETURN p.name $$) AS (name agtype);
        CREATE VIEW public.friends AS SELECT * FROM cypher('mem', $$ MATCH (p)-[r:KNOWS]->(q) RETURN p, r, q $$) AS ("the first" agtype, "r""2" agtype, b agtype);
        CREATE VIEW public.paths AS SELECT * FROM cypher('mem', $$ MATCH p = (a)-[*1..2]->(b) RETURN p $$) AS (p agtype);
        CREATE VIEW public.labels WITH (security_barrier) AS SELECT * FROM cypher('mem', $$ MATCH (a) RETURN label(a), id(a) $$) AS (l agtype, i agtype);
        CREATE VIEW public.two AS SELECT a.x, b.y FROM cypher('mem', $$ MATCH (n:Person) RETURN n $$) AS a (x agtype),
          cypher('Other.graph', $$ MATCH (n:Node) RETURN id(n) $$) AS b (y agtype);
        CREATE VIEW public.of_people AS SELECT count(*) AS n FROM public.people;
        CREATE MATERIALIZED VIEW public.mpeople AS SELECT name::text FROM public.people;
        CREATE MATERIALIZED VIEW public.counted AS SELECT l, count(*) AS n FROM public.labels GROUP BY l;
        COMMENT ON VIEW public.people IS 'over cypher()';
        """;

    private const string UseAgeAfterCreate = "CREATE EXTENSION age;\n" + UseAge;
}
