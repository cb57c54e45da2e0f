namespace Lifeboat.Engine.Snapshots;

/// <summary>
/// Takes the files of a snapshot tree, in one pass. Several files may be added at once, from several threads; the
/// writer orders them. Memory is bounded: a body may be held up until earlier files are through, so a body must never
/// wait for another one.
/// </summary>
public interface ISnapshotWriter
{
    /// <summary>Adds one file, whose bytes <paramref name="body"/> writes to the stream that it is given.</summary>
    /// <remarks>
    /// When the body throws, the file is not part of the snapshot, the exception is passed on, and the writer goes on
    /// as if nothing had been added: the same path may be added again (a file that changed while it was read). The stream takes
    /// synchronous and asynchronous writes; synchronous ones of 64 KiB and more are the fast path. It must not be used after the
    /// body has returned.
    /// </remarks>
    /// <exception cref="Errors.LifeboatException">The destination is full or failed; the snapshot cannot be completed any more.</exception>
    Task<EntryReceipt> AddAsync(EntryHeader header, Func<Stream, CancellationToken, Task> body, CancellationToken cancellation);
}
