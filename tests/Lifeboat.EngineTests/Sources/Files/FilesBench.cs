using System.Text.RegularExpressions;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Files;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Files;

/// <summary>A live tree, a snapshot folder and a target beside it.</summary>
internal sealed class FilesBench : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private string _instructions = "";

    public FilesBench()
    {
        Directory.CreateDirectory(Live);
        Directory.CreateDirectory(Snapshot);
        Directory.CreateDirectory(_folder["temp"]);
        Host = new TestHost(_folder["temp"]);
    }

    public TestHost Host { get; }

    public string Live => _folder["live"];

    public string Target => _folder["target"];

    public string Snapshot => _folder["snapshot"];

    public FilesSource Source(string path, params string[] exclude) => new(new FilesSettings("tree", path, exclude), Host.Context);

    /// <summary>The source with something that looks at its steps.</summary>
    public FilesSource Source(string path, IStepProbe steps) => new(new FilesSettings("tree", path, []), Host.Context with { Steps = steps });

    public async Task<VerifiedSnapshot> CaptureAsync(params string[] exclude)
    {
        FolderSnapshot snapshot = new(Snapshot);
        await using ICapture capture = await Source(Live, exclude).OpenAsync(CancellationToken.None);
        SourceMetadata metadata = await capture.WriteAsync(snapshot, CancellationToken.None);
        _instructions = capture.Instructions;
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder["temp"]));
        return await snapshot.FinishAsync(metadata);
    }

    public async Task CaptureOnlyAsync()
    {
        await using ICapture capture = await Source(Live).OpenAsync(CancellationToken.None);
        await capture.WriteAsync(new FolderSnapshot(Snapshot), CancellationToken.None);
    }

    /// <summary>All commands of the instructions.</summary>
    public string ShellBlocks() => "RESTORED=restored\n" + Instructions.Commands(_instructions);

    public string[] Names() =>
        [.. Directory.EnumerateFileSystemEntries(_folder.Path).Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    public void Dispose()
    {
        if (!OperatingSystem.IsWindows())
            Shell.RunAsync("rm -rf live* target* snapshot", _folder.Path).GetAwaiter().GetResult(); // names that .NET cannot delete
        _folder.Dispose();
    }
}
