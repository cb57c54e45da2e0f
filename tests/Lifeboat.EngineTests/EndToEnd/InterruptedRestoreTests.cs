using System.Globalization;
using System.Text.Json;
using Lifeboat.Engine.Errors;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>
/// Sweeps: a restore is killed just before and just after each of its steps, and each of its steps fails once; then the next command is run. Whatever happens, the
/// app is wholly old or wholly new, and nothing of ours is left. By default a part of the steps is taken; <c>LIFEBOAT_SWEEP=full</c> takes all.
/// </summary>
public sealed class InterruptedRestoreTests
{
    private static bool IsFull => Environment.GetEnvironmentVariable("LIFEBOAT_SWEEP") == "full";

    [Theory]
    [InlineData("postgres", "kill-before", 2)]
    [InlineData("postgres", "kill-after", 7)]
    [InlineData("mariadb", "kill-before", 9)]
    [InlineData("mariadb", "kill-after", 13)]
    [InlineData("mysql", "kill-before", 11)]
    public async Task Killed_at_any_step_the_next_command_makes_it_wholly_old_or_wholly_new(string kind, string how, int every)
    {
        using TemporaryFolder folder = new();
        await using IInterruptedServer server = await StartAsync(kind, folder);
        InterruptedApp app = InterruptedApp.Create(server, folder["root"], hooks: how != "kill-before");
        string[] steps = Count(app, () => app.RestoreNew("never:0"));
        int commit = Array.IndexOf(steps, "journal: Committed") + 1;
        app.Discard();
        app.BringBackOld();
        foreach (int at in Chosen(steps.Length, every))
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

    [Theory]
    [InlineData("postgres", "fail-before", 5)]
    [InlineData("postgres", "fail-after", 9)]
    [InlineData("mariadb", "fail-before", 11)]
    [InlineData("mysql", "fail-after", 11)]
    public async Task When_any_step_fails_it_is_wholly_old_or_wholly_new_at_once(string kind, string how, int every)
    {
        using TemporaryFolder folder = new();
        await using IInterruptedServer server = await StartAsync(kind, folder);
        InterruptedApp app = InterruptedApp.Create(server, folder["root"], hooks: how != "kill-before");
        string[] steps = Count(app, () => app.RestoreNew("never:0"));
        int commit = Array.IndexOf(steps, "journal: Committed") + 1;
        app.Discard();
        app.BringBackOld();
        foreach (int at in Chosen(steps.Length, every))
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

    [Theory]
    [InlineData("postgres", "kill-before", 5)]
    [InlineData("postgres", "kill-after", 11)]
    [InlineData("postgres", "fail-before", 9)]
    [InlineData("mariadb", "kill-before", 9)]
    [InlineData("mysql", "kill-after", 11)]
    public async Task An_undo_is_as_whole_as_a_restore(string kind, string how, int every)
    {
        using TemporaryFolder folder = new();
        await using IInterruptedServer server = await StartAsync(kind, folder);
        InterruptedApp app = InterruptedApp.Create(server, folder["root"], hooks: how != "kill-before");
        ProgramRun restore = app.RestoreNew("never:0");
        Assert.True(restore.ExitStatus is 0 or 3, restore.All);
        string[] steps = Count(app, () => app.Run("never:0", "undo", "--yes"));
        Assert.Equal(0, app.Run("never:0", "undo", "--yes").ExitStatus);
        app.TakeSteps();
        string kept = app.Look();
        int commit = Array.IndexOf(steps, "journal: Committed") + 1;
        foreach (int at in Chosen(steps.Length, every))
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

    private static async Task<IInterruptedServer> StartAsync(string kind, TemporaryFolder folder) =>
        kind == "postgres" ? await InterruptedPostgres.StartAsync() : await InterruptedMySql.StartAsync(kind, folder["vectors"]);

    private static string[] Count(InterruptedApp app, Func<ProgramRun> run)
    {
        app.TakeSteps();
        ProgramRun whole = run();
        Assert.True(whole.ExitStatus is 0 or 3, whole.All);
        string[] steps = app.TakeSteps();
        Assert.True(steps.Length > 25, string.Create(CultureInfo.InvariantCulture, $"only {steps.Length} steps"));
        return steps;
    }

    internal static IEnumerable<int> Chosen(int steps, int every) => Enumerable.Range(1, steps).Where(at => IsFull || at == 1 || at % every == every - 1 || every == 1);
}
