using System.Text;
using System.Text.Json;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Backup;

/// <summary>Counts what sources add, and at the end writes the snapshot's own files: metadata, instructions, log, checksums.</summary>
internal sealed class SnapshotCompletion(ISnapshotWriter writer, DateTimeOffset started) : ISnapshotWriter
{
    private readonly List<EntryReceipt> _receipts = [];

    public async Task<EntryReceipt> AddAsync(EntryHeader header, Func<Stream, CancellationToken, Task> body, CancellationToken cancellation)
    {
        EntryReceipt receipt = await writer.AddAsync(header, body, cancellation);
        lock (_receipts)
            _receipts.Add(receipt);
        return receipt;
    }

    /// <summary>The app file as it is: it holds no secrets, and a bare machine needs it.</summary>
    public async Task AddAppFileAsync(App app, CancellationToken cancellation)
    {
        if (app.File is null)
            return;
        byte[] text = await File.ReadAllBytesAsync(app.File, cancellation);
        await AddBytesAsync("lifeboat.yaml", text, cancellation);
    }

    public async Task AddOwnFilesAsync(SnapshotMetadata metadata, string instructions, string log, CancellationToken cancellation)
    {
        await AddBytesAsync(VerifiedSnapshot.MetadataFileName, Serialize(metadata), cancellation);
        await AddBytesAsync(RestoreInstructions.FileName, Encoding.UTF8.GetBytes(instructions), cancellation);
        await AddBytesAsync("logs/export_log.txt", Encoding.UTF8.GetBytes(log), cancellation);
        EntryReceipt[] all;
        lock (_receipts)
            all = [.. _receipts];
        await AddBytesAsync(Checksums.FileName, Checksums.Write(all), cancellation);
    }

    public static byte[] Serialize(SnapshotMetadata metadata) =>
        [.. JsonSerializer.SerializeToUtf8Bytes(metadata, MetadataJson.Default.SnapshotMetadata), (byte)'\n'];

    private Task<EntryReceipt> AddBytesAsync(string path, byte[] bytes, CancellationToken cancellation) => AddAsync(
        new EntryHeader(path, started, ExpectedBytes: bytes.Length),
        async (stream, token) => await stream.WriteAsync(bytes, token),
        cancellation);
}
