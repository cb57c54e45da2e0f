using System.Text.Json;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Bundles;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Tests.Shared;

/// <summary>Writes and reads bundles for tests.</summary>
public sealed class BundleFixture : IDisposable
{
    public static readonly Secret Password = new("correct horse battery staple");

    public TemporaryFolder Folder { get; } = new();

    public string Path => Folder["test.zip"];

    public void Dispose() => Folder.Dispose();

    public BundleOptions Options(Compression compression = Compression.Zstd, bool encrypted = true, int workers = 2) =>
        new(compression, encrypted ? Password : null, new TestHost(Folder.Path, workers).Context.Host);

    public async Task<EntryReceipt[]> WriteAsync(BundleOptions options, params (string Path, byte[] Bytes)[] files)
    {
        await using FileStream output = new(Path, FileMode.Create);
        await using BundleWriter writer = new(output, options);
        EntryReceipt[] receipts = await Task.WhenAll(files.Select(file => AddAsync(writer, file.Path, file.Bytes)));
        await writer.CompleteAsync(CancellationToken.None);
        return receipts;
    }

    /// <summary>A whole snapshot with metadata and checksums around the files.</summary>
    public async Task WriteSnapshotAsync(BundleOptions options, params (string Path, byte[] Bytes)[] files)
    {
        await using FileStream output = new(Path, FileMode.Create);
        await using BundleWriter writer = new(output, options);
        List<EntryReceipt> receipts = [];
        foreach ((string path, byte[] bytes) in files)
            receipts.Add(await AddAsync(writer, path, bytes));
        receipts.Add(await AddAsync(writer, VerifiedSnapshot.MetadataFileName, Metadata()));
        await AddAsync(writer, Checksums.FileName, Checksums.Write(receipts));
        await writer.CompleteAsync(CancellationToken.None);
    }

    public Task<BundleReader> OpenAsync(bool withPassword = true) =>
        BundleReader.OpenAsync(Path, withPassword ? Password : null, CancellationToken.None);

    public static Task<EntryReceipt> AddAsync(BundleWriter writer, string path, byte[] bytes, long expected = -1) => writer.AddAsync(
        new EntryHeader(path, DateTimeOffset.FromUnixTimeSeconds(1_700_000_001), 0b110_100_000, expected),
        (stream, _) =>
        {
            stream.Write(bytes);
            return Task.CompletedTask;
        },
        CancellationToken.None);

    public static byte[] ReadAll(ISnapshotReader reader, string path)
    {
        using Stream stream = reader.Open(path);
        using MemoryStream bytes = new();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    /// <summary>Bytes of a given size that compress about as well as a table's rows.</summary>
    public static byte[] Text(int seed, int size)
    {
        Random random = new(seed);
        byte[] bytes = new byte[size];
        for (int i = 0; i < size; i++)
            bytes[i] = (byte)(i % 31 == 30 ? '\n' : random.Next(8) == 0 ? random.Next('a', 'z') : 'e');
        return bytes;
    }

    public static byte[] Noise(int seed, int size)
    {
        byte[] bytes = new byte[size];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>A <c>metadata.json</c> without sources.</summary>
    public static byte[] Metadata() => JsonSerializer.SerializeToUtf8Bytes(Described, MetadataJson.Default.SnapshotMetadata);

    private static SnapshotMetadata Described => new()
    {
        BackupVersion = SnapshotMetadata.CurrentVersion,
        App = "test",
        Timestamp = DateTimeOffset.UnixEpoch,
        LifeboatVersion = "0.0.0-test",
        Host = "test",
        ExportStatus = "complete",
        ExportDurationSeconds = 0,
        CutWidthSeconds = 0,
        Encryption = "zip-aes256",
        Warnings = [],
        Sources = [],
    };
}
