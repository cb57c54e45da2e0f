using System.Globalization;
using System.Text.Json;
using Lifeboat.EngineTests.Sources.Files;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>Parts of sources by the program itself, also when it is killed.</summary>
public sealed class PartsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Some_files_are_restored_undone_merged_and_restored_elsewhere()
    {
        Create();
        string old = Look();
        Run(0, "restore", "latest", "--yes", "--dry-run", "--only", "filestore/aa/*");
        ProgramRun none = Run(2, "restore", "latest", "--yes", "--only", "filestore/aa/a0");
        Assert.Contains("LB8024", none.All, StringComparison.Ordinal);
        Assert.Contains("did you mean aa/a1?", none.All, StringComparison.Ordinal);
        ProgramRun beside = Run(2, "restore", "latest", "--yes", "--beside", "--only", "filestore/aa/a1");
        Assert.Contains("LB8023", beside.All, StringComparison.Ordinal);
        Assert.Equal(old, Look());

        Run(0, "restore", "latest", "--yes", "--only", "filestore/aa/*", "--only", "filestore/cc");
        Assert.Equal("captured 1|captured 2|mine|captured 4", Content("aa/a1", "aa/a2", "aa/mine", "cc/c1"));
        Assert.Equal("changed", Content("bb/b1"));
        string restored = Look();
        ProgramRun status = Run(0, "restore", "--status", "--json");
        JsonElement kept = Assert.Single(status.Messages[0].GetProperty("restores").EnumerateArray().ToArray()).GetProperty("kept");
        Assert.Equal(1, kept.GetArrayLength());
        Run(0, "undo", "--yes");
        Assert.Equal(old, Look());
        Run(0, "undo", "--yes");
        Assert.Equal(restored, Look());
        Run(0, "discard", "--yes");
        Run(0, "restore", "latest", "--yes", "--only", "filestore", "--merge");
        Assert.Equal("changed|captured 1", Content("bb/b1", "aa/a1"));
        Run(0, "undo", "--yes");
        Run(0, "discard", "--yes");
        Assert.Equal(restored, Look());
        Assert.Equal("", LifeboatProgram.Shell(_folder["app"], "find . -name '*__*' -o -name '.lifeboat_*' -o -name '*.journal'"));

        Run(0, "restore", "latest", "--yes", "--only", "filestore/bb/*", "--target", $"filestore={_folder["elsewhere/new"]}");
        Assert.Equal("./bb/b1\n", LifeboatProgram.Shell(_folder["elsewhere/new"], "find . -type f"));
        Assert.Equal(restored, Look());
    }

    [Fact]
    public void A_merge_reports_what_it_added()
    {
        Create();
        ProgramRun merge = Run(0, "restore", "latest", "--yes", "--only", "filestore", "--merge", "--json");
        JsonElement merged = merge.Messages[^1].GetProperty("sources")[0].GetProperty("merged")[0];
        Assert.Equal("""{"subject":"files","added":2,"equal":1,"different":2,"examples":["aa/a1","bb/b1"]}""", merged.GetRawText());
        Assert.Equal("changed|captured 2|mine|captured 4|changed", Content("aa/a1", "aa/a2", "aa/mine", "cc/c1", "bb/b1"));
        string text = Run(0, "restore", "latest", "--yes", "--only", "filestore", "--merge").All;
        Assert.Contains("filestore: files: 0 added, 3 equal, 2 different, left as they are: aa/a1, bb/b1", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("kill-before", false, 3)]
    [InlineData("kill-after", true, 3)]
    [InlineData("fail-before", false, 4)]
    public void Killed_at_any_step_the_next_command_makes_it_wholly_old_or_wholly_new(string how, bool merges, int every)
    {
        Create();
        string old = Look();
        string[] arguments = ["restore", "latest", "--yes", "--json", .. merges ? (string[])["--only", "filestore", "--merge"] : ["--only", "filestore/aa/*", "--only", "filestore/cc"]];
        Assert.Equal(0, Stopped("never:0", arguments).ExitStatus);
        string[] steps = File.ReadAllLines(_folder["steps"]);
        int commit = Array.IndexOf(steps, "journal: Committed") + 1;
        Assert.True(commit > 8, string.Join('\n', steps));
        string restored = Look();
        Assert.NotEqual(old, restored);
        Run(0, "undo", "--yes");
        Run(0, "discard", "--yes");
        Assert.Equal(old, Look());
        foreach (int at in Interruptions.Chosen(steps.Length, every))
        {
            string where = $"{how}:{at} ({steps[at - 1]})";
            ProgramRun stopped = Stopped(string.Create(CultureInfo.InvariantCulture, $"{how}:{at}"), arguments);
            bool fails = how.StartsWith("fail", StringComparison.Ordinal);
            bool isNew = how == "kill-after" ? at >= commit : at > commit;
            Assert.True(stopped.ExitStatus == (!fails ? 137 : isNew ? 3 : 1), $"{where}: {stopped.All}");
            ProgramRun next = LifeboatProgram.Run(_folder["app"], "undo", "--yes");
            if (isNew)
                Assert.True(next.ExitStatus is 0 or 3, $"{where}: {next.All}");
            else
                Assert.True(next.All.Contains("LB8013", StringComparison.Ordinal), $"{where}: {next.All}");
            InterruptedApp.AssertSame(old, Look(), $"{where}\n{next.All}");
            if (isNew && at % 2 == 0)
            {
                Run(0, "undo", "--yes");
                InterruptedApp.AssertSame(restored, Look(), where);
                Run(0, "undo", "--yes");
            }

            LifeboatProgram.Run(_folder["app"], "discard", "--yes");
            Assert.Equal("", LifeboatProgram.Shell(_folder["app"], "find . -name '*__*' -o -name '.lifeboat_*' -o -name '*.journal'"));
        }
    }

    [Theory]
    [InlineData("kill-before", false, 4)]
    [InlineData("kill-after", true, 5)]
    public void Parts_of_all_local_sources_are_restored_together_or_not_at_all(string how, bool merges, int every)
    {
        Needs.Program("sqlite3");
        Create("""
            app: shop
            sources:
              filestore: {type: files, path: files}
              app: {type: sqlite, path: app.db}
              settings: {type: settings, files: [.env, other.ini]}
            stores:
              local: {path: ../backups}
            encryption: none
            """);
        const string sql = "sqlite3 app.db 'SELECT * FROM orders; SELECT * FROM other'; tail -n +1 other.ini*";
        string look() => Look() + LifeboatProgram.Shell(_folder["app"], sql + "; find . -maxdepth 1 ! -name . ! -name .lifeboat -printf '%p %m %U:%G\n' | sort");
        string old = look();
        string[] arguments = ["restore", "latest", "--yes", "--json", "--only", "filestore/aa", "--only", "app/orders", "--only", "settings/.env", .. merges ? (string[])["--merge"] : []];
        Assert.Equal(0, Stopped("never:0", arguments).ExitStatus);
        string[] steps = File.ReadAllLines(_folder["steps"]);
        int commit = Array.IndexOf(steps, "journal: Committed") + 1;
        Assert.Equal(merges ? "1|changed,2|b,3|mine" : "1|a,2|b", LifeboatProgram.Shell(_folder["app"], "sqlite3 app.db 'SELECT * FROM orders ORDER BY id' | paste -sd,").Trim());
        Assert.Equal("9|changed", LifeboatProgram.Shell(_folder["app"], "sqlite3 app.db 'SELECT * FROM other'").Trim());
        Assert.Equal("K=1|[changed]", LifeboatProgram.Shell(_folder["app"], "cat .env other.ini | paste -sd'|'").Trim());
        Run(0, "undo", "--yes");
        Run(0, "discard", "--yes");
        Assert.Equal(old, look());
        foreach (int at in Interruptions.Chosen(steps.Length, every))
        {
            string where = $"{how}:{at} ({steps[at - 1]})";
            ProgramRun stopped = Stopped(string.Create(CultureInfo.InvariantCulture, $"{how}:{at}"), arguments);
            Assert.True(stopped.ExitStatus == 137, $"{where}: {stopped.All}");
            bool isNew = how == "kill-after" ? at >= commit : at > commit;
            ProgramRun next = LifeboatProgram.Run(_folder["app"], "undo", "--yes");
            Assert.True(isNew == next.ExitStatus is 0 or 3, $"{where}: {next.All}");
            LifeboatProgram.Run(_folder["app"], "discard", "--yes");
            InterruptedApp.AssertSame(old, look(), $"{where}\n{next.All}");
        }
    }

    private ProgramRun Stopped(string stop, params string[] arguments) => LifeboatProgram.RunProgram(
        InterruptedApp.Program, _folder["app"],
        new Dictionary<string, string> { ["LIFEBOAT_STOP"] = stop, ["LIFEBOAT_STEPS"] = _folder["steps"] }, arguments);

    private void Create(string config = """
        app: shop
        sources:
          filestore: {type: files, path: files}
        stores:
          local: {path: ../backups}
        encryption: none
        """)
    {
        Directory.CreateDirectory(_folder["app"]);
        File.WriteAllText(_folder["app/lifeboat.yaml"], config);
        bool all = config.Contains("sqlite", StringComparison.Ordinal);
        if (all)
            LifeboatProgram.Shell(_folder["app"], """
                sqlite3 app.db "PRAGMA journal_mode = WAL; CREATE TABLE orders (id INTEGER PRIMARY KEY, note); CREATE TABLE other (id, note); INSERT INTO orders VALUES (1, 'a'), (2, 'b'); INSERT INTO other VALUES (9, 'o')"
                echo K=1 > .env; echo '[one]' > other.ini
                """);
        LifeboatProgram.Shell(
            _folder["app"],
            """
            mkdir -p files/aa files/bb files/cc ../backups; echo captured 1 > files/aa/a1; echo captured 2 > files/aa/a2; echo captured 3 > files/bb/b1; echo captured 4 > files/cc/c1
            echo captured 5 > files/aa/same; find files -exec touch -d '2026-01-02 03:04:05' {} +
            """);
        Run(3, "backup"); // not encrypted
        if (all)
            LifeboatProgram.Shell(_folder["app"], """
                sqlite3 app.db "UPDATE orders SET note = 'changed' WHERE id = 1; DELETE FROM orders WHERE id = 2; INSERT INTO orders VALUES (3, 'mine'); UPDATE other SET note = 'changed'"
                rm .env; echo '[changed]' > other.ini
                """);
        LifeboatProgram.Shell(
            _folder["app"],
            """
            cd files; echo changed > aa/a1; rm -r aa/a2 cc; echo mine > aa/mine; echo changed > bb/b1; find . -exec touch -d '2026-02-03 04:05:06.789' {} +
            """);
    }

    private ProgramRun Run(int status, params string[] arguments)
    {
        ProgramRun run = LifeboatProgram.Run(_folder["app"], arguments);
        Assert.True(run.ExitStatus == status, $"{string.Join(' ', arguments)}: {run.ExitStatus}\n{run.All}");
        return run;
    }

    private string Look() => PartsBench.LookAsync(_folder["app/files"]).GetAwaiter().GetResult();

    private string Content(params string[] names) => string.Join('|', names.Select(name => File.ReadAllText(Path.Combine(_folder["app/files"], name)).Trim()));
}
