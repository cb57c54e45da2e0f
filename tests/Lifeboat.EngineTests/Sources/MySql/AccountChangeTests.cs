using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>Accounts that are on the server already: they stay as they are, unless a restore is asked to change them to what they were.</summary>
public abstract class AccountChangeTests(MariaDbServer source, MariaDbServer target)
{
    private static readonly string[] s_accounts = ["app@'%'", "steady@localhost", "workers"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Accounts_that_exist_stay_as_they_are_and_what_differs_is_told()
    {
        VerifiedSnapshot snapshot;
        using MySqlBench bench = new();
        Fill();
        snapshot = await bench.CaptureAsync(source.Own("shop"));
        string before = target.Shown(s_accounts);
        string dump = target.Dump("shop");
        await using IRestoration restoration = bench.Restoration(snapshot, target.Own("shop"));
        RestorePlan plan = await restoration.PlanAsync(Cancellation);
        Assert.Equal([], plan.Blockers);
        AssertTold(plan.Warnings.Select(static w => w.Message));
        Assert.All(plan.Warnings, static w => Assert.Equal(ErrorCodes.MySqlAccountDiffers, w.Code));
        Assert.All(plan.Warnings, static w => Assert.Contains("--update-roles", w.Hint, StringComparison.Ordinal));
        await restoration.StageAsync(Cancellation);
        MySqlBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        await restoration.CommitAsync(Cancellation);
        Assert.Equal(before, target.Shown(s_accounts));
        Assert.Equal("there\n", target.Login("app", "other", "SELECT 'there'", "shop"));
        Assert.Equal("1\n", target.Login("newcomer", "n", "SELECT id FROM orders", "shop"));
        Assert.Contains("EXECUTE ON PROCEDURE `shop`.`close_day`", target.Sql("SHOW GRANTS FOR kept@localhost"), StringComparison.Ordinal);
        Assert.Equal("1\n", target.Sql("CALL close_day()", "shop"));
        Assert.Equal("old\n", target.Sql("CALL close_day()", "shop__before_testid"));
        await restoration.RevertAsync(Cancellation);
        Assert.Equal(before, target.Shown(s_accounts));
        Assert.Equal(dump, target.Dump("shop"));
        Assert.DoesNotContain("newcomer@%", target.AccountNames());
        Assert.Contains("EXECUTE ON PROCEDURE `shop`.`close_day`", target.Sql("SHOW GRANTS FOR kept@localhost"), StringComparison.Ordinal);
        Assert.DoesNotContain("__", target.Sql("SHOW DATABASES"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_it_is_asked_for_accounts_become_what_they_were_and_an_undo_puts_back_what_they_had()
    {
        using MySqlBench bench = new();
        Fill();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(source.Own("shop"));
        string before = target.Shown(s_accounts);
        IReadOnlyList<string> names = target.AccountNames();
        List<string> journal = [];
        RestoreRun run = new("abcdefghij") { RecordAsync = (record, _) => { journal.Add(record.GetRawText()); return Task.CompletedTask; } };
        await using IRestoration restoration = bench.Source(target.Own("shop") with { UpdateRoles = true }).PrepareRestore(snapshot, snapshot.Metadata.Sources[0], run);
        RestorePlan plan = await restoration.PlanAsync(Cancellation);
        Assert.Equal([], plan.Blockers);
        Assert.Empty(plan.Warnings);
        AssertTold(plan.Steps.Where(static step => step.StartsWith("change account", StringComparison.Ordinal)));
        await restoration.StageAsync(Cancellation);
        MySqlBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        Assert.Equal(before, target.Shown(s_accounts));
        foreach (string keeper in target.AccountNames().Where(static name => name.StartsWith("lifeboat__", StringComparison.Ordinal)))
            Assert.Contains("ACCOUNT LOCK", target.Shown(keeper.Replace("@localhost", "@'localhost'", StringComparison.Ordinal)), StringComparison.Ordinal);
        await restoration.CommitAsync(Cancellation);
        await restoration.Switch.FinishAsync(Cancellation);
        AssertCaptured();

        ISwitch undo = bench.Source(target.Own("shop")).Resume(await restoration.Switch.InverseAsync("undoid", Cancellation), run);
        await SwitchAsync(undo);
        Assert.Equal(before, target.Shown(s_accounts));
        Assert.Equal("there\n", target.Login("app", "other", "SELECT 'there'", "shop"));
        Assert.Throws<InvalidOperationException>(() => target.Login("app", "right", "SELECT 1", "shop"));

        // An undo can be undone, and a restore that fails behind the switch is taken back.
        ISwitch redo = bench.Source(target.Own("shop")).Resume(await undo.InverseAsync("redoid", Cancellation), run);
        await redo.ForwardAsync(Cancellation);
        AssertCaptured();
        await redo.BackAsync(Cancellation);
        Assert.Equal(before, target.Shown(s_accounts));
        await undo.DropOutgoingAsync(Cancellation);
        Assert.Equal(names, target.AccountNames());
        Assert.Equal(before, target.Shown(s_accounts));
        // Neither readable nor as hashes: what the server shows of a password is nowhere in what is written down.
        Assert.NotEmpty(journal);
        string all = string.Concat(journal);
        Assert.DoesNotContain("IDENTIFIED", all, StringComparison.Ordinal);
        foreach (string hash in Hashes())
            Assert.DoesNotContain(hash, all, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task An_account_that_is_to_be_changed_and_cannot_be_is_left_as_it_was()
    {
        using MySqlBench bench = new();
        Fill();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(source.Own("shop"));
        await using IRestoration restoration = bench.Source(target.Own("shop") with { UpdateRoles = true })
            .PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("testid"));
        Assert.Equal([], (await restoration.PlanAsync(Cancellation)).Blockers);
        string before = target.Shown(s_accounts);
        string dump = target.Dump("shop");
        IReadOnlyList<string> names = target.AccountNames();
        await restoration.StageAsync(Cancellation);
        MySqlBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        target.Sql("DROP USER zuletzt@localhost"); // the last one: others are changed by then
        await Assert.ThrowsAsync<LifeboatException>(() => restoration.Switch.ForwardAsync(Cancellation));
        Assert.NotEqual(before, target.Shown(s_accounts));
        target.Sql("CREATE USER zuletzt@localhost");
        await restoration.Switch.BackAsync(Cancellation);
        await restoration.Switch.BackAsync(Cancellation);
        await restoration.DiscardAsync(Cancellation);
        Assert.Equal(before, target.Shown(s_accounts));
        Assert.Equal(names, target.AccountNames());
        Assert.Equal(dump, target.Dump("shop"));
    }

    private static void AssertTold(IEnumerable<string> texts)
    {
        string[] told = [.. texts.Order(StringComparer.Ordinal)];
        Assert.Equal(3, told.Length);
        foreach (string difference in (string[])["`app`@`%`", "another password or authentication plugin", "its options are", "it lacks GRANT INSERT ON `shop`.*", "it has GRANT DELETE ON `shop`.* TO `app`@`%` besides"])
            Assert.Contains(difference, told[0], StringComparison.Ordinal);
        Assert.Contains("`workers`", told[1], StringComparison.Ordinal);
        Assert.Contains("`zuletzt`@`localhost`", told[2], StringComparison.Ordinal);
    }

    private async Task SwitchAsync(ISwitch one)
    {
        await one.ForwardAsync(Cancellation);
        await one.OpenAsync(Cancellation);
        await one.FinishAsync(Cancellation);
    }

    private void AssertCaptured()
    {
        // A right on another database's table is none of this restore's business.
        Assert.Equal(source.Shown(s_accounts), target.Shown(s_accounts).Replace("GRANT SELECT ON `elsewhere`.`t` TO `app`@`%`\n", "", StringComparison.Ordinal));
        Assert.Contains("`elsewhere`.`t`", target.Shown("app@'%'"), StringComparison.Ordinal);
        Assert.Equal("1\tn\n", target.Login("app", "right", "SELECT id, note FROM orders; UPDATE orders SET note = note", "shop"));
        Assert.Throws<InvalidOperationException>(() => target.Login("app", "other", "SELECT 1", "shop"));
        Assert.Throws<InvalidOperationException>(() => target.Login("app", "right", "DELETE FROM orders", "shop"));
    }

    private IEnumerable<string> Hashes() => new[] { source, target }
        .SelectMany(static server => server.Sql("SELECT HEX(authentication_string), authentication_string FROM mysql.user WHERE User = 'app'").Split('\t', '\n'))
        .Where(static hash => hash.Length > 20);

    /// <summary>A database with accounts on one server, and on the other the same ones, which are not the same.</summary>
    private void Fill()
    {
        const string Gone = "DROP DATABASE IF EXISTS shop; DROP DATABASE IF EXISTS elsewhere; DROP USER IF EXISTS app@'%', steady@localhost, newcomer@'%', kept@localhost, zuletzt@localhost; DROP ROLE IF EXISTS workers, idlers;";
        source.Sql($"""
            {Gone} CREATE DATABASE shop; USE shop; CREATE TABLE orders (id INT PRIMARY KEY, note TEXT, secret TEXT); INSERT INTO orders VALUES (1, 'n', 's');
            CREATE PROCEDURE close_day() SELECT COUNT(*) FROM orders; CREATE ROLE workers; GRANT SELECT ON shop.orders TO workers;
            CREATE USER app@'%' IDENTIFIED BY 'right' WITH MAX_QUERIES_PER_HOUR 5000 PASSWORD EXPIRE NEVER; GRANT INSERT ON shop.* TO app@'%' WITH GRANT OPTION;
            GRANT UPDATE (note) ON shop.orders TO app@'%'; GRANT EXECUTE ON PROCEDURE shop.close_day TO app@'%'; GRANT PROCESS ON *.* TO app@'%'; GRANT workers TO app@'%';
            {source.DefaultRole("workers", "app@'%'")}; CREATE USER steady@localhost IDENTIFIED BY 's'; GRANT SELECT ON shop.* TO steady@localhost; GRANT PROXY ON app@'%' TO steady@localhost;
            CREATE USER newcomer@'%' IDENTIFIED BY 'n'; GRANT SELECT ON shop.* TO newcomer@'%'; CREATE USER zuletzt@localhost ACCOUNT LOCK; GRANT SELECT ON shop.* TO zuletzt@localhost;
            """);
        target.Sql($"""
            {Gone} CREATE DATABASE shop; CREATE DATABASE elsewhere; CREATE TABLE elsewhere.t (a INT); USE shop; CREATE TABLE orders (id INT PRIMARY KEY, note TEXT);
            CREATE PROCEDURE close_day() SELECT 'old'; CREATE ROLE idlers; CREATE ROLE workers;
            CREATE USER app@'%' IDENTIFIED BY 'other' WITH MAX_USER_CONNECTIONS 9 PASSWORD EXPIRE INTERVAL 9 DAY; GRANT SELECT ON elsewhere.t TO app@'%'; GRANT DELETE ON shop.* TO app@'%';
            GRANT UPDATE (id, note) ON shop.orders TO app@'%'; GRANT RELOAD ON *.* TO app@'%' WITH GRANT OPTION; GRANT idlers TO app@'%' WITH ADMIN OPTION; {target.DefaultRole("idlers", "app@'%'")};
            CREATE USER kept@localhost; GRANT EXECUTE ON PROCEDURE shop.close_day TO kept@localhost; CREATE USER zuletzt@localhost;
            """);
        // The same password twice has the same hash on MariaDB only; elsewhere it comes by its hash.
        string steady = source.Shown("steady@localhost").Split('\n')[0];
        target.Sql($"{steady}; GRANT SELECT ON shop.* TO steady@localhost; GRANT PROXY ON app@'%' TO steady@localhost");
    }
}

public sealed class MariaDbAccountChangeTests(TwoServers<MariaDbServer> servers) : AccountChangeTests(servers.Source, servers.Target), IClassFixture<TwoServers<MariaDbServer>>;

public sealed class OracleMySqlAccountChangeTests(TwoServers<OracleMySqlServer> servers)
    : AccountChangeTests(servers.Source, servers.Target), IClassFixture<TwoServers<OracleMySqlServer>>;
