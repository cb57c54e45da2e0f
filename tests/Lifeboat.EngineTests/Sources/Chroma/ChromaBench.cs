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

    /// <summary>All commands of the instructions.</summary>
    public string ShellBlocks() => "RESTORED=restored\n" + Instructions.Commands(_instructions);

    public void Dispose() => _folder.Dispose();
}
