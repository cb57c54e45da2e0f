using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace Lifeboat.Engine.Bundles;

/// <summary>Decompresses Zstandard frames (RFC 8878), as many as there are, one after the other.</summary>
/// <exception cref="InvalidDataException">From reading: they are not valid, or end in the middle.</exception>
internal sealed unsafe class ZstdReadStream : ReadOnlyStream
{
    /// <summary>Windows up to 8 MiB, which is what RFC 8878 (section 3.1.1.1.2) asks of every decoder; a larger one would only serve to use
    /// memory up.</summary>
    private const int WindowLog = 23;
    private const int InputBytes = 128 * 1024;

    private readonly ZstdLibrary _library = ZstdLibrary.Instance;
    private readonly Stream _from;
    private readonly DecompressorHandle _context;
    private byte[] _input = ArrayPool<byte>.Shared.Rent(InputBytes);
    private int _next;
    private int _end;
    private bool _inputEnded;
    private bool _inFrame;

    public ZstdReadStream(Stream from)
    {
        _from = from;
        _context = new DecompressorHandle(_library);
        _ = Checked(_library.SetDecompressor(_context.Value, ZstdLibrary.WindowLogMax, WindowLog));
    }

    public override int Read(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_context.IsClosed, this);
        while (buffer.Length > 0)
        {
            if (_next == _end && !_inputEnded)
                Refill();
            if (_next == _end && !_inFrame)
                return 0;
            int count = Decompress(buffer);
            if (count > 0)
                return count;
            if (_next == _end && _inputEnded && _inFrame)
                throw new InvalidDataException("the compressed data ends in the middle");
        }

        return 0;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_context.IsClosed)
        {
            _context.Dispose();
            _from.Dispose();
            ArrayPool<byte>.Shared.Return(_input);
            _input = [];
        }

        base.Dispose(disposing);
    }

    private void Refill()
    {
        _next = 0;
        _end = _from.Read(_input);
        _inputEnded = _end == 0;
    }

    private int Decompress(Span<byte> buffer)
    {
        fixed (byte* input = _input)
        fixed (byte* output = buffer)
        {
            ZstdBuffer from = new() { Data = input, Size = (nuint)_end, Position = (nuint)_next };
            ZstdBuffer to = new() { Data = output, Size = (nuint)buffer.Length };
            _inFrame = Checked(_library.DecompressStream(_context.Value, &to, &from)) != 0;
            _next = (int)from.Position;
            return (int)to.Position;
        }
    }

    private nuint Checked(nuint result) => _library.IsError(result) == 0
        ? result
        : throw new InvalidDataException($"the compressed data is not valid: {_library.Describe(result)}");

    /// <summary>Frees the decompressor even where a stream is left to the collector.</summary>
    private sealed class DecompressorHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        private readonly ZstdLibrary _library;

        public DecompressorHandle(ZstdLibrary library)
            : base(ownsHandle: true)
        {
            _library = library;
            SetHandle(library.CreateDecompressor());
            if (IsInvalid)
                throw new InsufficientMemoryException("no memory for a Zstandard decompressor");
        }

        public nint Value => handle;

        protected override bool ReleaseHandle()
        {
            _ = _library.FreeDecompressor(handle);
            return true;
        }
    }
}
