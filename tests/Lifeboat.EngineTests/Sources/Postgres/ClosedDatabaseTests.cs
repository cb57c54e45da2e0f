using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>Nobody but the restore is in a staged database, and nobody at all in a kept one; what was compared is what is switched in.</summary>
public sealed class ClosedDatabaseTests : IAsyncLifetime
{
    private const string Access =
        "SELECT pg_get_userbyid(datdba), datconnlimit, datallowconn, datistemplate, datacl, shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = ";

    private readonly RestoreBench _bench = new();
    private readonly PostgresServer _server = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _server.InitializeAsync();
        RestoreBench.CreateShop(_server);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _bench.Dispose();
    }

    [Theory]
    [InlineData("")]
    [InlineData("UPDATE pg_database SET datacl = NULL WHERE datname = 'shop'")]
    [InlineData("ALTER DATABASE shop IS_TEMPLATE true; ALTER DATABASE shop CONNECTION LIMIT 3; GRANT CONNECT ON DATABASE shop TO PUBLIC")]
    public async Task A_staged_database_admits_the_restore_alone_and_a_kept_one_nobody(string change)
    {
        _server.Sql("postgres", change);
        string access = _server.Sql("postgres", $"{Access}'shop'");
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_server, "shop");
        await using IRestoration restoration = _bench.Restoration(snapshot, _server, "shop");

        await restoration.StageAsync(Cancellation);
        AssertRefused("permission denied for database", "shop__staging_testid", "shop_owner");
        Assert.Equal("postgres", _server.Sql("postgres", "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'shop__staging_testid'").Trim());
        RestoreBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        AssertRefused("permission denied for database", "shop__staging_testid", "shop_owner");
        await restoration.SealAsync(Cancellation);
        AssertRefused("not currently accepting connections", "shop__staging_testid", "postgres");
        await restoration.CommitAsync(Cancellation);
        await restoration.Switch.OpenAsync(Cancellation);
        await restoration.Switch.FinishAsync(Cancellation);

        Assert.Equal(access, _server.Sql("postgres", $"{Access}'shop'"));
        Assert.Equal("2000", _server.Sql("shop", "SELECT count(*) FROM app.customers", "shop_owner").Trim());
        AssertRefused("not currently accepting connections", "shop__before_testid", "shop_owner");
        AssertRefused("not currently accepting connections", "shop__before_testid", "postgres");
        await restoration.Switch.BackAsync(Cancellation);
        Assert.Equal(access, _server.Sql("postgres", $"{Access}'shop'"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_is_no_superuser_keeps_the_owner_out_all_the_same(bool builtIn)
    {
        await using VerifiedSnapshot snapshot = await CaptureAsync("DROP EXTENSION pg_trgm, hstore CASCADE; DROP EVENT TRIGGER refuse; DROP FUNCTION app.refuse", builtIn);
        _server.Sql("postgres", "CREATE ROLE dba LOGIN CREATEDB CREATEROLE; GRANT shop_owner, shop_readers TO dba");
        string access = _server.Sql("postgres", $"{Access}'shop'");
        await using IRestoration restoration = _bench.Restoration(snapshot, _server, "shop", user: "dba");

        await restoration.StageAsync(Cancellation);
        AssertRefused("permission denied for database", "shop__staging_testid", "shop_owner");
        RestoreBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        await restoration.SealAsync(Cancellation);
        await restoration.CommitAsync(Cancellation);

        string expected = builtIn ? access.Replace("||", "|{shop_owner=CTc/shop_owner,=Tc/shop_owner}|", StringComparison.Ordinal) : access;
        Assert.Equal(Sorted(expected), Sorted(_server.Sql("postgres", $"{Access}'shop'")));
    }

    [Fact]
    public async Task What_is_written_after_the_comparison_is_noticed_whatever_it_is()
    {
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_server, "shop");
        await using IRestoration restoration = _bench.Restoration(snapshot, _server, "shop");
        await restoration.StageAsync(Cancellation);
        string[] changes =
        [
            "INSERT INTO app.scratch VALUES (9)", "UPDATE app.parent SET a = a", "DELETE FROM app.child", "SELECT nextval('app.orders_id_seq')",
            "CREATE FUNCTION app.more() RETURNS int LANGUAGE sql AS 'SELECT 1'", "DROP VIEW app.paid", "ALTER TABLE app.events DISABLE TRIGGER ALL; ALTER TABLE app.orders DISABLE TRIGGER touch",
            "COMMENT ON TABLE app.orders IS 'x'", "SELECT lo_put(4711, 0, 'x')", "TRUNCATE app.empty_one", "GRANT SELECT ON app.orders TO PUBLIC",
        ];
        foreach (string change in changes)
        {
            await restoration.VerifyAsync(Cancellation);
            _server.Sql("shop__staging_testid", $"SET client_min_messages = error; ALTER EVENT TRIGGER refuse DISABLE; {change}");
            LifeboatException error = await Assert.ThrowsAsync<LifeboatException>(() => restoration.SealAsync(Cancellation));
            Assert.True(error.Code == ErrorCodes.PostgresStagedChanged, $"{change}: {error.Message}");
            _server.Sql("postgres", "ALTER DATABASE shop__staging_testid ALLOW_CONNECTIONS true");
        }
    }

    [Theory]
    [InlineData("SELECT count(*) FROM app.orders", false)]
    [InlineData("INSERT INTO app.scratch VALUES (9)", true)]
    public async Task A_closed_database_that_somebody_opened_is_switched_in_only_where_nothing_was_written(string sql, bool refused)
    {
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_server, "shop");
        await using IRestoration restoration = _bench.Restoration(snapshot, _server, "shop");
        await restoration.StageAsync(Cancellation);
        RestoreBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        await restoration.SealAsync(Cancellation);
        _server.Sql("postgres", "ALTER DATABASE shop__staging_testid ALLOW_CONNECTIONS true");
        _server.Sql("shop__staging_testid", sql);

        if (!refused)
        {
            await restoration.CommitAsync(Cancellation);
            return;
        }

        LifeboatException error = await Assert.ThrowsAsync<LifeboatException>(() => restoration.CommitAsync(Cancellation));
        Assert.Equal(ErrorCodes.PostgresStagedChanged, error.Code);
        await restoration.DiscardAsync(Cancellation);
        Assert.Equal(["postgres", "shop"], RestoreBench.Databases(_server));
        Assert.Equal("2000", _server.Sql("shop", "SELECT count(*) FROM app.customers", "shop_owner").Trim());
    }

    private async Task<VerifiedSnapshot> CaptureAsync(string change, bool builtIn)
    {
        _server.Sql("shop", $"ALTER EVENT TRIGGER refuse DISABLE; SET client_min_messages = error; {change}");
        if (builtIn)
            _server.Sql("postgres", "UPDATE pg_database SET datacl = NULL WHERE datname = 'shop'");
        return await _bench.CaptureAsync(_server, "shop");
    }

    private static string Sorted(string text) => string.Concat(text.Order());

    private void AssertRefused(string why, string database, string user) =>
        Assert.Contains(why, Assert.Throws<InvalidOperationException>(() => _server.Sql(database, "SELECT", user)).Message, StringComparison.Ordinal);
}
