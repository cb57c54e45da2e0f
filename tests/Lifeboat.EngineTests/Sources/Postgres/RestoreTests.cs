using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Postgres.Sql;
using Lifeboat.Tests.Shared;
using Npgsql;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>Restores that succeed, on servers of their own because roles belong to a server.</summary>
public sealed class RestoreTests : IAsyncLifetime
{
    private readonly RestoreBench _bench = new();
    private readonly PostgresServer _source = new();
    private readonly PostgresServer _target = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _source.InitializeAsync();
        await _target.InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _target.DisposeAsync();
        _bench.Dispose();
    }

    [Fact]
    public async Task An_empty_server_gets_everything_back()
    {
        RestoreBench.CreateShop(_source);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop");

        await _bench.RestoreAsync(snapshot, _target, "shop");

        RestoreBench.AssertSameDump(_source, "shop", _target, "shop");
        RestoreBench.AssertSameRoles(_source, _target);
        Assert.Equal(["postgres", "shop"], RestoreBench.Databases(_target));
        Assert.Equal(DatabaseRow(_source), DatabaseRow(_target));
        Assert.Equal("1", await RestoreBench.AsRoleAsync(_target, "shop", "shop_ro", RestoreBench.ReaderPassword, "SELECT count(*)::text FROM app.customers WHERE id = 999"));
        Assert.Equal("0", await RestoreBench.AsRoleAsync(_target, "shop", "shop_ro", RestoreBench.ReaderPassword, "SELECT count(*)::text FROM app.customers WHERE id = 1000"));
        Assert.Equal("5MB", await RestoreBench.AsRoleAsync(_target, "shop", "shop_ro", RestoreBench.ReaderPassword, "SHOW work_mem"));
        Assert.Equal("1h", await RestoreBench.AsRoleAsync(_target, "shop", "shop_ro", RestoreBench.ReaderPassword, "SHOW statement_timeout"));
        Assert.Equal("app, public, \"$user\"", await RestoreBench.AsRoleAsync(_target, "shop", "shop_ro", RestoreBench.ReaderPassword, "SHOW search_path"));
        await Assert.ThrowsAsync<PostgresException>(() => RestoreBench.AsRoleAsync(_target, "shop", "shop_ro", RestoreBench.ReaderPassword, "SELECT total FROM app.orders"));
        await Assert.ThrowsAsync<PostgresException>(() => RestoreBench.AsRoleAsync(_target, "shop", "shop_ro", RestoreBench.ReaderPassword, "DELETE FROM app.paid"));
        await Assert.ThrowsAsync<PostgresException>(() => RestoreBench.AsRoleAsync(_target, "shop", "shop_ro", "wrong", "SELECT 1"));
        Assert.Equal(7777, await RestoreBench.AsRoleAsync(_target, "shop", "shop_owner", RestoreBench.OwnerPassword, "INSERT INTO app.orders (customer) VALUES (1) RETURNING id"));
        Assert.Empty(_bench.Leftovers);
    }

    [Fact]
    public async Task Passwords_hashes_never_reach_the_server_log()
    {
        RestoreBench.CreateShop(_source);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop");
        _target.Sql("postgres", "ALTER SYSTEM SET log_statement = 'all'; ALTER SYSTEM SET log_min_duration_statement = 0; SELECT pg_reload_conf()");

        await _bench.RestoreAsync(snapshot, _target, "shop");

        string log = await File.ReadAllTextAsync(_target.LogFile, Cancellation);
        Assert.Contains("CREATE DATABASE", log);
        Assert.DoesNotContain("SCRAM-SHA-256", log);
    }

    [Fact]
    public async Task Pagila_in_the_hands_of_a_role_that_is_no_superuser_comes_back()
    {
        string file = TestData.Path("pagila.sql");
        _source.Sql("postgres", "CREATE ROLE pagila LOGIN PASSWORD 'p'; CREATE ROLE guest LOGIN PASSWORD 'g'");
        _source.CreateDatabase("pagila", "OWNER pagila");
        _source.Sql("pagila", "ALTER SCHEMA public OWNER TO pagila");
        _source.SqlFile("pagila", file, "pagila");
        _source.Sql("pagila", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO guest", "pagila");
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "pagila");

        await _bench.RestoreAsync(snapshot, _target, "pagila");

        RestoreBench.AssertSameDump(_source, "pagila", _target, "pagila");
        RestoreBench.AssertSameRoles(_source, _target);
        Assert.Equal(200L, await RestoreBench.AsRoleAsync(_target, "pagila", "guest", "g", "SELECT count(*) FROM actor"));
        await Assert.ThrowsAsync<PostgresException>(() => RestoreBench.AsRoleAsync(_target, "pagila", "guest", "g", "DELETE FROM actor"));
    }

    [Fact]
    public async Task A_live_database_is_replaced_and_kept_aside_until_a_revert_brings_it_back()
    {
        RestoreBench.CreateShop(_source);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop");
        _source.Sql("shop", "ALTER EVENT TRIGGER refuse DISABLE; DELETE FROM app.orders; CREATE TABLE app.later (a int); INSERT INTO app.later VALUES (1)");
        string damaged = _source.Dump("shop", "--schema-only", "--restrict-key=x"), settings = DatabaseRow(_source);
        string[] roles = RestoreBench.Roles(_source);
        await using NpgsqlConnection user = new($"Host=127.0.0.1;Port={_source.Port};Database=shop;Username=shop_owner;Password={RestoreBench.OwnerPassword};Pooling=false");
        await user.OpenAsync(Cancellation);
        await using IRestoration restoration = _bench.Restoration(snapshot, _source, "shop");

        RestorePlan plan = await restoration.PlanAsync(Cancellation);
        await restoration.StageAsync(Cancellation);
        RestoreBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        Assert.Equal("1", _source.Sql("shop", "SELECT * FROM app.later").Trim());
        await restoration.CommitAsync(Cancellation);
        await restoration.CommitAsync(Cancellation);
        await restoration.Switch.FinishAsync(Cancellation);

        Assert.True(plan.Replaces);
        Assert.Equal("database shop__before_testid", plan.KeptAs);
        Assert.Contains(plan.Warnings, warning => warning.Message.Contains("1 connections", StringComparison.Ordinal));
        Assert.Equal(["postgres", "shop", "shop__before_testid"], RestoreBench.Databases(_source));
        Assert.Equal("5000", _source.Sql("shop", "SELECT count(*) FROM app.orders").Trim());
        Assert.Throws<InvalidOperationException>(() => _source.Sql("shop__before_testid", "SELECT"));
        Assert.Equal(settings, DatabaseRow(_source));
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => new NpgsqlCommand("SELECT 1", user).ExecuteScalarAsync(Cancellation));

        await restoration.RevertAsync(Cancellation);
        await restoration.RevertAsync(Cancellation);

        Assert.Equal(["postgres", "shop"], RestoreBench.Databases(_source));
        Assert.Equal(damaged, _source.Dump("shop", "--schema-only", "--restrict-key=x"));
        Assert.Equal("1", _source.Sql("shop", "SELECT * FROM app.later").Trim());
        Assert.Equal(settings, DatabaseRow(_source));
        Assert.Equal(roles, RestoreBench.Roles(_source));
    }

    [Fact]
    public async Task A_revert_on_an_empty_server_leaves_it_empty()
    {
        RestoreBench.CreateShop(_source);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop");
        string[] roles = RestoreBench.Roles(_target);
        await using IRestoration restoration = _bench.Restoration(snapshot, _target, "shop");
        await restoration.StageAsync(Cancellation);
        await restoration.CommitAsync(Cancellation);
        Assert.Equal(["postgres", "shop"], RestoreBench.Databases(_target));

        await restoration.RevertAsync(Cancellation);

        Assert.Equal(["postgres"], RestoreBench.Databases(_target));
        Assert.Equal(roles, RestoreBench.Roles(_target));
    }

    [Fact]
    public async Task Names_with_quotes_line_ends_and_emoji_come_back()
    {
        const string database = "dé\"b'\\\n🛟 $x$;--", role = "r\"o'l\\e\n🎉 ;--", table = "t\"a'b\\\n\\! x :y 🦄", password = "p'\\w\"🔑";
        string d = SqlText.Identifier(database), r = SqlText.Identifier(role), t = SqlText.Identifier(table);
        _source.Sql("postgres", $"CREATE ROLE {r} LOGIN PASSWORD {SqlText.Literal(password)}; ALTER ROLE {r} SET my.note = {SqlText.Literal(table)}");
        _source.CreateDatabase(database, $"OWNER {r}");
        _source.Sql(
            database,
            $"""
            ALTER DATABASE {d} SET search_path = {t}, public; COMMENT ON DATABASE {d} IS {SqlText.Literal(table)};
            CREATE SCHEMA {t}; CREATE TABLE {t}.{t} ({t} serial PRIMARY KEY, a text); INSERT INTO {t}.{t} (a) VALUES ({SqlText.Literal(table)});
            CREATE MATERIALIZED VIEW {t}.{r} AS SELECT a FROM {t}.{t}; ALTER TABLE {t}.{t} OWNER TO {r}; GRANT USAGE ON SCHEMA {t} TO {r};
            """);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, database);

        await _bench.RestoreAsync(snapshot, _target, database);

        RestoreBench.AssertSameDump(_source, database, _target, database);
        RestoreBench.AssertSameRoles(_source, _target);
        Assert.Equal(table, await RestoreBench.AsRoleAsync(_target, database, role, password, $"SELECT a FROM {t}.{t}"));
        Assert.Equal(table, await RestoreBench.AsRoleAsync(_target, database, role, password, "SHOW my.note"));
    }

    [Fact]
    public async Task A_prefix_that_reaches_the_server_reaches_it_for_every_step()
    {
        RestoreBench.CreateShop(_source);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop");

        await _bench.RestoreAsync(snapshot, _target, "shop", via: ["env", "--"]);

        RestoreBench.AssertSameDump(_source, "shop", _target, "shop");
        RestoreBench.AssertSameRoles(_source, _target);
    }

    [Theory]
    [InlineData("SQL_ASCII", "C")]
    [InlineData("LATIN1", "C")]
    public async Task A_database_in_another_encoding_comes_back_byte_for_byte(string encoding, string locale)
    {
        string name = encoding == "LATIN1" ? "caf\u00e9" : "any";
        _source.Sql("postgres", $"CREATE ROLE {SqlText.Identifier(name + "🛟")} LOGIN");
        _source.CreateDatabase("old", $"ENCODING '{encoding}' LOCALE '{locale}' TEMPLATE template0");
        _source.Sql(
            "old",
            $"""
            SET client_encoding = '{encoding}'; CREATE TABLE t (a text, b text);
            DO $$ BEGIN EXECUTE format('INSERT INTO t VALUES (%L, %L)', 'a', convert_from('\xe9ff', '{encoding}')); END $$;
            CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $f$ SELECT 'x'::text $f$;
            """);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "old");

        await _bench.RestoreAsync(snapshot, _target, "old");

        Assert.Equal("e9ff", _target.Sql("old", $"SELECT encode(convert_to(b, '{encoding}'), 'hex') FROM t").Trim());
        RestoreBench.AssertSameRoles(_source, _target);
    }

    [Fact]
    public async Task A_user_that_is_no_superuser_restores_its_own_database()
    {
        _source.Sql("postgres", "CREATE ROLE mine LOGIN CREATEDB; CREATE ROLE other_app LOGIN; CREATE ROLE friend");
        _source.CreateDatabase("mine", "OWNER mine");
        _source.Sql("mine", "CREATE TABLE t (a serial PRIMARY KEY, b text); INSERT INTO t (b) SELECT 'x' || i FROM generate_series(1, 1000) i; GRANT SELECT ON t TO friend", "mine");
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "mine");
        _target.Sql("postgres", "CREATE ROLE mine LOGIN CREATEDB; CREATE ROLE friend");
        _target.CreateDatabase("mine", "OWNER mine");
        await using IRestoration restoration = _bench.Restoration(snapshot, _target, "mine", user: "mine");

        RestorePlan plan = await restoration.PlanAsync(Cancellation);
        Assert.Empty(plan.Blockers);
        await restoration.StageAsync(Cancellation);
        RestoreBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        await restoration.CommitAsync(Cancellation);

        Assert.Contains(plan.Warnings, warning => warning.Message.Contains("role other_app is not on the server", StringComparison.Ordinal));
        RestoreBench.AssertSameDump(_source, "mine", _target, "mine");
        Assert.Equal(["mine", "mine__before_testid", "postgres"], RestoreBench.Databases(_target));
    }

    [Fact]
    public async Task One_large_table_is_captured_and_loaded_by_all_workers()
    {
        using RestoreBench bench = new(workers: 3);
        await using PostgresServer source = await PostgresServer.StartAsync("log_statement=all", "log_line_prefix=%p ");
        await using PostgresServer target = await PostgresServer.StartAsync("log_statement=all", "log_line_prefix=%p ");
        source.CreateDatabase("big");
        source.Sql("big", "CREATE TABLE big (id int PRIMARY KEY, t text); INSERT INTO big SELECT i, repeat('x', 1000) FROM generate_series(1, 60000) i");
        await using VerifiedSnapshot snapshot = await bench.CaptureAsync(source, "big", blocksPerPart: 64);
        int parts = bench.Captured.Tables!.Single().Paths.Count;
        Assert.True(parts > 50, $"{parts} parts");

        await bench.RestoreAsync(snapshot, target, "big");

        RestoreBench.AssertSameDump(source, "big", target, "big");
        // A line of the log is: the session's process, what it does, the statement.
        static Dictionary<string, int> sessions(PostgresServer server, string from, string to) => File.ReadLines(server.LogFile)
            .Where(line => line.Contains(from, StringComparison.Ordinal) && line.Contains(to, StringComparison.Ordinal))
            .CountBy(static line => line[..line.IndexOf(' ', StringComparison.Ordinal)]).ToDictionary();
        foreach (Dictionary<string, int> of in (Dictionary<string, int>[])[sessions(source, "COPY (SELECT", "FROM ONLY \"public\".\"big\""), sessions(target, "COPY \"public\".\"big\"", "FROM STDIN")])
        {
            Assert.Equal(3, of.Count);
            Assert.Equal(parts, of.Values.Sum());
        }
    }

    [Fact]
    public async Task A_role_that_exists_keeps_its_password_and_what_differs_is_said()
    {
        RestoreBench.CreateShop(_source);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop");
        _target.Sql("postgres", "CREATE ROLE shop_ro LOGIN PASSWORD 'theirs' CONNECTION LIMIT 3; CREATE ROLE shop_owner CREATEDB LOGIN");
        await using IRestoration restoration = _bench.Restoration(snapshot, _target, "shop");

        RestorePlan plan = await restoration.PlanAsync(Cancellation);
        await restoration.StageAsync(Cancellation);
        RestoreBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        await restoration.CommitAsync(Cancellation);
        string[] roles = RestoreBench.Roles(_target);
        await restoration.DiscardAsync(Cancellation);

        Assert.Equal(roles, RestoreBench.Roles(_target));
        string warning = Assert.Single(plan.Warnings, warning => warning.Message.StartsWith("role shop_ro exists", StringComparison.Ordinal)).Message;
        Assert.Contains("another password", warning);
        Assert.Contains("connection limit 3 there, 5 in the snapshot", warning);
        Assert.DoesNotContain("SCRAM", string.Concat(plan.Warnings));
        Assert.Contains("create 1 role: shop_readers", plan.Steps);
        Assert.Equal("3", _target.Sql("postgres", "SELECT rolconnlimit FROM pg_roles WHERE rolname = 'shop_ro'").Trim());
        Assert.Equal("1", await RestoreBench.AsRoleAsync(_target, "shop", "shop_ro", "theirs", "SELECT '1'"));
    }

    [Fact]
    public async Task A_tablespace_is_made_where_its_directory_is_there_and_replaced_where_it_is_not()
    {
        string directory = Path.Combine(_source.SocketFolder, "space");
        MakeServerDirectory(_source, directory);
        _source.CreateDatabase("spaced");
        _source.Sql("postgres", $"CREATE TABLESPACE \"sp ace\" LOCATION {SqlText.Literal(directory)}");
        _source.Sql("spaced", "CREATE TABLE t (a int) TABLESPACE \"sp ace\"; INSERT INTO t VALUES (1)");
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "spaced");
        await using (IRestoration with = _bench.Restoration(snapshot, _target, "spaced", "one"))
        {
            RestorePlan plan = await with.PlanAsync(Cancellation);
            Assert.Contains(plan.Warnings, warning => warning.Message.Contains("tablespace sp ace", StringComparison.Ordinal));
            await with.StageAsync(Cancellation);
            RestoreBench.AssertPassed(await with.VerifyAsync(Cancellation));
            await with.DiscardAsync(Cancellation);
        }

        _source.Sql("postgres", "DROP DATABASE spaced; DROP TABLESPACE \"sp ace\"");
        await _bench.RestoreAsync(snapshot, _source, "spaced", "two");

        Assert.Equal("sp ace", _source.Sql("spaced", "SELECT s.spcname FROM pg_class c JOIN pg_tablespace s ON s.oid = c.reltablespace WHERE relname = 't'").Trim());
    }

    private static void MakeServerDirectory(PostgresServer server, string directory) =>
        server.Sql("postgres", $"COPY (SELECT 1) TO PROGRAM {SqlText.Literal($"mkdir -p '{directory}'; cat >/dev/null")}");

    private static string DatabaseRow(PostgresServer server) => server.Sql(
        "postgres",
        """
        SELECT pg_get_userbyid(datdba), encoding, datcollate, datctype, datconnlimit, datallowconn, datistemplate, datacl, shobj_description(d.oid, 'pg_database'),
          (SELECT array_agg(pg_get_userbyid(setrole) || setconfig::text ORDER BY setrole) FROM pg_db_role_setting WHERE setdatabase = d.oid)
        FROM pg_database d WHERE datname = 'shop'
        """);
}
