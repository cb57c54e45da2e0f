using System.Buffers;
using System.IO.Hashing;
using System.Security.Cryptography;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Bundles;

/// <summary>
/// Takes an entry's bytes from its body: digests them, and hands them to the pipeline in blocks. A write costs a copy and the
/// digest; it waits where the pipeline is full.
/// </summary>
internal sealed class EntryWriteStream(BundlePipeline pipeline, OpenEntry entry, BundleOptions options, CancellationToken cancellation)
    : Stream
{
    private const int FirstBufferBytes = 32 * 1024;

    /// <summary>Bytes are digested in pieces of this size: while they are still in the cache, and not one call for each small
    /// write.</summary>
    private const int DigestBytes = 64 * 1024;

    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly Crc32 _crc = new();
    private byte[]? _buffer;
    private int _filled;
    private int _digested;
    private long _bytes;
    private bool _first = true;
    private bool _closed;
    private bool _settled;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => !_closed;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        while (buffer.Length > 0)
        {
            if (_filled == options.BlockBytes)
                Submit();
            buffer = buffer[Take(buffer)..];
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        while (buffer.Length > 0)
        {
            if (_filled == options.BlockBytes)
                await SubmitAsync(false, cancellationToken);
            buffer = buffer[Take(buffer.Span)..];
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Hands in what is left. Only then is the entry part of the bundle.</summary>
    public async Task<EntryReceipt> FinishAsync()
    {
        _closed = true;
        await SubmitAsync(true, cancellation);
        return new EntryReceipt(entry.Header.Path, _bytes, Convert.ToHexStringLower(_sha256.GetHashAndReset()));
    }

    public override void Flush()
    {
        // Blocks are handed in when they are full.
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>
    /// From now on disposing means it. A body may dispose of its stream too, which must not yet be the end of the entry.
    /// </summary>
    public void Settle()
    {
        _closed = true;
        _settled = true;
        _buffer = null; // not back to the pool: a body that failed might have another thread that still writes into it
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && _settled)
            _sha256.Dispose();
        base.Dispose(disposing);
    }

    private int Take(ReadOnlySpan<byte> from)
    {
        if (_buffer is null || _filled == _buffer.Length)
            Grow();
        int count = Math.Min(from.Length, Math.Min(_buffer!.Length, options.BlockBytes) - _filled);
        from[..count].CopyTo(_buffer.AsSpan(_filled));
        _filled += count;
        if (_filled - _digested >= DigestBytes)
            Digest();
        return count;
    }

    private void Grow()
    {
        long wanted = _buffer is not null ? _buffer.Length * 4L
            : entry.Header.ExpectedBytes >= 0 ? entry.Header.ExpectedBytes + 1
            : FirstBufferBytes;
        byte[] larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Math.Max(wanted, 256), options.BlockBytes));
        if (_buffer is not null)
        {
            _buffer.AsSpan(0, _filled).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        _buffer = larger;
    }

    private void Digest()
    {
        ReadOnlySpan<byte> fresh = _buffer.AsSpan(_digested, _filled - _digested);
        _sha256.AppendData(fresh);
        if (options.Password is null)
            _crc.Append(fresh);
        _bytes += fresh.Length;
        _digested = _filled;
    }

    private EntryBlock NextBlock(bool last)
    {
        _buffer ??= ArrayPool<byte>.Shared.Rent(1);
        Digest();
        return new EntryBlock(entry, _buffer, _filled, _first, last);
    }

    private void Submit()
    {
        EntryBlock block = NextBlock(last: false);
        while (pipeline.TrySubmit(block, null) is { } room)
            room.Wait(cancellation);
        Submitted();
    }

    private async ValueTask SubmitAsync(bool last, CancellationToken writeCancellation)
    {
        EntryBlock block = NextBlock(last);
        while (pipeline.TrySubmit(block, last ? SetFinal : null) is { } room)
        {
            await room.WaitAsync(cancellation);
            writeCancellation.ThrowIfCancellationRequested();
        }

        Submitted();
    }

    private void SetFinal(OpenEntry closing)
    {
        closing.Bytes = _bytes;
        closing.Crc = options.Password is null ? _crc.GetCurrentHashAsUInt32() : 0;
    }

    private void Submitted()
    {
        _buffer = null; // the pipeline's now
        _filled = 0;
        _digested = 0;
        _first = false;
    }
}
