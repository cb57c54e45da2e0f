using Lifeboat.Engine.Snapshots;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>A snapshot in which something happens while one of its files is written or read.</summary>
/// <param name="after">Behind so many bytes of it.</param>
internal sealed class InterruptedSnapshot(FolderSnapshot inner, string file, Action interrupt, int after = 1 << 20) : ISnapshotWriter, ISnapshotReader
{
    public bool Interrupted { get; private set; }

    public IReadOnlyDictionary<string, SnapshotEntry> Entries => inner.Entries;

    public bool IsAuthentic => inner.IsAuthentic;

    public Task<EntryReceipt> AddAsync(EntryHeader header, Func<Stream, CancellationToken, Task> body, CancellationToken cancellation) =>
        inner.AddAsync(header, (stream, token) => body(Around(stream, header.Path), token), cancellation);

    public Stream Open(string path) => Around(inner.Open(path), path);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private Stream Around(Stream stream, string path) => path.EndsWith(file, StringComparison.Ordinal) ? new InterruptedStream(stream, Interrupt, after) : stream;

    private void Interrupt()
    {
        if (Interrupted)
            return;
        interrupt();
        Interrupted = true;
    }
}

/// <summary>Calls behind so many bytes.</summary>
internal sealed class InterruptedStream(Stream inner, Action interrupt, int after) : Stream
{
    private long _passed;

    public override bool CanRead => inner.CanRead;

    public override bool CanSeek => false;

    public override bool CanWrite => inner.CanWrite;

    public override long Length => inner.Length;

    public override long Position { get => inner.Position; set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count)
    {
        int read = inner.Read(buffer, offset, count);
        Pass(read);
        return read;
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        inner.Write(buffer, offset, count);
        Pass(count);
    }

    public override void Flush() => inner.Flush();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }

    private void Pass(int count)
    {
        _passed += count;
        if (_passed >= after)
            interrupt();
    }
}
