using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.MySql;
using Lifeboat.EngineTests.Sources.Postgres;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>Wrong passwords, lost servers, and a database that is there already.</summary>
public sealed class MariaDbTroubleTests(MariaDbServer server) : IClassFixture<MariaDbServer>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_restore_replaces_the_live_database_keeps_it_and_takes_it_back()
    {
        Fill("live");
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(server.Settings("live"));
        string captured = server.Dump("live");
        server.Sql("""
            DELETE FROM item; INSERT INTO item VALUES (77, 'changed'); DROP VIEW items; CREATE VIEW others AS SELECT label FROM item; DROP TRIGGER counted;
            CREATE TRIGGER other BEFORE DELETE ON item FOR EACH ROW SET @deleted = 1; CREATE TABLE more (id INT PRIMARY KEY, item INT, FOREIGN KEY (item) REFERENCES item (id));
            DROP PROCEDURE total; DROP EVENT tick; CREATE EVENT tock ON SCHEDULE EVERY 1 DAY DO SET @x = 1; ALTER DATABASE live CHARACTER SET latin1; INSERT INTO more VALUES (1, 77)
            """, "live");
        string changed = server.Dump("live");
        await using IRestoration restoration = await bench.RestoreAsync(snapshot, server.Settings("live"));
        Assert.Equal(captured, server.Dump("live"));
        Assert.Equal(changed, server.Dump("live__before_testid").Replace("PRESERVE DISABLE", "PRESERVE ENABLE", StringComparison.Ordinal)
            .Replace("SQL SECURITY INVOKER", "SQL SECURITY DEFINER", StringComparison.Ordinal));
        Assert.DoesNotContain("__staging_", server.Sql("SHOW DATABASES"));
        await restoration.RevertAsync(Cancellation);
        Assert.Equal(changed, server.Dump("live"));
        Assert.DoesNotContain("live__", server.Sql("SHOW DATABASES"));
        await restoration.DiscardAsync(Cancellation);
        Assert.Equal(changed, server.Dump("live"));
    }

    [Theory]
    [InlineData("UPDATE item SET label = 'x' WHERE id = 1")]
    [InlineData("DELETE FROM item WHERE id = 500")]
    [InlineData("CREATE TABLE slipped_in (id INT)")]
    [InlineData("DROP TABLE item; CREATE TABLE item (id INT PRIMARY KEY, label VARCHAR(50), KEY by_label (label))")]
    [InlineData("ALTER TABLE item ADD slipped INT")]
    public async Task What_is_written_to_a_staged_table_after_it_was_verified_is_not_switched_in(string sql)
    {
        server.Sql("CREATE OR REPLACE USER app@'%' IDENTIFIED BY 'a'; GRANT ALL ON `watched%`.* TO app@'%'");
        Fill("watched");
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(server.Settings("watched"));
        string before = server.Dump("watched");
        await using IRestoration restoration = bench.Restoration(snapshot, server.Settings("watched"));
        RestorePlan plan = await restoration.PlanAsync(Cancellation);
        Assert.Contains(plan.Steps, static step => step.Contains("`app`@`%` by watched%", StringComparison.Ordinal));
        await restoration.StageAsync(Cancellation);
        MySqlBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        server.Login("app", "a", sql, "watched__staging_testid");
        LifeboatException e = await Assert.ThrowsAsync<LifeboatException>(() => restoration.CommitAsync(Cancellation));
        Assert.Equal(ErrorCodes.MySqlStagedChanged, e.Code);
        await restoration.DiscardAsync(Cancellation);
        Assert.Equal(before, server.Dump("watched"));
        Assert.DoesNotContain("watched__", server.Sql("SHOW DATABASES"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Views_that_are_put_aside_lend_nobody_the_restores_rights()
    {
        server.Sql("""
            CREATE OR REPLACE USER lender@'%' IDENTIFIED BY 'l'; GRANT ALL ON `lend%`.* TO lender@'%'; CREATE OR REPLACE DATABASE lend; USE lend;
            CREATE DEFINER = lender@'%' FUNCTION who() RETURNS VARCHAR(200) READS SQL DATA SQL SECURITY INVOKER RETURN CONCAT(CURRENT_USER(), (SELECT COUNT(*) FROM mysql.global_priv));
            CREATE DEFINER = lender@'%' VIEW looks AS SELECT who() AS u; CREATE DEFINER = lender@'%' VIEW me AS SELECT CURRENT_USER() AS me; CREATE TABLE t (id INT);
            """);
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(server.Settings("lend"));
        await using IRestoration restoration = bench.Restoration(snapshot, server.Settings("lend"));
        Assert.Equal([], (await restoration.PlanAsync(Cancellation)).Blockers);
        await restoration.StageAsync(Cancellation);
        MySqlBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        Assert.Throws<InvalidOperationException>(() => server.Login("lender", "l", "SELECT u FROM looks", "lend__staging_testid"));
        await restoration.CommitAsync(Cancellation);
        Assert.Throws<InvalidOperationException>(() => server.Login("lender", "l", "SELECT u FROM looks", "lend__before_testid"));
        Assert.Equal("lender@%\n", server.Login("lender", "l", "SELECT me FROM me", "lend__before_testid"));
        Assert.Contains("DEFINER=`lender`@`%` SQL SECURITY DEFINER", server.Sql("SHOW CREATE VIEW looks", "lend"), StringComparison.Ordinal);
        server.Sql("DROP DATABASE lend; DROP DATABASE lend__before_testid; DROP DATABASE IF EXISTS lend__staging_testid; DROP USER lender@'%'");
    }

    [Fact]
    public async Task A_switch_that_fails_leaves_the_live_database_as_it_was()
    {
        Fill("held");
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(server.Settings("held"));
        server.Sql("INSERT INTO item VALUES (999, 'later'); CREATE VIEW doomed AS SELECT * FROM item", "held");
        await using IRestoration restoration = bench.Restoration(snapshot, server.Settings("held"));
        Assert.Equal([], (await restoration.PlanAsync(Cancellation)).Blockers);
        await restoration.StageAsync(Cancellation);
        MySqlBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        // Between plan and switch the live database gets what cannot be made again where it is put aside: the tables are renamed by then.
        server.Sql("CREATE TABLE other (a INT); CREATE VIEW refers AS SELECT a FROM held.other JOIN mysql.user", "held");
        string before = server.Dump("held");
        server.Sql("CREATE OR REPLACE USER stranger@localhost; CREATE DATABASE IF NOT EXISTS gone; CREATE TABLE gone.t (a INT); CREATE VIEW broken AS SELECT a FROM gone.t; DROP DATABASE gone", "held");
        LifeboatException failed = await Assert.ThrowsAsync<LifeboatException>(() => restoration.CommitAsync(Cancellation));
        Assert.Equal(ErrorCodes.MySqlViewInvalid, failed.Code);
        await restoration.DiscardAsync(Cancellation);
        server.Sql("DROP VIEW broken", "held");
        Assert.Equal(before, server.Dump("held"));
        Assert.DoesNotContain("held__", server.Sql("SHOW DATABASES"));
    }

    [Fact]
    public async Task A_switch_that_must_wait_for_the_application_for_too_long_is_undone()
    {
        Fill("locked");
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(server.Settings("locked"));
        server.Sql("INSERT INTO item VALUES (999, 'later')", "locked");
        string before = server.Dump("locked");
        await using IRestoration restoration = new MySqlSource(server.Settings("locked"), null, bench.Host.Context, new NoSecrets()) { SwitchTimeout = TimeSpan.FromSeconds(1) }
            .PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("testid"));
        Assert.Equal([], (await restoration.PlanAsync(Cancellation)).Blockers);
        await restoration.StageAsync(Cancellation);
        Task holding = Task.Run(() => Assert.ThrowsAny<InvalidOperationException>(() => server.Sql("BEGIN; SELECT COUNT(*) FROM item; SELECT 'held', SLEEP(600)", "locked")), Cancellation);
        string id;
        while ((id = server.Sql("SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT ''held''%' LIMIT 1").Trim()).Length == 0)
            await Task.Delay(20, Cancellation);
        LifeboatException failed = await Assert.ThrowsAsync<LifeboatException>(() => restoration.CommitAsync(Cancellation));
        Assert.Equal(ErrorCodes.MySqlLockTimeout, failed.Code);
        server.Sql($"KILL {id}");
        await holding;
        await restoration.DiscardAsync(Cancellation);
        Assert.Equal(before, server.Dump("locked"));
        Assert.DoesNotContain("locked__", server.Sql("SHOW DATABASES"));
    }

    [Fact]
    public async Task An_invalid_view_is_left_out_with_a_warning_and_one_in_the_way_is_named()
    {
        Fill("views");
        server.Sql("CREATE TABLE dropped (a INT); CREATE VIEW broken AS SELECT a FROM dropped; DROP TABLE dropped; CREATE DEFINER = nobody@nowhere VIEW orphan AS SELECT id FROM item", "views");
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(server.Settings("views"));
        Problem warning = Assert.Single(bench.Host.Warnings);
        Assert.Equal(ErrorCodes.MySqlViewInvalid, warning.Code);
        Assert.Contains("broken", warning.Message, StringComparison.Ordinal);
        RestorePlan plan = await bench.Restoration(snapshot, server.Settings("views")).PlanAsync(Cancellation);
        Assert.Equal([ErrorCodes.MySqlViewInvalid], plan.Blockers.Select(static b => b.Code));
        server.Sql("DROP VIEW broken", "views");
        string before = server.Dump("views", "--ignore-table=views.orphan");
        await bench.RestoreAsync(snapshot, server.Settings("views"));
        Assert.Equal(before, server.Dump("views", "--ignore-table=views.orphan"));
        Assert.Contains("`nobody`@`nowhere`", server.Sql("SHOW CREATE VIEW orphan", "views"));
    }

    [Fact]
    public async Task Rows_that_differ_are_found_before_anything_live_is_touched()
    {
        Fill("differs");
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(server.Settings("differs"));
        await using IRestoration restoration = bench.Restoration(snapshot, server.Settings("differs"));
        await restoration.PlanAsync(Cancellation);
        await restoration.StageAsync(Cancellation);
        server.Sql("UPDATE item SET label = 'othér' WHERE id = 1; ALTER TABLE item COMMENT 'x'; DROP TRIGGER counted", "differs__staging_testid");
        VerifyReport report = await restoration.VerifyAsync(Cancellation);
        Assert.Equal(
            ["definition of table item", "number of routines, views, triggers and events", "table item", "trigger counted"],
            report.Checks.Where(static c => !c.Passed).Select(static c => c.Subject).Order(StringComparer.Ordinal));
        await restoration.DiscardAsync(Cancellation);
        Assert.DoesNotContain("differs__", server.Sql("SHOW DATABASES"));
    }

    [Fact]
    public async Task What_keeps_from_connecting_has_its_own_code()
    {
        server.Sql("CREATE OR REPLACE USER someone@'%' IDENTIFIED BY 'right'; GRANT ALL ON *.* TO someone@'%'");
        using MySqlBench bench = new();
        async Task<ErrorCode> CodeAsync(string database, string password) => Assert.Single(
            await bench.Source(server.PasswordSettings(database, "someone"), new GivenSecrets(("PW", password))).CheckAsync(Cancellation)).Code;
        Assert.Equal(ErrorCodes.MySqlLoginRefused, await CodeAsync("mysql", "wrong"));
        Assert.Equal(ErrorCodes.MySqlDatabaseMissing, await CodeAsync("no_such_database", "right"));
        Problem nobody = Assert.Single(await bench.Source(server.Settings("mysql") with { Url = "mysql://root@127.0.0.1:9/x" }).CheckAsync(Cancellation));
        Assert.Equal(ErrorCodes.MySqlUnreachable, nobody.Code);
        Assert.Equal(ErrorCodes.MySqlToolsMissing, Assert.Single(await new MySqlSource(
            server.Settings("mysql"), "/nowhere", bench.Host.Context, new NoSecrets()).CheckAsync(Cancellation)).Code);
    }

    [Fact]
    public async Task A_server_that_dies_under_a_backup_or_a_restore_is_told_as_such()
    {
        await using MariaDbServer mortal = await MariaDbServer.StartAsync();
        mortal.Sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v LONGTEXT); INSERT INTO d.t SELECT seq, REPEAT('x', 10000) FROM seq_1_to_5000");
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(mortal.Settings("d"));
        await using (ICapture capture = await bench.Source(mortal.Settings("d")).OpenAsync(Cancellation))
        {
            mortal.Crash();
            using TemporaryFolder other = new();
            LifeboatException lost = await Assert.ThrowsAsync<LifeboatException>(() => capture.WriteAsync(new FolderSnapshot(other.Path), Cancellation));
            Assert.Contains(lost.Code, new[] { ErrorCodes.MySqlConnectionLost, ErrorCodes.MySqlUnreachable });
        }

        await mortal.StartAsync();
        await using IRestoration restoration = bench.Restoration(snapshot, mortal.Settings("d"));
        Assert.Equal([], (await restoration.PlanAsync(Cancellation)).Blockers);
        mortal.Crash();
        LifeboatException gone = await Assert.ThrowsAsync<LifeboatException>(() => restoration.StageAsync(Cancellation));
        Assert.Contains(gone.Code, new[] { ErrorCodes.MySqlConnectionLost, ErrorCodes.MySqlUnreachable });
        await mortal.StartAsync();
        await restoration.DiscardAsync(Cancellation);
        Assert.DoesNotContain("__staging", mortal.Sql("SHOW DATABASES"));
    }

    private void Fill(string database) => server.Sql($"""
        CREATE OR REPLACE DATABASE {database} CHARACTER SET utf8mb4; USE {database};
        CREATE TABLE item (id INT PRIMARY KEY, label VARCHAR(50), KEY by_label (label)); INSERT INTO item SELECT seq, CONCAT('item ', seq) FROM seq_1_to_500;
        CREATE VIEW items AS SELECT COUNT(*) FROM item; CREATE PROCEDURE total() SELECT COUNT(*) FROM item;
        CREATE TRIGGER counted AFTER INSERT ON item FOR EACH ROW SET @n = NEW.id; CREATE EVENT tick ON SCHEDULE EVERY 1 DAY DO SET @x = 1;
        """);
}
