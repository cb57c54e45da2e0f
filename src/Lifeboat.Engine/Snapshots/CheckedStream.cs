using System.Security.Cryptography;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Snapshots;

/// <summary>Passes a file's bytes on and compares their SHA-256 when the end is reached.</summary>
internal sealed class CheckedStream(Stream inner, string path, string expected) : Stream
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private bool _ended;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(Span<byte> buffer) => Passed(buffer, inner.Read(buffer));

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int count = await inner.ReadAsync(buffer, cancellationToken);
        return Passed(buffer.Span, count);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
            _hash.Dispose();
        }

        base.Dispose(disposing);
    }

    private int Passed(Span<byte> buffer, int count)
    {
        if (count > 0)
        {
            _hash.AppendData(buffer[..count]);
            return count;
        }

        if (!_ended && buffer.Length > 0)
        {
            _ended = true;
            if (Convert.ToHexStringLower(_hash.GetHashAndReset()) != expected)
                throw new LifeboatException(
                    ErrorCodes.ContentDiffers, "the file's SHA-256 is not the one in checksums.sha256", "use another snapshot; this one was altered or damaged", path);
        }

        return 0;
    }
}
