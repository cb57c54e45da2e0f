using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.MySql;
using Lifeboat.Engine.Sources.MySql.Accounts;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.EngineTests.Sources.Postgres;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>Accounts and grants of a database, by both kinds of servers alike. Each test has databases and accounts of its own names.</summary>
public abstract class AccountRestoreTests(MariaDbServer source, MariaDbServer target)
{
    private const string OddPassword = "p\"a's\\s w#ö$x`";

    protected MariaDbServer Source => source;

    protected MariaDbServer Target => target;

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Under_another_name_accounts_get_their_rights_on_the_database_of_that_name()
    {
        source.Sql("""
            CREATE DATABASE sh_op; USE sh_op; CREATE TABLE t (id INT PRIMARY KEY, note TEXT); INSERT INTO t VALUES (1, 'one');
            CREATE PROCEDURE p() SELECT 'called'; CREATE DATABASE shxop; CREATE TABLE shxop.t (id INT);
            CREATE USER escaping@'%' IDENTIFIED BY 'e'; GRANT SELECT ON `sh\_op`.* TO escaping@'%';
            CREATE USER pattern@'%' IDENTIFIED BY 'p'; GRANT SELECT ON `sh_op`.* TO pattern@'%';
            CREATE USER single@'%' IDENTIFIED BY 's'; GRANT SELECT (id), UPDATE (note) ON sh_op.t TO single@'%'; GRANT EXECUTE ON PROCEDURE sh_op.p TO single@'%';
            """);
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(source.Own("sh_op"));
        await bench.RestoreAsync(snapshot, target.Own("my_copy"));
        Assert.Equal("one\n", target.Login("escaping", "e", "SELECT note FROM t", "my_copy"));
        Assert.Equal("one\n", target.Login("pattern", "p", "SELECT note FROM t", "my_copy"));
        Assert.Equal("called\n", target.Login("single", "s", "UPDATE t SET note = 'two'; CALL p()", "my_copy"));
        Assert.Throws<InvalidOperationException>(() => target.Login("single", "s", "SELECT note FROM t", "my_copy"));
        // An underscore in the new name is no wildcard.
        target.Sql("CREATE DATABASE myxcopy");
        Assert.Throws<InvalidOperationException>(() => target.Login("pattern", "p", "SELECT 1", "myxcopy"));
        string[] expected = [.. new[] { "escaping@'%'", "pattern@'%'", "single@'%'" }.Select(account => source.Shown(account)
            .Replace(@"`sh\\_op`.", "`my_copy`.", StringComparison.Ordinal).Replace("`sh_op`.", "`my_copy`.", StringComparison.Ordinal))];
        Assert.Equal(expected, new[] { "escaping@'%'", "pattern@'%'", "single@'%'" }.Select(account => target.Shown(account).Replace(@"`my\\_copy`.", "`my_copy`.", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_account_that_an_anonymous_one_keeps_from_being_reached_is_told()
    {
        source.Sql("CREATE DATABASE shady; CREATE TABLE shady.t (id INT PRIMARY KEY); CREATE USER shade@'%' IDENTIFIED BY 's'; GRANT SELECT ON shady.* TO shade@'%'");
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(source.Own("shady"));
        target.Sql("CREATE USER ''@'127.0.0.1'; CREATE USER ''@'192.168.%'; CREATE USER shade@'10.0.0.1' IDENTIFIED BY 'other'");
        RestorePlan plan = await bench.Restoration(snapshot, target.Own("shady")).PlanAsync(Cancellation);
        Assert.Equal(
            [
                "a login as shade from 10.0.0.1 reaches the account `shade`@`10.0.0.1`, not `shade`@`%`",
                "a login as shade from 127.0.0.1 reaches the account ``@`127.0.0.1`, not `shade`@`%`",
                "a login as shade from 192.168.1 reaches the account ``@`192.168.%`, not `shade`@`%`",
            ],
            plan.Warnings.Where(static warning => warning.Code == ErrorCodes.MySqlLoginShadowed).Select(static warning => warning.Message).Order());
        await bench.RestoreAsync(snapshot, target.Own("shady"));
        Assert.Throws<InvalidOperationException>(() => target.Login("shade", "s", "SELECT COUNT(*) FROM t", "shady"));
        target.Sql("DROP USER ''@'127.0.0.1'; DROP USER ''@'192.168.%'; DROP USER shade@'10.0.0.1'");
        Assert.Equal("0\n", target.Login("shade", "s", "SELECT COUNT(*) FROM t", "shady"));
    }

    [Fact]
    public async Task Pasted_instructions_restore_database_and_accounts_with_rights_on_tables_columns_and_routines()
    {
        source.Sql($"""
            CREATE DATABASE store DEFAULT CHARACTER SET utf8mb4; USE store;
            CREATE TABLE customer (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50), email VARCHAR(50), active BOOL DEFAULT 1);
            CREATE TABLE rental (id INT PRIMARY KEY, customer INT, rented DATETIME, returned DATETIME, CONSTRAINT who FOREIGN KEY (customer) REFERENCES customer (id));
            INSERT INTO customer (name, email) VALUES ('Ω "quoted"', 'a:b'), (NULL, 'NULL'); INSERT INTO rental VALUES (1, 1, '2026-01-01', NULL), (2, 2, '2026-01-02', '2026-01-03');
            CREATE VIEW active AS SELECT id, name FROM customer WHERE active; CREATE PROCEDURE late() READS SQL DATA SELECT COUNT(*) FROM rental WHERE returned IS NULL;
            CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN 2 * n;
            CREATE TRIGGER named BEFORE INSERT ON customer FOR EACH ROW SET NEW.name = COALESCE(NEW.name, 'nobody');
            CREATE EVENT tidy ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DO DELETE FROM rental WHERE returned < '2000-01-01';
            CREATE DATABASE IF NOT EXISTS beside; CREATE TABLE IF NOT EXISTS beside.t (a INT);
            CREATE ROLE clerks; GRANT SELECT ON store.* TO clerks; GRANT INSERT, UPDATE (returned, customer) ON store.rental TO clerks;
            CREATE USER website@'%' IDENTIFIED BY 'w''s p"w' WITH MAX_USER_CONNECTIONS 50; GRANT SELECT, INSERT, UPDATE, EXECUTE ON store.* TO website@'%'; GRANT SELECT ON beside.t TO website@'%';
            CREATE USER mike@'127.0.0.1' IDENTIFIED BY 'hillyer'; GRANT clerks TO mike@'127.0.0.1'; {source.DefaultRole("clerks", "mike@'127.0.0.1'")};
            GRANT EXECUTE ON PROCEDURE store.late TO mike@'127.0.0.1'; GRANT EXECUTE ON FUNCTION store.twice TO mike@'127.0.0.1'; GRANT SELECT (id, email) ON store.customer TO mike@'127.0.0.1';
            """);
        using MySqlBench bench = new();
        await bench.CaptureAsync(source.Own("store"));
        string before = target.Sql("SELECT @@GLOBAL.local_infile");
        target.ByHand(bench.Folder, bench.Instructions);
        Assert.Equal(before, target.Sql("SELECT @@GLOBAL.local_infile"));
        Assert.Equal(source.Dump("store"), target.Dump("store"));
        Assert.Equal("2\n", target.Login("website", "w's p\"w", "SELECT COUNT(*) FROM rental", "store"));
        Assert.Equal("1\n8\na:b\n", target.Login("mike", "hillyer", "CALL late(); SELECT twice(4); SELECT email FROM customer WHERE id = 1", "store"));
        Assert.Throws<InvalidOperationException>(() => target.Login("mike", "hillyer", "DELETE FROM rental", "store"));
        Assert.Contains("grants-elsewhere.sql", bench.Instructions, StringComparison.Ordinal);
        Assert.NotEqual(source.Shown("website@'%'"), target.Shown("website@'%'"));
        target.Sql("CREATE DATABASE IF NOT EXISTS beside; CREATE TABLE IF NOT EXISTS beside.t (a INT)");
        target.Sql(await File.ReadAllTextAsync(Path.Combine(bench.Folder, "databases/shop/grants-elsewhere.sql"), Cancellation));
        Assert.Equal(source.Shown("website@'%'", "mike@'127.0.0.1'", "clerks"), target.Shown("website@'%'", "mike@'127.0.0.1'", "clerks"));
    }

    [Fact]
    public async Task Views_of_accounts_that_have_rights_in_the_database_alone_are_the_same()
    {
        source.Sql("""
            CREATE DATABASE defined; USE defined; CREATE TABLE t (a INT PRIMARY KEY); INSERT INTO t VALUES (5); CREATE USER author@localhost IDENTIFIED BY 'a'; CREATE USER reader@'%' IDENTIFIED BY 'r';
            GRANT SELECT, EXECUTE ON defined.* TO author@localhost; CREATE DEFINER = author@localhost VIEW v AS SELECT a, a + 1 AS b FROM t; CREATE DEFINER = author@localhost VIEW w AS SELECT b FROM v;
            CREATE USER writer@localhost; GRANT SELECT ON defined.t TO writer@localhost; CREATE DEFINER = writer@localhost VIEW x AS SELECT a FROM t; GRANT SELECT ON defined.x TO writer@localhost;
            CREATE DEFINER = writer@localhost VIEW y AS SELECT a FROM x;
            CREATE DEFINER = author@localhost PROCEDURE p() SELECT a FROM t; GRANT SELECT ON defined.w TO reader@'%'; GRANT EXECUTE ON PROCEDURE defined.p TO reader@'%';
            """);
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(source.Own("defined"));
        await bench.RestoreAsync(snapshot, target.Own("defined"));
        Assert.Equal(source.Dump("defined"), target.Dump("defined"));
        Assert.Equal(source.Shown("author@localhost", "reader@'%'"), target.Shown("author@localhost", "reader@'%'"));
        Assert.Equal("6\n5\n", target.Login("reader", "r", "SELECT b FROM w; CALL p()", "defined"));
        // They are put aside, and come back.
        string dump = target.Dump("defined");
        await using IRestoration again = await bench.RestoreAsync(snapshot, target.Own("defined"), "again");
        Assert.Equal(dump, target.Dump("defined"));
        await again.RevertAsync(Cancellation);
        Assert.Equal(dump, target.Dump("defined"));
    }

    [Fact]
    public async Task An_account_that_stands_for_another_comes_with_it_and_it_with_that()
    {
        string plugin = source is OracleMySqlServer ? "caching_sha2_password" : "mysql_native_password";
        source.Sql($"""
            CREATE DATABASE proxied; CREATE TABLE proxied.t (a INT); CREATE DATABASE proxying; CREATE TABLE proxying.t (a INT);
            CREATE USER owner@localhost IDENTIFIED BY 'o'; GRANT SELECT ON proxied.* TO owner@localhost; GRANT INSERT ON proxied.t TO owner@localhost;
            CREATE USER proxy@localhost IDENTIFIED WITH {plugin}; GRANT PROXY ON owner@localhost TO proxy@localhost WITH GRANT OPTION;
            CREATE USER alien@localhost; CREATE USER agent@localhost; GRANT SELECT ON proxying.* TO agent@localhost; GRANT PROXY ON alien@localhost TO agent@localhost;
            """);
        Assert.Contains("PROXY", source.Shown("proxy@localhost"), StringComparison.Ordinal);
        using MySqlBench first = new();
        await first.RestoreAsync(await first.CaptureAsync(source.Own("proxied")), target.Own("proxied"));
        Assert.Equal(source.Shown("owner@localhost", "proxy@localhost"), target.Shown("owner@localhost", "proxy@localhost"));
        Assert.DoesNotContain("agent@localhost", target.AccountNames());
        using MySqlBench second = new();
        VerifiedSnapshot snapshot = await second.CaptureAsync(source.Own("proxying"));
        target.Sql("CREATE USER helper@'127.0.0.1' IDENTIFIED BY 'h'; GRANT ALL PRIVILEGES ON *.* TO helper@'127.0.0.1' WITH GRANT OPTION");
        GivenSecrets secrets = new(("PW", "h"));
        RestorePlan refused = await second.Restoration(snapshot, target.PasswordSettings("proxying", "helper"), secrets: secrets).PlanAsync(Cancellation);
        Assert.Contains("may stand for `alien`@`localhost`", Assert.Single(refused.Blockers).Message, StringComparison.Ordinal);
        await second.RestoreAsync(snapshot, target.Own("proxying"));
        Assert.Equal(source.Shown("alien@localhost", "agent@localhost"), target.Shown("alien@localhost", "agent@localhost"));
    }

    [Fact]
    public async Task All_accounts_are_captured_where_that_is_set_and_only_those_that_matter_otherwise()
    {
        source.Sql("""
            CREATE DATABASE few; CREATE TABLE few.t (a INT); CREATE USER concerned@localhost; GRANT SELECT ON few.* TO concerned@localhost;
            CREATE USER unrelated@localhost IDENTIFIED BY 'u'; GRANT SELECT ON nothing.* TO unrelated@localhost; CREATE ROLE detached; CREATE ROLE attached; GRANT attached TO unrelated@localhost;
            """);
        using MySqlBench related = new();
        Assert.Equal(["concerned"], Captured(await related.CaptureAsync(source.Own("few"))));
        using MySqlBench bench = new();
        VerifiedSnapshot all = await bench.CaptureAsync(source.Own("few") with { AllAccounts = true });
        string[] captured = [.. Captured(all)];
        foreach (string name in (string[])["concerned", "unrelated", "detached", "attached"])
            Assert.Contains(name, captured);
        Assert.DoesNotContain(captured, static name => name is "" or "root" or "PUBLIC" || name.StartsWith("mysql.", StringComparison.Ordinal) || name.StartsWith("mariadb.", StringComparison.Ordinal));
        foreach (string grant in (string[])["CREATE DATABASE IF NOT EXISTS beside", "CREATE TABLE IF NOT EXISTS beside.t (a INT)"])
            target.Sql(grant);
        await bench.RestoreAsync(all, target.Own("few"));
        Assert.Equal(source.AccountNames().Except(target.AccountNames()), []);
        string[] mine = ["concerned@localhost", "unrelated@localhost", "detached", "attached"];
        Assert.Equal(source.Shown(mine), target.Shown(mine));
        static IEnumerable<string> Captured(VerifiedSnapshot of) => MySqlDetails.From(of.Metadata.Sources[0].Details!.Value).Accounts!.Select(static a => a.User).Order(StringComparer.Ordinal);
    }

    [Fact]
    public async Task Two_databases_of_one_server_share_an_account_which_comes_once_and_goes_with_the_restore()
    {
        source.Sql($"""
            CREATE DATABASE one; CREATE TABLE one.t (a INT); INSERT INTO one.t VALUES (1); CREATE DATABASE two; CREATE TABLE two.t (a INT); INSERT INTO two.t VALUES (2);
            CREATE ROLE both_readers; GRANT SELECT ON one.t TO both_readers; GRANT SELECT (a) ON two.t TO both_readers;
            CREATE USER common@'%' IDENTIFIED BY 'c' WITH MAX_QUERIES_PER_HOUR 5000; GRANT INSERT ON one.* TO common@'%'; GRANT UPDATE ON two.t TO common@'%'; GRANT both_readers TO common@'%';
            {source.DefaultRole("both_readers", "common@'%'")};
            """);
        IReadOnlyList<string> before = target.AccountNames();
        using MySqlBench first = new();
        using MySqlBench second = new();
        VerifiedSnapshot[] snapshots = [await first.CaptureAsync(source.Own("one")), await second.CaptureAsync(source.Own("two"))];
        MadeAccounts made = new();
        MySqlSource[] sources =
        [
            new(target.Own("one"), null, first.Host.Context, new NoSecrets()) { Made = made }, new(target.Own("two"), null, second.Host.Context, new NoSecrets()) { Made = made },
        ];
        RestoreRun run = new("testid");
        IRestoration[] restorations = [.. sources.Zip(snapshots, (one, snapshot) => one.PrepareRestore(snapshot, snapshot.Metadata.Sources[0], run))];
        foreach (IRestoration one in restorations)
            Assert.Equal([], (await one.PlanAsync(Cancellation)).Blockers);
        foreach (IRestoration one in restorations)
            await one.StageAsync(Cancellation);
        foreach (IRestoration one in restorations)
            MySqlBench.AssertPassed(await one.VerifyAsync(Cancellation));
        foreach (IRestoration one in restorations)
            await one.CommitAsync(Cancellation);
        foreach (IRestoration one in restorations)
            await one.Switch.FinishAsync(Cancellation);
        Assert.Equal(source.Shown("common@'%'", "both_readers"), target.Shown("common@'%'", "both_readers"));
        Assert.Equal("1\n2\n", target.Login("common", "c", "SELECT a FROM one.t; SELECT a FROM two.t", "one"));

        List<ISwitch> undo = [];
        for (int i = 0; i < sources.Length; i++)
            undo.Add(sources[i].Resume(await restorations[i].Switch.InverseAsync("undoid", Cancellation), new RestoreRun("undoid")));
        foreach (ISwitch one in undo)
        {
            await one.ForwardAsync(Cancellation);
            await one.OpenAsync(Cancellation);
            await one.FinishAsync(Cancellation);
        }

        foreach (ISwitch one in undo)
            await one.DropOutgoingAsync(Cancellation);
        Assert.Equal(before, target.AccountNames());
        Assert.DoesNotContain("one", target.Sql("SHOW DATABASES"), StringComparison.Ordinal);
        Assert.DoesNotContain("two", target.Sql("SHOW DATABASES"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_account_that_somebody_makes_between_plan_and_restore_is_neither_taken_nor_dropped()
    {
        source.Sql("""
            CREATE DATABASE raced; CREATE TABLE raced.t (a INT); CREATE ROLE early; GRANT SELECT ON raced.* TO early;
            CREATE USER later@'%' IDENTIFIED BY 'ours'; GRANT SELECT ON raced.* TO later@'%'; GRANT early TO later@'%';
            """);
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(source.Own("raced"));
        await using IRestoration restoration = bench.Restoration(snapshot, target.Own("raced"));
        Assert.Equal([], (await restoration.PlanAsync(Cancellation)).Blockers);
        target.Sql("CREATE USER later@'%' IDENTIFIED BY 'theirs'");
        string theirs = target.Shown("later@'%'");
        LifeboatException refused = await Assert.ThrowsAsync<LifeboatException>(() => restoration.StageAsync(Cancellation));
        Assert.Equal(ErrorCodes.MySqlNameTaken, refused.Code);
        Assert.Contains("`later`@`%`", refused.Message, StringComparison.Ordinal);
        await restoration.DiscardAsync(Cancellation);
        Assert.Equal(theirs, target.Shown("later@'%'"));
        Assert.DoesNotContain(target.AccountNames(), static name => name.StartsWith("early@", StringComparison.Ordinal));
        Assert.DoesNotContain("raced", target.Sql("SHOW DATABASES"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Odd_passwords_TLS_requirements_locks_and_limits_come_back()
    {
        source.Sql("""
            CREATE DATABASE odd; CREATE TABLE odd.t (a INT);
            CREATE USER odd1@'%' IDENTIFIED BY 'p"a\'s\\s w#ö$x`' WITH MAX_QUERIES_PER_HOUR 500000 MAX_UPDATES_PER_HOUR 7 MAX_CONNECTIONS_PER_HOUR 800 MAX_USER_CONNECTIONS 30;
            CREATE USER odd2@localhost IDENTIFIED BY 'x' REQUIRE SUBJECT '/CN=a b''c' AND ISSUER '/CN=b' AND CIPHER 'AES256-SHA'; CREATE USER odd3@localhost REQUIRE X509 ACCOUNT LOCK;
            CREATE USER odd4@'10.0.0.0/255.0.0.0' IDENTIFIED BY 'x' REQUIRE SSL PASSWORD EXPIRE INTERVAL 90 DAY; CREATE USER odd5@localhost PASSWORD EXPIRE NEVER;
            GRANT SELECT ON odd.* TO odd1@'%', odd2@localhost, odd3@localhost, odd4@'10.0.0.0/255.0.0.0', odd5@localhost WITH GRANT OPTION;
            """);
        using MySqlBench bench = new();
        await bench.RestoreAsync(await bench.CaptureAsync(source.Own("odd")), target.Own("odd"));
        string[] accounts = ["odd1@'%'", "odd2@localhost", "odd3@localhost", "odd4@'10.0.0.0/255.0.0.0'", "odd5@localhost"];
        Assert.Equal(source.Shown(accounts), target.Shown(accounts));
        Assert.Equal("7\n", target.Login("odd1", OddPassword, "SELECT 7", "odd"));
        Assert.Throws<InvalidOperationException>(() => target.Login("odd1", "wrong", "SELECT 7", "odd"));
        GivenSecrets secrets = new(("PW", OddPassword));
        target.Sql("GRANT ALL ON *.* TO odd1@'%'");
        Assert.Equal([], await bench.Source(target.PasswordSettings("odd", "odd1"), secrets).CheckAsync(Cancellation));
        Assert.Equal([], await bench.Source(target.PasswordSettings("odd", "odd1") with { Via = ["env", "-u", "HOME"] }, secrets).CheckAsync(Cancellation));
    }
}

public sealed class MariaDbAccountRestoreTests(TwoServers<MariaDbServer> servers) : AccountRestoreTests(servers.Source, servers.Target), IClassFixture<TwoServers<MariaDbServer>>
{
    [Fact]
    public async Task Rights_on_packages_and_roles_that_define_objects_come_back()
    {
        Source.Sql("""
            CREATE DATABASE packed; USE packed; CREATE TABLE t (a INT); CREATE ROLE maker; GRANT SELECT ON packed.t TO maker;
            SET sql_mode = ORACLE;
            DELIMITER //
            CREATE PACKAGE tools AS FUNCTION three RETURN INT; END; //
            CREATE PACKAGE BODY tools AS FUNCTION three RETURN INT AS BEGIN RETURN 3; END; END; //
            DELIMITER ;
            CREATE USER caller@'%' IDENTIFIED BY 'c'; SET sql_mode = '';
            CREATE DEFINER = maker VIEW v AS SELECT a FROM t; CREATE DEFINER = maker PROCEDURE p() SELECT a FROM t; SET sql_mode = ORACLE;
            GRANT EXECUTE ON PACKAGE packed.tools TO caller@'%'; GRANT EXECUTE ON PACKAGE BODY packed.tools TO caller@'%'; GRANT SELECT ON packed.v TO caller@'%';
            """);
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(Source.Own("packed"));
        Assert.Equal(["caller", "maker"], MySqlDetails.From(snapshot.Metadata.Sources[0].Details!.Value).Accounts!.Select(static a => a.User));
        await bench.RestoreAsync(snapshot, Target.Own("packed"));
        Assert.Equal(Source.Shown("caller@'%'", "maker"), Target.Shown("caller@'%'", "maker"));
        Assert.Equal(Source.Dump("packed"), Target.Dump("packed"));
        Assert.Equal("3\n", Target.Login("caller", "c", "SET sql_mode = ORACLE; SELECT tools.three(); SELECT a FROM v", "packed"));
        Target.Sql("DROP DATABASE packed; DROP ROLE maker; DROP USER caller@'%'");
        Target.ByHand(bench.Folder, bench.Instructions);
        Assert.Equal(Source.Shown("caller@'%'", "maker"), Target.Shown("caller@'%'", "maker"));
        Assert.Equal(Source.Dump("packed"), Target.Dump("packed"));
    }

    [Fact]
    public async Task An_account_whose_plugin_the_server_lacks_is_a_reason_not_to_begin()
    {
        Source.Sql("INSTALL SONAME 'auth_ed25519'; CREATE DATABASE signed; CREATE TABLE signed.t (a INT); CREATE USER signer@localhost IDENTIFIED VIA ed25519 USING PASSWORD('s'); GRANT SELECT ON signed.* TO signer@localhost");
        try
        {
            using MySqlBench bench = new();
            VerifiedSnapshot snapshot = await bench.CaptureAsync(Source.Own("signed"));
            await using IRestoration restoration = bench.Restoration(snapshot, Target.Own("signed"));
            Problem blocker = Assert.Single((await restoration.PlanAsync(Cancellation)).Blockers);
            Assert.Contains("ed25519", blocker.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("signed", Target.Sql("SHOW DATABASES"), StringComparison.Ordinal);
            Target.Sql("INSTALL SONAME 'auth_ed25519'");
            await bench.RestoreAsync(snapshot, Target.Own("signed"));
            Assert.Equal(Source.Shown("signer@localhost"), Target.Shown("signer@localhost"));
        }
        finally
        {
            Source.Sql("DROP USER signer@localhost");
        }
    }
}

public sealed class OracleMySqlAccountRestoreTests(TwoServers<OracleMySqlServer> servers)
    : AccountRestoreTests(servers.Source, servers.Target), IClassFixture<TwoServers<OracleMySqlServer>>
{
    [Fact]
    public async Task Rights_on_all_databases_but_some_come_back_where_the_server_allows_them()
    {
        Source.Sql("SET GLOBAL partial_revokes = ON; CREATE DATABASE partly; CREATE TABLE partly.t (a INT); CREATE USER nearly@'%' IDENTIFIED BY 'n'; GRANT SELECT, INSERT ON *.* TO nearly@'%'; REVOKE SELECT ON mysql.* FROM nearly@'%'; REVOKE INSERT ON partly.* FROM nearly@'%'");
        try
        {
            using MySqlBench bench = new();
            VerifiedSnapshot snapshot = await bench.CaptureAsync(Source.Own("partly"));
            RestorePlan refused = await bench.Restoration(snapshot, Target.Own("partly")).PlanAsync(Cancellation);
            Assert.Contains("partial_revokes", Assert.Single(refused.Blockers).Hint, StringComparison.Ordinal);
            Assert.DoesNotContain("partly", Target.Sql("SHOW DATABASES"), StringComparison.Ordinal);
            Target.Sql("SET GLOBAL partial_revokes = ON");
            await bench.RestoreAsync(snapshot, Target.Own("partly"));
            Assert.Equal(Source.Shown("nearly@'%'"), Target.Shown("nearly@'%'"));
            Assert.Throws<InvalidOperationException>(() => Target.Login("nearly", "n", "INSERT INTO t VALUES (1)", "partly"));
            Target.Sql("DROP USER nearly@'%'; SET GLOBAL partial_revokes = OFF");
        }
        finally
        {
            Source.Sql("DROP USER nearly@'%'; SET GLOBAL partial_revokes = OFF");
        }
    }
}
