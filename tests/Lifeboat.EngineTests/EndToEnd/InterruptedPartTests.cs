using Lifeboat.EngineTests.Sources.Postgres;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>The restore of one table by the program, killed at each of its steps: the next command makes it wholly old or wholly new, and leaves nothing of ours.</summary>
public sealed class InterruptedPartTests
{
    [Theory]
    [InlineData("kill-before", "--only")]
    [InlineData("kill-after", "--merge", "--only")]
    public async Task Killed_at_any_step_a_table_is_wholly_old_or_wholly_new(string how, params string[] options)
    {
        using TemporaryFolder folder = new();
        await using PostgresServer server = await PostgresServer.StartAsync();
        InterruptedApp app = InterruptedApp.Create(server, folder["root"], hooks: false);
        string[] restore = [.. app.RestoreArguments, .. options, "main/public.item"];
        BringBackOld(server);
        string old = Look(server);
        ProgramRun whole = app.Run("never:0", restore);
        Assert.True(whole.ExitStatus is 0 or 3, whole.All);
        string[] steps = app.TakeSteps();
        ProgramRun status = app.Run("never:0", "restore", "--status", "--json");
        Assert.Contains("lifeboat__before_", status.Messages[0].GetProperty("restores")[0].GetProperty("kept")[0].GetRawText(), StringComparison.Ordinal);
        Assert.Equal(0, app.Run("never:0", "undo", "--yes", "-q").ExitStatus);
        Assert.Equal(old, Look(server, "--exclude-schema=lifeboat__*"));
        Assert.Equal(0, app.Run("never:0", "undo", "--yes", "-q").ExitStatus);
        app.Discard();
        string restored = Look(server);
        Assert.NotEqual(old, restored);
        int commit = Array.IndexOf(steps, "journal: Committed") + 1;
        Assert.Contains("switch the tables", steps);
        for (int at = 1; at <= steps.Length; at++)
        {
            BringBackOld(server);
            string where = $"{how}:{at} ({steps[at - 1]})";
            ProgramRun killed = app.Run($"{how}:{at}", restore);
            Assert.True(killed.ExitStatus == 137, $"{where}: {killed.All}");
            ProgramRun next = app.Run("never:0", "discard", "--yes", "--json");
            bool isNew = how == "kill-before" ? at > commit : at >= commit;
            Assert.True(next.ExitStatus is 0 or 3 == isNew, $"{where}: {next.All}");
            InterruptedApp.AssertSame(isNew ? restored : old, Look(server), $"{where}\n{next.All}");
        }
    }

    private static void BringBackOld(PostgresServer server) =>
        server.Sql("shop", "TRUNCATE item; INSERT INTO item SELECT i, 'old ' || i FROM generate_series(1, 60) i WHERE i NOT BETWEEN 31 AND 40");

    private static string Look(PostgresServer server, params string[] options) =>
        string.Join('\n', Same.Lines(server.Dump("shop", ["--inserts", .. options])).Order(StringComparer.Ordinal));
}
