using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Lifeboat.Engine.Bundles;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Tests.Shared;
using Compression = Lifeboat.Engine.Apps.Compression;

namespace Lifeboat.Tests.Bundles;

/// <summary>ZIPs that other programs made, or that somebody made on purpose.</summary>
public sealed class HostileZipTests : IDisposable
{
    private readonly BundleFixture _bundle = new();

    public void Dispose() => _bundle.Dispose();

    [Theory]
    [InlineData("../evil")]
    [InlineData("/etc/passwd")]
    [InlineData("a/../../evil")]
    [InlineData("C:/evil")]
    [InlineData("a\\..\\evil")]
    [InlineData("./a")]
    [InlineData("a//b")]
    [InlineData("new\nline")]
    public async Task Names_that_lead_elsewhere_are_refused(string name)
    {
        Foreign(zip => Add(zip, name, "x"));
        await RefusedAsync(ErrorCodes.EntryNameUnsafe);
    }

    [Fact]
    public async Task Folders_and_links_are_refused()
    {
        Foreign(static zip => zip.CreateEntry("folder/"));
        await RefusedAsync(ErrorCodes.NotABundle);
        Foreign(static zip => Add(zip, "link", "/etc/passwd").ExternalAttributes = unchecked((int)0xA1FF0000));
        await RefusedAsync(ErrorCodes.EntryNameUnsafe);
    }

    [Fact]
    public async Task Plain_zips_of_other_programs_can_be_read()
    {
        Foreign(static zip =>
        {
            Add(zip, "deflated", new string('x', 100_000));
            using Stream stored = zip.CreateEntry("stored", CompressionLevel.NoCompression).Open();
            stored.Write("as it is"u8);
        });
        await using BundleReader reader = await _bundle.OpenAsync();
        await reader.AuthenticateAsync(TestContext.Current.CancellationToken);
        Assert.Equal(new string('x', 100_000), Encoding.ASCII.GetString(BundleFixture.ReadAll(reader, "deflated")));
        Assert.Equal("as it is", Encoding.ASCII.GetString(BundleFixture.ReadAll(reader, "stored")));
    }

    [Fact]
    public async Task Files_that_are_no_zips_are_said_to_be_none()
    {
        foreach (byte[] bytes in (byte[][])[[], [1], "PK"u8.ToArray(), "-- PostgreSQL database dump"u8.ToArray(),
            BundleFixture.Noise(1, 100_000)])
        {
            await File.WriteAllBytesAsync(_bundle.Path, bytes, TestContext.Current.CancellationToken);
            await RefusedAsync(ErrorCodes.NotABundle);
        }
    }

    [Fact]
    public async Task A_path_where_nothing_is_and_a_folder_are_refused_clearly()
    {
        LifeboatException nothing = await Assert.ThrowsAsync<LifeboatException>(() => _bundle.OpenAsync());
        Assert.Equal(ErrorCodes.SnapshotNotFound, nothing.Code);
        Directory.CreateDirectory(_bundle.Path);
        LifeboatException folder = await Assert.ThrowsAsync<LifeboatException>(() => _bundle.OpenAsync());
        Assert.Equal(ErrorCodes.StorageFailed, folder.Code);
    }

    [Fact]
    public async Task Duplicate_names_are_refused()
    {
        byte[] zip = await OwnAsync(encrypted: false, ("a1", "x"), ("a2", "y"));
        ZipBytes.Place second = ZipBytes.Of(zip, "a2");
        zip[second.Central + 47] = (byte)'1';
        zip[second.Local + 31] = (byte)'1';
        await RefusedAsync(ErrorCodes.BundleDamaged, zip);
    }

    [Fact]
    public async Task A_name_that_differs_between_the_two_headers_is_refused()
    {
        byte[] zip = await OwnAsync(encrypted: false, ("a1", "x"), ("a2", "y"));
        zip[ZipBytes.Of(zip, "a2").Local + 31] = (byte)'3';
        await RefusedOnReadingAsync(zip, "a2");
    }

    [Fact]
    public async Task Entries_that_share_bytes_are_refused()
    {
        byte[] zip = await OwnAsync(encrypted: false, ("a1", "x"), ("a2", "x"));
        BinaryPrimitives.WriteInt32LittleEndian(zip.AsSpan(ZipBytes.Of(zip, "a2").Central + 42), ZipBytes.Of(zip, "a1").Local);
        await RefusedAsync(ErrorCodes.BundleDamaged, zip);
    }

    [Fact]
    public async Task Bytes_before_and_after_are_refused()
    {
        byte[] zip = await OwnAsync(encrypted: true, ("a", "x"));
        await RefusedAsync(ErrorCodes.BundleDamaged, [.. zip, 0]);
        await RefusedAsync(ErrorCodes.BundleDamaged, [0, .. zip]);
        await RefusedAsync(ErrorCodes.BundleDamaged, [.. zip, .. zip[..100]]);
    }

    [Fact]
    public async Task An_entry_in_clear_in_an_encrypted_bundle_is_refused()
    {
        byte[] zip = await OwnAsync(encrypted: true, ("a", "x"));
        int central = ZipBytes.Of(zip, "a").Central;
        zip[central + 8] &= 0xFE;
        zip[central + 10] = 0;
        await RefusedAsync(ErrorCodes.BundleDamaged, zip);
    }

    [Theory]
    [InlineData(Compression.Zstd, true)]
    [InlineData(Compression.Zstd, false)]
    [InlineData(Compression.Deflate, true)]
    [InlineData(Compression.Deflate, false)]
    public async Task Never_more_is_given_out_than_the_header_says(Compression compression, bool encrypted)
    {
        // 40 MB of zeros in a few KB: a bomb, if its header says that it is small.
        await _bundle.WriteAsync(_bundle.Options(compression, encrypted), ("bomb", new byte[40_000_000]));
        byte[] zip = await File.ReadAllBytesAsync(_bundle.Path, TestContext.Current.CancellationToken);
        ZipBytes.Place bomb = ZipBytes.Of(zip, "bomb");
        BinaryPrimitives.WriteInt32LittleEndian(zip.AsSpan(bomb.Central + 24), 1000);
        BinaryPrimitives.WriteInt32LittleEndian(zip.AsSpan(bomb.Local + 22), 1000);
        await File.WriteAllBytesAsync(_bundle.Path, zip, TestContext.Current.CancellationToken);
        await using BundleReader reader = await _bundle.OpenAsync();
        await using Stream stream = reader.Open("bomb");
        byte[] buffer = new byte[64_000];
        int read = 0;
        LifeboatException refused = Assert.Throws<LifeboatException>(() =>
        {
            int count;
            while ((count = stream.Read(buffer)) > 0)
                read += count;
        });
        Assert.Equal(ErrorCodes.BundleDamaged, refused.Code);
        Assert.True(read <= 1000, $"gave out {read} bytes");
        Assert.Throws<LifeboatException>(() => stream.Read(buffer)); // and never says that it ended well
    }

    [Theory]
    [InlineData("metadata.json", 257 << 20)]
    [InlineData("checksums.sha256", 100_000)]
    public async Task Lists_that_would_use_memory_up_are_refused_before_they_are_read(string path, int size)
    {
        await _bundle.WriteAsync(_bundle.Options(), (path, new byte[size]),
            path == "metadata.json" ? ("checksums.sha256", []) : ("metadata.json", BundleFixture.Metadata()));
        LifeboatException refused = await Assert.ThrowsAsync<LifeboatException>(async () =>
            await VerifiedSnapshot.OpenAsync(await _bundle.OpenAsync(), TestContext.Current.CancellationToken));
        Assert.Equal(ErrorCodes.BundleDamaged, refused.Code);
        Assert.Contains($"would have {size} bytes, and it cannot have more", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_directory_that_claims_more_than_the_file_has_is_refused_at_once()
    {
        byte[] zip = await OwnAsync(encrypted: false, ("a", "x"));
        foreach ((int offset, uint value) in ((int, uint)[])[(8, 0xFFFEFFFE), (12, 0x7FFFFFFF), (16, 0x7FFFFFFF), (12, 0xFFFFFFFF),
            (16, 0xFFFFFFFF)])
        {
            byte[] changed = [.. zip];
            BinaryPrimitives.WriteUInt32LittleEndian(changed.AsSpan(zip.Length - 22 + offset), value);
            await RefusedAsync(ErrorCodes.BundleDamaged, changed);
        }
    }

    [Theory]
    [InlineData(12, ErrorCodeName.NotABundle)] // BZIP2
    [InlineData(99, ErrorCodeName.NotABundle)] // AES, but not said to be encrypted
    public async Task Methods_that_bundles_do_not_have_are_refused(byte method, string code)
    {
        byte[] zip = await OwnAsync(encrypted: false, ("a", "x"));
        zip[ZipBytes.Of(zip, "a").Central + 10] = method;
        LifeboatException refused = await RefusedAsync(null, zip);
        Assert.Equal(code, refused.Code.Name);
    }

    [Fact]
    public async Task A_descriptor_that_disagrees_is_refused()
    {
        await _bundle.WriteAsync(_bundle.Options(encrypted: false) with { BufferBytes = 1 }, ("a", BundleFixture.Text(1, 100)));
        byte[] zip = await File.ReadAllBytesAsync(_bundle.Path, TestContext.Current.CancellationToken);
        ZipBytes.Place place = ZipBytes.Of(zip, "a");
        Assert.Equal(8, zip[place.Local + 6] & 8); // it does have one
        for (int at = place.Data + place.Stored + 4; at < place.Data + place.Stored + 24; at++)
        {
            byte[] changed = [.. zip];
            changed[at] ^= 1;
            await RefusedOnReadingAsync(changed, "a");
        }
    }

    private static ZipArchiveEntry Add(ZipArchive zip, string name, string text)
    {
        ZipArchiveEntry entry = zip.CreateEntry(name);
        using Stream stream = entry.Open();
        stream.Write(Encoding.ASCII.GetBytes(text));
        return entry;
    }

    private void Foreign(Action<ZipArchive> fill)
    {
        File.Delete(_bundle.Path);
        using ZipArchive zip = ZipFile.Open(_bundle.Path, ZipArchiveMode.Create);
        fill(zip);
    }

    private async Task<byte[]> OwnAsync(bool encrypted, params (string Path, string Text)[] files)
    {
        await _bundle.WriteAsync(_bundle.Options(encrypted: encrypted),
            [.. files.Select(static file => (file.Path, Encoding.ASCII.GetBytes(file.Text)))]);
        return await File.ReadAllBytesAsync(_bundle.Path);
    }

    private async Task<LifeboatException> RefusedAsync(ErrorCode? code, byte[]? zip = null)
    {
        if (zip is not null)
            await File.WriteAllBytesAsync(_bundle.Path, zip);
        LifeboatException refused =
            await Assert.ThrowsAsync<LifeboatException>(async () => await (await _bundle.OpenAsync()).DisposeAsync());
        if (code is not null)
            Assert.Equal(code, refused.Code);
        return refused;
    }

    private async Task RefusedOnReadingAsync(byte[] zip, string path)
    {
        await File.WriteAllBytesAsync(_bundle.Path, zip);
        await using BundleReader reader = await _bundle.OpenAsync();
        LifeboatException refused = Assert.Throws<LifeboatException>(() => BundleFixture.ReadAll(reader, path));
        Assert.Equal(ErrorCodes.BundleDamaged, refused.Code);
        await Assert.ThrowsAsync<LifeboatException>(() => reader.AuthenticateAsync(CancellationToken.None));
    }

    private static class ErrorCodeName
    {
        public const string NotABundle = "not-a-bundle";
    }
}
