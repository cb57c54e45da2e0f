using System.Diagnostics;
using System.Globalization;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Postgres;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>Captures and restores while others are at work, and while the server goes away.</summary>
public sealed class ConcurrencyTests(PostgresServer server) : IClassFixture<PostgresServer>, IDisposable
{
    private readonly RestoreBench _bench = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task While_pgbench_runs_and_tables_come_and_go_each_snapshot_is_of_one_moment_or_an_error()
    {
        server.CreateDatabase("busy");
        server.RunClient("pgbench", "-q", "-i", "-s", "1", "-n", server.SocketUrl("busy"));
        server.Sql("busy", "CREATE TABLE changing (id serial, v int); INSERT INTO changing (v) SELECT 0 FROM generate_series(1, 500)");
        using CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task[] others =
        [
            Task.Run(() => Pgbench(enough.Token), Cancellation),
            Task.Run(() => ChangeTables(enough.Token), Cancellation),
        ];
        int captured = 0;
        try
        {
            for (int i = 0; i < 12 && captured < 3; i++)
            {
                using RestoreBench bench = new();
                try
                {
                    await using VerifiedSnapshot snapshot = await bench.CaptureAsync(server, "busy", blocksPerPart: 64);
                    await bench.RestoreAsync(snapshot, server, $"calm {i}");
                    // Each transaction of pgbench adds the same to all three; the other writer keeps every v at the number of tables made.
                    Assert.Equal("t|t|1", server.Sql(
                        $"calm {i}",
                        """
                        SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(bbalance) FROM pgbench_branches),
                          (SELECT sum(tbalance) FROM pgbench_tellers) = (SELECT coalesce(sum(delta), 0) FROM pgbench_history), count(DISTINCT v) FROM changing
                        """).Trim());
                    captured++;
                }
                catch (LifeboatException e)
                {
                    Assert.True(e.Code == ErrorCodes.PostgresLockTimeout || e.Code == ErrorCodes.PostgresObjectVanished, e.ToString());
                }
            }
        }
        finally
        {
            await enough.CancelAsync();
            await Task.WhenAll(others);
        }

        Assert.Equal(3, captured);
    }

    [Fact]
    public async Task A_standby_gives_what_its_primary_has_but_unlogged_rows()
    {
        server.CreateDatabase("replicated");
        server.Sql(
            "replicated",
            """
            CREATE ROLE replica_owner; CREATE TABLE t (a serial PRIMARY KEY, b text); INSERT INTO t (b) SELECT repeat('x', i % 50) FROM generate_series(1, 20000) i;
            ALTER TABLE t OWNER TO replica_owner; CREATE UNLOGGED TABLE fleeting (a int); INSERT INTO fleeting VALUES (1); SELECT lo_from_bytea(55, 'large');
            CREATE MATERIALIZED VIEW v AS SELECT count(*) FROM t;
            """);
        await using PostgresServer standby = new() { StandbyOf = server };
        await standby.InitializeAsync();
        while (standby.Sql("postgres", "SELECT count(*) FROM pg_database WHERE datname = 'replicated'").Trim() == "0")
            await Task.Delay(50, Cancellation);
        await using PostgresServer target = await PostgresServer.StartAsync();

        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(standby, "replicated", blocksPerPart: 64);
        await _bench.RestoreAsync(snapshot, target, "replicated");

        Assert.Equal([ErrorCodes.PostgresDataLeftOut], _bench.Host.Warnings.Select(static w => w.Code));
        Assert.Contains("public.fleeting", _bench.Host.Warnings.Single().Message);
        server.Sql("replicated", "TRUNCATE fleeting");
        RestoreBench.AssertSameDump(server, "replicated", target, "replicated");
        Assert.NotNull(_bench.Captured.Cut!.Position);
    }

    [Fact]
    public async Task Timeouts_of_server_database_and_role_stop_neither_a_slow_backup_nor_a_restore()
    {
        server.CreateDatabase("slow");
        server.Sql(
            "slow",
            string.Concat(((string[])["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"]).Select(static setting =>
                $"ALTER DATABASE slow SET {setting} = '1s'; ALTER ROLE impatient SET {setting} = '1s';")
                // Ends a client program that a busy machine keeps waiting, this test's own as well.
                .Append("ALTER DATABASE slow SET idle_session_timeout = '20s'; ALTER ROLE impatient SET idle_session_timeout = '20s';").Prepend("CREATE ROLE impatient SUPERUSER LOGIN;"))
            + "CREATE TABLE t AS SELECT i, repeat('x', 2000) FROM generate_series(1, 5000) i; "
            // Slow where the restore fills it, by the pace of the server itself.
            + "CREATE OR REPLACE FUNCTION public.pace() RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1.5); RETURN 1; END $$; "
            + "SET statement_timeout = 0; CREATE MATERIALIZED VIEW paced AS SELECT public.pace() AS a");
        PostgresSource source = new(server.Settings("slow", "impatient"), server.Bin, _bench.Host.Context, new NoSecrets());
        await using (ICapture slow = await source.OpenAsync(Cancellation))
        {
            // Meddling waits while the server has more rows to send, with the cut's own transaction idle meanwhile.
            await slow.WriteAsync(new MeddlingWriter(static path => path.EndsWith("public.t.copy", StringComparison.Ordinal), static () => Thread.Sleep(2500)), Cancellation);
        }

        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(server, "slow", user: "impatient");
        await _bench.RestoreAsync(snapshot, server, "slow again", user: "impatient");

        Assert.Empty(_bench.Host.Warnings);
        Assert.Equal("1", server.Sql("slow again", "SELECT a FROM paced").Trim());
        RestoreBench.AssertSameDump(server, "slow", server, "slow again");
    }

    [Fact]
    public async Task A_restart_of_the_server_stops_a_backup_or_a_restore_with_a_clear_error_and_the_next_one_works()
    {
        await using PostgresServer own = await PostgresServer.StartAsync();
        own.CreateDatabase("app");
        own.Sql("app", "CREATE ROLE app_owner; CREATE TABLE t AS SELECT i, repeat('x', 2000) AS b FROM generate_series(1, 20000) i; ALTER TABLE t OWNER TO app_owner");
        PostgresSource source = new(own.Settings("app"), own.Bin, _bench.Host.Context, new NoSecrets());
        await using (ICapture capture = await source.OpenAsync(Cancellation))
        {
            LifeboatException stopped = await Assert.ThrowsAsync<LifeboatException>(() => capture.WriteAsync(
                new MeddlingWriter(static path => path.EndsWith("public.t.copy", StringComparison.Ordinal), () => Restart(own)), Cancellation));
            Assert.True(stopped.Code == ErrorCodes.PostgresConnectionLost || stopped.Code == ErrorCodes.PostgresUnreachable, stopped.ToString());
        }

        PostgresSource again = new(own.Settings("app"), own.Bin, _bench.Host.Context, new NoSecrets());
        Assert.Empty(await again.CheckAsync(Cancellation));
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(own, "app");
        await using PostgresServer target = await PostgresServer.StartAsync();
        await using IRestoration restoration = _bench.Restoration(snapshot, target, "app");
        await restoration.PlanAsync(Cancellation);
        Task staging = restoration.StageAsync(Cancellation);
        while (!staging.IsCompleted && !RestoreBench.Databases(target).Contains("app__staging_testid"))
            await Task.Delay(5, Cancellation);
        target.Stop("fast");
        LifeboatException lost = await Assert.ThrowsAsync<LifeboatException>(() => staging);
        Assert.True(
            lost.Code == ErrorCodes.PostgresConnectionLost || lost.Code == ErrorCodes.PostgresUnreachable || lost.Code == ErrorCodes.PostgresRestoreFailed, lost.ToString());
        target.Start();

        await restoration.DiscardAsync(Cancellation);

        Assert.Equal(["postgres"], RestoreBench.Databases(target));
        Assert.Equal("0", target.Sql("postgres", "SELECT count(*) FROM pg_roles WHERE rolname = 'app_owner'").Trim());
        await _bench.RestoreAsync(snapshot, target, "app");
        RestoreBench.AssertSameDump(own, "app", target, "app");
    }

    private static void Restart(PostgresServer own)
    {
        own.Stop("fast");
        own.Start();
    }

    private void Pgbench(CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
            server.RunClient("pgbench", "-n", "-c", "2", "-j", "1", "-t", "100", server.SocketUrl("busy"));
    }

    /// <summary>DDL of every degree, in transactions that keep one truth: all of a table's <c>v</c> are the same.</summary>
    private void ChangeTables(CancellationToken enough)
    {
        for (int i = 1; !enough.IsCancellationRequested; i++)
        {
            string n = i.ToString(CultureInfo.InvariantCulture);
            server.Sql(
                "busy",
                $"""
                SET client_min_messages = error; SET lock_timeout = '20s';
                BEGIN; CREATE TABLE made_{n} AS SELECT {n} AS a; UPDATE changing SET v = {n}; COMMIT;
                BEGIN; ALTER TABLE changing ADD COLUMN c{n} int DEFAULT {n}; UPDATE changing SET v = -{n}; COMMIT;
                CREATE INDEX i{n} ON changing (c{n}); DROP TABLE IF EXISTS made_{(i - 1).ToString(CultureInfo.InvariantCulture)};
                BEGIN; ALTER TABLE changing DROP COLUMN c{n}; TRUNCATE changing; INSERT INTO changing (v) SELECT {n} FROM generate_series(1, 500); COMMIT;
                """);
            Thread.Sleep(100);
        }
    }
}
