using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>
/// Sweeps: a restore is killed just before and just after each of its steps; then the next command is run. Whatever happens, the app is wholly old or wholly new, and nothing of ours is left. By default a part of the steps is
/// taken; <c>LIFEBOAT_SWEEP=full</c> takes all.
/// </summary>
public sealed class InterruptedRestoreTests
{
    [Theory]
    [InlineData("postgres", "kill-before", 4)]
    [InlineData("postgres", "kill-after", 7)]
    [InlineData("mariadb", "kill-before", 9)]
    [InlineData("mariadb", "kill-after", 13)]
    [InlineData("mysql", "kill-before", 11)]
    public async Task Killed_at_any_step_the_next_command_makes_it_wholly_old_or_wholly_new(string kind, string how, int every)
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
            ProgramRun killed = app.RestoreNew($"{how}:{at}");
            Assert.True(killed.ExitStatus == 137, $"{where}: {killed.All}");
            ProgramRun next = app.Run("never:0", "discard", "--yes", "--json");
            bool isNew = how == "kill-before" ? at > commit : at >= commit;
            Assert.True(next.ExitStatus is 0 or 3 == isNew, $"{where}: {next.All}");
            InterruptedApp.AssertSame(isNew ? app.New : app.Old, app.Look(), $"{where}\n{next.All}");
            if (isNew)
                app.BringBackOld();
        }
    }
}
