using System.Globalization;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>What a restored database would do by itself begins when the restore is committed, and not before.</summary>
public abstract class EventRestoreTests(MariaDbServer server)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Events_sleep_until_the_restore_is_committed()
    {
        server.Sql("""
            DROP DATABASE IF EXISTS clock; CREATE DATABASE clock; USE clock; CREATE TABLE ticks (at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
            CREATE EVENT tick ON SCHEDULE EVERY 1 SECOND DO INSERT INTO ticks VALUES (DEFAULT);
            CREATE EVENT off ON SCHEDULE EVERY 1 SECOND DISABLE DO DELETE FROM ticks;
            DROP DATABASE IF EXISTS reference; CREATE DATABASE reference; CREATE TABLE reference.ticks LIKE ticks;
            CREATE EVENT reference.tick ON SCHEDULE EVERY 1 SECOND DO INSERT INTO reference.ticks VALUES (DEFAULT);
            """);
        using MySqlBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync(server.Own("clock"));
        await using IRestoration restoration = bench.Restoration(snapshot, server.Own("again"));
        Assert.Equal([], (await restoration.PlanAsync(Cancellation)).Blockers);
        await restoration.StageAsync(Cancellation);
        int captured = Rows("again__staging_testid");
        await UntilAsync("reference", Rows("reference") + 2); // meanwhile the scheduler runs what is awake
        Assert.Equal("off\tDISABLED\ntick\tDISABLED\n", Status("again__staging_testid"));
        Assert.Equal(captured, Rows("again__staging_testid"));
        MySqlBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        await restoration.Switch.ForwardAsync(Cancellation);
        await UntilAsync("reference", Rows("reference") + 2);
        Assert.Equal(captured, Rows("again"));
        await restoration.Switch.OpenAsync(Cancellation);
        await restoration.Switch.FinishAsync(Cancellation);
        Assert.Equal("off\tDISABLED\ntick\tENABLED\n", Status("again"));
        await UntilAsync("again", captured + 2);
        server.Sql("DROP DATABASE clock; DROP DATABASE reference; DROP DATABASE again");
    }

    private int Rows(string database) => int.Parse(server.Sql("SELECT COUNT(*) FROM ticks", database), CultureInfo.InvariantCulture);

    private string Status(string database) =>
        server.Sql($"SELECT EVENT_NAME, STATUS FROM information_schema.EVENTS WHERE EVENT_SCHEMA = '{database}' ORDER BY EVENT_NAME");

    private async Task UntilAsync(string database, int rows)
    {
        while (Rows(database) < rows)
            await Task.Delay(100, Cancellation);
    }
}

public sealed class MariaDbEventRestoreTests(MariaDbServer server) : EventRestoreTests(server), IClassFixture<MariaDbServer>;

public sealed class OracleMySqlEventRestoreTests(OracleMySqlServer server) : EventRestoreTests(server), IClassFixture<OracleMySqlServer>;
