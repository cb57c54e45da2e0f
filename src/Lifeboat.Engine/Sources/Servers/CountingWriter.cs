using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Sources.Servers;

/// <summary>Passes files on to the snapshot and adds up what was written.</summary>
internal sealed class CountingWriter(ISnapshotWriter inner) : ISnapshotWriter
{
    private long _bytes;
    private long _files;

    public long Bytes => Interlocked.Read(ref _bytes);

    public long Files => Interlocked.Read(ref _files);

    public async Task<EntryReceipt> AddAsync(EntryHeader header, Func<Stream, CancellationToken, Task> body, CancellationToken cancellation)
    {
        EntryReceipt receipt = await inner.AddAsync(header, body, cancellation);
        Interlocked.Add(ref _bytes, receipt.Bytes);
        Interlocked.Increment(ref _files);
        return receipt;
    }
}
