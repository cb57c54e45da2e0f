using Microsoft.Win32.SafeHandles;

namespace Lifeboat.Engine.Bundles;

/// <summary>Zstandard by the system's library.</summary>
internal sealed unsafe class NativeZstdDecoder : IZstdDecoder
{
    private readonly ZstdLibrary _library;
    private readonly DecompressorHandle _context;

    public NativeZstdDecoder(ZstdLibrary library)
    {
        _library = library;
        _context = new DecompressorHandle(library);
        _ = Checked(library.SetDecompressor(_context.Value, ZstdLibrary.WindowLogMax, Zstandard.WindowLog));
    }

    public bool Decode(ReadOnlySpan<byte> input, Span<byte> output, out int consumed, out int written)
    {
        fixed (byte* source = input)
        fixed (byte* destination = output)
        {
            ZstdBuffer from = new() { Data = source, Size = (nuint)input.Length };
            ZstdBuffer to = new() { Data = destination, Size = (nuint)output.Length };
            bool inFrame = Checked(_library.DecompressStream(_context.Value, &to, &from)) != 0;
            (consumed, written) = ((int)from.Position, (int)to.Position);
            return inFrame;
        }
    }

    public void Dispose() => _context.Dispose();

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
