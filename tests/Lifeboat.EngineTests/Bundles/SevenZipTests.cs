using System.Diagnostics;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Bundles;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Bundles;

/// <summary>A bundle is no lock-in: stock tools open it.</summary>
public sealed class SevenZipTests : IDisposable
{
    private readonly BundleFixture _bundle = new();

    public static TheoryData<Compression, bool, bool> Kinds => new()
    {
        { Compression.Zstd, true, false },
        { Compression.Zstd, true, true },
        { Compression.Zstd, false, true },
        { Compression.Deflate, true, true },
        { Compression.Deflate, false, false },
    };

    public void Dispose() => _bundle.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task SevenZip_and_sha256sum_find_the_snapshot_as_it_was_written(Compression compression, bool encrypted, bool streamed)
    {
        (string Path, byte[] Bytes)[] files =
        [
            ("databases/main/data/public.ünïcödé table.copy", BundleFixture.Text(1, 5_000_001)),
            ("files/f/empty", []),
            ("files/f/noise", BundleFixture.Noise(2, 9_000_000)),
            ("files/f/exactly one block", BundleFixture.Text(3, 1 << 20)),
        ];
        BundleOptions options = _bundle.Options(compression, encrypted);
        await _bundle.WriteSnapshotAsync(streamed ? options with { BufferBytes = 1 } : options, files);
        await AssertSevenZipTestsIt(encrypted);

        string target = _bundle.Folder["out"];
        (int status, string output) = await RunAsync("7zz", ["x", "-y", $"-o{target}", .. Password(encrypted), _bundle.Path]);
        Assert.True(status == 0, output);
        foreach ((string path, byte[] bytes) in files)
            Assert.True(bytes.AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(target, path))), path);
        FileInfo extracted = new(Path.Combine(target, files[0].Path));
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1_700_000_001).UtcDateTime, extracted.LastWriteTimeUtc);
        Assert.Equal((UnixFileMode)0b110_100_000, extracted.UnixFileMode);
        (status, output) = await RunAsync("sha256sum", ["--check", "--strict", "--quiet", Checksums.FileName], target);
        Assert.True(status == 0, output);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Old_unzip_opens_a_bundle_in_clear_with_deflate(bool streamed)
    {
        BundleOptions options = _bundle.Options(Compression.Deflate, encrypted: false);
        await _bundle.WriteAsync(
            streamed ? options with { BufferBytes = 1 } : options, ("a/text", BundleFixture.Text(1, 3_000_000)), ("empty", []));
        (int status, string output) = await RunAsync("unzip", ["-t", _bundle.Path]);
        Assert.True(status == 0, output);
        Assert.Contains("No errors detected", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_that_failed_while_it_was_written_does_not_trouble_sevenZip(bool encrypted)
    {
        await using (FileStream output = new(_bundle.Path, FileMode.Create))
        await using (BundleWriter writer = new(output, _bundle.Options(encrypted: encrypted) with { BufferBytes = 1 }))
        {
            await FailAsync(writer, "first");
            await BundleFixture.AddAsync(writer, "first", BundleFixture.Noise(3, 100_000));
            await FailAsync(writer, "middle");
            await BundleFixture.AddAsync(writer, "second", BundleFixture.Text(4, 3_000_000));
            await FailAsync(writer, "last");
            await writer.CompleteAsync(TestContext.Current.CancellationToken);
        }

        Assert.True(new FileInfo(_bundle.Path).Length > 9_000_000, "what failed was written: that is what this test is about");
        await AssertSevenZipTestsIt(encrypted);
        await using BundleReader reader = await _bundle.OpenAsync();
        Assert.Equal(["first", "second"], reader.Entries.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task SevenZip_refuses_a_wrong_password_and_any_other_is_not_needed()
    {
        await _bundle.WriteAsync(_bundle.Options(), ("a", [1, 2, 3]));
        (int status, string output) = await RunAsync("7zz", ["t", "-pwrong", _bundle.Path]);
        Assert.NotEqual(0, status);
        Assert.Contains("Wrong password", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Compression.Zstd, true)]
    [InlineData(Compression.Deflate, false)]
    public async Task A_file_beyond_four_gigabytes_is_whole(Compression compression, bool encrypted)
    {
        const long bytes = (4L << 30) + 12_345;
        byte[] zeros = new byte[1 << 20];
        await using (FileStream output = new(_bundle.Path, FileMode.Create))
        await using (BundleWriter writer = new(output, _bundle.Options(compression, encrypted)))
        {
            EntryReceipt receipt = await writer.AddAsync(
                new EntryHeader("huge", DateTimeOffset.UnixEpoch),
                (stream, _) =>
                {
                    for (long left = bytes; left > 0; left -= zeros.Length)
                        stream.Write(zeros.AsSpan(0, (int)Math.Min(left, zeros.Length)));
                    return Task.CompletedTask;
                },
                TestContext.Current.CancellationToken);
            Assert.Equal(bytes, receipt.Bytes);
            await writer.CompleteAsync(TestContext.Current.CancellationToken);
        }

        await using BundleReader reader = await _bundle.OpenAsync();
        Assert.Equal(bytes, reader.Entries["huge"].Bytes);
        await using Stream content = reader.Open("huge");
        long read = 0;
        int count;
        while ((count = content.Read(zeros)) > 0)
            read += count;
        Assert.Equal(bytes, read);
        await AssertSevenZipTestsIt(encrypted);
    }

    private static Task<InvalidOperationException> FailAsync(BundleWriter writer, string path) =>
        Assert.ThrowsAsync<InvalidOperationException>(() => writer.AddAsync(
        new EntryHeader(path, DateTimeOffset.UnixEpoch),
        (stream, _) =>
        {
            stream.Write(BundleFixture.Noise(9, 12_000_000));
            Thread.Sleep(200);
            throw new InvalidOperationException("the body fails");
        },
        TestContext.Current.CancellationToken));

    private static string[] Password(bool encrypted) => encrypted ? [$"-p{BundleFixture.Password.Reveal()}"] : [];

    private async Task AssertSevenZipTestsIt(bool encrypted)
    {
        (int status, string output) = await RunAsync("7zz", ["t", .. Password(encrypted), _bundle.Path]);
        Assert.True(status == 0, output);
        Assert.Contains("Everything is Ok", output, StringComparison.Ordinal);
        Assert.DoesNotContain("arning", output, StringComparison.Ordinal);
    }

    private static async Task<(int Status, string Output)> RunAsync(string program, string[] arguments, string? folder = null)
    {
        ProcessStartInfo start =
            new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder ?? "" };
        try
        {
            using Process process = Process.Start(start)!;
            Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            return (process.ExitCode, output + await errors);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") == "true", $"{program} is not on this machine");
            throw new InvalidOperationException($"{program} is needed here", e);
        }
    }
}
