using System.Text;
using System.Text.RegularExpressions;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Postgres;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>Several major versions: real servers of 15 on this machine and of 17 and 18 in chroots, each with its own programs.</summary>
public sealed class VersionTests : IAsyncLifetime
{
    private readonly RestoreBench _bench = new();
    private readonly PostgresServer _fifteen = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _fifteen.InitializeAsync();

    public async ValueTask DisposeAsync()
    {
        await _fifteen.DisposeAsync();
        _bench.Dispose();
    }

    [Theory]
    [InlineData("trixie", 17)]
    [InlineData("sid", 18)]
    public async Task A_snapshot_of_15_comes_back_on_a_newer_server_and_is_proven_there(string suite, int major)
    {
        RestoreBench.CreateShop(_fifteen);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_fifteen, "shop");
        await using PostgresServer newer = PostgresServer.InChroot(suite, major);
        await newer.InitializeAsync();

        await _bench.RestoreAsync(snapshot, newer, "shop");

        Assert.Equal([], _bench.Host.Warnings.Select(static warning => warning.Message + warning.Hint));
        Assert.Equal(Rows(newer, _fifteen, "shop"), Rows(newer, newer, "shop"));
        Assert.Equal("1", await RestoreBench.AsRoleAsync(newer, "shop", "shop_ro", RestoreBench.ReaderPassword, "SELECT count(*)::text FROM app.customers WHERE id = 999"));
        Assert.Equal(7777, await RestoreBench.AsRoleAsync(newer, "shop", "shop_owner", RestoreBench.OwnerPassword, "INSERT INTO app.orders (customer) VALUES (1) RETURNING id"));
    }

    [Theory]
    [InlineData("trixie", 17, "every-object-kind", "every kind")]
    [InlineData("sid", 18, "every-object-kind", "every kind")]
    [InlineData("trixie", 17, "data-extremes", "data extremes")]
    [InlineData("sid", 18, "data-extremes", "data extremes")]
    public async Task Everything_of_15_comes_back_on_a_newer_server(string suite, int major, string fixture, string database)
    {
        RestoreBench.CreateFixture(_fifteen, fixture + ".sql", database);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_fifteen, database);
        await using PostgresServer newer = PostgresServer.InChroot(suite, major);
        await newer.InitializeAsync();

        await _bench.RestoreAsync(snapshot, newer, database);

        Assert.Equal(
            [], _bench.Host.Warnings.Where(static w => w.Code != ErrorCodes.PostgresDataLeftOut && w.Code != ErrorCodes.PostgresCollationVersion).Select(static w => w.ToString()));
        Assert.Equal(Rows(newer, _fifteen, database), Rows(newer, newer, database));
        Assert.Equal(Explained(fixture), Differences(Schema(newer, _fifteen, database), Schema(newer, newer, database)));
        AssertSameRoles(newer, _fifteen, newer);
    }

    [Theory]
    [InlineData("trixie", 17)]
    [InlineData("sid", 18)]
    public async Task Roles_tablespaces_and_the_database_itself_come_back_on_a_newer_server(string suite, int major)
    {
        const string database = "the d\"b";
        string here = RolesTests.CreateRoles(_fifteen);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_fifteen, database);
        await using PostgresServer newer = PostgresServer.InChroot(suite, major);
        await newer.InitializeAsync();
        string there = RolesTests.Directory(newer, "another place");
        PostgresSettings settings = newer.Settings(database) with { Tablespaces = new Dictionary<string, string> { ["fa'st"] = there } };
        await using IRestoration restoration = new PostgresSource(settings, newer.Bin, _bench.Host.Context, new NoSecrets())
            .PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("testid"));

        Assert.Empty((await restoration.PlanAsync(Cancellation)).Blockers);
        await restoration.StageAsync(Cancellation);
        RestoreBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        await restoration.CommitAsync(Cancellation);

        Assert.All(_bench.Host.Warnings, static w => Assert.Equal(ErrorCodes.PostgresCollationVersion, w.Code));
        AssertSameRoles(newer, _fifteen, newer);
        Assert.Equal(RolesTests.Grantors(_fifteen), RolesTests.Grantors(newer));
        Assert.Equal(["- SELECT t.a", "+ SELECT a"], Differences(Schema(newer, _fifteen, database, "--create"), Schema(newer, newer, database, "--create")));
        Assert.Equal("scram", await RestoreBench.AsRoleAsync(newer, database, "scram", "its 'password\\", "SELECT current_user::text"));
    }

    [Theory]
    [InlineData("", 15)]
    [InlineData("trixie", 17)]
    [InlineData("sid", 18)]
    public async Task Whatever_is_lost_is_told_on_a_newer_server_too(string suite, int major)
    {
        _fifteen.CreateDatabase("damaged");
        _fifteen.Sql("damaged", DamagedSql);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_fifteen, "damaged");
        await using PostgresServer newer = suite.Length == 0 ? new PostgresServer() : PostgresServer.InChroot(suite, major);
        await newer.InitializeAsync();
        await using IRestoration restoration = _bench.Restoration(snapshot, newer, "damaged");
        await restoration.StageAsync(Cancellation);
        async Task<string[]> FailedAsync() => [.. (await restoration.VerifyAsync(Cancellation)).Checks.Where(static check => !check.Passed).Select(static check => $"{check.Subject}: {check.Found}")];

        foreach ((string damage, string repair) in s_damages)
        {
            newer.Sql("damaged__staging_testid", damage);
            Assert.StartsWith("schema: ", Assert.Single(await FailedAsync()), StringComparison.Ordinal);
            newer.Sql("damaged__staging_testid", repair);
        }

        Assert.Empty(await FailedAsync());
        Assert.Empty(_bench.Host.Warnings);
        foreach ((string damage, string repair) in s_rewritten)
        {
            newer.Sql("damaged__staging_testid", damage);
            Assert.StartsWith("schema: with ", Assert.Single(await FailedAsync()), StringComparison.Ordinal);
            newer.Sql("damaged__staging_testid", repair);
        }

        Assert.Empty(await FailedAsync());
        Assert.DoesNotContain(RestoreBench.Databases(newer), static name => name.Contains("__reference_", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Names_of_ICU_locales_become_the_standard_ones_on_newer_servers()
    {
        _fifteen.CreateDatabase("icu", "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de_DE'");
        _fifteen.Sql("icu", "CREATE COLLATION book (PROVIDER = icu, LOCALE = 'de_DE@collation=phonebook'); CREATE TABLE t (a text COLLATE book); INSERT INTO t VALUES ('ä')");
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_fifteen, "icu");
        await using PostgresServer newer = PostgresServer.InChroot("trixie", 17);
        await newer.InitializeAsync();

        await _bench.RestoreAsync(snapshot, newer, "icu");

        Assert.Equal("de-DE", newer.Sql("icu", "SELECT datlocale FROM pg_database WHERE datname = 'icu'").Trim());
        Assert.Equal("de-DE-u-co-phonebk", newer.Sql("icu", "SELECT colllocale FROM pg_collation WHERE collname = 'book'").Trim());
        Assert.All(_bench.Host.Warnings, static w => Assert.Equal(ErrorCodes.PostgresCollationVersion, w.Code));
    }

    [Theory]
    [InlineData("trixie", 17)]
    [InlineData("sid", 18)]
    public async Task What_only_newer_versions_have_comes_back_on_them(string suite, int major)
    {
        await using PostgresServer source = PostgresServer.InChroot(suite, major), target = PostgresServer.InChroot(suite, major);
        await source.InitializeAsync();
        await target.InitializeAsync();
        source.CreateDatabase("newer", "TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'");
        source.Sql("newer", NewerSql + (major >= 18 ? NewestSql : ""));
        // Only the program's own sessions are to see a trigger for each login: one that writes.
        source.Sql("newer", LoginSql);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(source, "newer");

        await _bench.RestoreAsync(snapshot, target, "newer");

        Assert.Empty(_bench.Host.Warnings);
        Assert.Equal(Schema(source, source, "newer", "--create"), Schema(target, target, "newer", "--create"));
        static string[] rows(PostgresServer server) =>
            [.. RestoreBench.Lines(server.Dump("newer", "--data-only", "--inserts", "--exclude-table-data=logins")).Order(StringComparer.Ordinal)];
        Assert.Equal(rows(source), rows(target));
        RestoreBench.AssertSameRoles(source, target);
        string logins = target.Sql("newer", "SELECT count(*) FROM logins");
        Assert.NotEqual(logins, target.Sql("newer", "SELECT count(*) FROM logins"));
    }

    [Fact]
    public async Task A_newer_servers_snapshot_is_refused_by_15_before_anything_is_written()
    {
        await using PostgresServer seventeen = PostgresServer.InChroot("trixie", 17);
        await seventeen.InitializeAsync();
        seventeen.CreateDatabase("shop");
        seventeen.Sql("shop", "CREATE TABLE t AS SELECT 1 AS a");
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(seventeen, "shop");

        await using IRestoration restoration = _bench.Restoration(snapshot, _fifteen, "shop");
        RestorePlan plan = await restoration.PlanAsync(Cancellation);

        Problem blocker = Assert.Single(plan.Blockers);
        Assert.True(blocker.Code == ErrorCodes.PostgresTargetOlder, blocker.ToString());
        Assert.Contains("PostgreSQL 17", blocker.Message);
        Assert.Contains("PostgreSQL 15", blocker.Message);
        Assert.Equal(["postgres"], RestoreBench.Databases(_fifteen));
    }

    [Fact]
    public async Task Programs_that_are_older_than_the_server_are_refused_and_both_versions_are_named()
    {
        await using PostgresServer seventeen = PostgresServer.InChroot("trixie", 17);
        await seventeen.InitializeAsync();
        // From here the server is reached by TCP, with this machine's programs of 15.
        PostgresSource source = new(
            new(
                "main", seventeen.Url("postgres"), null, new(SecretScheme.Env, "PASSWORD"), []),
            _fifteen.Bin, _bench.Host.Context, new GivenSecrets(("PASSWORD", PostgresServer.Password)));

        Problem problem = Assert.Single(await source.CheckAsync(Cancellation));

        Assert.Equal(ErrorCodes.PostgresToolsTooOld, problem.Code);
        Assert.Contains("PostgreSQL 17", problem.Message);
        Assert.Contains("15.", problem.Message);
        Assert.Contains("postgresql-client-17", problem.Hint);
    }

    /// <summary>A database's rows, as one server's pg_dump writes another's. From 17 on partitions know that a column is an identity.</summary>
    private static string[] Rows(PostgresServer programs, PostgresServer server, string database) =>
    [
        .. RestoreBench.Lines(programs.DumpFrom(server, database, "--data-only", "--inserts")).Where(static l => !l.StartsWith("--", StringComparison.Ordinal))
            .Select(static l => l.Replace(" OVERRIDING SYSTEM VALUE", "", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
    ];

    /// <summary>A database's schema, as one server's pg_dump writes another's, without what is explained for every object of a kind.</summary>
    private static string[] Schema(PostgresServer programs, PostgresServer server, string database, params string[] options)
    {
        string dump = programs.DumpFrom(server, database, ["--schema-only", .. options]);
        foreach ((Regex differs, string common) in s_explained)
            dump = differs.Replace(dump, common);
        return [.. RestoreBench.Lines(dump).Where(static l => l.Length > 0 && !l.StartsWith("-- Dumped from", StringComparison.Ordinal))];
    }

    /// <summary>Before 16 memberships have no options of their own, and pg_dumpall of 16 and later writes no grantors of them.</summary>
    private static void AssertSameRoles(PostgresServer programs, PostgresServer expected, PostgresServer found)
    {
        string[] roles(PostgresServer server) =>
        [
            .. RestoreBench.Lines(programs.RunClient("pg_dumpall", "--roles-only", "-d", server.Url("postgres"))).Where(static l => !l.StartsWith("ALTER ROLE postgres ", StringComparison.Ordinal))
                .Select(static l => Regex.Replace(l.Replace(", INHERIT TRUE", "", StringComparison.Ordinal).Replace(" WITH INHERIT TRUE", "", StringComparison.Ordinal), " GRANTED BY .*;", ";")),
        ];
        Assert.Equal(roles(expected), roles(found));
    }

    /// <summary>The lines that only one of two dumps has.</summary>
    private static string[] Differences(string[] expected, string[] found)
    {
        static IEnumerable<string> only(string[] one, string[] other, string mark)
        {
            ILookup<string, string> there = other.ToLookup(static line => line);
            return one.GroupBy(static line => line).SelectMany(group => group.Skip(there[group.Key].Count())).Select(line => mark + line);
        }

        return [.. only(expected, found, "-"), .. only(found, expected, "+")];
    }

    private static string[] Explained(string fixture)
    {
        string file = Path.Combine(AppContext.BaseDirectory, "Sources", "Postgres", "Fixtures", fixture + ".newer-differences");
        return File.Exists(file) ? [.. File.ReadLines(file, Encoding.Latin1).Where(static line => line.Length > 0 && line[0] != '#')] : [];
    }

    private static readonly (Regex Differs, string Common)[] s_explained =
    [
        // PostgreSQL 15.20 keeps books among the columns' options; its own pg_dump leaves that out, those of other versions do not know it.
        (new Regex(@"(?<=\n)ALTER (?>FOREIGN )?TABLE ONLY (?>[^""\n;]|""[^""]*"")+ SET \(pg_attver=\d+\);\n"), ""),
        (new Regex(@"pg_attver=\d+, "), ""),
        // All that there was in 15; on 17 and later GRANT ALL gives MAINTAIN too.
        (new Regex("(GRANT|REVOKE) SELECT,INSERT,REFERENCES,DELETE,TRIGGER,TRUNCATE,UPDATE ON"), "$1 ALL ON"),
        // From 18 on NOT NULL constraints have names; one that is cut to 63 bytes is written.
        (new Regex(@" CONSTRAINT (\w+|""[^""]+"") NOT NULL"), " NOT NULL"),
    ];

    private static readonly (string Damage, string Repair)[] s_damages =
    [
        ("DROP TRIGGER touch ON t", "CREATE TRIGGER touch BEFORE UPDATE ON t FOR EACH ROW WHEN (OLD.a > 1) EXECUTE FUNCTION touch('x')"),
        ("ALTER TABLE t DISABLE TRIGGER touch", "ALTER TABLE t ENABLE TRIGGER touch"),
        ("ALTER TABLE u DROP CONSTRAINT u_t", "ALTER TABLE u ADD CONSTRAINT u_t FOREIGN KEY (t) REFERENCES t"),
        ("ALTER TABLE t DROP CONSTRAINT checked", $"ALTER TABLE t ADD CONSTRAINT checked {Checked}"),
        ("DROP INDEX expressed", "CREATE INDEX expressed ON t ((a + 1)) WITH (fillfactor = 70)"),
        ("ALTER INDEX expressed SET (fillfactor = 80)", "ALTER INDEX expressed SET (fillfactor = 70)"),
        ("DROP POLICY p ON t", "CREATE POLICY p ON t TO damaged_reader USING (a > 5)"),
        ("ALTER TABLE t DISABLE ROW LEVEL SECURITY", "ALTER TABLE t ENABLE ROW LEVEL SECURITY"),
        ("REVOKE INSERT ON t FROM damaged_reader", "GRANT INSERT ON t TO damaged_reader"),
        ("GRANT DELETE ON t TO damaged_reader", "REVOKE DELETE ON t FROM damaged_reader"),
        ("COMMENT ON COLUMN t.b IS NULL", "COMMENT ON COLUMN t.b IS 'of t'"),
        ("ALTER TABLE t ALTER b DROP DEFAULT", "ALTER TABLE t ALTER b SET DEFAULT upper('x')"),
        ("ALTER TABLE t ALTER b DROP NOT NULL", "ALTER TABLE t ALTER b SET NOT NULL"),
        ("ALTER TABLE u ALTER b TYPE bigint", "ALTER TABLE u ALTER b TYPE int"),
        ("ALTER TABLE t OWNER TO postgres", "ALTER TABLE t OWNER TO damaged_owner"),
        ("ALTER VIEW v RESET (security_barrier)", "ALTER VIEW v SET (security_barrier = true)"),
        ("DROP VIEW w", "CREATE VIEW w AS SELECT a FROM t WHERE a > 3 WITH LOCAL CHECK OPTION"),
        ("DROP STATISTICS s", "CREATE STATISTICS s ON (a % 7), (a % 5) FROM t"),
        ("DROP RULE r ON u", "CREATE RULE r AS ON UPDATE TO u DO ALSO SELECT 1"),
        ("DROP FUNCTION f", "CREATE FUNCTION f(n int DEFAULT 1 + 1) RETURNS int LANGUAGE sql RETURN n * 2"),
        ("ALTER FUNCTION f STRICT", "ALTER FUNCTION f CALLED ON NULL INPUT"),
    ];

    private static readonly (string Damage, string Repair)[] s_rewritten =
    [
        ("ALTER TABLE t DROP CONSTRAINT checked, ADD CONSTRAINT checked CHECK (a > 0 AND (a < 9 OR b = 'x'))", $"ALTER TABLE t DROP CONSTRAINT checked, ADD CONSTRAINT checked {Checked}"),
        ("ALTER TABLE t ALTER b SET DEFAULT lower('x')", "ALTER TABLE t ALTER b SET DEFAULT upper('x')"),
        ("CREATE OR REPLACE VIEW v WITH (security_barrier = true) AS SELECT y.a FROM t x JOIN t y ON true", "CREATE OR REPLACE VIEW v WITH (security_barrier = true) AS SELECT x.a FROM t x JOIN t y ON true"),
        ("ALTER POLICY p ON t USING (a > 6)", "ALTER POLICY p ON t USING (a > 5)"),
    ];

    private const string NewerSql =
        """
        CREATE ROLE n_group; CREATE ROLE n_member LOGIN; CREATE ROLE n_admin;
        GRANT n_group TO n_admin WITH ADMIN TRUE, INHERIT FALSE, SET FALSE; SET ROLE n_admin; GRANT n_group TO n_member WITH INHERIT FALSE, SET TRUE; RESET ROLE;
        GRANT pg_maintain TO n_member WITH INHERIT TRUE, SET FALSE; ALTER ROLE n_member SET transaction_timeout = '1h';
        CREATE COLLATION ruled (PROVIDER = icu, LOCALE = 'und', RULES = '& a < g'); CREATE COLLATION built_in (PROVIDER = builtin, LOCALE = 'C.UTF-8');
        CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, b text STORAGE EXTERNAL COLLATE ruled, c text COLLATE built_in, j jsonb);
        INSERT INTO t (b, c, j) VALUES ('g', 'ä', '{"a": [1]}'), ('b', NULL, NULL);
        GRANT MAINTAIN ON t TO n_member; ALTER DEFAULT PRIVILEGES GRANT MAINTAIN ON TABLES TO n_admin; CREATE INDEX ON t (b);
        CREATE VIEW of_json AS SELECT x.* FROM t, JSON_TABLE(j, '$.a[*]' COLUMNS (n int PATH '$')) x;
        CREATE TABLE parts (a int GENERATED ALWAYS AS IDENTITY, b int) PARTITION BY LIST (b); CREATE TABLE part PARTITION OF parts FOR VALUES IN (1); INSERT INTO parts (b) VALUES (1);
        CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE, streaming = parallel, run_as_owner = true, origin = none, failover = true);

        """;

    private const string NewestSql =
        """
        CREATE EXTENSION btree_gist;
        CREATE TABLE virtual (a int, b int GENERATED ALWAYS AS (a * 2) VIRTUAL, CONSTRAINT never CHECK (a > 10) NOT ENFORCED, CONSTRAINT named NOT NULL a); INSERT INTO virtual VALUES (1), (2);
        ALTER TABLE virtual ADD COLUMN d int; ALTER TABLE virtual ADD CONSTRAINT not_yet NOT NULL d NOT VALID;
        CREATE TABLE periods (id int, valid daterange, PRIMARY KEY (id, valid WITHOUT OVERLAPS)); INSERT INTO periods VALUES (1, '[2026-01-01,2026-07-01)'), (1, '[2026-07-01,2027-01-01)');
        CREATE TABLE refers (id int, valid daterange, FOREIGN KEY (id, PERIOD valid) REFERENCES periods (id, PERIOD valid)); INSERT INTO refers VALUES (1, '[2026-06-01,2026-08-01)');
        CREATE TABLE loose (a int CONSTRAINT loosely REFERENCES t NOT ENFORCED); INSERT INTO loose VALUES (404);

        """;

    private const string LoginSql =
        """
        CREATE TABLE logins (at timestamptz);
        CREATE FUNCTION on_login() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN IF NOT pg_is_in_recovery() THEN INSERT INTO public.logins VALUES (now()); END IF; END $$;
        CREATE EVENT TRIGGER logged ON login EXECUTE FUNCTION on_login(); ALTER EVENT TRIGGER logged ENABLE ALWAYS;
        """;

    private const string Checked = "CHECK ((a > 0 AND a < 9) OR b = 'x')";

    private const string DamagedSql =
        $"""
        CREATE ROLE damaged_reader; CREATE ROLE damaged_owner;
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE FUNCTION f(n int DEFAULT 1 + 1) RETURNS int LANGUAGE sql RETURN n * 2;
        CREATE TABLE t (a int PRIMARY KEY, b text NOT NULL DEFAULT upper('x'), CONSTRAINT checked {Checked});
        CREATE TABLE u (t int CONSTRAINT u_t REFERENCES t, b int);
        CREATE INDEX expressed ON t ((a + 1)) WITH (fillfactor = 70);
        CREATE TRIGGER touch BEFORE UPDATE ON t FOR EACH ROW WHEN (OLD.a > 1) EXECUTE FUNCTION touch('x');
        ALTER TABLE t ENABLE ROW LEVEL SECURITY;
        CREATE POLICY p ON t TO damaged_reader USING (a > 5);
        CREATE VIEW v WITH (security_barrier = true) AS SELECT x.a FROM t x JOIN t y ON true;
        CREATE VIEW w AS SELECT a FROM t WHERE a > 3 WITH LOCAL CHECK OPTION;
        CREATE STATISTICS s ON (a % 7), (a % 5) FROM t;
        CREATE RULE r AS ON UPDATE TO u DO ALSO SELECT 1;
        ALTER TABLE t OWNER TO damaged_owner; GRANT SELECT, INSERT, UPDATE ON t TO damaged_reader; COMMENT ON COLUMN t.b IS 'of t';
        """;
}
