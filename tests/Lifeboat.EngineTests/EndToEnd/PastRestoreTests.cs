using Lifeboat.EngineTests.Sources.Postgres;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>What later commands make of restores that were made or interrupted before.</summary>
public sealed class PastRestoreTests
{
    [Fact]
    public async Task A_restore_without_an_app_file_is_undone_and_discarded_in_the_folder_of_its_bundle()
    {
        using TemporaryFolder folder = new();
        await using PostgresServer server = await PostgresServer.StartAsync();
        string bundle = Backup(folder, server);
        LifeboatProgram.Shell(folder.Path, "mkdir elsewhere; mv bundles/*.zip elsewhere/; mkdir restored; echo before > restored/a");
        server.CreateDatabase("copy");
        server.Sql("copy", "CREATE TABLE before (id int)");
        string there = folder["elsewhere"];

        ProgramRun restore = LifeboatProgram.Run(
            folder.Path, "restore", Path.Combine(there, Path.GetFileName(bundle)), "--yes", "--trust",
            "--target", $"filestore={folder["restored"]}", "--target", $"main={server.SocketUrl("copy")}");

        Assert.True(restore.ExitStatus is 0 or 3, restore.All);
        Assert.Contains($"`lifeboat undo`, run in {there}, switches back", Flat(restore.All), StringComparison.Ordinal);
        Assert.Equal("content\n", File.ReadAllText(folder["restored/a"]));
        Assert.Equal("5", server.Sql("copy", "SELECT count(*) FROM item").Trim());
        Assert.Contains("copy__before_", LifeboatProgram.Run(there, "restore", "--status").Output, StringComparison.Ordinal);
        ProgramRun nowhere = LifeboatProgram.Run(folder["app/files"], State(folder), "-c", folder["no.yaml"], "undo", "--yes");
        Assert.Equal(2, nowhere.ExitStatus);

        ProgramRun undo = LifeboatProgram.Run(there, "undo", "--yes");

        Assert.True(undo.ExitStatus is 0 or 3, undo.All);
        Assert.Equal("before\n", File.ReadAllText(folder["restored/a"]));
        Assert.Equal("0", server.Sql("copy", "SELECT count(*) FROM before").Trim());
        ProgramRun again = LifeboatProgram.Run(there, "undo", "--yes");
        Assert.True(again.ExitStatus is 0 or 3, again.All);
        Assert.Equal("5", server.Sql("copy", "SELECT count(*) FROM item").Trim());
        ProgramRun discard = LifeboatProgram.Run(there, "discard", "--yes");
        Assert.True(discard.ExitStatus is 0 or 3, discard.All);
        Assert.DoesNotContain("__before_", server.Sql("postgres", "SELECT string_agg(datname, ',') FROM pg_database"), StringComparison.Ordinal);
        Assert.Equal(["restored"], Directory.GetFileSystemEntries(folder.Path, "restored*").Select(Path.GetFileName));
        Assert.Equal(2, LifeboatProgram.Run(there, State(folder), "undo", "--yes").ExitStatus);
    }

    [Fact]
    public async Task A_state_that_was_kept_long_enough_and_cannot_be_removed_does_not_stop_a_backup()
    {
        using TemporaryFolder folder = new();
        await using PostgresServer server = await PostgresServer.StartAsync();
        await using PostgresServer other = await PostgresServer.StartAsync();
        Backup(folder, server);
        string app = folder["app"];
        other.CreateDatabase("copy");
        ProgramRun restore = LifeboatProgram.Run(app, "restore", "latest", "--yes", "--only", "main", "--target", $"main={other.SocketUrl("copy")}");
        Assert.True(restore.ExitStatus is 0 or 3, restore.All);
        File.AppendAllText(folder["app/lifeboat.yaml"], "keep_previous: 7d\n");
        LifeboatProgram.Shell(app, """sed -i '1s/"at":"[0-9]*-/"at":"2020-/' .lifeboat/*.journal""");
        other.Stop();

        ProgramRun backup = LifeboatProgram.Run(app, "backup");

        Assert.Equal(3, backup.ExitStatus);
        Assert.Contains("LB8019", backup.All, StringComparison.Ordinal);
        Assert.Equal(2, Directory.GetFiles(folder["bundles"], "*.zip").Length);
        ProgramRun explicitly = LifeboatProgram.Run(app, "discard", "--yes");
        Assert.Equal(1, explicitly.ExitStatus);
        Assert.Contains("LB3001", explicitly.All, StringComparison.Ordinal);
        other.Start();
        ProgramRun next = LifeboatProgram.Run(app, "backup", "--only", "filestore");
        Assert.DoesNotContain("LB8019", next.All, StringComparison.Ordinal);
        Assert.DoesNotContain("__before_", other.Sql("postgres", "SELECT string_agg(datname, ',') FROM pg_database"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commands_that_change_nothing_say_that_a_restore_was_interrupted()
    {
        using TemporaryFolder folder = new();
        await using PostgresServer server = await PostgresServer.StartAsync();
        InterruptedApp app = InterruptedApp.Create(server, folder["root"], hooks: false);
        Assert.Equal(137, app.RestoreNew("kill-before:10").ExitStatus);

        ProgramRun plan = app.Run("never:0", [.. app.RestoreArguments[..2], "--dry-run"]);
        ProgramRun doctor = app.Run("never:0", "doctor");

        foreach (ProgramRun run in (ProgramRun[])[plan, doctor])
        {
            Assert.Equal(3, run.ExitStatus);
            Assert.Contains("LB8020", run.All, StringComparison.Ordinal);
        }

        Assert.Contains("LB8011", app.Run("never:0", "backup").All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_few_open_files_are_told_before_anything_is_changed()
    {
        using TemporaryFolder folder = new();
        await using PostgresServer server = await PostgresServer.StartAsync();
        Backup(folder, server);
        string restore = $"cd app; ulimit -n 230; '{LifeboatProgram.Path}' restore latest --yes 2>&1 || echo exit $?";

        string few = LifeboatProgram.Shell(folder.Path, restore);

        Assert.Contains("LB2003", few, StringComparison.Ordinal);
        Assert.EndsWith("exit 1\n", few, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder["app/.lifeboat"], "*.journal"));
    }

    private static string Backup(TemporaryFolder folder, PostgresServer server)
    {
        LifeboatProgram.Shell(folder.Path, "mkdir -p app/files; echo content > app/files/a");
        server.CreateDatabase("shop");
        server.Sql("shop", "CREATE TABLE item (id int); INSERT INTO item SELECT generate_series(1, 5)");
        File.WriteAllText(folder["app/lifeboat.yaml"], $$"""
            app: shop
            workers: 2
            sources:
              main: {type: postgres, url: "{{server.SocketUrl("shop")}}"}
              filestore: {type: files, path: files}
            stores:
              local: {path: ../bundles}
            encryption: none

            """);
        Assert.Equal(3, LifeboatProgram.Run(folder["app"], "backup", "-q").ExitStatus);
        return Assert.Single(Directory.GetFiles(folder["bundles"], "*.zip"));
    }

    private static Dictionary<string, string> State(TemporaryFolder folder) => new() { ["XDG_STATE_HOME"] = folder["state"] };

    private static string Flat(string text) => string.Join(' ', text.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
}
