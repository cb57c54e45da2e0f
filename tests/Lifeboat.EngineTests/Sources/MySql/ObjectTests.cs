using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>Objects that a snapshot could lose, or that could keep it from being restored.</summary>
public abstract class ObjectTests(MariaDbServer server)
{
    protected MariaDbServer Server => server;

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Statements for tables whose rows are elsewhere, or nowhere, and their names.</summary>
    protected abstract (string Sql, string[] Showing) Engines { get; }

    protected abstract MySqlSettings Settings(string database);

    [Fact]
    public async Task An_event_whose_time_is_over_is_left_out_with_a_warning_by_restore_and_undo()
    {
        server.Sql("""
            DROP DATABASE IF EXISTS events; CREATE DATABASE events; USE events; CREATE TABLE t (id INT PRIMARY KEY); SET time_zone = '-05:00';
            CREATE EVENT once ON SCHEDULE AT NOW() + INTERVAL 3 SECOND DISABLE DO SET @x = 1;
            CREATE EVENT until ON SCHEDULE EVERY 1 DAY STARTS NOW() - INTERVAL 9 DAY ENDS NOW() + INTERVAL 3 SECOND DISABLE COMMENT ' ON COMPLETION PRESERVE ' DO SET @x = 1;
            CREATE EVENT kept ON SCHEDULE AT NOW() + INTERVAL 3 SECOND ON COMPLETION PRESERVE DISABLE DO SET @x = 1;
            CREATE EVENT later ON SCHEDULE AT NOW() + INTERVAL 1 DAY DISABLE DO SET @x = 1;
            CREATE EVENT daily ON SCHEDULE EVERY 1 DAY STARTS NOW() + INTERVAL 1 DAY DO SET @x = 1;
            DROP DATABASE IF EXISTS events_live; CREATE DATABASE events_live; USE events_live; CREATE TABLE mine (id INT PRIMARY KEY);
            CREATE EVENT lasting ON SCHEDULE EVERY 1 DAY STARTS NOW() + INTERVAL 1 DAY DO SET @x = 1;
            """);
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(Settings("events"));
        Assert.Empty(bench.Host.Warnings);
        await Task.Run(() => server.Sql("DO SLEEP(4)"), Cancellation);

        server.Sql("CREATE EVENT ending ON SCHEDULE AT NOW() + INTERVAL 8 SECOND DISABLE DO SET @x = 1", "events_live");
        await using IRestoration restoration = await bench.RestoreAsync(snapshot, Settings("events_live"));
        Assert.Equal([(ErrorCodes.MySqlEventOver, "once"), (ErrorCodes.MySqlEventOver, "until")], bench.Host.Warnings.Select(static w => (w.Code, w.Message.Split(' ')[1])));
        const string Events = "SELECT EVENT_NAME, STATUS FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'events_live' ORDER BY 1";
        Assert.Equal("daily\tENABLED\nkept\tDISABLED\nlater\tDISABLED\n", server.Sql(Events));

        await Task.Run(() => server.Sql("DO SLEEP(9)"), Cancellation);
        await restoration.RevertAsync(Cancellation);
        Assert.Equal("lasting\tENABLED\n", server.Sql(Events));
        Assert.Equal((ErrorCodes.MySqlEventOver, "ending"), bench.Host.Warnings.Skip(2).Select(static w => (w.Code, w.Message.Split(' ')[1])).Single());
    }

    [Fact]
    public async Task Tables_that_show_rows_of_others_are_carried_by_their_definition_and_never_written_through()
    {
        server.Sql($"""
            DROP DATABASE IF EXISTS engines; CREATE DATABASE engines; USE engines;
            CREATE TABLE a_merged (a INT NOT NULL, PRIMARY KEY (a)) ENGINE=MERGE UNION=(part1, part2) INSERT_METHOD=LAST;
            CREATE TABLE part1 (a INT NOT NULL, PRIMARY KEY (a)) ENGINE=MyISAM; CREATE TABLE part2 LIKE part1; INSERT INTO part1 VALUES (1), (2); INSERT INTO part2 VALUES (3);
            {Engines.Sql}
            """);
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(Settings("engines"));
        Problem[] warnings = [.. bench.Host.Warnings];
        Assert.Equal([ErrorCodes.MySqlNotTransactional, ErrorCodes.MySqlRowsElsewhere], warnings.Select(static w => w.Code));
        string[] showing = ["a_merged", .. Engines.Showing];
        Assert.All(showing, table => Assert.Contains($"{table} (", warnings[1].Message, StringComparison.Ordinal));
        Assert.DoesNotContain("a_merged", warnings[0].Message, StringComparison.Ordinal);
        Assert.All(
            snapshot.Metadata.Sources[0].Tables!.Where(table => showing.Contains(table.Name)), static table => Assert.Equal((0, 0), (table.Rows, table.Paths.Count)));
        await bench.RestoreAsync(snapshot, Settings("engines_ours"));
        Assert.Equal(server.Dump("engines"), server.Dump("engines_ours"));
        Assert.Equal("3\n", server.Sql("SELECT COUNT(*) FROM a_merged", "engines_ours"));
        Assert.Equal("2\n1\n", server.Sql("SELECT COUNT(*) FROM part1; SELECT COUNT(*) FROM part2", "engines_ours"));
        // It shows the restored tables, and not those of before.
        server.Sql("INSERT INTO a_merged VALUES (9)", "engines_ours");
        Assert.Equal("1\n2\n", server.Sql("SELECT COUNT(*) FROM engines.part2; SELECT COUNT(*) FROM engines_ours.part2"));
        server.Sql("DROP DATABASE engines_ours");
    }

    [Fact]
    public async Task Comments_of_what_was_made_in_another_character_set_come_back()
    {
        server.Sql("""
            DROP DATABASE IF EXISTS comments; CREATE DATABASE comments CHARACTER SET utf8mb4; USE comments; CREATE TABLE t (a INT); SET NAMES latin1;
            DELIMITER //
            CREATE PROCEDURE p() COMMENT 'ä it''s \\ \n b' SELECT 'ä' //
            CREATE FUNCTION f() RETURNS INT DETERMINISTIC COMMENT 'ß' RETURN 1 //
            CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2035-01-01 00:00:00' DISABLE COMMENT 'ö ''q''' DO SELECT 'ä' //
            """);
        Assert.Empty(await RoundTripAsync("comments"));
        string Comments(string database) => server.Sql($"""
            SELECT HEX(ROUTINE_COMMENT), HEX(ROUTINE_DEFINITION) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = '{database}' ORDER BY ROUTINE_NAME;
            SELECT HEX(EVENT_COMMENT), HEX(EVENT_DEFINITION) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = '{database}'
            """);
        Assert.StartsWith("C383C5B8\t", Comments("comments"), StringComparison.Ordinal);
        Assert.Equal(Comments("comments"), Comments("comments_ours"));
        server.Sql("DROP DATABASE comments_ours");
    }

    /// <summary>A database there and back under another name; gives the warnings' codes of both.</summary>
    protected async Task<IReadOnlyList<Problem>> RoundTripAsync(string database, bool compare = true)
    {
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(Settings(database));
        await bench.RestoreAsync(snapshot, Settings($"{database}_ours"));
        if (compare)
            Assert.Equal(server.Dump(database), server.Dump($"{database}_ours"));
        return [.. bench.Host.Warnings];
    }
}

public sealed class MariaDbObjectTests(MariaDbServer server) : ObjectTests(server), IClassFixture<MariaDbServer>
{
    protected override (string Sql, string[] Showing) Engines => (
        $"""
        INSTALL SONAME 'ha_archive'; INSTALL SONAME 'ha_blackhole'; INSTALL SONAME 'ha_federatedx';
        CREATE TABLE archived (a INT, b TEXT) ENGINE=ARCHIVE; INSERT INTO archived VALUES (1, 'x'), (1, 'x'); CREATE TABLE nothing (a INT) ENGINE=BLACKHOLE; INSERT INTO nothing VALUES (1);
        CREATE TABLE there (a INT NOT NULL PRIMARY KEY); INSERT INTO there VALUES (7);
        CREATE USER reader@'127.0.0.1'; GRANT ALL ON engines.* TO reader@'127.0.0.1';
        CREATE TABLE far (a INT NOT NULL PRIMARY KEY) ENGINE=FEDERATED CONNECTION='mysql://reader@127.0.0.1:{Server.Port}/engines/there';
        """,
        ["far"]);

    protected override MySqlSettings Settings(string database) => Server.Settings(database);

    [Fact]
    public async Task History_by_ids_of_transactions_is_warned_about_and_refused_by_a_restore()
    {
        Server.Sql("""
            DROP DATABASE IF EXISTS ids; CREATE DATABASE ids; USE ids;
            CREATE TABLE t (id INT PRIMARY KEY, v INT, s BIGINT UNSIGNED GENERATED ALWAYS AS ROW START, e BIGINT UNSIGNED GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING;
            INSERT INTO t (id, v) VALUES (1, 1); UPDATE t SET v = 2;
            """);
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(Settings("ids"));
        Problem warning = Assert.Single(bench.Host.Warnings);
        Assert.Equal(ErrorCodes.MySqlHistoryUnwritable, warning.Code);
        Assert.Contains(": t", warning.Message, StringComparison.Ordinal);
        Assert.Equal(2, snapshot.Metadata.Sources[0].Tables![0].Rows);
        RestorePlan plan = await bench.Restoration(snapshot, Settings("ids")).PlanAsync(Cancellation);
        Assert.Equal([ErrorCodes.MySqlHistoryUnwritable], plan.Blockers.Select(static b => b.Code));
    }

    [Fact]
    public async Task Rows_that_came_before_their_check_and_periods_of_the_application_come_back()
    {
        Server.Sql("""
            DROP DATABASE IF EXISTS checked; CREATE DATABASE checked; USE checked;
            CREATE TABLE early (id INT PRIMARY KEY, v INT); INSERT INTO early VALUES (1, -5), (2, 5);
            SET check_constraint_checks = 0; ALTER TABLE early ADD CONSTRAINT positive CHECK (v > 0); SET check_constraint_checks = 1;
            CREATE TABLE booked (room INT, a DATE, b DATE, PERIOD FOR stay (a, b), UNIQUE KEY once (room, stay WITHOUT OVERLAPS)) WITH SYSTEM VERSIONING;
            INSERT INTO booked VALUES (1, '2020-01-01', '2020-02-01'), (1, '2020-02-01', '2020-03-01'); DELETE FROM booked FOR PORTION OF stay FROM '2020-01-10' TO '2020-01-20';
            """);
        Assert.Empty(await RoundTripAsync("checked"));
        const string Rows = "SELECT *, ROW_START, ROW_END FROM booked FOR SYSTEM_TIME ALL ORDER BY room, a, ROW_END";
        Assert.Equal(Server.Sql(Rows, "checked"), Server.Sql(Rows, "checked_ours"));
        Assert.Throws<InvalidOperationException>(() => Server.Sql("INSERT INTO early VALUES (3, -1)", "checked_ours"));
        Server.Sql("DROP DATABASE checked_ours");
    }
}

public sealed class OracleMySqlObjectTests(OracleMySqlServer server) : ObjectTests(server), IClassFixture<OracleMySqlServer>
{
    protected override (string Sql, string[] Showing) Engines => (
        """
        CREATE TABLE archived (a INT, b TEXT) ENGINE=ARCHIVE; INSERT INTO archived VALUES (1, 'x'), (1, 'x'); CREATE TABLE nothing (a INT) ENGINE=BLACKHOLE; INSERT INTO nothing VALUES (1);
        """,
        []);

    protected override MySqlSettings Settings(string database) => ((OracleMySqlServer)Server).InsideSettings(database);

    [Fact]
    public async Task Libraries_and_duality_views_come_back_and_a_database_that_has_them_can_be_replaced()
    {
        Server.Sql("""
            DROP DATABASE IF EXISTS newer; CREATE DATABASE newer; USE newer;
            CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(20)); INSERT INTO customers VALUES (1, 'x');
            CREATE TABLE orders (id INT PRIMARY KEY, customer INT, n INT, FOREIGN KEY (customer) REFERENCES customers (id)); INSERT INTO orders VALUES (5, 1, 3);
            CREATE VIEW plain AS SELECT name FROM customers;
            DELIMITER //
            CREATE LIBRARY tools COMMENT 'it''s' LANGUAGE JAVASCRIPT AS $$ export function f(n) { return n + "ü\\n'"; } $$ //
            CREATE JSON RELATIONAL DUALITY VIEW documents AS SELECT JSON_DUALITY_OBJECT(WITH(INSERT, UPDATE, DELETE) '_id': id, 'name': name,
                'orders': (SELECT JSON_ARRAYAGG(JSON_DUALITY_OBJECT(WITH(UPDATE) 'id': orders.id, 'n': orders.n)) FROM orders WHERE orders.customer = customers.id)) FROM customers //
            DELIMITER ;
            DROP USER IF EXISTS scripter@localhost; CREATE USER scripter@localhost; GRANT EXECUTE ON LIBRARY newer.tools TO scripter@localhost;
            """);
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(Settings("newer"));
        Assert.Empty(bench.Host.Warnings);
        string Shown() => Server.Sql("SHOW CREATE LIBRARY tools; SHOW CREATE VIEW documents; SELECT * FROM documents; SHOW GRANTS FOR scripter@localhost; SELECT STATUS FROM information_schema.JSON_DUALITY_VIEWS WHERE TABLE_SCHEMA = 'newer'", "newer");
        string before = Shown();
        Server.Sql("DROP LIBRARY tools; INSERT INTO customers VALUES (2, 'later')", "newer");
        string changed = Server.Sql("SELECT * FROM documents", "newer");
        await using IRestoration restoration = await bench.RestoreAsync(snapshot, Settings("newer"));
        Assert.Equal(before.Replace("GRANT EXECUTE ON LIBRARY `newer`.`tools` TO `scripter`@`localhost`\n", "", StringComparison.Ordinal), Shown());
        Server.Sql("INSERT INTO documents VALUES ('{\"_id\": 7, \"name\": \"made\", \"orders\": []}')", "newer");
        Assert.Equal("made\n", Server.Sql("SELECT name FROM customers WHERE id = 7", "newer"));
        await restoration.RevertAsync(Cancellation);
        Assert.Equal(changed, Server.Sql("SELECT * FROM documents", "newer"));

        Server.Sql("DROP TABLE orders", "newer");
        using MySqlBench broken = new();
        await broken.CaptureAsync(Settings("newer"));
        Problem warning = Assert.Single(broken.Host.Warnings);
        Assert.Equal(ErrorCodes.MySqlViewInvalid, warning.Code);
        Assert.Contains("documents", warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_that_the_server_made_and_hides_come_back_and_none_is_made_where_none_was()
    {
        await using OracleMySqlServer hiding = new() { Options = ["--show-gipk-in-create-table-and-information-schema=OFF", "--sql-generate-invisible-primary-key=ON"] };
        await hiding.InitializeAsync();
        hiding.Sql("""
            CREATE DATABASE hidden; USE hidden; CREATE TABLE made (a INT); INSERT INTO made VALUES (5), (6), (7); DELETE FROM made WHERE a = 5;
            SET sql_generate_invisible_primary_key = OFF; CREATE TABLE none (a INT); INSERT INTO none VALUES (1);
            """);
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(hiding.InsideSettings("hidden"));
        await bench.RestoreAsync(snapshot, hiding.InsideSettings("hidden_ours"));
        const string All = "SET show_gipk_in_create_table_and_information_schema = ON; SELECT my_row_id, a FROM made ORDER BY a; SHOW CREATE TABLE made; SHOW CREATE TABLE none";
        string original = hiding.Sql(All, "hidden");
        Assert.StartsWith("2\t6\n3\t7\n", original, StringComparison.Ordinal);
        Assert.Equal(original, hiding.Sql(All, "hidden_ours"));
    }

    [Fact]
    public async Task Every_kind_of_object_is_the_same_under_another_name()
    {
        Server.Sql("""
            DROP DATABASE IF EXISTS kinds; CREATE DATABASE kinds CHARACTER SET utf8mb4; USE kinds; SET NAMES utf8mb4, sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
            CREATE TABLE parent (id INT PRIMARY KEY AUTO_INCREMENT COMMENT 'it''s \\ "ü"', name VARCHAR(100) NOT NULL, UNIQUE KEY by_name (name) COMMENT 'k', FULLTEXT KEY words (name)) AUTO_INCREMENT = 1000 COMMENT = 'täble';
            INSERT INTO parent VALUES (0, 'zero'), (1, 'one'), (-5, 'minus five');
            CREATE TABLE tree (id INT PRIMARY KEY, up INT, CONSTRAINT fk_tree FOREIGN KEY (up) REFERENCES tree (id)); INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 2);
            CREATE TABLE parts (id INT, at DATE, PRIMARY KEY (id, at)) PARTITION BY RANGE (YEAR(at)) SUBPARTITION BY HASH (id) SUBPARTITIONS 2
                (PARTITION p0 VALUES LESS THAN (2020), PARTITION p1 VALUES LESS THAN MAXVALUE); INSERT INTO parts VALUES (1, '2015-01-01'), (2, '2021-01-01'), (3, '2022-01-01');
            CREATE TABLE my (id INT AUTO_INCREMENT, grp INT, t TEXT, PRIMARY KEY (grp, id), FULLTEXT (t)) ENGINE=MyISAM; INSERT INTO my (grp, t) VALUES (1, 'a'), (1, 'b'), (2, 'c');
            CREATE TABLE mem (id INT KEY) ENGINE=MEMORY; INSERT INTO mem VALUES (1), (2); CREATE TABLE csvs (a INT NOT NULL, b VARCHAR(10) NOT NULL) ENGINE=CSV; INSERT INTO csvs VALUES (1, 'x"y');
            CREATE TABLE nokey (a INT, b INT); INSERT INTO nokey VALUES (1, 1), (1, 1), (NULL, 2);
            CREATE TABLE `odd ``name`` ü/..%` (`col ``umn` INT, `ü` INT, `select` INT); INSERT INTO `odd ``name`` ü/..%` VALUES (1, 2, 3);
            CREATE TABLE Upper (a INT); INSERT INTO Upper VALUES (1); CREATE TABLE upper (a INT); INSERT INTO upper VALUES (2);
            CREATE VIEW z_base AS SELECT a, b FROM nokey WHERE a > 0;
            CREATE DEFINER = ghost@nowhere SQL SECURITY INVOKER VIEW a_over AS SELECT z.a, p.name AS `näme` FROM z_base z JOIN parent p ON p.id = z.b WITH CASCADED CHECK OPTION;
            DELIMITER //
            CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC COMMENT 'it''s' RETURN x * 2 //
            CREATE VIEW b_uses_function AS SELECT twice(a) AS t, a FROM z_base //
            SET NAMES latin1, sql_mode = 'STRICT_ALL_TABLES' //
            CREATE PROCEDURE in_latin1() COMMENT 'a' SELECT 'ä' //
            SET NAMES utf8mb4, sql_mode = '' //
            CREATE TRIGGER kinds.first_of_two BEFORE INSERT ON kinds.nokey FOR EACH ROW SET NEW.a = IFNULL(NEW.a, 0) + 1 //
            CREATE TRIGGER before_first BEFORE INSERT ON nokey FOR EACH ROW PRECEDES first_of_two BEGIN SET NEW.b = 5; END //
            CREATE TRIGGER zz_behind BEFORE INSERT ON nokey FOR EACH ROW FOLLOWS before_first SET NEW.b = NEW.b + 1 //
            CREATE EVENT hourly ON SCHEDULE EVERY 1 HOUR STARTS '2030-01-01 00:00:00' ON COMPLETION PRESERVE COMMENT 'e' DO BEGIN SET @x = 1; SET @y = 2; END //
            CREATE EVENT asleep ON SCHEDULE EVERY 1 DAY DISABLE DO SET @x = 1 //
            """);
        Assert.Equal([ErrorCodes.MySqlNotTransactional], (await RoundTripAsync("kinds")).Select(static w => w.Code));
        const string Order = "SELECT TRIGGER_NAME, ACTION_ORDER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'kinds_ours' ORDER BY 2";
        Assert.Equal("before_first\t1\nzz_behind\t2\nfirst_of_two\t3\n", Server.Sql(Order));
        const string Latin = "SELECT HEX(ROUTINE_COMMENT), CHARACTER_SET_CLIENT, HEX(ROUTINE_DEFINITION) FROM information_schema.ROUTINES WHERE ROUTINE_NAME = 'in_latin1'";
        string[] both = Server.Sql(Latin).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, both.Length);
        Assert.Equal(both[0], both[1]);
        Server.Sql("DROP DATABASE kinds_ours");
    }

    [Fact]
    public async Task Sakila_comes_back_equal()
    {
        string folder = SharedData.Folder();
        Server.Sql(await File.ReadAllTextAsync(Path.Combine(folder, "sakila-mv-schema.sql"), Cancellation));
        Server.Sql(await File.ReadAllTextAsync(Path.Combine(folder, "sakila-mv-data.sql"), Cancellation), "sakila");
        Assert.Empty(await RoundTripAsync("sakila"));
        Assert.Equal("16044\n", Server.Sql("SELECT COUNT(*) FROM rental", "sakila_ours"));
        Server.Sql("DROP DATABASE sakila_ours");
    }
}
