using Lifeboat.Engine.Errors;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>A server that goes away at a bad moment, and comes back or does not.</summary>
public sealed class ServerRestartTests
{
    /// <summary>Just behind the commit point.</summary>
    private const string Behind = "run-after:journal: Committed";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("postgres", Behind, true)]
    [InlineData("postgres", "run-before:ALTER DATABASE shop RENAME TO shop__before", false)]
    [InlineData("mariadb", Behind, true)]
    [InlineData("mariadb", "run-before:RENAME TABLE", false)]
    public async Task A_server_that_restarts_during_a_restore_is_waited_for_until_all_is_old_or_all_is_new(string kind, string step, bool isNew)
    {
        using TemporaryFolder folder = new();
        await using IInterruptedServer server = await StartAsync(kind, folder);
        InterruptedApp app = InterruptedApp.Create(server, folder["root"], hooks: false);

        ProgramRun restore = await RestartAtAsync(server, app, folder, step, app.RestoreArguments);

        Assert.True(isNew ? restore.ExitStatus is 0 or 3 : restore.ExitStatus == 1, restore.All);
        InterruptedApp.AssertSame(isNew ? "new 1" : "old 1", server.FirstItem(), restore.All);
        if (isNew)
            app.Discard();
        InterruptedApp.AssertSame(isNew ? app.New : app.Old, app.Look(), restore.All);
    }

    [Fact]
    public async Task The_ends_of_an_undo_and_of_a_discard_wait_likewise()
    {
        using TemporaryFolder folder = new();
        await using IInterruptedServer server = await StartAsync("postgres", folder);
        InterruptedApp app = InterruptedApp.Create(server, folder["root"], hooks: false);
        Assert.True(app.RestoreNew("never:0").ExitStatus is 0 or 3);

        ProgramRun undo = await RestartAtAsync(server, app, folder, Behind, ["undo", "--yes"]);

        Assert.True(undo.ExitStatus is 0 or 3, undo.All);
        Assert.Equal("old 1", server.FirstItem());
        ProgramRun discard = await RestartAtAsync(server, app, folder, "run-before:DROP DATABASE shop__before", ["discard", "--yes"]);
        Assert.True(discard.ExitStatus is 0 or 3, discard.All);
        InterruptedApp.AssertSame(app.Old, app.Look(), discard.All);
    }

    [Fact]
    public async Task What_could_not_be_finished_is_said_at_the_end_with_the_command_and_is_a_failure()
    {
        using TemporaryFolder folder = new();
        await using IInterruptedServer server = await StartAsync("postgres", folder);
        InterruptedApp app = InterruptedApp.Create(server, folder["root"], hooks: false);
        app.PatienceSeconds = "2";

        ProgramRun restore = await RestartAtAsync(server, app, folder, Behind, app.RestoreArguments, comesBack: false);

        Assert.Equal(1, restore.ExitStatus);
        string last = restore.Messages[^1].GetRawText();
        Assert.Contains(ErrorCodes.RestoreUnfinished.Id, last, StringComparison.Ordinal);
        Assert.Contains("lifeboat restore --finish", last, StringComparison.Ordinal);
        ProgramRun early = app.Run("never:0", "restore", "--finish");
        Assert.True(early.ExitStatus == 1, early.All);
        await server.StartAgainAsync();
        ProgramRun finish = app.Run("never:0", "restore", "--finish");
        Assert.True(finish.ExitStatus == 3, finish.All); // it says that it has brought a restore to its end
        Assert.Equal("new 1", server.FirstItem());
        app.Discard();
        InterruptedApp.AssertSame(app.New, app.Look(), finish.All);
    }

    /// <summary>Runs a command; at a step of it, ends the server, and starts it again some seconds later.</summary>
    private static async Task<ProgramRun> RestartAtAsync(
        IInterruptedServer server, InterruptedApp app, TemporaryFolder folder, string step, string[] arguments, bool comesBack = true)
    {
        string here = folder["here"], gone = folder["gone"];
        File.Delete(here);
        File.Delete(gone);
        Task<ProgramRun> running = Task.Run(
            () => app.Run(step, $"touch '{here}'; for i in $(seq 600); do test -e '{gone}' && break; sleep 0.1; done", arguments), Cancellation);
        while (!File.Exists(here) && !running.IsCompleted)
            await Task.Delay(50, Cancellation);
        Assert.False(running.IsCompleted, running.IsCompleted ? running.Result.All : "");
        server.Stop();
        await File.WriteAllTextAsync(gone, "", Cancellation);
        if (comesBack)
        {
            await Task.Delay(TimeSpan.FromSeconds(3), Cancellation);
            await server.StartAgainAsync();
        }

        return await running;
    }

    private static async Task<IInterruptedServer> StartAsync(string kind, TemporaryFolder folder) =>
        kind == "postgres" ? await InterruptedPostgres.StartAsync() : await InterruptedMySql.StartAsync(kind, folder["vectors"]);
}
