using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Bundles;

/// <summary>
/// Writes a snapshot as one ZIP, in one pass to a stream that need not be seekable (docs/format.md). Any number of files may be
/// added at once; see <see cref="BundlePipeline"/> for how they are put in a row. A receipt says what was taken over: that it is
/// on its way to the output, not that it has arrived there. <see cref="CompleteAsync"/> says that.
/// </summary>
/// <remarks>
/// Memory: <see cref="BundleOptions.BufferBytes"/> of waiting data; two blocks of 1 MiB per worker and some more for what is being
/// compressed and written; and one block for each file that is being added, so their number should not be much above that of the workers.
/// </remarks>
public sealed class BundleWriter : ISnapshotWriter, IAsyncDisposable
{
    private readonly BundleOptions _options;
    private readonly BundlePipeline _pipeline;
    private readonly HashSet<string> _paths = new(StringComparer.Ordinal);

    /// <param name="output">Written forward only, from one thread at a time; not disposed of.</param>
    public BundleWriter(Stream output, BundleOptions options)
    {
        _options = options;
        bool zstd = options.Compression == Compression.Zstd;
        _pipeline = new BundlePipeline(
            new BundleOutput(output, zstd ? Zip.Zstandard : Zip.Deflated, options),
            options,
            () => zstd ? Zstandard.Compressor(options.BlockBytes) : new DeflateBlockCompressor());
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The path is not a <see cref="SnapshotPath"/>, or was added before.</exception>
    public async Task<EntryReceipt> AddAsync(EntryHeader header, Func<Stream, CancellationToken, Task> body, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Claim(header.Path);
        bool added = false;
        try
        {
            EntryReceipt receipt = await AddClaimedAsync(header, body, cancellation);
            added = true;
            return receipt;
        }
        finally
        {
            if (!added)
                Unclaim(header.Path);
        }
    }

    /// <summary>Writes what is left and the central directory; then every byte has been handed to the output, which the caller
    /// flushes.</summary>
    /// <exception cref="LifeboatException">The output is full or failed.</exception>
    /// <exception cref="InvalidOperationException">Files are still being added, or one's path is a folder in another's.</exception>
    public Task CompleteAsync(CancellationToken cancellation)
    {
        lock (_paths)
            if (FolderConflicts.Find(_paths) is { } conflict)
                throw new InvalidOperationException($"a snapshot cannot have both a file and a folder named {conflict}");
        return _pipeline.CompleteAsync(cancellation);
    }

    public ValueTask DisposeAsync() => _pipeline.DisposeAsync();

    private async Task<EntryReceipt> AddClaimedAsync(EntryHeader header, Func<Stream, CancellationToken, Task> body,
        CancellationToken cancellation)
    {
        OpenEntry entry = _pipeline.Open(header);
        using EntryWriteStream stream = new(_pipeline, entry, _options, cancellation);
        bool finished = false;
        try
        {
            await body(stream, cancellation);
            EntryReceipt receipt = await stream.FinishAsync();
            finished = true;
            return receipt;
        }
        finally
        {
            stream.Settle();
            if (!finished)
                _pipeline.Abort(entry);
        }
    }

    private void Claim(string path)
    {
        if (!SnapshotPath.IsValid(path) || path == Zip.CoverName)
            throw new ArgumentException($"not a path for a file of a snapshot: {path}", nameof(path));
        lock (_paths)
            if (!_paths.Add(path))
                throw new ArgumentException($"this file was added before: {path}", nameof(path));
    }

    private void Unclaim(string path)
    {
        lock (_paths)
            _paths.Remove(path);
    }
}
