using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>Values that the stock dump program alters without a word, and that a restore of ours has to the last bit.</summary>
public abstract class ExactValueTests(MariaDbServer server)
{
    protected MariaDbServer Server => server;

    /// <summary>Statements, and the tables of theirs that stock programs alter.</summary>
    protected virtual (string Sql, string[] Tables) OfItsOwn => ("", []);

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The option that makes room for changes of a gigabyte.</summary>
    protected abstract string LargeLog { get; }

    /// <summary>More statements for databases whose values no server's modes may change.</summary>
    protected virtual IReadOnlyList<string> WithModes => [];

    protected MySqlSettings Settings(string database) => SettingsOn(server, database);

    protected abstract MySqlSettings SettingsOn(MariaDbServer on, string database);

    /// <summary>Another server of the kind, not started.</summary>
    protected abstract MariaDbServer Another(string? timeZone, params string[] options);

    [Fact]
    public async Task What_the_stock_dump_alters_comes_back_exactly()
    {
        server.Sql($"""
            DROP DATABASE IF EXISTS exactly; CREATE DATABASE exactly DEFAULT CHARACTER SET utf8mb4; DROP DATABASE IF EXISTS by_stock; CREATE DATABASE by_stock; USE exactly;
            SET sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO';
            CREATE TABLE single_precision (id INT PRIMARY KEY, f FLOAT);
            INSERT INTO single_precision VALUES (1, 16777215), (2, 0.1234567), (3, 3.40282347e+38), (4, 1.17549435e-38), (5, -9.8765432e-20);
            CREATE TABLE days (id INT PRIMARY KEY, d DATE, dt DATETIME);
            INSERT INTO days VALUES (1, '2021-02-31', '2021-04-31 12:00:00'), (2, '0000-00-00', '2020-00-10');
            CREATE TABLE empty_member (id INT PRIMARY KEY, e ENUM('', 'a') NOT NULL);
            INSERT INTO empty_member VALUES (1, 1), (2, 2); INSERT IGNORE INTO empty_member VALUES (3, 'no such');
            CREATE TABLE empty_in_set (id INT PRIMARY KEY, s SET('', 'a') NOT NULL);
            INSERT INTO empty_in_set VALUES (1, 0), (2, 1), (3, 2), (4, 3);
            {OfItsOwn.Sql}
            """);
        string[] tables = ["single_precision", "days", "empty_member", "empty_in_set", .. OfItsOwn.Tables];
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(Settings("exactly"));
        await bench.RestoreAsync(snapshot, Settings("exactly_ours"));

        foreach (string table in tables)
        {
            server.CopyByStockPrograms("exactly", table, "by_stock");
            string original = Checksum("exactly", table);
            Assert.True(original == Checksum("exactly_ours", table), $"{table} differs");
            Assert.True(original != Checksum("by_stock", table), $"the stock dump does not alter {table}: it proves nothing here");
        }

        server.Sql("DROP DATABASE exactly_ours");
    }

    [Fact]
    public async Task Every_character_set_of_the_server_keeps_its_bytes()
    {
        string[][] sets = [.. server.Sql("SELECT CHARACTER_SET_NAME, MAXLEN FROM information_schema.CHARACTER_SETS WHERE CHARACTER_SET_NAME <> 'binary' ORDER BY 1")
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => line.Split('\t'))];
        Assert.True(sets.Length > 30, $"there are more character sets than {sets.Length}");
        server.Sql($"""
            DROP DATABASE IF EXISTS charsets; CREATE DATABASE charsets DEFAULT CHARACTER SET utf8mb4; USE charsets; SET sql_mode = '';
            CREATE TABLE texts (id INT PRIMARY KEY, {string.Join(", ", sets.Select(static set => $"`{set[0]}` VARCHAR(300) CHARACTER SET {set[0]}"))}) DEFAULT CHARACTER SET utf8mb4;
            INSERT INTO texts (id) VALUES (1), (2), (3), (4);
            """);
        // What each set has of many scripts, its own syntax for programs to stumble over, and for sets of single bytes every one of them.
        string bytes = string.Concat(Enumerable.Range(1, 255).Select(static b => $"{b:X2}"));
        server.Sql(string.Join('\n', sets.Select(set => $"""
            UPDATE texts SET `{set[0]}` = CONVERT('äöüßÄ Ωж Привет שלום سلام ไทย 漢字かな 한국어 ｱｲｳ ソ表構 許功蓋 乗 😀' USING {set[0]}) WHERE id = 1;
            UPDATE texts SET `{set[0]}` = CONVERT('a\\tb\\nc\\\\d\\0e''f"g`h  ' USING {set[0]}) WHERE id = 2;
            UPDATE IGNORE texts SET `{set[0]}` = {(set[1] == "1" ? $"_{set[0]} 0x{bytes}" : "'\\\\N'")} WHERE id = 3;
            """)), "charsets", "--init-command=SET sql_mode=''");
        string[] bytesOf = [.. sets.Select(static set => $"HEX(`{set[0]}`)")];
        string query = $"SELECT id, {string.Join(", ", bytesOf)} FROM texts ORDER BY id";
        string original = server.Sql(query, "charsets");
        Assert.Contains("80818283", original, StringComparison.Ordinal);
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(Settings("charsets"));
        await bench.RestoreAsync(snapshot, Settings("charsets_ours"));
        Assert.Equal(original, server.Sql(query, "charsets_ours"));
        Assert.Equal(server.Dump("charsets"), server.Dump("charsets_ours"));
        server.Sql("DROP DATABASE charsets_ours");
    }

    [Fact]
    public async Task Neither_the_servers_sql_modes_nor_their_time_zones_change_a_value()
    {
        // Berlin and Kathmandu by their rules, so that no table of zones is needed.
        await using MariaDbServer from = Another("CET-1CEST,M3.5.0,M10.5.0/3", "--sql-mode=NO_BACKSLASH_ESCAPES,ANSI_QUOTES,PIPES_AS_CONCAT,PAD_CHAR_TO_FULL_LENGTH");
        await using MariaDbServer to = Another("NPT-5:45", "--sql-mode=NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO");
        await from.InitializeAsync();
        await to.InitializeAsync();
        foreach (string sql in WithModes)
            from.Sql(sql);
        from.Sql("""
            CREATE DATABASE zones; USE zones;
            CREATE TABLE hours (id INT PRIMARY KEY, ts TIMESTAMP NULL, dt DATETIME, made TIMESTAMP(3) DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3), t VARCHAR(50), c CHAR(5));
            SET time_zone = '+00:00';
            INSERT INTO hours (id, ts, dt, t, c) VALUES (1, '2026-10-25 00:30:00', '2026-10-25 02:30:00', 'C:\new\t ''q'' "d" \\N', 'a'), (2, '2026-10-25 01:30:00', '2026-03-29 02:30:00', '\', 'b '),
                (3, '2026-03-29 00:59:59', '2026-03-29 02:30:00', '\''', ''), (4, '2026-03-29 01:00:00', NULL, 'NULL', NULL);
            """);
        // One hour of the night occurs twice in Berlin, where both look the same.
        Assert.Equal("02:30:00\n02:30:00\n", from.Sql("SELECT TIME(ts) FROM hours WHERE id < 3 ORDER BY id", "zones"));
        foreach (string database in (string[])[.. WithModes.Count == 0 ? (string[])[] : [Awkward.Database], "zones"])
        {
            using MySqlBench bench = new();
            VerifiedSnapshot snapshot = await bench.CaptureAsync(SettingsOn(from, database));
            await bench.RestoreAsync(snapshot, SettingsOn(to, database));
            Assert.Equal(from.Dump(database), to.Dump(database));
            foreach (string table in from.Sql("SHOW TABLES", database).Split('\n', StringSplitOptions.RemoveEmptyEntries))
                Assert.Equal(from.Sql($"CHECKSUM TABLE {table}", database), to.Sql($"CHECKSUM TABLE {table}", database));
        }

        string query = "SET sql_mode = ''; SELECT UNIX_TIMESTAMP(ts), dt, t, HEX(c) FROM hours ORDER BY id";
        string original = from.Sql(query, "zones", "--raw");
        Assert.Contains("C:\\new\\t 'q' \"d\" \\\\N", original, StringComparison.Ordinal);
        Assert.Equal(original, to.Sql(query, "zones", "--raw"));
    }

    [Fact]
    public async Task Values_of_64_MB_survive_and_a_server_that_cannot_take_them_is_refused_before()
    {
        await using MariaDbServer large = Another(null, "--max-allowed-packet=1G", LargeLog);
        await large.InitializeAsync();
        large.Sql("CREATE DATABASE big; CREATE TABLE big.t (id INT PRIMARY KEY, v LONGBLOB, w LONGTEXT); INSERT INTO big.t VALUES (1, REPEAT(UNHEX('00270A095CFF41'), 64 * 1024 * 1024 / 7), NULL), (2, NULL, 'x')");
        string sum = large.Sql("SELECT id, SHA2(v, 256), LENGTH(v), w FROM t", "big");
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(SettingsOn(large, "big"));
        RestorePlan plan = await bench.Restoration(snapshot, Settings("big")).PlanAsync(Cancellation);
        Assert.Equal([ErrorCodes.MySqlPacketTooSmall], plan.Blockers.Select(static b => b.Code));
        await bench.RestoreAsync(snapshot, SettingsOn(large, "big2"));
        Assert.Equal(sum, large.Sql("SELECT id, SHA2(v, 256), LENGTH(v), w FROM t", "big2"));
    }

    protected string Checksum(string database, string table) => server.Sql($"CHECKSUM TABLE `{table}`", database).Split('\t')[1];
}

public sealed class OracleMySqlExactValueTests(OracleMySqlServer server) : ExactValueTests(server), IClassFixture<OracleMySqlServer>
{
    protected override string LargeLog => "--innodb-redo-log-capacity=2G";

    protected override MySqlSettings SettingsOn(MariaDbServer on, string database) => ((OracleMySqlServer)on).InsideSettings(database);

    protected override MariaDbServer Another(string? timeZone, params string[] options) => new OracleMySqlServer { TimeZone = timeZone, Options = options };

    [Fact]
    public async Task Decimals_in_documents_come_back_where_text_alone_would_make_doubles_of_them()
    {
        Server.Sql("""
            DROP DATABASE IF EXISTS documents; CREATE DATABASE documents; USE documents; CREATE TABLE t (id INT PRIMARY KEY, j JSON);
            INSERT INTO t VALUES (1, JSON_OBJECT('price', CAST(1.10 AS DECIMAL(10,2)), 'a "key" \\ ''q''\t.$[0]', JSON_ARRAY(1.5e0, JSON_OBJECT('ü', CAST(-0.050 AS DECIMAL(10,3))), CAST(7.00 AS DECIMAL(10,2))))),
                (2, JSON_ARRAY(CAST('12345678901234567890123456789012345.123456789012345678901234567890' AS DECIMAL(65,30)), '1.10', CAST(100000000000000000000000 AS DECIMAL(30,0)))),
                (3, CAST(CAST(0.10 AS DECIMAL(5,2)) AS JSON)), (4, '{"price": 1.10, "n": 1.0, "e": 1e300, "small": 0.000001, "tiny": 1e-9, "i": 18446744073709551615}');
            """);
        using MySqlBench bench = new();
        await bench.RestoreAsync(await bench.CaptureAsync(Settings("documents")), Settings("documents_ours"));
        const string Query = "SELECT id, j, JSON_TYPE(j->'$'), JSON_TYPE(j->'$.price'), JSON_TYPE(j->'$[0]'), JSON_TYPE(j->'$.small') FROM t ORDER BY id";
        string original = Server.Sql(Query, "documents");
        Assert.Contains("DECIMAL", original, StringComparison.Ordinal);
        Assert.Equal(original, Server.Sql(Query, "documents_ours"));
        Assert.Equal(Checksum("documents", "t"), Checksum("documents_ours", "t"));
        Server.CopyByStockPrograms("documents", "t", "documents_ours");
        Assert.NotEqual(original, Server.Sql(Query, "documents_ours"));
        Server.Sql("DROP DATABASE documents_ours");
    }
}

public sealed class MariaDbExactValueTests(MariaDbServer server) : ExactValueTests(server), IClassFixture<MariaDbServer>
{
    protected override (string Sql, string[] Tables) OfItsOwn => (
        """
        CREATE TABLE not_ascii (id INT PRIMARY KEY, t VARCHAR(20) CHARACTER SET ascii); INSERT INTO not_ascii VALUES (1, _binary 0x61FF6280);
        CREATE TABLE history (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING; INSERT INTO history VALUES (1, 1); UPDATE history SET v = 2;
        """,
        ["not_ascii", "history"]);

    protected override string LargeLog => "--innodb-log-file-size=1G";

    protected override IReadOnlyList<string> WithModes => [Awkward.Values];

    protected override MySqlSettings SettingsOn(MariaDbServer on, string database) => on.Settings(database);

    protected override MariaDbServer Another(string? timeZone, params string[] options) => new() { TimeZone = timeZone, Options = options };

    /// <summary>No statement can write such bytes; a server has them only in files of older ones. Here a table's file is put under another definition.</summary>
    [Fact]
    public async Task Bytes_that_are_malformed_in_their_character_set_are_captured_and_a_restore_that_cannot_write_them_changes_nothing()
    {
        Server.Sql("""
            DROP DATABASE IF EXISTS malformed; CREATE DATABASE malformed; USE malformed;
            CREATE TABLE raw (id INT PRIMARY KEY, t VARBINARY(20) NOT NULL); INSERT INTO raw VALUES (1, 0x61FFC362), (2, 0x63);
            CREATE TABLE texts (id INT PRIMARY KEY, t VARCHAR(20) CHARACTER SET utf8mb3 NOT NULL); ALTER TABLE texts DISCARD TABLESPACE;
            FLUSH TABLES raw FOR EXPORT; SELECT @@datadir;
            """);
        string data = Server.Sql("SELECT @@datadir").Trim();
        Server.Shell($"{data}/malformed", "cp -a raw.ibd texts.ibd");
        Server.Sql("UNLOCK TABLES; ALTER TABLE texts IMPORT TABLESPACE; DROP TABLE raw", "malformed");
        Assert.Equal("61FFC362\n63\n", Server.Sql("SELECT HEX(t) FROM texts ORDER BY id", "malformed"));
        Assert.Equal("1\n", Server.Sql("SELECT id FROM texts WHERE NOT HEX(t) <=> HEX(CONVERT(CONVERT(t USING binary) USING utf8mb3))", "malformed"));
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(Server.Settings("malformed"));
        Assert.Equal([(byte)'1', (byte)'\t', 0x61, 0xFF, 0xC3, 0x62, (byte)'\n'], (await File.ReadAllBytesAsync(Path.Combine(bench.Folder, "databases/shop/data/texts.tsv"), Cancellation))[..7]);
        await using IRestoration restoration = bench.Restoration(snapshot, Server.Settings("malformed"));
        Assert.Equal([], (await restoration.PlanAsync(Cancellation)).Blockers);
        await restoration.StageAsync(Cancellation);
        VerifyReport report = await restoration.VerifyAsync(Cancellation);
        Assert.Equal(["table texts"], report.Checks.Where(static check => !check.Passed).Select(static check => check.Subject));
        await restoration.DiscardAsync(Cancellation);
        Assert.Equal("61FFC362\n63\n", Server.Sql("SELECT HEX(t) FROM texts ORDER BY id", "malformed"));
        Assert.DoesNotContain("malformed__", Server.Sql("SHOW DATABASES"));
    }
}
