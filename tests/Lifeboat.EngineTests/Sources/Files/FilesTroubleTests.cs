using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Processes;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Files;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Files;

public sealed partial class FilesTroubleTests
{
    private const string Sum = "sha256digest=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Fact]
    public async Task A_file_that_is_written_to_is_reported_and_the_snapshot_is_whole()
    {
        using FilesBench bench = new();
        await Shell.RunAsync("echo still > still; head -c 30000000 /dev/urandom > log", bench.Live);
        await using RunningProgram writer = RunningProgram.Launch(
            new ProgramStart("bash", ["-c", "while :; do echo line >> \"$0\"; done", Path.Combine(bench.Live, "log")]));
        while (new FileInfo(Path.Combine(bench.Live, "log")).Length < 30_001_000)
            await Task.Delay(20, TestContext.Current.CancellationToken);
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        Assert.False(writer.HasExited);
        writer.Kill();
        Problem warning = Assert.Single(bench.Host.Warnings);
        Assert.Equal(ErrorCodes.FileChanging, warning.Code);
        Assert.Contains("log", warning.Message, StringComparison.Ordinal);
        await RestoreAsync(bench, snapshot);
        Assert.Equal("still\n", File.ReadAllText(Path.Combine(bench.Target, "still")));
    }

    [Fact]
    public async Task Files_and_folders_that_come_and_go_are_warnings_at_most()
    {
        using FilesBench bench = new();
        await Shell.RunAsync("mkdir d; for i in {1..300}; do echo $i > d/$i; done", bench.Live);
        const string churn =
            "cd \"$0\"; while :; do for i in {1..300}; do rm -f d/$i; mkdir -p x/y; echo 1 > x/y/z; echo $i > d/$i; rm -rf x; done; done";
        await using RunningProgram writer = RunningProgram.Launch(new ProgramStart("bash", ["-c", churn, bench.Live]));
        for (int round = 0; round < 5; round++)
        {
            await Task.Delay(100, TestContext.Current.CancellationToken);
            VerifiedSnapshot snapshot = await bench.CaptureAsync();
            await RestoreAsync(bench, snapshot);
            await Shell.RunAsync("rm -rf target snapshot; mkdir snapshot", Path.GetDirectoryName(bench.Live)!);
        }

        Assert.False(writer.HasExited);
        Assert.All(
            bench.Host.Warnings,
            static problem => Assert.Contains(problem.Code, (ErrorCode[])[ErrorCodes.FileVanished, ErrorCodes.FileChanging]));
        Assert.All(bench.Host.Warnings, static problem => Assert.Matches("^(d/\\d+|x|x/y|x/y/z) ", problem.Message));
    }

    [Fact]
    public async Task Sockets_are_named_in_a_warning()
    {
        using FilesBench bench = new();
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(Path.Combine(bench.Live, "s.sock")));
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        Problem warning = Assert.Single(bench.Host.Warnings);
        Assert.Equal(ErrorCodes.FileSkipped, warning.Code);
        Assert.Contains("s.sock", warning.Message, StringComparison.Ordinal);
        Assert.Equal(0, snapshot.Metadata.Sources[0].Details!.Value.GetProperty("regular_files").GetInt64());
        Assert.Equal(ErrorCodes.FileSkipped, Assert.Single(await bench.Source(bench.Live).CheckAsync(CancellationToken.None)).Code);
    }

    [Fact]
    public async Task Excluded_files_are_left_out_with_all_below()
    {
        using FilesBench bench = new();
        await Shell.RunAsync(
            "mkdir -p a/b cache/deep; echo 1 > a/keep; echo 2 > a/b/x.tmp; echo 3 > y.tmp; echo 4 > cache/deep/z", bench.Live);
        VerifiedSnapshot snapshot = await bench.CaptureAsync("**/*.tmp", "/cache/");
        Assert.Equal(
            ["files/tree/a/keep", "files/tree.mtree"],
            snapshot.Entries.Keys.Where(static path => path.StartsWith("files/", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal).Reverse());
        await RestoreAsync(bench, snapshot);
        Assert.True(Directory.Exists(Path.Combine(bench.Target, "a/b")));
        Assert.False(Directory.Exists(Path.Combine(bench.Target, "cache")));
    }

    [Fact]
    public async Task A_missing_root_or_a_file_in_its_place_is_a_clear_error()
    {
        using FilesBench bench = new();
        foreach (string path in (string[])[Path.Combine(bench.Live, "none"), "/etc/passwd"])
        {
            LifeboatException e = await Assert.ThrowsAsync<LifeboatException>(() => bench.Source(path).OpenAsync(CancellationToken.None));
            Assert.Equal(ErrorCodes.FilesRootUnusable, e.Code);
            Assert.Contains(path, e.Message, StringComparison.Ordinal);
            Assert.Equal(e.Code, Assert.Single(await bench.Source(path).CheckAsync(CancellationToken.None)).Code);
        }
    }

    [Fact]
    public async Task What_stands_in_the_way_of_a_restore_is_told_before()
    {
        using FilesBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        File.WriteAllText(bench.Target, "a file");
        await using IRestoration restoration = bench.Source(bench.Target).PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("id"));
        Assert.Contains(
            "not a folder",
            Assert.Single((await restoration.PlanAsync(CancellationToken.None)).Blockers).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("./../escape type=file mode=0644 time=0.0 size=0 contents=files/tree/a " + Sum)]
    [InlineData("./d/../../escape type=file mode=0644 time=0.0 size=0 contents=files/tree/a " + Sum)]
    [InlineData("./d\\057..\\057..\\057escape type=file mode=0644 time=0.0 size=0 contents=files/tree/a " + Sum)]
    [InlineData("/tmp/escape type=file mode=0644 time=0.0 size=0 contents=files/tree/a " + Sum)]
    [InlineData("escape type=file mode=0644 time=0.0 size=0 contents=files/tree/a " + Sum)]
    [InlineData(". type=dir mode=0755 time=0.0")]
    [InlineData("./l type=link mode=0777 time=0.0 link=/tmp\n./l/escape type=dir mode=0755 time=0.0")]
    [InlineData("./x type=file mode=0644 time=0.0 size=0 contents=files/tree/a " + Sum + "\n./x type=link mode=0777 time=0.0 link=/tmp")]
    [InlineData("./x type=dir mode=0755 time=0.0\n./a type=dir mode=0755 time=0.0")]
    [InlineData("./x/y type=dir mode=0755 time=0.0")]
    [InlineData("./nul\\000x type=dir mode=0755 time=0.0")]
    [InlineData("./x type=file mode=0644 time=0.0 size=0 contents=metadata.json " + Sum)]
    [InlineData("./x type=file mode=0644 time=0.0 size=0 contents=files/tree/../../metadata.json " + Sum)]
    [InlineData("./x type=file mode=0644 time=0.0 size=-1 contents=files/tree/a " + Sum)]
    [InlineData("./x type=file mode=0644 time=0.0 size=0 contents=files/tree/a")]
    [InlineData("./x type=dir mode=77777 time=0.0")]
    [InlineData("./x type=dir mode=0755 uid=4294967295 gid=0 time=0.0")]
    [InlineData("./x type=block mode=0644 time=0.0")]
    [InlineData("./x type=dir")]
    [InlineData("./bad\\9 type=dir mode=0755 time=0.0")]
    public async Task A_crafted_manifest_is_damage_and_nothing_is_written_outside(string lines)
    {
        using FilesBench bench = new();
        File.WriteAllText(Path.Combine(bench.Live, "a"), "");
        Directory.CreateDirectory(Path.Combine(bench.Live, "d"));
        VerifiedSnapshot honest = await bench.CaptureAsync();
        SourceMetadata captured = honest.Metadata.Sources[0];
        File.WriteAllText(
            Path.Combine(bench.Snapshot, "files/tree.mtree"),
            "#mtree v2.0\n. type=dir mode=0755 time=0.0\n" + lines + "\n",
            Encoding.Latin1);
        VerifiedSnapshot crafted = await new FolderSnapshot(bench.Snapshot).FinishAsync(captured);
        await using IRestoration restoration = bench.Source(bench.Target).PrepareRestore(crafted, captured, new RestoreRun("id"));
        LifeboatException e = await Assert.ThrowsAsync<LifeboatException>(() => restoration.StageAsync(CancellationToken.None));
        Assert.Equal(ErrorCodes.ManifestInvalid, e.Code);
        await restoration.DiscardAsync(CancellationToken.None);
        Assert.Equal(["live", "snapshot", "temp"], bench.Names());
        Assert.False(Path.Exists("/tmp/escape"));
    }

    [Fact]
    public async Task A_manifest_that_leaves_something_out_fails_the_verification()
    {
        using FilesBench bench = new();
        File.WriteAllText(Path.Combine(bench.Live, "a"), "content");
        VerifiedSnapshot honest = await bench.CaptureAsync();
        SourceMetadata captured = honest.Metadata.Sources[0];
        string manifest = Path.Combine(bench.Snapshot, "files/tree.mtree");
        File.WriteAllLines(manifest, File.ReadAllLines(manifest).Where(static line => !line.StartsWith("./a", StringComparison.Ordinal)));
        VerifiedSnapshot crafted = await new FolderSnapshot(bench.Snapshot).FinishAsync(captured);
        await using IRestoration restoration = bench.Source(bench.Target).PrepareRestore(crafted, captured, new RestoreRun("id"));
        await restoration.StageAsync(CancellationToken.None);
        VerifyReport report = await restoration.VerifyAsync(CancellationToken.None);
        Assert.Contains(report.Checks, static check => !check.Passed && check.Subject == "entries");
        await restoration.DiscardAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_cancelled_capture_stops_soon_and_leaves_nothing()
    {
        using FilesBench bench = new();
        await Shell.RunAsync("for i in {1..500}; do echo $i > $i; done; truncate -s 20G huge", bench.Live);
        using CancellationTokenSource cancel = new(TimeSpan.FromMilliseconds(300));
        await using ICapture capture = await bench.Source(bench.Live).OpenAsync(CancellationToken.None);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => capture.WriteAsync(new FolderSnapshot(bench.Snapshot), cancel.Token));
        Assert.Empty(Directory.EnumerateFileSystemEntries(bench.Host.Context.Host.TempDirectory));
    }

    [Fact]
    public async Task Attributes_that_are_not_carried_are_warned_of_once_and_labels_of_the_system_are_not()
    {
        using FilesBench bench = new();
        await Shell.RunAsync("mkdir d; touch plain labelled d/a b", bench.Live);
        Assert.SkipUnless(SetAttribute(Path.Combine(bench.Live, "d"), "user.note"), "this file system has no extended attributes");
        SetAttribute(Path.Combine(bench.Live, "labelled"), "security.selinux");
        Assert.True(SetAttribute(Path.Combine(bench.Live, "d/a"), "user.note"));
        Assert.True(SetAttribute(bench.Live, "user.note"));

        await bench.CaptureAsync();

        Problem warning = Assert.Single(bench.Host.Warnings);
        Assert.Equal(ErrorCodes.AttributesLeftOut, warning.Code);
        Assert.Contains("of 3 files", warning.Message, StringComparison.Ordinal);
        Assert.Equal(warning, Assert.Single(await bench.Source(bench.Live).CheckAsync(CancellationToken.None)));
        FilesSource ignoring = new(new FilesSettings("tree", bench.Live, []) { IgnoresAttributes = true }, bench.Host.Context);
        Assert.Empty(await ignoring.CheckAsync(CancellationToken.None));
    }

    private static bool SetAttribute(string path, string name) => SetAttribute(path, name, [1], 1, 0) == 0;

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "setxattr", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetAttribute(string path, string name, byte[] value, nuint size, int flags);

    private static async Task RestoreAsync(FilesBench bench, VerifiedSnapshot snapshot)
    {
        await using IRestoration restoration = bench.Source(bench.Target).PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("id"));
        await restoration.StageAsync(CancellationToken.None);
        VerifyReport report = await restoration.VerifyAsync(CancellationToken.None);
        Assert.True(report.Passed, string.Join('\n', report.Checks.Where(static check => !check.Passed)));
        await restoration.CommitAsync(CancellationToken.None);
    }
}
