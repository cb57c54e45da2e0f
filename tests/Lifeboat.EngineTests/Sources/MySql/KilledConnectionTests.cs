using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>An administrator KILLs a session in the middle: the run says so, and nothing is half-done.</summary>
public abstract class KilledConnectionTests(MariaDbServer server)
{
    protected MariaDbServer Server => server;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    protected abstract MySqlSettings Settings(string database);

    [Theory]
    [InlineData("KILL")]
    [InlineData("KILL QUERY")]
    public async Task While_rows_are_read_the_backup_fails(string kill)
    {
        Fill("reading");
        using MySqlBench bench = new();
        await using (ICapture capture = await bench.Source(Settings("reading")).OpenAsync(Cancellation))
        {
            InterruptedSnapshot snapshot = new(bench.Snapshot, "large.tsv", () => Kill(kill, static db => db == "reading", static sql => sql.Contains("`large`", StringComparison.Ordinal)));
            LifeboatException lost = await Assert.ThrowsAsync<LifeboatException>(() => capture.WriteAsync(snapshot, Cancellation));
            Assert.Equal(ErrorCodes.MySqlConnectionLost, lost.Code);
            Assert.Contains("reading table large", lost.Message, StringComparison.Ordinal);
            Assert.True(snapshot.Interrupted);
        }

        Assert.Empty(Directory.GetFiles(bench.Folder, "large*", SearchOption.AllDirectories));
        await NoSessionsAsync("reading");
    }

    /// <summary>A client program that connects again by itself would go on in another moment.</summary>
    [Fact]
    public async Task Between_two_statements_the_backup_fails_too()
    {
        Fill("waiting");
        using MySqlBench bench = new();
        await using (ICapture capture = await bench.Source(Settings("waiting")).OpenAsync(Cancellation))
        {
            Kill("KILL", static db => db == "waiting");
            LifeboatException lost = await Assert.ThrowsAsync<LifeboatException>(() => capture.WriteAsync(bench.Snapshot, Cancellation));
            Assert.Equal(ErrorCodes.MySqlConnectionLost, lost.Code);
        }

        Assert.DoesNotContain(bench.Snapshot.Entries.Keys, static path => path.EndsWith(".tsv", StringComparison.Ordinal));
        await NoSessionsAsync("waiting");
    }

    [Fact]
    public async Task While_rows_are_loaded_the_restore_fails_and_what_is_live_stays()
    {
        Fill("loading");
        using MySqlBench bench = new();
        await bench.CaptureAsync(Settings("loading"));
        server.Sql("DELETE FROM large WHERE id > 3; INSERT INTO small VALUES (9)", "loading");
        string live = server.Dump("loading");
        InterruptedSnapshot interrupted = new(
            bench.Snapshot, "large.tsv", () => Kill("KILL", static db => db.StartsWith("loading__staging_", StringComparison.Ordinal)));
        VerifiedSnapshot snapshot = await VerifiedSnapshot.OpenAsync(interrupted, Cancellation);
        await using IRestoration restoration = bench.Restoration(snapshot, Settings("loading"));
        Assert.Equal([], (await restoration.PlanAsync(Cancellation)).Blockers);

        LifeboatException lost = await Assert.ThrowsAsync<LifeboatException>(() => restoration.StageAsync(Cancellation));

        Assert.Equal(ErrorCodes.MySqlConnectionLost, lost.Code);
        Assert.True(interrupted.Interrupted);
        await restoration.DiscardAsync(Cancellation);
        Assert.Equal(live, server.Dump("loading"));
        Assert.DoesNotContain("loading__", server.Sql("SHOW DATABASES"));
        await NoSessionsAsync("loading");
    }

    [Fact]
    public async Task While_the_switch_waits_for_the_application_all_is_as_it_was()
    {
        Fill("switching");
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(Settings("switching"));
        server.Sql("DELETE FROM large WHERE id > 3", "switching");
        string live = server.Dump("switching");
        await using IRestoration restoration = bench.Restoration(snapshot, Settings("switching"));
        Assert.Equal([], (await restoration.PlanAsync(Cancellation)).Blockers);
        await restoration.StageAsync(Cancellation);
        MySqlBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        Task holding = Task.Run(() => Assert.ThrowsAny<InvalidOperationException>(() => server.Sql("BEGIN; SELECT COUNT(*) FROM large; SELECT 'held', SLEEP(600)", "switching")), Cancellation);
        string holder = await SessionAsync(static sql => sql.StartsWith("SELECT 'held'", StringComparison.Ordinal));

        Task<LifeboatException> failing = Assert.ThrowsAsync<LifeboatException>(() => restoration.CommitAsync(Cancellation));
        server.Sql($"KILL {await SessionAsync(static sql => sql.StartsWith("RENAME TABLE ", StringComparison.Ordinal))}");
        LifeboatException lost = await failing;

        Assert.Equal(ErrorCodes.MySqlConnectionLost, lost.Code);
        server.Sql($"KILL {holder}");
        await holding;
        await restoration.DiscardAsync(Cancellation);
        Assert.Equal(live, server.Dump("switching"));
        Assert.DoesNotContain("switching__", server.Sql("SHOW DATABASES"));
    }

    /// <summary>A table of more rows than pipes and buffers hold, and what refers to it.</summary>
    private void Fill(string database) => server.Sql($"""
        DROP DATABASE IF EXISTS {database}; CREATE DATABASE {database}; USE {database};
        CREATE TABLE small (id INT PRIMARY KEY); INSERT INTO small VALUES (1);
        CREATE TABLE large (id INT PRIMARY KEY AUTO_INCREMENT, v LONGTEXT NOT NULL); INSERT INTO large (v) VALUES (REPEAT('x', 20000));
        {string.Concat(Enumerable.Repeat("INSERT INTO large (v) SELECT v FROM large; ", 10))}
        CREATE VIEW seen AS SELECT id FROM large; CREATE PROCEDURE total() SELECT COUNT(*) FROM large;
        """);

    private void Kill(string kill, Predicate<string> database, Predicate<string>? statement = null)
    {
        int killed = 0;
        foreach (string id in server.Sessions(database, statement))
        {
            try
            {
                server.Sql($"{kill} {id}");
                killed++;
            }
            catch (InvalidOperationException e) when (e.Message.Contains("Unknown thread id", StringComparison.Ordinal))
            {
                // One that had nothing more to do ended meanwhile.
            }
        }

        Assert.NotEqual(0, killed);
    }

    private async Task<string> SessionAsync(Predicate<string> statement)
    {
        IReadOnlyList<string> found;
        while ((found = server.Sessions(static _ => true, statement)).Count == 0)
            await Task.Delay(20, Cancellation);
        return Assert.Single(found);
    }

    /// <summary>No session, and so no transaction or lock, is left behind.</summary>
    private async Task NoSessionsAsync(string database)
    {
        while (server.Sessions(db => db.StartsWith(database, StringComparison.Ordinal)).Count > 0)
            await Task.Delay(20, Cancellation);
    }
}

public sealed class MariaDbKilledConnectionTests(MariaDbServer server) : KilledConnectionTests(server), IClassFixture<MariaDbServer>
{
    protected override MySqlSettings Settings(string database) => Server.Settings(database);
}

public sealed class OracleMySqlKilledConnectionTests(OracleMySqlServer server) : KilledConnectionTests(server), IClassFixture<OracleMySqlServer>
{
    protected override MySqlSettings Settings(string database) => ((OracleMySqlServer)Server).InsideSettings(database);
}
