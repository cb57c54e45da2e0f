using System.Text.Json;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>
/// Sweeps: an undo is killed at each of its steps, or the step fails; then the next command is run. Whatever happens, the app is wholly old or wholly new, and nothing of ours is left. By default a part of the steps is
/// taken; <c>LIFEBOAT_SWEEP=full</c> takes all.
/// </summary>
public sealed class InterruptedUndoTests
{
    [Theory]
    [InlineData("postgres", "kill-before", 5)]
    [InlineData("postgres", "kill-after", 11)]
    [InlineData("postgres", "fail-before", 9)]
    [InlineData("mariadb", "kill-before", 9)]
    [InlineData("mysql", "kill-after", 11)]
    public async Task An_undo_is_as_whole_as_a_restore(string kind, string how, int every)
    {
        using TemporaryFolder folder = new();
        await using IInterruptedServer server = await Interruptions.StartAsync(kind, folder);
        InterruptedApp app = InterruptedApp.Create(server, folder["root"], hooks: how != "kill-before");
        ProgramRun restore = app.RestoreNew("never:0");
        Assert.True(restore.ExitStatus is 0 or 3, restore.All);
        string[] steps = Interruptions.Count(app, () => app.Run("never:0", "undo", "--yes"));
        Assert.Equal(0, app.Run("never:0", "undo", "--yes").ExitStatus);
        app.TakeSteps();
        string kept = app.Look();
        int commit = Array.IndexOf(steps, "journal: Committed") + 1;
        foreach (int at in Interruptions.Chosen(steps.Length, every))
        {
            string where = $"{kind} {how}:{at} ({steps[at - 1]})";
            ProgramRun stopped = app.Run($"{how}:{at}", "undo", "--yes", "--json");
            bool fails = how.StartsWith("fail", StringComparison.Ordinal);
            bool isUndone = how == "kill-after" ? at >= commit : at > commit;
            Assert.True(stopped.ExitStatus == (fails ? 1 : 137), $"{where}: {stopped.All}");
            ProgramRun next = app.Run("never:0", "backup", "--json");
            Assert.True(next.ExitStatus == 3, $"{where}: {next.All}");
            ProgramRun status = app.Run("never:0", "restore", "--status", "--json");
            JsonElement only = Assert.Single(status.Messages[0].GetProperty("restores").EnumerateArray().ToArray());
            Assert.Equal("kept", only.GetProperty("state").GetString());
            Assert.Equal(app.Sources, only.GetProperty("kept").GetArrayLength());
            if (isUndone)
            {
                Assert.Equal("old 1", app.FirstItem());
                Assert.Equal(0, app.Run("never:0", "undo", "--yes", "-q").ExitStatus);
            }
            else
            {
                // What was kept is kept on, as it was.
                InterruptedApp.AssertSame(kept, app.Look(), where);
            }

            kept = app.Look();
            Assert.Equal("new 1", app.FirstItem());
            app.TakeSteps();
        }

        app.Discard();
        Assert.Equal(app.New, app.Look());
    }
}
