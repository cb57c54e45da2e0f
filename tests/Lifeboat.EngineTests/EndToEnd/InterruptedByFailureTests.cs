using Lifeboat.Engine.Errors;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>
/// Sweeps: each step of a restore fails once; then the next command is run. Whatever happens, the app is wholly old or wholly new, and nothing of ours is left. By default a part of the steps is
/// taken; <c>LIFEBOAT_SWEEP=full</c> takes all.
/// </summary>
public sealed class InterruptedByFailureTests
{
    [Theory]
    [InlineData("postgres", "fail-before", 5)]
    [InlineData("postgres", "fail-after", 9)]
    [InlineData("mariadb", "fail-before", 11)]
    [InlineData("mysql", "fail-after", 11)]
    public async Task When_any_step_fails_it_is_wholly_old_or_wholly_new_at_once(string kind, string how, int every)
    {
        using TemporaryFolder folder = new();
        await using IInterruptedServer server = await Interruptions.StartAsync(kind, folder);
        InterruptedApp app = InterruptedApp.Create(server, folder["root"], hooks: how != "kill-before");
        string[] steps = Interruptions.Count(app, () => app.RestoreNew("never:0"));
        int commit = Array.IndexOf(steps, "journal: Committed") + 1;
        app.Discard();
        app.BringBackOld();
        foreach (int at in Interruptions.Chosen(steps.Length, every))
        {
            string where = $"{kind} {how}:{at} ({steps[at - 1]})";
            ProgramRun failed = app.RestoreNew($"{how}:{at}");
            bool isNew = at > commit;
            // Behind the commit point the restore stands, but its end could not be reached: the status of a failure all the same.
            Assert.True(failed.ExitStatus == 1, $"{where}: {failed.All}");
            Assert.Equal(isNew, failed.All.Contains(ErrorCodes.RestoreUnfinished.Id, StringComparison.Ordinal));
            if (isNew)
                app.Discard();
            InterruptedApp.AssertSame(isNew ? app.New : app.Old, app.Look(), $"{where}\n{failed.All}");
            if (isNew)
                app.BringBackOld();
        }
    }
}
