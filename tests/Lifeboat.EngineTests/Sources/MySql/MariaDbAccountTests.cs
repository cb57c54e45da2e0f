using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.EngineTests.Sources.Postgres;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>Accounts, roles and grants, onto a server that lacks them and onto one that does not.</summary>
public sealed class MariaDbAccountTests(MariaDbServer server) : IClassFixture<MariaDbServer>
{
    private const string Password = "p\"a's\\s w#ö$x`";

    private const string Accounts = """
        CREATE DATABASE shop; USE shop;
        CREATE TABLE orders (id INT PRIMARY KEY, secret TEXT, note TEXT); INSERT INTO orders VALUES (1, 's', 'n');
        CREATE PROCEDURE close_day() SQL SECURITY DEFINER SELECT COUNT(*) FROM orders;
        CREATE FUNCTION one() RETURNS INT DETERMINISTIC RETURN 1;
        CREATE ROLE readers; CREATE ROLE writers; CREATE ROLE elsewhere;
        CREATE USER app@'%' IDENTIFIED BY 'p"a\'s\\s w#ö$x`' WITH MAX_QUERIES_PER_HOUR 500000 MAX_USER_CONNECTIONS 30;
        CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'r'; CREATE USER locked@localhost IDENTIFIED BY 'l' ACCOUNT LOCK PASSWORD EXPIRE INTERVAL 90 DAY;
        CREATE USER secure@'10.%' IDENTIFIED BY 'x' REQUIRE SUBJECT '/CN=a' AND ISSUER '/CN=b'; CREATE USER onlyother@localhost IDENTIFIED BY 'o';
        CREATE USER socketed@localhost IDENTIFIED VIA unix_socket OR mysql_native_password USING PASSWORD('two'); CREATE USER definer@localhost;
        GRANT SELECT, INSERT ON shop.* TO app@'%' WITH GRANT OPTION; GRANT EXECUTE ON PROCEDURE shop.close_day TO reader@'127.0.0.1';
        GRANT SELECT (id, note), UPDATE (note) ON shop.orders TO readers; GRANT readers TO writers; GRANT DELETE ON shop.orders TO writers;
        GRANT writers TO app@'%' WITH ADMIN OPTION; SET DEFAULT ROLE writers FOR app@'%'; GRANT readers TO reader@'127.0.0.1'; SET DEFAULT ROLE readers FOR reader@'127.0.0.1';
        GRANT SELECT ON `sh_p`.* TO locked@localhost; GRANT PROCESS ON *.* TO secure@'10.%'; GRANT SELECT ON other.* TO onlyother@localhost;
        GRANT elsewhere TO onlyother@localhost; GRANT USAGE ON shop.* TO socketed@localhost; GRANT SELECT ON shop.* TO socketed@localhost;
        CREATE DEFINER = definer@localhost VIEW v AS SELECT id FROM orders;
        """;

    private const string Gone = """
        DROP DATABASE IF EXISTS shop; DROP ROLE IF EXISTS readers, writers, elsewhere;
        DROP USER IF EXISTS app@'%', reader@'127.0.0.1', locked@localhost, secure@'10.%', onlyother@localhost, socketed@localhost, definer@localhost, l1@'%', l2@'%', l3@'%', l4@'%', l5@'%';
        """;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Accounts_that_matter_come_back_with_their_passwords_and_grants()
    {
        server.Sql(Gone);
        server.Sql(Accounts);
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(server.Settings("shop"));
        MySqlDetails details = MySqlDetails.From(snapshot.Metadata.Sources[0].Details!.Value);
        Assert.Equal(
            ["app", "definer", "locked", "reader", "readers", "secure", "socketed", "writers"], details.Accounts!.Select(static a => a.User).Order(StringComparer.Ordinal));
        Assert.DoesNotContain(File.ReadAllText(Path.Combine(bench.Folder, "metadata.json")), "*D", StringComparison.Ordinal);

        await using MariaDbServer empty = await MariaDbServer.StartAsync();
        await bench.RestoreAsync(snapshot, empty.Settings("shop"));
        foreach (MySqlAccount account in details.Accounts!)
        {
            string name = account.Role ? $"`{account.User}`" : $"`{account.User}`@`{account.Host}`";
            Assert.Equal(Sorted(server.Sql($"SHOW GRANTS FOR {name}")), Sorted(empty.Sql($"SHOW GRANTS FOR {name}")));
            if (!account.Role)
                Assert.Equal(server.Sql($"SHOW CREATE USER {name}"), empty.Sql($"SHOW CREATE USER {name}"));
        }

        Assert.Equal("1\tn\n", empty.Login("app", Password, "INSERT INTO orders (id) VALUES (2); DELETE FROM orders WHERE id = 2; SELECT id, note FROM orders", "shop"));
        Assert.Equal("1\n", empty.Login("reader", "r", "CALL close_day()", "shop"));
        Assert.Throws<InvalidOperationException>(() => empty.Login("reader", "r", "SELECT secret FROM orders", "shop"));
        Assert.Throws<InvalidOperationException>(() => empty.Login("app", "wrong", "SELECT 1", "shop"));
    }

    [Fact]
    public async Task What_everybody_may_do_is_warned_of()
    {
        server.Sql("CREATE DATABASE public_place; CREATE TABLE public_place.t (a INT); GRANT SELECT ON public_place.* TO PUBLIC; GRANT SELECT ON other_place.* TO PUBLIC");
        using MySqlBench bench = new();
        await bench.CaptureAsync(server.Own("public_place"));
        Problem warning = Assert.Single(bench.Host.Warnings);
        Assert.Equal(ErrorCodes.MySqlAccountsLeftOut, warning.Code);
        Assert.Contains("GRANT SELECT ON `public_place`.* TO PUBLIC", warning.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("other_place", warning.Message, StringComparison.Ordinal);
        server.Sql("REVOKE ALL PRIVILEGES, GRANT OPTION FROM PUBLIC; DROP DATABASE public_place");
    }

    [Fact]
    public async Task Passwords_of_all_kinds_log_in_directly_and_behind_a_prefix()
    {
        server.Sql("CREATE DATABASE IF NOT EXISTS logins; CREATE TABLE IF NOT EXISTS logins.t (a INT)");
        (string Name, string Password)[] cases = [("l1", Password), ("l2", "#;[x]='\"\"'\\"), ("l3", "  spaces  "), ("l4", "\\\\n\\t\\s\\\""), ("l5", "'quoted'")];
        foreach ((string name, string password) in cases)
        {
            string literal = password.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal);
            server.Sql($"CREATE OR REPLACE USER {name}@'%' IDENTIFIED BY '{literal}'; GRANT ALL ON *.* TO {name}@'%'");
            GivenSecrets secrets = new(("PW", password));
            using MySqlBench bench = new();
            Assert.Equal([], await bench.Source(server.PasswordSettings("logins", name), secrets).CheckAsync(Cancellation));
            Assert.Equal([], await bench.Source(server.PasswordSettings("logins", name) with { Via = ["env", "-u", "HOME"] }, secrets).CheckAsync(Cancellation));
        }
    }

    private static string[] Sorted(string lines) => [.. lines.Replace("(`note`, `id`)", "(`id`, `note`)", StringComparison.Ordinal).Split('\n').Order(StringComparer.Ordinal)]; // columns come in any order
}
