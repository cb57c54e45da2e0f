using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Tests.Shared;

/// <summary>A snapshot tree as a plain folder: lets a source be tested, and damaged, without a bundle.</summary>
public sealed class FolderSnapshot(string root) : ISnapshotWriter, ISnapshotReader
{
    private readonly ConcurrentDictionary<string, EntryReceipt> _receipts = new(StringComparer.Ordinal);
    private int _partials;

    public IReadOnlyDictionary<string, SnapshotEntry> Entries =>
        Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories)
            .Select(file => new FileInfo(file))
            .Select(file => new SnapshotEntry(
                Path.GetRelativePath(root, file.FullName).Replace('\\', '/'), file.Length, file.Length, file.LastWriteTimeUtc, 0b110_100_100))
            .ToDictionary(static entry => entry.Path, StringComparer.Ordinal);

    public bool IsAuthentic { get; init; } = true;

    public async Task<EntryReceipt> AddAsync(EntryHeader header, Func<Stream, CancellationToken, Task> body, CancellationToken cancellation)
    {
        Assert.True(SnapshotPath.IsValid(header.Path), $"not a snapshot path: {header.Path}");
        string file = Path.Combine(root, header.Path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        string partial = Path.Combine(root, $".partial-{Interlocked.Increment(ref _partials)}"); // beside, because the name may be as long as names can be
        try
        {
            await using (FileStream stream = new(partial, FileMode.CreateNew))
                await body(stream, cancellation);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }

        File.Move(partial, file, overwrite: false);
        await using FileStream written = File.OpenRead(file);
        EntryReceipt receipt = new(header.Path, written.Length, Convert.ToHexStringLower(await SHA256.HashDataAsync(written, cancellation)));
        Assert.True(_receipts.TryAdd(header.Path, receipt), $"added twice: {header.Path}");
        return receipt;
    }

    public Stream Open(string path) => File.OpenRead(Path.Combine(root, path));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Writes metadata and checksums around what sources have added (or recomputes them after damage), and opens it all.</summary>
    public async Task<VerifiedSnapshot> FinishAsync(params SourceMetadata[] sources)
    {
        File.Delete(Path.Combine(root, Checksums.FileName));
        await File.WriteAllBytesAsync(
            Path.Combine(root, VerifiedSnapshot.MetadataFileName),
            JsonSerializer.SerializeToUtf8Bytes(Metadata(sources), MetadataJson.Default.SnapshotMetadata));
        EntryReceipt[] receipts = [.. Entries.Values.Select(entry => new EntryReceipt(
            entry.Path, entry.Bytes, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(root, entry.Path))))))];
        await File.WriteAllBytesAsync(Path.Combine(root, Checksums.FileName), Checksums.Write(receipts));
        return await VerifiedSnapshot.OpenAsync(this, CancellationToken.None);
    }

    private static SnapshotMetadata Metadata(SourceMetadata[] sources) => new()
    {
        BackupVersion = SnapshotMetadata.CurrentVersion,
        App = "test",
        Timestamp = DateTimeOffset.UnixEpoch,
        LifeboatVersion = "0.0.0-test",
        Host = "test",
        ExportStatus = "complete",
        ExportDurationSeconds = 0,
        CutWidthSeconds = 0,
        Encryption = "none",
        Warnings = [],
        Sources = sources,
    };
}
