using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>Whatever a server, an account or the client program's option files have set: the same database gives the same snapshot, and comes back.</summary>
public abstract class SettingSweepTests(MariaDbServer server)
{
    protected const string Content = """
        CREATE TABLE sweep.t (id INT PRIMARY KEY AUTO_INCREMENT, f FLOAT, d DATETIME, ts TIMESTAMP NULL, s VARCHAR(50), e ENUM('', 'a'), b VARBINARY(20), dec1 DECIMAL(10,3), KEY k (s));
        INSERT INTO sweep.t (f, d, ts, s, e, b, dec1) VALUES (1.1, '2026-01-01 10:00:00', '2026-07-01 10:00:00', 'ä\\\t''', 'a', 0x00FF0A5C, 1.5), (1e-20, NULL, NULL, NULL, '', NULL, NULL), (0, NULL, NULL, '', NULL, '', 0);
        CREATE TABLE sweep.many (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES sweep.t (id));
        INSERT INTO sweep.many VALUES (1, 1), (2, 2), (3, 3), (4, NULL);
        CREATE TABLE sweep.longest_name_of_all_tables_which_sorts_cut_a (ts TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, p INT CHECK (p > 0));
        CREATE TABLE sweep.longest_name_of_all_tables_which_sorts_cut_b (id INT);
        CREATE VIEW sweep.v AS SELECT id, DATE_FORMAT(d, '%M') AS m FROM sweep.t; CREATE FUNCTION sweep.twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2;
        CREATE TRIGGER sweep.tr BEFORE INSERT ON sweep.t FOR EACH ROW SET @x = 1;
        CREATE USER IF NOT EXISTS sweeper@localhost; GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, EXECUTE ON sweep.* TO sweeper@localhost; GRANT SELECT ON mysql.* TO sweeper@localhost;
        """;

    protected MariaDbServer Server => server;

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Odd values of global variables, which sessions begin with.</summary>
    protected abstract IReadOnlyList<string> Odd { get; }

    [Fact]
    public async Task Every_global_setting_gives_the_same_snapshot_and_a_restore()
    {
        server.Sql("DROP DATABASE IF EXISTS sweep; CREATE DATABASE sweep CHARACTER SET utf8mb4; " + Content);
        string[] initial = [.. Odd.Select(one => one.Split(" = ")[0])];
        string[] before = [.. initial.Select(name => server.Sql($"SELECT @@GLOBAL.{name}").TrimEnd('\n'))];
        using MySqlBench plain = new();
        await plain.CaptureAsync(server.Own("sweep"));
        try
        {
            foreach (string[] group in Odd.Chunk(6).Append([.. Odd]))
            {
                server.Sql($"SET GLOBAL {string.Join(", GLOBAL ", group)}", "mysql", InSpiteOf);
                using MySqlBench odd = new();
                VerifiedSnapshot snapshot = await odd.CaptureAsync(server.Own("sweep"));
                AssertSame(plain, odd, string.Join(", ", group));
                await odd.RestoreAsync(snapshot, server.Own("swept"));
                server.Sql(string.Concat(initial.Zip(before, static (name, value) => $"SET GLOBAL {name} = {Written(value)};")), "mysql", InSpiteOf);
                Assert.Equal(server.Dump("sweep").Replace("`sweep`", "`swept`", StringComparison.Ordinal), server.Dump("swept").Replace("`sweep`", "`swept`", StringComparison.Ordinal));
                server.Sql("DROP DATABASE swept");
            }
        }
        finally
        {
            server.Sql(string.Concat(initial.Zip(before, static (name, value) => $"SET GLOBAL {name} = {Written(value)};")), "mysql", InSpiteOf);
        }
    }

    /// <summary>So that the test's own statements are not cut short by what it sets.</summary>
    private const string InSpiteOf = "--init-command=SET sql_select_limit = 18446744073709551615, sql_safe_updates = 0, autocommit = 1, sql_mode = ''";

    private static string Written(string value) =>
        value is "NULL" or "DEFAULT" || (value.Length > 0 && value.All(static c => char.IsAsciiDigit(c) || c == '.')) ? value : $"'{value}'";

    private protected static void AssertSame(MySqlBench expected, MySqlBench found, string settings)
    {
        Dictionary<string, byte[]> all(MySqlBench bench) => bench.Snapshot.Entries.Keys.Where(static path => path.StartsWith("databases/", StringComparison.Ordinal))
            .ToDictionary(static path => path, path => File.ReadAllBytes(Path.Combine(bench.Folder, path)));
        Dictionary<string, byte[]> was = all(expected);
        Dictionary<string, byte[]> now = all(found);
        Assert.Equal(was.Keys.Order(StringComparer.Ordinal), now.Keys.Order(StringComparer.Ordinal));
        foreach ((string path, byte[] content) in was)
            Assert.True(content.SequenceEqual(now[path]), $"{path} differs with {settings}:\n{System.Text.Encoding.Latin1.GetString(now[path])}\nwas\n{System.Text.Encoding.Latin1.GetString(content)}");
    }
}

/// <inheritdoc/>
public sealed class MariaDbSettingSweepTests(MariaDbServer server) : SettingSweepTests(server), IClassFixture<MariaDbServer>
{
    protected override IReadOnlyList<string> Odd =>
    [
        "sql_mode = 'ORACLE,ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,NO_ZERO_DATE,STRICT_ALL_TABLES'", "time_zone = '+11:00'", "autocommit = 0",
        "character_set_client = latin1", "character_set_results = cp1251", "character_set_connection = utf16", "collation_connection = 'latin1_german2_ci'",
        "sql_safe_updates = 1", "sql_select_limit = 1", "max_statement_time = 0.001", "sql_big_selects = 0", "max_join_size = 1", "group_concat_max_len = 4",
        "old_mode = 'ZERO_DATE_TIME_CAST'", "foreign_key_checks = 1", "unique_checks = 0", "check_constraint_checks = 1", "tx_isolation = 'READ-UNCOMMITTED'",
        "tx_read_only = 1", "lc_time_names = 'de_DE'", "lc_messages = 'en_US'", "sql_quote_show_create = 0", "completion_type = 2", "sql_auto_is_null = 1",
        "explicit_defaults_for_timestamp = 0", "innodb_compression_default = 1", "alter_algorithm = 'INSTANT'", "innodb_strict_mode = 1", "enforce_storage_engine = 'Aria'",
        "sql_if_exists = 1", "max_sort_length = 8", "div_precision_increment = 0", "system_versioning_asof = '2020-01-01 00:00:00'", "lock_wait_timeout = 1",
        "auto_increment_increment = 7", "wait_timeout = 1", "net_read_timeout = 1", "idle_transaction_timeout = 1", "idle_write_transaction_timeout = 1", "sql_buffer_result = 1",
        "default_storage_engine = 'MyISAM'", "default_week_format = 3", "big_tables = 1", "low_priority_updates = 1",
    ];

    [Fact]
    public async Task What_an_account_begins_with_is_no_matter()
    {
        Server.Sql("DROP DATABASE IF EXISTS sweep; CREATE DATABASE sweep CHARACTER SET utf8mb4; " + Content);
        using MySqlBench plain = new();
        await plain.CaptureAsync(Server.Settings("sweep", "sweeper"));
        Server.Sql("SET GLOBAL init_connect = \"SET autocommit = 0, sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES', sql_select_limit = 0, time_zone = '-05:00', sql_safe_updates = 1\"");
        try
        {
            using MySqlBench odd = new();
            await odd.CaptureAsync(Server.Settings("sweep", "sweeper"));
            AssertSame(plain, odd, "init_connect");
        }
        finally
        {
            Server.Sql("SET GLOBAL init_connect = ''");
        }
    }

    [Fact]
    public async Task What_option_files_tell_the_client_program_is_overridden_or_refused()
    {
        Server.Sql("DROP DATABASE IF EXISTS sweep; CREATE DATABASE sweep CHARACTER SET utf8mb4; " + Content);
        using MySqlBench plain = new();
        await plain.CaptureAsync(Server.Settings("sweep"));
        using TemporaryFolder home = new();
        MySqlSettings settings = Server.Settings("sweep", via: ["env", $"HOME={home.Path}"]);
        await File.WriteAllTextAsync(home[".my.cnf"], """
            [client]
            default-character-set=latin1
            max-allowed-packet=4096
            [mysql]
            force
            html
            xml
            vertical
            table
            raw
            column-names
            show-warnings
            column-type-info
            named-commands
            ignore-spaces
            safe-updates
            select-limit=1
            max-join-size=1
            init-command=SET autocommit = 0
            line-numbers
            database=mysql
            delimiter=//
            """, Cancellation);
        using MySqlBench odd = new();
        VerifiedSnapshot snapshot = await odd.CaptureAsync(settings);
        AssertSame(plain, odd, "option files");
        await odd.RestoreAsync(snapshot, Server.Settings("swept", via: ["env", $"HOME={home.Path}"]));
        Server.Sql("DROP DATABASE swept");

        foreach (string option in (string[])["verbose", $"tee={home["tee"]}"])
        {
            await File.WriteAllTextAsync(home[".my.cnf"], $"[mysql]\n{option}\n", Cancellation);
            using MySqlBench refused = new();
            LifeboatException e = await Assert.ThrowsAsync<LifeboatException>(() => refused.CaptureAsync(settings));
            Assert.Equal(ErrorCodes.MySqlClientOptions, e.Code);
        }
    }
}

/// <inheritdoc/>
public sealed class OracleMySqlSettingSweepTests(OracleMySqlServer server) : SettingSweepTests(server), IClassFixture<OracleMySqlServer>
{
    protected override IReadOnlyList<string> Odd =>
    [
        "sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,NO_ZERO_DATE,STRICT_ALL_TABLES'", "time_zone = '+11:00'", "autocommit = 0",
        "character_set_client = latin1", "character_set_results = cp1251", "collation_connection = 'latin1_german2_ci'", "sql_safe_updates = 1", "sql_select_limit = 1",
        "max_execution_time = 1", "sql_big_selects = 0", "max_join_size = 1", "group_concat_max_len = 4", "foreign_key_checks = 1", "unique_checks = 0",
        "transaction_isolation = 'READ-UNCOMMITTED'", "transaction_read_only = 1", "lc_time_names = 'de_DE'", "sql_quote_show_create = 0", "completion_type = 2",
        "sql_auto_is_null = 1", "explicit_defaults_for_timestamp = 0", "innodb_strict_mode = 1", "max_sort_length = 8", "div_precision_increment = 0", "lock_wait_timeout = 1",
        "auto_increment_increment = 7", "wait_timeout = 1", "show_create_table_verbosity = 1", "sql_require_primary_key = 1", "sql_generate_invisible_primary_key = 1",
        "default_collation_for_utf8mb4 = 'utf8mb4_general_ci'", "information_schema_stats_expiry = 1000", "default_storage_engine = 'MyISAM'", "sql_buffer_result = 1",
    ];
}
