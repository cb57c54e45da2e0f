using System.Text.RegularExpressions;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>Whatever settings a role and a database carry, and whatever a database is called: the snapshot is the same.</summary>
public sealed partial class SettingsSweepTests : IDisposable
{
    // What the server's own table of settings does not say an odd value of.
    private static readonly Dictionary<string, string> s_oddTexts = new()
    {
        ["DateStyle"] = "SQL, DMY", ["TimeZone"] = "Asia/Kathmandu", ["client_encoding"] = "LATIN1", ["search_path"] = "nowhere", ["role"] = "powerless",
        ["lc_monetary"] = "POSIX", ["lc_numeric"] = "POSIX", ["lc_time"] = "POSIX", ["lc_messages"] = "POSIX", ["default_tablespace"] = "pg_default", ["temp_tablespaces"] = "pg_default",
        ["default_text_search_config"] = "pg_catalog.german", ["local_preload_libraries"] = "nowhere", ["session_preload_libraries"] = "auto_explain",
        ["timezone_abbreviations"] = "India", ["restrict_nonsystem_relation_kind"] = "view, foreign-table", ["createrole_self_grant"] = "set, inherit",
    };

    private readonly List<RestoreBench> _benches = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _benches.ForEach(static bench => bench.Dispose());

    /// <summary>Every setting that a role may carry gets an odd value: all of them together, since one that took effect would show in any case.</summary>
    [Theory]
    [InlineData("", 15)]
    [InlineData("trixie", 17)]
    [InlineData("sid", 18)]
    public async Task Every_setting_that_a_role_or_a_database_may_carry_changes_nothing_in_a_snapshot(string suite, int major)
    {
        await using PostgresServer server = suite.Length == 0 ? new PostgresServer() : PostgresServer.InChroot(suite, major);
        await server.InitializeAsync();
        CreateSwept(server);
        string[] expected = await SnapshotAsync(server, "swept", "sweeper");
        string[] odd = OddSettings(server);
        Assert.InRange(odd.Length, 120, 400);

        // A later placement wins over an earlier one.
        foreach (string placement in (string[])["DATABASE swept", "ROLE sweeper", "ROLE sweeper IN DATABASE swept"])
        {
            server.Sql("postgres", string.Concat(odd.Select(setting => $"ALTER {placement} SET {setting};\n")));
            Assert.Equal(expected, await SnapshotAsync(server, "swept", "sweeper"));
            server.Sql("postgres", $"ALTER {placement} RESET ALL");
        }
    }

    [Fact]
    public async Task A_role_that_a_setting_gives_to_a_superuser_takes_nothing_away_and_one_that_gives_rights_is_taken()
    {
        await using PostgresServer server = await PostgresServer.StartAsync();
        server.CreateDatabase("roles");
        server.Sql(
            "roles",
            """
            CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE ROLE powerless; CREATE ROLE powerful IN ROLE pg_read_all_data;
            CREATE ROLE nightly LOGIN NOINHERIT IN ROLE powerful, powerless;
            ALTER ROLE postgres IN DATABASE roles SET role = 'powerless'; ALTER ROLE nightly IN DATABASE roles SET role = 'powerful';
            """);
        await using (VerifiedSnapshot snapshot = await Bench().CaptureAsync(server, "roles"))
            Assert.Equal(1, Assert.Single(snapshot.Metadata.Sources[0].Tables!).Rows);
        await using (VerifiedSnapshot snapshot = await Bench().CaptureAsync(server, "roles", user: "nightly"))
            Assert.Equal(1, Assert.Single(snapshot.Metadata.Sources[0].Tables!).Rows);

        server.Sql("postgres", "ALTER ROLE nightly IN DATABASE roles SET role = 'powerless'");
        LifeboatException refused = await Assert.ThrowsAsync<LifeboatException>(() => Bench().CaptureAsync(server, "roles", user: "nightly"));
        Assert.Equal(ErrorCodes.PostgresPermissionDenied, refused.Code);
        Assert.Contains("a setting makes user \"nightly\" act as role \"powerless\"", refused.Hint, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a=b")]
    [InlineData("host=192.0.2.1")]
    [InlineData("postgresql://nobody@192.0.2.1/x")]
    [InlineData("it's a \\ name, 100%")]
    [InlineData("-d")]
    public async Task A_database_is_backed_up_and_restored_whatever_its_name_looks_like(string name)
    {
        await using PostgresServer server = await PostgresServer.StartAsync();
        server.CreateDatabase(name);
        server.Sql(name, "CREATE ROLE \"müller\" LOGIN; CREATE TABLE t (a text); ALTER TABLE t OWNER TO \"müller\"; INSERT INTO t VALUES ('captured')");
        RestoreBench bench = Bench();
        await using VerifiedSnapshot snapshot = await bench.CaptureAsync(server, name);
        server.Sql(name, "UPDATE t SET a = 'later'");

        await bench.RestoreAsync(snapshot, server, name);

        Assert.Equal("captured", server.Sql(name, "SELECT a FROM t").Trim());
    }

    [Fact]
    public async Task A_table_that_was_added_to_an_extension_is_told_and_what_the_extension_makes_is_not()
    {
        await using PostgresServer server = await PostgresServer.StartAsync();
        server.CreateDatabase("members");
        server.Sql(
            "members",
            """
            CREATE EXTENSION ltree; CREATE EXTENSION pg_trgm VERSION '1.3'; ALTER EXTENSION pg_trgm UPDATE TO '1.4'; ALTER EXTENSION pg_trgm UPDATE;
            CREATE EXTENSION hstore; CREATE SCHEMA other; ALTER EXTENSION hstore SET SCHEMA other;
            CREATE TABLE orders (id int); INSERT INTO orders VALUES (1), (2); CREATE TABLE "Empty" (id int); CREATE SEQUENCE numbers;
            ALTER EXTENSION ltree ADD TABLE orders; ALTER EXTENSION ltree ADD TABLE "Empty"; ALTER EXTENSION ltree ADD SEQUENCE numbers;
            """);
        RestoreBench bench = Bench();
        await using VerifiedSnapshot snapshot = await bench.CaptureAsync(server, "members");

        Problem[] told = [.. bench.Host.Warnings];
        Assert.All(told, static problem => Assert.Equal(ErrorCodes.PostgresDataLeftOut, problem.Code));
        Assert.Equal(
            ["sequence public.numbers", "table public.\"Empty\"", "table public.orders"],
            told.Select(static problem => problem.Message[..problem.Message.IndexOf(" was made", StringComparison.Ordinal)]).Order(StringComparer.Ordinal));
        foreach (Problem problem in told)
            server.Sql("members", problem.Hint[..problem.Hint.IndexOf(" takes", StringComparison.Ordinal)]);
        RestoreBench again = Bench();
        await using VerifiedSnapshot whole = await again.CaptureAsync(server, "members");
        Assert.Empty(again.Host.Warnings);
        Assert.Equal([0L, 2L], whole.Metadata.Sources[0].Tables!.Select(static t => t.Rows).Order());
    }

    private RestoreBench Bench()
    {
        RestoreBench bench = new();
        _benches.Add(bench);
        return bench;
    }

    private static void CreateSwept(PostgresServer server)
    {
        server.CreateDatabase("swept");
        server.Sql(
            "swept",
            """
            CREATE ROLE sweeper SUPERUSER LOGIN; CREATE ROLE powerless; CREATE ROLE "müller" LOGIN PASSWORD 'x' VALID UNTIL '2030-02-01 03:04:05+00';
            COMMENT ON ROLE "müller" IS 'Größe';
            CREATE TABLE t (d date, ts timestamptz DEFAULT '2026-10-25 02:30:00+02', i interval DEFAULT '-1 mon +2 days -03:00', b bytea DEFAULT '\x00ff5c',
              f float8 DEFAULT 0.1, m money DEFAULT '1234.56', a text[] DEFAULT '{NULL,"NULL"}', s text DEFAULT E'back\\slash''quote', x xml, n text CHECK (n <> 'x''y'),
              "select" text, j jsonb, tr tsrange);
            INSERT INTO t (d, x, n) VALUES ('2026-02-03', 'content <a/>', NULL), ('2026-03-02', NULL, E'a\\b');
            INSERT INTO t SELECT '2026-01-02', '2026-01-02 03:04:05+00', '-1 year -2 mons +3 days -04:05:06', '\xdeadbeef', 1e-300, -5.43, '{"",NULL,a}', 'é', NULL, NULL, 'y',
              '{"a": 1}', '[2026-01-02,2026-02-01)';
            CREATE TABLE many AS SELECT i, repeat('x', 300) AS t FROM generate_series(1, 20000) i;
            CREATE TABLE parted (at timestamptz) PARTITION BY RANGE (at);
            CREATE TABLE part PARTITION OF parted FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2026-07-01 00:00+00');
            INSERT INTO parted VALUES ('2026-03-04');
            CREATE VIEW v AS SELECT * FROM t WHERE ts > '2026-01-01 00:00+00' AND i <> '1 mon -1 day' AND b <> '\x01' AND m <> '5.00'::money AND n IS NOT NULL;
            CREATE MATERIALIZED VIEW mv AS SELECT ts::date AS day FROM v;
            CREATE SEQUENCE seq; SELECT setval('seq', 7, false); CREATE SEQUENCE called; SELECT setval('called', 8);
            CREATE FUNCTION f(a interval DEFAULT '1 mon -1 day', OUT b text) LANGUAGE sql AS 'SELECT $1::text';
            ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY; CREATE POLICY none ON t USING (f > 0.1);
            SELECT lo_from_bytea(4711, 'large'); COMMENT ON LARGE OBJECT 4711 IS 'Größe';
            CREATE EXTENSION hstore;
            """);
    }

    private static string[] OddSettings(PostgresServer server)
    {
        string[] known = server.Sql("postgres", "SELECT name FROM pg_settings WHERE context IN ('user', 'superuser')").Split('\n');
        return
        [
            // A time of 1 ms, another bool or word, the other end of a range. Some are left out: they need or forbid each other, only slow the server down, or are a transaction's own.
            .. server.Sql(
                "postgres",
                """
                SELECT name || ' = ' || quote_literal(CASE vartype WHEN 'bool' THEN CASE setting WHEN 'on' THEN 'off' ELSE 'on' END
                  WHEN 'enum' THEN (SELECT e FROM unnest(enumvals) e WHERE e <> setting AND e <> 'no' ORDER BY name = 'client_min_messages' AND e = 'debug5' DESC, e DESC LIMIT 1)
                  ELSE CASE WHEN name ~ '_timeout$' THEN CASE name WHEN 'idle_session_timeout' THEN '300' ELSE '1' END WHEN setting = min_val THEN max_val ELSE min_val END END)
                FROM pg_settings WHERE context IN ('user', 'superuser') AND vartype <> 'string'
                  AND name !~ '^(transaction_|log_|debug_|trace_|post_auth|pre_auth|tcp_|track_activity|max_stack|temp_file_limit|temp_buffers)|_stats$|^ssl|deadlock_timeout|io_combine_limit'
                ORDER BY name
                """).Split('\n', StringSplitOptions.RemoveEmptyEntries),
            .. s_oddTexts.Where(odd => odd.Key == "role" || known.Contains(odd.Key)).Select(static odd => $"{odd.Key} = '{odd.Value}'"),
        ];
    }

    /// <summary>All of a snapshot but what tells of when it was made, and of the settings themselves.</summary>
    private async Task<string[]> SnapshotAsync(PostgresServer server, string database, string user)
    {
        RestoreBench bench = Bench();
        await using VerifiedSnapshot snapshot = await bench.CaptureAsync(server, database, user: user);
        Assert.Empty(bench.Host.Warnings);
        SourceMetadata source = snapshot.Metadata.Sources[0];
        PostgresDetails details = PostgresDetails.From(source.Details!.Value);
        details = details with { Lsn = null, Database = details.Database with { Settings = [] } };
        string[] texts = ["globals.sql", "database.sql", "schema.sql", "sequences.sql", "restore.sql", "large-objects/objects.sql"];
        return
        [
            .. source.Tables!.Select(static t => $"{t.Name} {t.Rows} {t.Bytes} {t.Digest}"), details.ToJson().ToString(),
            .. texts.SelectMany(text => File.ReadAllLines(bench.SnapshotFile($"databases/main/{text}")).Where(static line => !IsSettingOrRemark().IsMatch(line)).Select(line => $"{text}: {line}")),
        ];
    }

    [GeneratedRegex("^(ALTER (ROLE|DATABASE) .* SET .*|--.*|.*restrict .*|)$")] // restore.sql has a random word of its own after \\restrict
    private static partial Regex IsSettingOrRemark();
}
