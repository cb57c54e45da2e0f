using Lifeboat.EngineTests.Sources.Chroma;
using Lifeboat.EngineTests.Sources.MySql;
using Lifeboat.EngineTests.Sources.Postgres;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>The database server of an app that is interrupted, with what of the app is in it, in two states; and whatever else is restored with it.</summary>
internal interface IInterruptedServer : IAsyncDisposable
{
    /// <summary>Its lines among the app file's sources.</summary>
    IReadOnlyList<string> Sources { get; }

    /// <summary>Makes the state that the snapshot gets, on an empty server.</summary>
    void MakeNew(string appDirectory);

    /// <summary>Puts the state there that is live before a restore; nothing of the other is left.</summary>
    void MakeOld(string appDirectory);

    /// <summary>Drops the account of the new state, if it is there: a restore of the old state lets it be.</summary>
    void ForgetNew();

    /// <summary>All that a restore might change or leave on the server.</summary>
    string Look();

    /// <summary>A row that tells the states from each other.</summary>
    string FirstItem();

    /// <summary>Ends the server; nothing that it has confirmed is lost.</summary>
    void Stop();

    /// <summary>Starts it again, where it was.</summary>
    Task StartAgainAsync();
}

internal sealed class InterruptedPostgres(PostgresServer server) : IInterruptedServer
{
    public static async Task<InterruptedPostgres> StartAsync() => new(await PostgresServer.StartAsync());

    public IReadOnlyList<string> Sources => [$"main: {{type: postgres, url: \"{server.SocketUrl("shop")}\"}}"];

    public void MakeNew(string appDirectory)
    {
        server.Sql("postgres", "CREATE ROLE shop_owner LOGIN PASSWORD 'the owner''s'");
        server.CreateDatabase("shop", "OWNER shop_owner");
        Fill("new", "shop_owner");
    }

    public void MakeOld(string appDirectory)
    {
        server.Sql("postgres", "DROP DATABASE shop; DROP ROLE shop_owner");
        server.CreateDatabase("shop");
        Fill("old", "postgres");
    }

    public void ForgetNew() => server.Sql("postgres", "DROP ROLE IF EXISTS shop_owner");

    public string Look()
    {
        string databases = server.Sql("postgres", "SELECT datname, datallowconn FROM pg_database ORDER BY 1");
        string roles = server.Sql("postgres", "SELECT rolname, rolpassword, rolcanlogin FROM pg_authid WHERE rolname !~ '^pg_' ORDER BY 1");
        return $"{databases}{roles}{string.Join('\n', Same.Lines(server.Dump("shop", "--create")))}";
    }

    public string FirstItem() => server.Sql("shop", "SELECT name FROM item WHERE id = 1").Trim();

    public void Stop() => server.Stop();

    public Task StartAgainAsync()
    {
        server.Start();
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private void Fill(string state, string owner) => server.Sql(
        "shop", $"CREATE TABLE item (id int PRIMARY KEY, name text, size varchar CHECK (size IN ('s', 'l'))); INSERT INTO item SELECT i, '{state} ' || i FROM generate_series(1, 50) i; ALTER TABLE item OWNER TO {owner}");
}

/// <summary>MariaDB or Oracle's MySQL, and a Chroma directory.</summary>
/// <param name="via">What reaches the server's own client programs.</param>
internal sealed class InterruptedMySql(MariaDbServer server, string socket, IReadOnlyList<string> via, string vectors) : IInterruptedServer
{
    private const string Account = "shop_owner@'%'";

    /// <param name="kind"><c>mariadb</c> or <c>mysql</c>.</param>
    /// <param name="vectors">A folder for Chroma directories.</param>
    public static async Task<InterruptedMySql> StartAsync(string kind, string vectors)
    {
        Directory.CreateDirectory(vectors);
        await MakeVectorsAsync(Path.Combine(vectors, "old"), version: 1);
        await MakeVectorsAsync(Path.Combine(vectors, "new"), version: 2);
        if (kind == "mariadb")
        {
            MariaDbServer mariaDb = await MariaDbServer.StartAsync();
            return new InterruptedMySql(mariaDb, mariaDb.Socket, [], vectors);
        }

        OracleMySqlServer mySql = await OracleMySqlServer.StartAnotherAsync();
        return new InterruptedMySql(mySql, mySql.InsideSocket, mySql.Via, vectors);
    }

    public IReadOnlyList<string> Sources =>
    [
        $"main: {{type: mysql, url: \"mysql://root@/shop?socket={Uri.EscapeDataString(socket)}\"{(via.Count == 0 ? "" : $", via: [{string.Join(", ", via)}]")}}}",
        "vectors: {type: chroma, path: vectors}",
    ];

    public void MakeNew(string appDirectory)
    {
        Fill("new", appDirectory);
        server.Sql(
            $"""
            CREATE USER {Account} IDENTIFIED BY 'the owner''s';
            GRANT SELECT ON shop.* TO {Account}; GRANT INSERT (name), UPDATE ON shop.item TO {Account}; GRANT EXECUTE ON PROCEDURE shop.doing TO {Account};
            """);
    }

    public void MakeOld(string appDirectory)
    {
        server.Sql("DROP DATABASE shop");
        ForgetNew();
        Fill("old", appDirectory);
    }

    public void ForgetNew() => server.Sql($"DROP USER IF EXISTS {Account}");

    public string Look()
    {
        string accounts = server.Sql("SELECT CONCAT(User, '@', Host) FROM mysql.user ORDER BY 1");
        if (accounts.Contains("shop_owner@", StringComparison.Ordinal))
            accounts += server.Sql($"SHOW CREATE USER {Account}") + string.Join('\n', server.Sql($"SHOW GRANTS FOR {Account}").Split('\n').Order(StringComparer.Ordinal));
        return $"{server.Sql("SHOW DATABASES")}{accounts}{server.Dump("shop")}";
    }

    public string FirstItem() => server.Sql("SELECT name FROM item WHERE id = 1", "shop").Trim();

    // Not as a crash: the tests' servers keep what they have committed in their memory for a second.
    public void Stop() => server.ShutDown();

    public Task StartAgainAsync() => server.StartAsync();

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private void Fill(string state, string appDirectory)
    {
        server.Sql("CREATE DATABASE shop");
        server.Sql(
            $"""
            CREATE TABLE item (id INT PRIMARY KEY, name VARCHAR(50), KEY (name));
            INSERT INTO item WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) SELECT i, CONCAT('{state} ', i) FROM n;
            CREATE TABLE part (item INT, FOREIGN KEY (item) REFERENCES item (id)); INSERT INTO part VALUES (1), (NULL);
            CREATE VIEW few AS SELECT id, '{state}' AS state FROM item WHERE id < 5;
            CREATE TRIGGER noted BEFORE INSERT ON part FOR EACH ROW SET @noted = '{state}';
            CREATE PROCEDURE doing() SELECT '{state}';
            CREATE FUNCTION saying() RETURNS INT DETERMINISTIC RETURN LENGTH('{state}');
            CREATE EVENT daily ON SCHEDULE EVERY 1 DAY STARTS '2026-01-01 00:00:00' DO DELETE FROM part WHERE item = -1;
            """,
            "shop");
        LifeboatProgram.Shell(appDirectory, $"rm -rf vectors; cp -a '{Path.Combine(vectors, state)}' vectors");
    }

    private static async Task MakeVectorsAsync(string directory, int version)
    {
        await using ChromaServer chroma = await ChromaServer.StartAsync(directory);
        string collection = await chroma.CreateAsync("texts", syncThreshold: 3);
        await chroma.AddAsync(collection, [.. Enumerable.Range(1, 20).Select(i => new Sources.Chroma.Record(i, version))]);
    }
}
