using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Postgres;
using Lifeboat.Engine.Sources.Postgres.Sql;
using Lifeboat.Tests.Shared;
using Npgsql;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>What restore tests share: a sample application's database, its capture into a folder, and comparisons with programs that are not ours.</summary>
internal sealed class RestoreBench : IDisposable
{
    public const string OwnerPassword = "own'er\\ pass";
    public const string ReaderPassword = "read only";

    private readonly TemporaryFolder _folder = new();

    /// <param name="path">What the programs are looked for in; null for this process's PATH.</param>
    public RestoreBench(int workers = 2, string? path = null)
    {
        Directory.CreateDirectory(_folder["temp"]);
        Directory.CreateDirectory(_folder["snapshot"]);
        Host = new TestHost(_folder["temp"], workers, path is null ? null : new Dictionary<string, string> { ["PATH"] = path });
        Snapshot = new FolderSnapshot(_folder["snapshot"]);
    }

    public TestHost Host { get; }

    public FolderSnapshot Snapshot { get; }

    public SourceMetadata Captured { get; private set; } = null!;

    public string SnapshotFile(string path) => Path.Combine(_folder["snapshot"], path);

    /// <summary>Files that are left in the temporary folder.</summary>
    public IEnumerable<string> Leftovers => Directory.EnumerateFiles(_folder["temp"]);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async Task<VerifiedSnapshot> CaptureAsync(PostgresServer server, string database, int blocksPerPart = 8192, string user = "postgres")
    {
        PostgresSource source = new(server.Settings(database, user), server.Bin, Host.Context, new NoSecrets()) { BlocksPerPart = blocksPerPart };
        await using ICapture capture = await source.OpenAsync(Cancellation);
        Captured = await capture.WriteAsync(Snapshot, Cancellation);
        return await Snapshot.FinishAsync(Captured);
    }

    /// <summary>The checksums and metadata again, after a test has changed files.</summary>
    public async Task<VerifiedSnapshot> RefinishAsync() => await Snapshot.FinishAsync(Captured);

    public IRestoration Restoration(VerifiedSnapshot snapshot, PostgresServer server, string database, string id = "testid", string user = "postgres", params string[] via) =>
        new PostgresSource(server.Settings(database, user, via: via), server.Bin, Host.Context, new NoSecrets()).PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun(id));

    /// <summary>All steps, each of which must succeed.</summary>
    public async Task<RestorePlan> RestoreAsync(
        VerifiedSnapshot snapshot, PostgresServer server, string database, string id = "testid", string user = "postgres", params string[] via)
    {
        await using IRestoration restoration = Restoration(snapshot, server, database, id, user, via);
        RestorePlan plan = await restoration.PlanAsync(Cancellation);
        Assert.Empty(plan.Blockers);
        await restoration.StageAsync(Cancellation);
        AssertPassed(await restoration.VerifyAsync(Cancellation));
        await restoration.SealAsync(Cancellation);
        await restoration.CommitAsync(Cancellation);
        await restoration.Switch.FinishAsync(Cancellation);
        return plan;
    }

    public static void AssertPassed(VerifyReport report)
    {
        Assert.NotEmpty(report.Checks);
        string[] failed = [.. report.Checks.Where(static check => !check.Passed).Select(static c => $"{c.Subject}: expected {c.Expected}, found {c.Found}")];
        Assert.True(failed.Length == 0, string.Join('\n', failed));
    }

    /// <summary>Schema and rows of both databases are the same, says pg_dump.</summary>
    public static void AssertSameDump(PostgresServer expected, string expectedDatabase, PostgresServer found, string foundDatabase)
    {
        Assert.Equal(Lines(expected.Dump(expectedDatabase, "--schema-only")), Lines(found.Dump(foundDatabase, "--schema-only")));
        Assert.Equal(
            Lines(expected.Dump(expectedDatabase, "--data-only", "--inserts")).Order(StringComparer.Ordinal),
            Lines(found.Dump(foundDatabase, "--data-only", "--inserts")).Order(StringComparer.Ordinal));
    }

    /// <summary>Both servers have the same roles, says pg_dumpall; but for the password of the superuser that each server has had from its start.</summary>
    /// <param name="exceptFor">Lines of the latter that hold this are passed over.</param>
    public static void AssertSameRoles(PostgresServer expected, PostgresServer found, string exceptFor = "\0")
    {
        string[] roles(PostgresServer server) => [.. Roles(server).Where(static line => !line.StartsWith("ALTER ROLE postgres ", StringComparison.Ordinal))
            .Select(static line => line.Replace(" VALID UNTIL 'infinity'", "", StringComparison.Ordinal))];
        Assert.Equal(roles(expected), roles(found).Where(line => !line.Contains(exceptFor, StringComparison.Ordinal)));
    }

    /// <summary>Runs a file of the folder Fixtures in a new database of its name.</summary>
    public static void CreateFixture(PostgresServer server, string name, string database, string options = "")
    {
        server.CreateDatabase(database, options);
        server.SqlFile(database, Path.Combine(AppContext.BaseDirectory, "Sources", "Postgres", "Fixtures", name));
    }

    /// <summary>Roles and tablespaces, says pg_dumpall.</summary>
    public static string[] Globals(PostgresServer server) => Lines(server.RunClient("pg_dumpall", "--globals-only", "-d", server.SocketUrl("postgres")));

    public static string[] Roles(PostgresServer server) => Lines(server.RunClient("pg_dumpall", "--roles-only", "-d", server.SocketUrl("postgres")));

    public static string[] Databases(PostgresServer server) =>
        server.Sql("postgres", "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY datname COLLATE \"C\"").Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Logs in by TCP with a password, and runs a statement.</summary>
    public static async Task<object?> AsRoleAsync(PostgresServer server, string database, string role, string password, string sql)
    {
        NpgsqlConnectionStringBuilder builder = new()
        {
            Host = "127.0.0.1", Port = server.Port, Database = database, Username = role, Password = password, Pooling = false,
        };
        await using NpgsqlConnection connection = new(builder.ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using NpgsqlCommand command = new(sql, connection);
        return await command.ExecuteScalarAsync(Cancellation);
    }

    /// <summary>Makes the sample application: a database of a role that is no superuser, and a role that may only read.</summary>
    public static void CreateShop(PostgresServer server, string database = "shop")
    {
        server.Sql(
            "postgres",
            $"""
            CREATE ROLE shop_owner LOGIN PASSWORD {SqlText.Literal(OwnerPassword)};
            CREATE ROLE shop_readers NOLOGIN;
            CREATE ROLE shop_ro LOGIN PASSWORD {SqlText.Literal(ReaderPassword)} CONNECTION LIMIT 5 VALID UNTIL '2099-01-01' IN ROLE shop_readers;
            ALTER ROLE shop_ro SET statement_timeout = '1h';
            COMMENT ON ROLE shop_ro IS 'reads; nothing "else"';
            GRANT shop_readers TO shop_owner WITH ADMIN OPTION;
            """);
        server.CreateDatabase(database, "OWNER shop_owner CONNECTION LIMIT 50");
        string name = SqlText.Identifier(database);
        server.Sql(
            "postgres",
            $"""
            COMMENT ON DATABASE {name} IS 'the shop''s';
            REVOKE ALL ON DATABASE {name} FROM PUBLIC;
            GRANT CONNECT ON DATABASE {name} TO shop_readers;
            ALTER DATABASE {name} SET search_path = app, public, "$user";
            ALTER ROLE shop_ro IN DATABASE {name} SET work_mem = '5MB';
            """);
        server.Sql(database, "CREATE EXTENSION pg_trgm; CREATE EXTENSION hstore");
        server.Sql(database, ShopSql, "shop_owner");
        server.Sql(database, ShopSuperuserSql);
    }

    private const string ShopSql =
        """
        CREATE SCHEMA app;
        SET search_path = app;
        CREATE TYPE state AS ENUM ('new', 'paid');
        CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, note text, tags text[],
          upper_name text GENERATED ALWAYS AS (upper(name)) STORED);
        CREATE TABLE orders (id serial PRIMARY KEY, customer bigint NOT NULL REFERENCES customers, state state NOT NULL DEFAULT 'new', at timestamptz, total numeric)
          ;
        CREATE TABLE events (at date NOT NULL, what jsonb) PARTITION BY RANGE (at);
        CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
        CREATE TABLE events_2 PARTITION OF events DEFAULT;
        CREATE TABLE parent (a int);
        CREATE TABLE child (b int) INHERITS (parent);
        CREATE UNLOGGED TABLE scratch (a int);
        CREATE TABLE nothing ();
        CREATE TABLE empty_one (a int, b text);
        INSERT INTO customers (name, note, tags) SELECT 'name ' || i, CASE WHEN i % 3 = 0 THEN E'tab\t nl\n back\\slash \\N' END, ARRAY['a', NULL, 'b"c']
          FROM generate_series(1, 2000) i;
        INSERT INTO orders (customer, state, at, total) SELECT 1 + i % 2000, 'paid', '2026-02-03 04:05:06.789+02', i / 7.0 FROM generate_series(1, 5000) i;
        INSERT INTO events SELECT date '2026-01-01' + i, jsonb_build_object('i', i, 'é', '🛟') FROM generate_series(1, 365) i;
        INSERT INTO parent VALUES (1), (NULL); INSERT INTO child VALUES (2, 3); INSERT INTO scratch VALUES (1);
        INSERT INTO nothing DEFAULT VALUES; INSERT INTO nothing DEFAULT VALUES;
        CREATE INDEX ON orders (customer); CREATE INDEX ON customers USING gin (name public.gin_trgm_ops);
        CREATE MATERIALIZED VIEW totals AS SELECT customer, sum(total) AS total FROM orders GROUP BY customer;
        CREATE MATERIALIZED VIEW best AS SELECT max(total) AS best FROM totals;
        CREATE MATERIALIZED VIEW unfilled AS SELECT 1 AS a WITH NO DATA;
        CREATE VIEW paid AS SELECT * FROM orders WHERE state = 'paid';
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN NEW.at := now(); RETURN NEW; END; $f$;
        CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
        ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
        CREATE POLICY everybody ON customers FOR SELECT TO shop_readers USING (id < 1000);
        SELECT nextval('orders_id_seq'), setval('orders_id_seq', 7777, false);
        GRANT USAGE ON SCHEMA app TO shop_readers;
        GRANT SELECT ON customers, paid TO shop_readers;
        GRANT SELECT (id, state) ON orders TO shop_readers;
        SELECT lo_from_bytea(4711, decode(repeat('c0ffee', 5000), 'hex'));
        SELECT lo_from_bytea(4712, '');
        GRANT SELECT ON LARGE OBJECT 4711 TO shop_readers;
        COMMENT ON LARGE OBJECT 4711 IS 'coffee';
        """;

    // An event trigger that would refuse whatever a restore does after it is there.
    private const string ShopSuperuserSql =
        """
        CREATE FUNCTION app.refuse() RETURNS event_trigger LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION 'no DDL here'; END; $f$;
        CREATE EVENT TRIGGER refuse ON ddl_command_start EXECUTE FUNCTION app.refuse();
        ALTER EVENT TRIGGER refuse ENABLE ALWAYS;
        """;

    public void Dispose() => _folder.Dispose();

    public static string[] Lines(string dump) =>
        [.. dump.Split('\n').Where(static line => !line.StartsWith("\\restrict", StringComparison.Ordinal) && !line.StartsWith("\\unrestrict", StringComparison.Ordinal))];
}
