using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Chroma;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Chroma;

/// <summary>A live persist directory, a snapshot folder and a target beside it.</summary>
internal sealed class ChromaBench : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private int _snapshots;
    private string _instructions = "";

    public ChromaBench()
    {
        Directory.CreateDirectory(Live);
        Directory.CreateDirectory(Temp);
        Host = new TestHost(Temp);
    }

    public TestHost Host { get; }

    public string Live => _folder["it's live"];

    public string Target => _folder["restored/chroma"];

    /// <summary>The folder of the last snapshot.</summary>
    public string Snapshot => _folder[$"snapshot{_snapshots}"];

    public string Temp => _folder["temp"];

    public IEnumerable<string> Notes => Host.Events.OfType<Noted>().Select(static note => note.Text);

    public string this[string relative] => _folder[relative];

    public ChromaSource Source(string path) => new(new ChromaSettings("vec", path), Host.Context);

    /// <summary>Starts a server on the live directory, whose database is in WAL mode if asked.</summary>
    public async Task<ChromaServer> StartLiveAsync(bool wal)
    {
        if (wal)
            await Shell.RunAsync("sqlite3 chroma.sqlite3 'PRAGMA journal_mode=WAL'", Live);
        return await ChromaServer.StartAsync(Live);
    }

    public async Task<VerifiedSnapshot> CaptureAsync()
    {
        _snapshots++;
        Directory.CreateDirectory(Snapshot);
        FolderSnapshot snapshot = new(Snapshot);
        await using ICapture capture = await Source(Live).OpenAsync(CancellationToken.None);
        SourceMetadata metadata = await capture.WriteAsync(snapshot, CancellationToken.None);
        _instructions = capture.Instructions;
        Assert.Empty(Directory.EnumerateFileSystemEntries(Temp));
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
}
