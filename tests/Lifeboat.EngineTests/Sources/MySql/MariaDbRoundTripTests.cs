using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>Whole databases, out of one server and onto another that is empty, compared by the stock dump program.</summary>
public sealed class MariaDbRoundTripTests(MariaDbServer server) : IClassFixture<MariaDbServer>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_kind_of_value_and_object_is_the_same_on_an_empty_server()
    {
        CreateAwkward();
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(server.Settings(Awkward.Database), partBytes: 16 * 1024);
        await using MariaDbServer empty = await MariaDbServer.StartAsync();
        await bench.RestoreAsync(snapshot, empty.Settings(Awkward.Database));

        Assert.Equal(server.Dump(Awkward.Database), empty.Dump(Awkward.Database));
        Assert.Equal(Checksums(server), Checksums(empty));
        Assert.Equal(
            server.Sql("SELECT *, HEX(v), s, e FROM period FOR SYSTEM_TIME ALL ORDER BY e", Awkward.Database),
            empty.Sql("SELECT *, HEX(v), s, e FROM period FOR SYSTEM_TIME ALL ORDER BY e", Awkward.Database));
        Assert.Equal(server.Sql("SELECT NEXTVAL(numbers)", Awkward.Database), empty.Sql("SELECT NEXTVAL(numbers)", Awkward.Database));
        Assert.Equal("6\n", empty.Sql("SET sql_mode = ORACLE; SELECT twice(tools.three())", Awkward.Database));
    }

    [Fact]
    public async Task Sakila_comes_back_equal_with_its_accounts()
    {
        string folder = SharedData.Folder();
        server.Sql(await File.ReadAllTextAsync(Path.Combine(folder, "sakila-mv-schema.sql"), Cancellation));
        server.Sql(await File.ReadAllTextAsync(Path.Combine(folder, "sakila-mv-data.sql"), Cancellation), "sakila");
        server.Sql("""
            ANALYZE TABLE rental;
            CREATE ROLE clerks; GRANT SELECT ON sakila.* TO clerks; GRANT INSERT, UPDATE (return_date, staff_id) ON sakila.rental TO clerks;
            CREATE USER website@'%' IDENTIFIED BY 'w''s p"w' WITH MAX_USER_CONNECTIONS 50; GRANT SELECT, INSERT, UPDATE, EXECUTE ON sakila.* TO website@'%';
            CREATE USER mike@'127.0.0.1' IDENTIFIED BY 'hillyer'; GRANT clerks TO mike@'127.0.0.1'; SET DEFAULT ROLE clerks FOR mike@'127.0.0.1';
            GRANT EXECUTE ON PROCEDURE sakila.film_in_stock TO mike@'127.0.0.1'; GRANT EXECUTE ON FUNCTION sakila.get_customer_balance TO mike@'127.0.0.1';
            """, "sakila");
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(server.Settings("sakila"), partBytes: 256 * 1024);
        Assert.Contains(snapshot.Entries.Keys, static path => path.EndsWith("rental.0002.tsv", StringComparison.Ordinal));
        await using MariaDbServer empty = await MariaDbServer.StartAsync();
        await bench.RestoreAsync(snapshot, empty.Settings("sakila"));
        Assert.Equal(server.Dump("sakila"), empty.Dump("sakila"));
        string accounts = server.Accounts();
        Assert.Contains("UPDATE (`return_date`, `staff_id`)", accounts, StringComparison.Ordinal);
        Assert.Equal(accounts, empty.Accounts());
        Assert.Equal("16044\n", empty.Login("website", "w's p\"w", "SELECT COUNT(*) FROM rental", "sakila"));
        Assert.Equal("1\n", empty.Login("mike", "hillyer", "UPDATE rental SET return_date = NOW() WHERE rental_id = 1; SELECT get_customer_balance(1, NOW()) IS NOT NULL", "sakila"));
        Assert.Throws<InvalidOperationException>(() => empty.Login("mike", "hillyer", "DELETE FROM payment", "sakila"));
    }

    [Fact]
    public async Task Data_files_load_by_hand_as_the_instructions_say()
    {
        CreateAwkward();
        using MySqlBench bench = new();
        await bench.CaptureAsync(server.Settings(Awkward.Database));
        await using MariaDbServer empty = await MariaDbServer.StartAsync();
        empty.ByHand(bench.Folder, bench.Instructions);
        Assert.Equal(server.Dump(Awkward.Database), empty.Dump(Awkward.Database));
        Assert.Equal(Checksums(server), Checksums(empty));
    }

    /// <summary>Tests come in any order, and each begins with the database as it is made.</summary>
    private void CreateAwkward()
    {
        server.Sql("DROP DATABASE IF EXISTS awkward");
        server.Sql(Awkward.Values);
        server.Sql(Awkward.Objects);
    }

    /// <summary>The server's own checksums of all rows, which see every bit of a FLOAT.</summary>
    private static string Checksums(MariaDbServer of)
    {
        string[] tables = of.Sql("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'awkward' AND TABLE_TYPE = 'BASE TABLE'")
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.NotEmpty(tables);
        return of.Sql(string.Join('\n', tables.Order(StringComparer.Ordinal).Select(static t => $"CHECKSUM TABLE `{t.Replace("`", "``", StringComparison.Ordinal)}`;")), "awkward");
    }
}
