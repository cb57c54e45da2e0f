using System.Diagnostics;
using Lifeboat.Engine.Bundles;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Storage;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Bundles;

/// <summary>With a file system of 8 MB that really fills up.</summary>
public sealed class FullDiskTests : IDisposable
{
    private readonly BundleFixture _bundle = new();
    private readonly string _disk;
    private readonly bool _mounted;

    public FullDiskTests()
    {
        _disk = _bundle.Folder["disk"];
        Directory.CreateDirectory(_disk);
        _mounted = OperatingSystem.IsLinux() && Run("mount", "-t", "tmpfs", "-o", "size=8m", "none", _disk) == 0;
    }

    public void Dispose()
    {
        if (_mounted)
            Run("umount", _disk);
        _bundle.Dispose();
    }

    [Fact]
    public async Task A_disk_that_fills_up_is_said_to_be_full_and_nothing_stays_on_it()
    {
        SkipUnlessMounted();
        string final = Path.Combine(_disk, "b.zip");
        await using (PartialFile file = PartialFile.Create(final, _bundle.Options().Host))
        await using (BundleWriter writer = new(file.Stream, _bundle.Options() with { BufferBytes = 1 << 20 }))
        {
            Task[] adding = [.. Enumerable.Range(0, 4)
                .Select(i => Task.Run(() => BundleFixture.AddAsync(writer, $"f/{i}", BundleFixture.Noise(i, 24 << 20))))];
            foreach (Task add in adding)
                Assert.Equal(ErrorCodes.DiskFull, (await Assert.ThrowsAsync<LifeboatException>(() => add)).Code);
            Assert.Equal(ErrorCodes.DiskFull,
                (await Assert.ThrowsAsync<LifeboatException>(() => writer.CompleteAsync(TestContext.Current.CancellationToken))).Code);
        }

        Assert.Empty(Directory.GetFileSystemEntries(_disk));
    }

    [Fact]
    public async Task A_plain_stream_on_a_full_disk_says_the_same()
    {
        SkipUnlessMounted();
        await using FileStream output = new(Path.Combine(_disk, "b.zip"), FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        await using BundleWriter writer = new(output, _bundle.Options() with { BufferBytes = 1 << 20 });
        LifeboatException full =
            await Assert.ThrowsAsync<LifeboatException>(() => BundleFixture.AddAsync(writer, "f", BundleFixture.Noise(1, 40 << 20)));
        Assert.Equal(ErrorCodes.DiskFull, full.Code);
    }

    private static int Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode;
    }

    private void SkipUnlessMounted()
    {
        if (!_mounted && Environment.GetEnvironmentVariable("CI") != "true")
            Assert.Skip("mounting a tmpfs needs root");
        Assert.True(_mounted, "the tmpfs could not be mounted");
    }
}
