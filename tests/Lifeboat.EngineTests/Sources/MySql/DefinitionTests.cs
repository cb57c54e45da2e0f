using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>Definitions that are right, and were refused or altered: they come back as they were, over the live database and out of it again.</summary>
public sealed class DefinitionTests(MariaDbServer server) : IClassFixture<MariaDbServer>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Kinds => new()
    {
        { "newlines", "CREATE TABLE `new\nline` (`a\nb` INT, b INT, KEY `k\n1` (`a\nb`), CONSTRAINT `c\nk` CHECK (b > 0)); INSERT INTO `new\nline` VALUES (1, 1)" },
        { "bynewline", "CREATE TABLE t (id INT PRIMARY KEY, n INT, `x,\n) ENGINE=MyISAM` INT, KEY `k\n1` (n), FULLTEXT KEY `f\n1` (v), v TEXT COMMENT ',\n  KEY `n` (`n`)')" },
        { "fkmissing", "SET foreign_key_checks = 0; CREATE TABLE child (id INT, p INT, KEY own (id), FOREIGN KEY (p) REFERENCES parent (id)); INSERT INTO child VALUES (1, 7)" },
        { "fkelsewhere", "CREATE TABLE child (id INT, p INT, CONSTRAINT away FOREIGN KEY (p) REFERENCES elsewhere.parent (id) ON DELETE CASCADE); INSERT INTO child VALUES (1, 1)" },
        { "comments", "CREATE TABLE t (a INT COMMENT '`comments`.`x`', s VARCHAR(50) DEFAULT '`comments`.') COMMENT='see `comments`.`t`'; CREATE VIEW v AS SELECT '`comments`.`t`' AS x FROM t" },
        { "comments2", "CREATE TABLE comments2 (id INT, d DATE); CREATE VIEW v AS SELECT comments2.id, EXTRACT(YEAR FROM comments2.d) AS y FROM comments2 JOIN comments2.comments2 b ON b.id = comments2.id" },
        { "vieworder", "CREATE VIEW x AS SELECT 1 AS y; CREATE VIEW y AS SELECT x.y FROM x; CREATE VIEW a AS SELECT * FROM y; CREATE VIEW b AS SELECT 1 AS a" },
        { "sequences", "CREATE SEQUENCE sq; CREATE TABLE t (a INT DEFAULT NEXTVAL(sq), b INT DEFAULT LASTVAL(sq), c BIGINT DEFAULT (NEXTVAL(sq) + 1)); INSERT INTO t VALUES ()" },
        { "filenames", "CREATE TABLE t (a VARCHAR(20) CHARACTER SET filename); INSERT INTO t VALUES ('a b'), ('ä/'), (NULL)" },
        {
            "packages", "CREATE TABLE t (a INT); SET sql_mode = 'ORACLE';\nDELIMITER //\nCREATE PACKAGE tools AS FUNCTION three RETURN INT; END //\n"
                + "CREATE PACKAGE BODY tools AS FUNCTION three RETURN INT AS BEGIN RETURN 3; END; END //\nDELIMITER ;"
        },
        { "definers", "CREATE TABLE t (a INT); CREATE DEFINER = 'a b'@'%' TRIGGER definers.`t ON x` BEFORE INSERT ON definers.t FOR EACH ROW SET @a = 1" },
        { "events", "CREATE EVENT `x ON COMPLETION PRESERVE ENABLE` ON SCHEDULE EVERY 1 DAY ON COMPLETION NOT PRESERVE DISABLE COMMENT 'a\nb' DO SET @a = 1" },
        { "merged", "CREATE TABLE one (a INT) ENGINE=MyISAM; CREATE TABLE both_ (a INT) ENGINE=MERGE UNION=(one)" },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task What_is_right_goes_over_the_live_database_and_back(string database, string sql)
    {
        server.Sql($"""
            CREATE DATABASE IF NOT EXISTS elsewhere; CREATE TABLE IF NOT EXISTS elsewhere.parent (id INT PRIMARY KEY); INSERT IGNORE INTO elsewhere.parent VALUES (1), (2);
            CREATE OR REPLACE DATABASE {database} CHARACTER SET utf8mb4; USE {database}; {sql}
            """);
        string before = server.Dump(database);
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(server.Settings(database));
        server.Sql("CREATE TABLE later (a INT)", database);
        string changed = server.Dump(database);
        await using IRestoration restoration = await bench.RestoreAsync(snapshot, server.Settings(database));
        Assert.Equal(before, server.Dump(database));
        Assert.DoesNotContain("__", References(), StringComparison.Ordinal);
        await restoration.RevertAsync(Cancellation);
        Assert.Equal(changed, server.Dump(database));
        Assert.DoesNotContain("__", References(), StringComparison.Ordinal);

        await bench.RestoreAsync(snapshot, server.Settings(database + "_copy"), "other");
        string anyName(string dump) =>
            dump.Replace($"`{database}_copy`", "`DB`", StringComparison.Ordinal).Replace($"`{database}`", "`DB`", StringComparison.Ordinal);
        Assert.Equal(anyName(before), anyName(server.Dump(database + "_copy")));
        server.Sql($"DROP DATABASE {database}; DROP DATABASE {database}_copy");
        Assert.Equal("", server.Sql($"SHOW DATABASES LIKE '{database}%'"));
    }

    [Fact]
    public async Task A_foreign_key_to_a_missing_table_holds_only_the_live_rows()
    {
        server.Sql("""
            CREATE OR REPLACE DATABASE adopts; USE adopts; SET foreign_key_checks = 0;
            CREATE TABLE child (id INT, p INT, FOREIGN KEY (p) REFERENCES parent (id)); INSERT INTO child VALUES (1, 7)
            """);
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(server.Settings("adopts"));
        await bench.RestoreAsync(snapshot, server.Settings("adopts"));
        // What the application's migration does next; the kept rows must not be in its way, nor those of the live table be free.
        server.Sql("CREATE TABLE parent (id INT PRIMARY KEY); INSERT INTO parent VALUES (7), (8); INSERT INTO child VALUES (2, 8)", "adopts");
        server.Sql("DELETE FROM child; DELETE FROM parent WHERE id = 7; INSERT INTO child VALUES (2, 8)", "adopts");
        Assert.Throws<InvalidOperationException>(() => server.Sql("INSERT INTO child VALUES (3, 9)", "adopts"));
        server.Sql("DROP DATABASE adopts; DROP DATABASE adopts__before_testid");
    }

    [Fact]
    public async Task A_table_with_a_directory_of_its_own_is_staged_without_and_never_renamed()
    {
        server.Sql($"""
            CREATE OR REPLACE DATABASE moved; USE moved;
            CREATE TABLE t (id INT PRIMARY KEY) DATA DIRECTORY='{server.ExtraDirectory}'; INSERT INTO t VALUES (1), (2);
            CREATE TABLE p (id INT PRIMARY KEY) PARTITION BY HASH (id) (PARTITION p0 DATA DIRECTORY='{server.ExtraDirectory}', PARTITION p1); INSERT INTO p VALUES (1), (2);
            CREATE TABLE m (id INT) ENGINE=MyISAM DATA DIRECTORY='{server.ExtraDirectory}' INDEX DIRECTORY='{server.ExtraDirectory}'; INSERT INTO m VALUES (5);
            """);
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(server.Settings("moved"));
        RestorePlan plan = await bench.Restoration(snapshot, server.Settings("moved")).PlanAsync(Cancellation);
        Assert.Equal([ErrorCodes.MySqlTableNotMovable, ErrorCodes.MySqlTableNotMovable], plan.Blockers.Select(static problem => problem.Code));
        Assert.Equal([ErrorCodes.MySqlDirectoryLeftOut], plan.Warnings.Select(static problem => problem.Code));
        foreach (Problem blocker in plan.Blockers)
            server.Sql(blocker.Hint!["run ".Length..(blocker.Hint!.IndexOf("; which", StringComparison.Ordinal))], "moved");

        await using (IRestoration restoration = await bench.RestoreAsync(snapshot, server.Settings("moved")))
            await restoration.RevertAsync(Cancellation);
        await bench.RestoreAsync(snapshot, server.Settings("moved"), "again");
        server.Crash();
        await server.StartAsync();
        Assert.Equal("1\n2\n1\n2\n5\n", server.Sql("SELECT id FROM t ORDER BY 1; SELECT id FROM p ORDER BY 1; SELECT id FROM m", "moved"));
        Assert.Equal("2\n", server.Sql("SELECT COUNT(*) FROM t", "moved__before_again"));
        server.Sql("DROP DATABASE moved; DROP DATABASE moved__before_again");
    }

    [Fact]
    public async Task A_definition_that_servers_print_otherwise_is_accepted_and_one_that_differs_is_not()
    {
        server.Sql("""
            CREATE OR REPLACE DATABASE printed CHARACTER SET utf8mb4; USE printed;
            CREATE TABLE t (id INT PRIMARY KEY, a INT DEFAULT 1, b INT, KEY by_a (a), CONSTRAINT ok CHECK (a > 0));
            CREATE VIEW v AS SELECT a FROM t WHERE a IN (1, 2); CREATE FUNCTION f() RETURNS VARCHAR(20) DETERMINISTIC RETURN 'x';
            """);
        using MySqlBench bench = new();
        await bench.CaptureAsync(server.Settings("printed"));
        VerifiedSnapshot other = await bench.EditedAsync(
            ("schema.sql", "int(11)", "int"), ("schema.sql", "CHECK (`a` > 0)", "CHECK ((`a` > (0)))"), ("schema.sql", " COLLATE=utf8mb4_general_ci", ""),
            ("objects.sql", "where `t`.`a` in (1,2)", "where (`t`.`a` = any (select 1)) or 1"), ("objects.sql", " CHARSET utf8mb4 COLLATE utf8mb4_general_ci", ""));
        await bench.RestoreAsync(other, server.Settings("printed_copy"));
        Assert.Equal("printed_copy\n", server.Sql("SHOW DATABASES LIKE 'printed\\_%'"));

        await using IRestoration restoration = bench.Restoration(other, server.Settings("printed_wrong"));
        Assert.Equal([], (await restoration.PlanAsync(Cancellation)).Blockers);
        await restoration.StageAsync(Cancellation);
        server.Sql("ALTER TABLE t ALTER a SET DEFAULT 2; CREATE OR REPLACE VIEW v AS SELECT a FROM t; DROP FUNCTION f; CREATE FUNCTION f() RETURNS VARCHAR(20) DETERMINISTIC RETURN 'y'", "printed_wrong__staging_testid");
        Assert.Equal(
            ["definition of table t", "function f", "view v"],
            (await restoration.VerifyAsync(Cancellation)).Checks.Where(static check => !check.Passed).Select(static check => check.Subject).Order());
        await restoration.DiscardAsync(Cancellation);
    }

    private string References() => server.Sql(
        "SELECT REFERENCED_TABLE_SCHEMA FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_NAME IS NOT NULL AND TABLE_SCHEMA NOT LIKE '%\\_\\_%'");
}
