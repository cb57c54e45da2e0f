using System.Buffers;

namespace Lifeboat.Engine.Bundles;

/// <summary>Decompresses Zstandard frames (RFC 8878), as many as there are, one after the other.</summary>
/// <exception cref="InvalidDataException">From reading: they are not valid, or end in the middle.</exception>
internal sealed class ZstdReadStream(Func<IZstdDecoder> decoder, Stream from) : ReadOnlyStream
{
    private const int InputBytes = 128 * 1024;

    private readonly IZstdDecoder _decoder = decoder();
    private byte[] _input = ArrayPool<byte>.Shared.Rent(InputBytes);
    private int _next;
    private int _end;
    private bool _inputEnded;
    private bool _inFrame;
    private bool _disposed;

    public override int Read(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        while (buffer.Length > 0)
        {
            if (_next == _end && !_inputEnded)
                Refill();
            if (_next == _end && !_inFrame)
                return 0;
            _inFrame = _decoder.Decode(_input.AsSpan(_next, _end - _next), buffer, out int consumed, out int written);
            _next += consumed;
            if (written > 0)
                return written;
            if (_next == _end && _inputEnded && _inFrame)
                throw new InvalidDataException("the compressed data ends in the middle");
        }

        return 0;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _decoder.Dispose();
            from.Dispose();
            ArrayPool<byte>.Shared.Return(_input);
            _input = [];
        }

        base.Dispose(disposing);
    }

    private void Refill()
    {
        _next = 0;
        _end = from.Read(_input);
        _inputEnded = _end == 0;
    }
}
