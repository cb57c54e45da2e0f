using System.Globalization;
using Lifeboat.EngineTests.Sources.Postgres;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>What goes wrong around a restore while it runs: the server stops, the disk fills up, the application goes on writing.</summary>
public sealed class RestoreTroubleTests
{
    /// <summary>The server goes away just before a step, and is back when the next command is run.</summary>
    [Fact]
    public async Task With_the_server_stopped_at_any_step_it_is_wholly_old_or_wholly_new()
    {
        using TemporaryFolder folder = new();
        await using PostgresServer server = await PostgresServer.StartAsync();
        // What a commit has not waited for is lost when the server is stopped so hard.
        server.Sql("postgres", "ALTER SYSTEM SET synchronous_commit = off; SELECT pg_reload_conf()");
        InterruptedApp app = InterruptedApp.Create(server, folder["root"], hooks: false);
        app.PatienceSeconds = "2";
        string[] steps = Steps(app);
        int commit = Array.IndexOf(steps, "journal: Committed") + 1;
        string stop = $"kill -QUIT $(head -n 1 {server.Data}/postmaster.pid); while [ -e {server.Data}/postmaster.pid ]; do sleep 0.05; done";
        foreach (int at in Interruptions.Chosen(steps.Length, 7))
        {
            string where = $"server stopped before step {at} ({steps[at - 1]})";
            ProgramRun stopped = app.Run($"run-before:{at}", stop, app.RestoreArguments);
            server.Start();
            ProgramRun next = app.Run("never:0", "discard", "--yes", "--json");
            // Behind the last step that the switch needs the server for, the restore is complete; what finishes it waits for the server, and says so when that does not come back.
            bool isNew = stopped.ExitStatus is 0 or 3 || stopped.All.Contains("LB8029", StringComparison.Ordinal);
            Assert.True(isNew == (at > LastServerStep(steps, commit)), $"{where}: {stopped.ExitStatus}\n{stopped.All}\n{next.All}");
            InterruptedApp.AssertSame(isNew ? app.New : app.Old, app.Look(), $"{where}\n{stopped.All}\n{next.All}");
            if (isNew)
                app.BringBackOld();
        }
    }

    /// <summary>The file system of the app's files and of the journal has no room left from a step on.</summary>
    [Fact]
    public async Task With_the_disk_full_from_any_step_on_it_is_wholly_old_or_wholly_new()
    {
        Needs.Root();
        using TemporaryFolder folder = new();
        await using PostgresServer server = await PostgresServer.StartAsync();
        LifeboatProgram.Shell(folder.Path, "mkdir small && mount -t tmpfs -o size=64m tmpfs small");
        try
        {
            InterruptedApp app = InterruptedApp.Create(server, folder["small"], hooks: false);
            string[] steps = Steps(app);
            int commit = Array.IndexOf(steps, "journal: Committed") + 1;
            string fill = $"dd if=/dev/zero of={folder["small"]}/filler bs=64k; dd if=/dev/zero of={folder["small"]}/filler2 bs=1";
            foreach (int at in Interruptions.Chosen(steps.Length, 6))
            {
                string where = $"disk full before step {at} ({steps[at - 1]})";
                ProgramRun full = app.Run($"run-before:{at}", fill, app.RestoreArguments);
                LifeboatProgram.Shell(folder["small"], "rm -f filler filler2");
                ProgramRun next = app.Run("never:0", "discard", "--yes", "--json");
                bool isNew = full.ExitStatus is 0 or 3;
                // The journal's lines have their room from the beginning on, so a restore that is staged comes to its end.
                Assert.True(!isNew || next.ExitStatus is 0 or 3, $"{where}: {full.All}\n{next.All}");
                Assert.True(at <= commit || isNew, $"{where}: {full.All}");
                InterruptedApp.AssertSame(isNew ? app.New : app.Old, app.Look(), $"{where}\n{full.All}\n{next.All}");
                if (isNew)
                    app.BringBackOld();
            }
        }
        finally
        {
            LifeboatProgram.Shell(folder.Path, "umount -l small");
        }
    }

    /// <summary>Clients that connect again and again and write: each row that they were told is written is in the old state or in the new one.</summary>
    [Fact]
    public async Task Clients_that_go_on_writing_during_the_switch_write_to_the_old_state_or_to_the_new_one()
    {
        using TemporaryFolder folder = new();
        await using PostgresServer server = await PostgresServer.StartAsync();
        InterruptedApp app = InterruptedApp.Create(server, folder["root"], hooks: false);
        using CancellationTokenSource stop = new();
        List<int>[] written = [.. Enumerable.Range(0, 3).Select(static _ => new List<int>())];
        Task[] writers = [.. written.Select((list, writer) => Task.Run(() => Write(server, list, 1000 + (writer * 100_000), stop.Token)))];
        while (written.Any(static list => { lock (list) return list.Count < 3; }))
            await Task.Delay(20, TestContext.Current.CancellationToken);
        ProgramRun restore = app.Run("never:0", "", app.RestoreArguments);
        int[] before = Counts(written);
        while (Counts(written).Zip(before).Any(static pair => pair.First < pair.Second + 3))
            await Task.Delay(20, TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await Task.WhenAll(writers);
        Assert.True(restore.ExitStatus is 0 or 3, restore.All);

        string kept = server.Sql("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'shop\\_\\_before%'").Trim();
        server.Sql("postgres", $"ALTER DATABASE {kept} ALLOW_CONNECTIONS true"); // it is closed until an undo
        HashSet<int> old = Ids(server, kept), now = Ids(server, "shop");
        Assert.All(written.SelectMany(static list => list), id => Assert.True(old.Contains(id) != now.Contains(id), $"row {id} was written once"));
        Assert.Contains(written.SelectMany(static list => list), old.Contains);
        Assert.Contains(written.SelectMany(static list => list), now.Contains);
        Assert.Equal("new 1", server.Sql("shop", "SELECT name FROM item WHERE id = 1").Trim());
        Assert.Equal("old 1", server.Sql(kept, "SELECT name FROM item WHERE id = 1").Trim());
    }

    [Fact]
    public void A_bundle_on_a_read_only_medium_is_restored_without_an_app_file()
    {
        Needs.Root();
        using TemporaryFolder folder = new();
        LifeboatProgram.Shell(folder.Path, "mkdir -p app/files medium home empty; echo content > app/files/a");
        File.WriteAllText(folder["app/lifeboat.yaml"], "app: shop\nsources:\n  filestore: {type: files, path: files}\nstores:\n  local: {path: ../bundles}\nencryption: none\n");
        Assert.Equal(3, LifeboatProgram.Run(folder["app"], "backup", "-q").ExitStatus);
        LifeboatProgram.Shell(folder.Path, "mount -t tmpfs tmpfs medium; cp bundles/*.zip medium/; mount -o remount,ro medium");
        try
        {
            string bundle = Assert.Single(Directory.GetFiles(folder["medium"], "*.zip"));
            ProgramRun restore = LifeboatProgram.Run(
                folder["empty"], new Dictionary<string, string> { ["HOME"] = folder["home"], ["XDG_STATE_HOME"] = folder["home/state"] },
                "restore", bundle, "--yes", "--trust", "--target", $"filestore={folder["restored"]}");
            Assert.True(restore.ExitStatus is 0 or 3, restore.All);
            Assert.Equal("content\n", File.ReadAllText(folder["restored/a"]));
            Assert.Single(Directory.GetFiles(folder["home/state/lifeboat/.lifeboat"], "*.journal"));
        }
        finally
        {
            LifeboatProgram.Shell(folder.Path, "umount -l medium");
        }
    }

    private static int[] Counts(List<int>[] written) => [.. written.Select(static list => { lock (list) return list.Count; })];

    private static HashSet<int> Ids(PostgresServer server, string database) =>
        [.. server.Sql(database, "SELECT id FROM item").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static id => int.Parse(id, CultureInfo.InvariantCulture))];

    private static void Write(PostgresServer server, List<int> written, int from, CancellationToken stop)
    {
        for (int id = from; !stop.IsCancellationRequested; id++)
        {
            try
            {
                server.Sql("shop", string.Create(CultureInfo.InvariantCulture, $"INSERT INTO item VALUES ({id}, 'while it was switched')"));
            }
            catch (InvalidOperationException)
            {
                continue; // refused or cut off: that row was not promised
            }

            lock (written)
                written.Add(id);
        }
    }

    private static string[] Steps(InterruptedApp app)
    {
        app.TakeSteps();
        ProgramRun whole = app.Run("never:0", "", app.RestoreArguments);
        Assert.True(whole.ExitStatus is 0 or 3, whole.All);
        string[] steps = app.TakeSteps();
        app.Discard();
        app.BringBackOld();
        return steps;
    }

    private static int LastServerStep(string[] steps, int commit) =>
        Array.FindLastIndex(steps, commit - 1, static step => step.StartsWith("ALTER DATABASE", StringComparison.Ordinal)) + 1;
}
