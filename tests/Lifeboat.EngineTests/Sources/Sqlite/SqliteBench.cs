using System.Text.RegularExpressions;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Sqlite;
using Lifeboat.Tests.Shared;
using SQLitePCL;

namespace Lifeboat.EngineTests.Sources.Sqlite;

/// <summary>A live database, a snapshot folder and a target beside it; the sqlite3 program makes and reads databases.</summary>
internal sealed class SqliteBench : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public SqliteBench()
    {
        Needs.Program("sqlite3");
        foreach (string name in (string[])["live", "snapshot", "temp"])
            Directory.CreateDirectory(_folder[name]);
        Host = new TestHost(_folder["temp"]);
    }

    public TestHost Host { get; }

    public string Folder => _folder.Path;

    /// <summary>An awkward name on purpose.</summary>
    public string Live => _folder["live/it's a 100% db?#.sqlite"];

    public string Target => _folder["restored/app.db"];

    public string Snapshot => _folder["snapshot"];

    private string _instructions = "";

    public SqliteSource Source(string path) => new(new SqliteSettings("app", path), Host.Context);

    /// <summary>Runs SQL from standard input, as one does by hand.</summary>
    public static async Task<string> SqlAsync(string path, string sql)
    {
        string script = Path.GetTempFileName();
        await File.WriteAllTextAsync(script, sql, TestContext.Current.CancellationToken);
        try
        {
            return await Shell.RunAsync($"sqlite3 -bail \"$(cat {script}.path)\" < {script}", WritePath(script, path));
        }
        finally
        {
            File.Delete(script);
            File.Delete(script + ".path");
        }
    }

    /// <summary>Opens a database, which is made where it is not there, with a collation and a function that only its application has.</summary>
    public static SqliteDatabase OpenAsApplication(string path)
    {
        File.Open(path, FileMode.OpenOrCreate).Dispose();
        SqliteDatabase database = SqliteDatabase.OpenForWriting(path, TimeSpan.FromSeconds(10));
        Assert.Equal(raw.SQLITE_OK, raw.sqlite3_create_collation(
            database.Handle, "unicase", null, static (_, a, b) => string.Compare(a, b, StringComparison.OrdinalIgnoreCase)));
        Assert.Equal(raw.SQLITE_OK, raw.sqlite3_create_function(
            database.Handle, "turned", 1, raw.SQLITE_UTF8 | raw.SQLITE_DETERMINISTIC, null,
            static (context, _, values) => raw.sqlite3_result_text(context, string.Concat(raw.sqlite3_value_text(values[0]).utf8_to_string().Reverse()))));
        return database;
    }

    public async Task<VerifiedSnapshot> CaptureAsync()
    {
        FolderSnapshot snapshot = new(Snapshot);
        await using ICapture capture = await Source(Live).OpenAsync(CancellationToken.None);
        SourceMetadata metadata = await capture.WriteAsync(snapshot, CancellationToken.None);
        _instructions = capture.Instructions;
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder["temp"]));
        return await snapshot.FinishAsync(metadata);
    }

    /// <summary>Stages, verifies and commits.</summary>
    public async Task RestoreAsync(VerifiedSnapshot snapshot, string target)
    {
        await using IRestoration restoration = Source(target).PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("r1"));
        Assert.Empty((await restoration.PlanAsync(CancellationToken.None)).Blockers);
        await restoration.StageAsync(CancellationToken.None);
        VerifyReport report = await restoration.VerifyAsync(CancellationToken.None);
        Assert.True(report.Passed, string.Join('\n', report.Checks.Where(static check => !check.Passed)));
        await restoration.CommitAsync(CancellationToken.None);
    }

    /// <summary>All commands of the instructions.</summary>
    public string ShellBlocks() => "RESTORED=restored\n" + Instructions.Commands(_instructions);

    public void Dispose() => _folder.Dispose();

    private static string WritePath(string script, string path)
    {
        File.WriteAllText(script + ".path", path);
        return Path.GetDirectoryName(script)!;
    }
}
