using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>A table is read back while others are worked on, once; and again where its rows may have been changed since.</summary>
public abstract class ReadBackTests(MariaDbServer server)
{
    protected MariaDbServer Server => server;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    protected abstract MySqlSettings Settings(string database);

    [Theory]
    [InlineData("", 1, true)]
    [InlineData("ALTER TABLE large FORCE", 2, true)]
    [InlineData("BEGIN; UPDATE large SET id = id + 5000 WHERE id = 1; UPDATE large SET id = 1 WHERE id = 5001; COMMIT", 2, true)]
    [InlineData("UPDATE large SET v = REPLACE(v, 'x', 'y') WHERE id = 1", 2, false)]
    [InlineData("DELETE FROM large WHERE id = 1", 2, false)]
    [InlineData("INSERT INTO large VALUES (5000, 'z')", 2, false)]
    [InlineData("TRUNCATE TABLE large", 1, false)]
    public async Task What_was_read_while_others_were_loaded_counts_as_long_as_nothing_was_changed(string change, int times, bool same)
    {
        server.Sql($"""
            DROP DATABASE IF EXISTS readback; DROP DATABASE IF EXISTS readback2__staging_testid; CREATE DATABASE readback; USE readback;
            CREATE TABLE slow (id INT PRIMARY KEY, v INT, KEY (v)); INSERT INTO slow VALUES (1, 1), (2, 2);
            CREATE TABLE large (id INT PRIMARY KEY, v LONGTEXT NOT NULL); INSERT INTO large VALUES (0, REPEAT('x', 20000));
            {string.Concat(Enumerable.Range(0, 10).Select(static i => $"INSERT INTO large SELECT id + {1 << i}, v FROM large; "))}
            """);
        using MySqlBench bench = new();
        await bench.CaptureAsync(Settings("readback"));
        // From when its rows are loaded somebody looks at the small table, so that its key cannot be built: the other session has nothing to do but read back.
        Task? holding = null;
        InterruptedSnapshot interrupted = new(
            bench.Snapshot, "slow.tsv",
            () =>
            {
                holding = Task.Run(() => Assert.ThrowsAny<InvalidOperationException>(
                    () => server.Sql("BEGIN; SELECT COUNT(*) FROM slow; SELECT 'looking', SLEEP(600)", "readback2__staging_testid")));
                Assert.True(SpinWait.SpinUntil(() => Lookers().Count == 1, TimeSpan.FromMinutes(2)));
            },
            after: 1);
        VerifiedSnapshot snapshot = await VerifiedSnapshot.OpenAsync(interrupted, Cancellation);
        TableMetadata large = snapshot.Metadata.Sources[0].Tables!.Single(static table => table.Name == "large");
        long ReadBack() => bench.Host.Events.OfType<BytesDone>().Where(static e => e.Phase == Phase.Verify).Sum(static e => e.Bytes);
        await using IRestoration restoration = bench.Restoration(snapshot, Settings("readback2"));
        Assert.Equal([], (await restoration.PlanAsync(Cancellation)).Blockers);
        Task staging = restoration.StageAsync(Cancellation);
        while (ReadBack() < large.Bytes)
        {
            Assert.False(staging.IsFaulted, $"{staging.Exception}");
            await Task.Delay(20, Cancellation);
        }

        Assert.False(staging.IsCompleted);
        server.Sql($"KILL {Assert.Single(Lookers())}");
        await holding!;
        await staging;
        if (change.Length > 0)
            server.Sql(change, "readback2__staging_testid");

        VerifyReport report = await restoration.VerifyAsync(Cancellation);

        Assert.Equal(same ? [] : ["table large"], report.Checks.Where(static check => !check.Passed).Select(static check => check.Subject));
        Assert.Equal(times, (int)Math.Round((double)ReadBack() / large.Bytes));
        await restoration.DiscardAsync(Cancellation);
        Assert.DoesNotContain("readback2__", server.Sql("SHOW DATABASES"));
    }

    [Fact]
    public async Task A_file_whose_loading_ends_in_a_deadlock_is_loaded_again()
    {
        const int last = 1023;
        server.Sql($"""
            DROP DATABASE IF EXISTS deadlock; DROP DATABASE IF EXISTS deadlock2__staging_testid; CREATE DATABASE deadlock; USE deadlock;
            CREATE TABLE large (id INT PRIMARY KEY, v LONGTEXT NOT NULL); INSERT INTO large VALUES (0, REPEAT('x', 20000));
            {string.Concat(Enumerable.Range(0, 10).Select(static i => $"INSERT INTO large SELECT id + {1 << i}, v FROM large; "))}
            """);
        using MySqlBench bench = new();
        await bench.CaptureAsync(Settings("deadlock"));
        // Somebody has the last row before the load comes to it, and wants the first one as soon as that is there. He is not the one to be undone, because
        // he has changed more rows.
        server.Sql($"""
            USE deadlock; CREATE TABLE heavy (v INT);
            DELIMITER //
            CREATE PROCEDURE meet() BEGIN
              DECLARE n INT;
              SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED;
              START TRANSACTION;
              INSERT INTO deadlock2__staging_testid.large VALUES ({last}, 'mine');
              INSERT INTO heavy SELECT 1 FROM large a JOIN large b LIMIT 5000;
              REPEAT DO SLEEP(0.02); SELECT COUNT(*) INTO n FROM deadlock2__staging_testid.large WHERE id = 0; UNTIL n > 0 END REPEAT;
              INSERT INTO deadlock2__staging_testid.large VALUES (0, 'mine');
              ROLLBACK;
            END//
            """);
        Task? other = null;
        InterruptedSnapshot interrupted = new(
            bench.Snapshot, "large.tsv",
            () =>
            {
                other = Task.Run(() => server.Sql("CALL meet()", "deadlock"));
                Assert.True(SpinWait.SpinUntil(() => server.Sql("SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED; SELECT COUNT(*) FROM heavy", "deadlock").Trim() == "5000", TimeSpan.FromMinutes(2)));
            },
            after: 1);
        VerifiedSnapshot snapshot = await VerifiedSnapshot.OpenAsync(interrupted, Cancellation);

        await using IRestoration restoration = bench.Restoration(snapshot, Settings("deadlock2"));
        await restoration.StageAsync(Cancellation);

        await other!;
        Assert.True(interrupted.Interrupted);
        MySqlBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        Assert.Contains("LATEST DETECTED DEADLOCK", server.Sql("SHOW ENGINE INNODB STATUS"), StringComparison.Ordinal);
        await restoration.DiscardAsync(Cancellation);
    }

    private IReadOnlyList<string> Lookers() => server.Sessions(static _ => true, static sql => sql.StartsWith("SELECT 'looking'", StringComparison.Ordinal));
}

public sealed class MariaDbReadBackTests(MariaDbServer server) : ReadBackTests(server), IClassFixture<MariaDbServer>
{
    protected override MySqlSettings Settings(string database) => Server.Settings(database);
}

public sealed class OracleMySqlReadBackTests(OracleMySqlServer server) : ReadBackTests(server), IClassFixture<OracleMySqlServer>
{
    protected override MySqlSettings Settings(string database) => ((OracleMySqlServer)Server).InsideSettings(database);
}
