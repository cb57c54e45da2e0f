using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Postgres;
using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>Several major versions: real servers of 15 on this machine and of 17 and 18 in chroots, each with its own programs.</summary>
public sealed class VersionTests : IAsyncLifetime
{
    private readonly RestoreBench _bench = new();
    private readonly PostgresServer _fifteen = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _fifteen.InitializeAsync();

    public async ValueTask DisposeAsync()
    {
        await _fifteen.DisposeAsync();
        _bench.Dispose();
    }

    [Theory]
    [InlineData("trixie", 17)]
    [InlineData("sid", 18)]
    public async Task A_snapshot_of_15_comes_back_on_a_newer_server_and_is_proven_there(string suite, int major)
    {
        RestoreBench.CreateShop(_fifteen);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_fifteen, "shop");
        await using PostgresServer newer = PostgresServer.InChroot(suite, major);
        await newer.InitializeAsync();

        await _bench.RestoreAsync(snapshot, newer, "shop");

        Assert.Equal([], _bench.Host.Warnings.Select(static warning => warning.Message + warning.Hint));
        Assert.Equal(Rows(newer, _fifteen, "shop"), Rows(newer, newer, "shop"));
        Assert.Equal("1", await RestoreBench.AsRoleAsync(newer, "shop", "shop_ro", RestoreBench.ReaderPassword, "SELECT count(*)::text FROM app.customers WHERE id = 999"));
        Assert.Equal(7777, await RestoreBench.AsRoleAsync(newer, "shop", "shop_owner", RestoreBench.OwnerPassword, "INSERT INTO app.orders (customer) VALUES (1) RETURNING id"));
    }

    [Theory]
    [InlineData("trixie", 17, "every-object-kind.sql", "every kind")]
    [InlineData("sid", 18, "every-object-kind.sql", "every kind")]
    [InlineData("trixie", 17, "data-extremes.sql", "data extremes")]
    [InlineData("sid", 18, "data-extremes.sql", "data extremes")]
    public async Task Everything_of_15_comes_back_on_a_newer_server(string suite, int major, string fixture, string database)
    {
        RestoreBench.CreateFixture(_fifteen, fixture, database);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_fifteen, database);
        await using PostgresServer newer = PostgresServer.InChroot(suite, major);
        await newer.InitializeAsync();

        await _bench.RestoreAsync(snapshot, newer, database);

        File.WriteAllText($"/tmp/versions-{major}-{fixture}.15", newer.DumpFrom(_fifteen, database, "--schema-only"));
        File.WriteAllText($"/tmp/versions-{major}-{fixture}.new", newer.DumpFrom(newer, database, "--schema-only"));
        File.WriteAllText($"/tmp/versions-{major}-{fixture}.r15", newer.RunClient("pg_dumpall", "--roles-only", "-d", _fifteen.Url("postgres")));
        File.WriteAllText($"/tmp/versions-{major}-{fixture}.rnew", newer.RunClient("pg_dumpall", "--roles-only", "-d", newer.Url("postgres")));
        File.WriteAllLines($"/tmp/versions-{major}-{fixture}.warn", _bench.Host.Warnings.Where(static w => w.Code != ErrorCodes.PostgresDataLeftOut).Select(static w => w.Message + "\n" + w.Hint));
        Assert.Equal([], _bench.Host.Warnings.Where(static w => w.Code != ErrorCodes.PostgresDataLeftOut).Select(static w => w.Message + "\n" + w.Hint));
        Assert.Equal(Rows(newer, _fifteen, database), Rows(newer, newer, database));
    }

    [Fact]
    public async Task A_newer_servers_snapshot_is_refused_by_15_before_anything_is_written()
    {
        await using PostgresServer seventeen = PostgresServer.InChroot("trixie", 17);
        await seventeen.InitializeAsync();
        seventeen.CreateDatabase("shop");
        seventeen.Sql("shop", "CREATE TABLE t AS SELECT 1 AS a");
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(seventeen, "shop");

        await using IRestoration restoration = _bench.Restoration(snapshot, _fifteen, "shop");
        RestorePlan plan = await restoration.PlanAsync(Cancellation);

        Problem blocker = Assert.Single(plan.Blockers);
        Assert.Equal(ErrorCodes.PostgresTargetOlder, blocker.Code);
        Assert.Contains("PostgreSQL 17", blocker.Message);
        Assert.Contains("PostgreSQL 15", blocker.Message);
        Assert.Equal(["postgres"], RestoreBench.Databases(_fifteen));
    }

    [Fact]
    public async Task Programs_that_are_older_than_the_server_are_refused_and_both_versions_are_named()
    {
        await using PostgresServer seventeen = PostgresServer.InChroot("trixie", 17);
        await seventeen.InitializeAsync();
        // From here the server is reached by TCP, with this machine's programs of 15.
        PostgresSource source = new(
            new(
                "main", seventeen.Url("postgres"), null, new(SecretScheme.Env, "PASSWORD"), []),
            _fifteen.Bin, _bench.Host.Context, new GivenSecrets(("PASSWORD", PostgresServer.Password)));

        Problem problem = Assert.Single(await source.CheckAsync(Cancellation));

        Assert.Equal(ErrorCodes.PostgresToolsTooOld, problem.Code);
        Assert.Contains("PostgreSQL 17", problem.Message);
        Assert.Contains("15.", problem.Message);
        Assert.Contains("postgresql-client-17", problem.Hint);
    }

    /// <summary>A database's rows, as one server's pg_dump writes another's.</summary>
    private static string[] Rows(PostgresServer programs, PostgresServer server, string database) =>
        [.. RestoreBench.Lines(programs.DumpFrom(server, database, "--data-only", "--inserts")).Where(static l => !l.StartsWith("--", StringComparison.Ordinal)).Select(static l => l.Replace(" OVERRIDING SYSTEM VALUE", "", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
}
