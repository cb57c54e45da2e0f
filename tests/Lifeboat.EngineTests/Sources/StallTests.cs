using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.MySql;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.Postgres;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.EngineTests.Sources.MySql;
using Lifeboat.EngineTests.Sources.Postgres;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources;

/// <summary>A proxy between Lifeboat and a server stops forwarding: that ends a run, and a server that works for long does not.</summary>
public sealed class StallTests : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(2);

    /// <summary>Within which a stall must have been noticed on a busy machine.</summary>
    private static readonly TimeSpan s_bound = TimeSpan.FromMinutes(1);

    private static readonly GivenSecrets s_secrets = new(("PW", PostgresServer.Password));

    private readonly RestoreBench _bench = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_PostgreSQL_connection_that_stalls_ends_a_backup_and_a_restore(bool forwardsNewOnes)
    {
        await using PostgresServer server = await PostgresServer.StartAsync();
        server.CreateDatabase("shop");
        server.Sql("shop", "CREATE TABLE t AS SELECT i, repeat(md5(i::text), 50) AS b FROM generate_series(1, 20000) i");
        await using (StallingProxy proxy = new(server.Port) { StallsAfter = 10_000_000, ForwardsNewOnes = forwardsNewOnes })
        {
            await using ICapture capture = await Postgres(server, proxy, "shop").OpenAsync(Cancellation);
            AssertLost(await LostAsync(() => capture.WriteAsync(new MeddlingWriter(static _ => false, static () => { }), Cancellation)), proxy);
        }

        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(server, "shop");
        await using (StallingProxy proxy = new(server.Port) { StallsAfter = 10_000_000, ForwardsNewOnes = forwardsNewOnes })
        {
            await using IRestoration restoration = Postgres(server, proxy, "again").PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("testid"));
            Assert.Empty((await restoration.PlanAsync(Cancellation)).Blockers);
            AssertLost(await LostAsync(() => restoration.StageAsync(Cancellation)), proxy);
        }
    }

    [Fact]
    public async Task A_PostgreSQL_connection_that_stalls_between_statements_is_given_up()
    {
        await using PostgresServer server = await PostgresServer.StartAsync();
        await using StallingProxy proxy = new(server.Port) { ForwardsNewOnes = true };
        await using PsqlSession session = await SessionAsync(server, proxy);
        proxy.Stall();
        AssertLost(await LostAsync(() => session.QueryOneAsync("SELECT 1", Cancellation)), proxy);
    }

    [Fact]
    public async Task A_PostgreSQL_statement_or_a_lock_may_take_longer_than_the_limit()
    {
        await using PostgresServer server = await PostgresServer.StartAsync();
        server.Sql("postgres", "CREATE TABLE t (a int)");
        await using StallingProxy proxy = new(server.Port);
        await using PsqlSession session = await SessionAsync(server, proxy);
        Assert.Equal("", await session.QueryOneAsync("SELECT pg_catalog.pg_sleep(8)", Cancellation));
        await using PsqlSession other = await server.SessionAsync(_bench.Host.Context, "postgres");
        await other.ExecuteAsync("BEGIN; LOCK TABLE public.t", Cancellation);
        Task<string?> waiting = session.QueryOneAsync("SELECT count(*) FROM public.t", Cancellation);
        await Task.Delay(TimeSpan.FromSeconds(8), Cancellation);
        Assert.False(waiting.IsCompleted);
        await other.ExecuteAsync("COMMIT", Cancellation);
        Assert.Equal("0", await waiting);
    }

    [Fact]
    public async Task A_destination_that_takes_its_time_is_no_stall()
    {
        await using PostgresServer server = await PostgresServer.StartAsync();
        server.CreateDatabase("shop");
        server.Sql("shop", "CREATE TABLE t AS SELECT i, repeat('x', 2000) FROM generate_series(1, 5000) i");
        await using StallingProxy proxy = new(server.Port);
        await using ICapture capture = await Postgres(server, proxy, "shop").OpenAsync(Cancellation);
        SourceMetadata captured = await capture.WriteAsync(
            new MeddlingWriter(static path => path.EndsWith("public.t.copy", StringComparison.Ordinal), static () => Thread.Sleep(8000)), Cancellation);
        Assert.Equal(5000, captured.Tables!.Single().Rows);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_MariaDB_connection_that_stalls_ends_a_backup_and_a_restore_and_a_long_statement_does_not(bool forwardsNewOnes)
    {
        await using MariaDbServer server = await MariaDbServer.StartAsync();
        server.Sql("CREATE USER someone@'%' IDENTIFIED BY 'x'; GRANT ALL ON *.* TO someone@'%' WITH GRANT OPTION; CREATE DATABASE shop");
        server.Sql("CREATE TABLE t (i INT PRIMARY KEY, b TEXT); INSERT INTO t SELECT seq, REPEAT(MD5(seq), 50) FROM seq_1_to_20000", "shop");
        using MySqlBench bench = new();
        await using (StallingProxy proxy = new(server.Port) { StallsAfter = 10_000_000, ForwardsNewOnes = forwardsNewOnes })
        {
            await using ICapture capture = await MySql(bench, proxy, "shop").OpenAsync(Cancellation);
            AssertLost(await LostAsync(() => capture.WriteAsync(new MeddlingWriter(static _ => false, static () => { }), Cancellation)), proxy);
        }

        VerifiedSnapshot snapshot = await bench.CaptureAsync(server.Settings("shop"));
        await using (StallingProxy proxy = new(server.Port) { StallsAfter = 10_000_000, ForwardsNewOnes = forwardsNewOnes })
        {
            await using IRestoration restoration = MySql(bench, proxy, "again").PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("testid"));
            Assert.Empty((await restoration.PlanAsync(Cancellation)).Blockers);
            AssertLost(await LostAsync(() => restoration.StageAsync(Cancellation)), proxy);
        }

        await using StallingProxy open = new(server.Port);
        MySqlSettings settings = Settings(open, "shop");
        MySqlConnection connection = await MySqlConnection.FromAsync(settings, new GivenSecrets(("PW", "x")), Cancellation);
        MySqlTools tools = await MySqlTools.FindAsync(bench.Host.Context, null, [], Cancellation);
        await using MySqlSession session = await MySqlSession.OpenAsync(bench.Host.Context, tools, connection, Cancellation);
        Assert.Equal("0", await session.SelectOneAsync("SLEEP(8)", "", Cancellation));
    }

    private static async Task<LifeboatException> LostAsync(Func<Task> work) => await Assert.ThrowsAsync<LifeboatException>(() => work().WaitAsync(s_bound, Cancellation));

    private static void AssertLost(LifeboatException lost, StallingProxy proxy)
    {
        Assert.True(proxy.HasStalled);
        Assert.True(lost.Code == ErrorCodes.PostgresConnectionLost || lost.Code == ErrorCodes.MySqlConnectionLost, lost.ToString());
        Assert.Contains("nothing has come or gone for ", lost.Message, StringComparison.Ordinal);
    }

    private PostgresSource Postgres(PostgresServer server, StallingProxy proxy, string database) =>
        new(ByTcp(proxy, database), server.Bin, _bench.Host.Context, s_secrets);

    private async Task<PsqlSession> SessionAsync(PostgresServer server, StallingProxy proxy)
    {
        PostgresConnection connection = await PostgresConnection.FromAsync(ByTcp(proxy, "postgres"), s_secrets, Cancellation);
        IReadOnlyList<PostgresTools> tools = await PostgresTools.FindAsync(_bench.Host.Context, server.Bin, [], Cancellation);
        return await PsqlSession.OpenAsync(tools[0], connection, Cancellation);
    }

    private static PostgresSettings ByTcp(StallingProxy proxy, string database) =>
        new("main", $"postgresql://postgres@127.0.0.1:{proxy.Port}/{database}", null, Password, []) { StallLimit = s_limit };

    private static MySqlSource MySql(MySqlBench bench, StallingProxy proxy, string database) =>
        new(Settings(proxy, database), null, bench.Host.Context, new GivenSecrets(("PW", "x")));

    private static MySqlSettings Settings(StallingProxy proxy, string database) =>
        new("shop", $"mysql://someone@127.0.0.1:{proxy.Port}/{database}", null, Password, []) { StallLimit = s_limit };

    private static SecretReference Password { get; } = new(SecretScheme.Env, "PW");
}
