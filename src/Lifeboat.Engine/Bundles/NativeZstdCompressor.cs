namespace Lifeboat.Engine.Bundles;

/// <summary>Zstandard by the system's library.</summary>
internal sealed unsafe class NativeZstdCompressor : IBlockCompressor
{
    private readonly ZstdLibrary _library;
    private readonly byte[] _output;
    private nint _context;

    public NativeZstdCompressor(ZstdLibrary library, int blockBytes)
    {
        _library = library;
        _output = new byte[_library.CompressBound((nuint)blockBytes)];
        _context = _library.CreateCompressor();
        if (_context == 0)
            throw new InsufficientMemoryException("no memory for a Zstandard compressor");
        _ = Checked(_library.SetCompressor(_context, ZstdLibrary.CompressionLevel, Zstandard.Level));
    }

    public ReadOnlySpan<byte> Compress(ReadOnlySpan<byte> block, bool last)
    {
        fixed (byte* from = block)
        fixed (byte* to = _output)
            return _output.AsSpan(0, Checked(_library.Compress(_context, to, (nuint)_output.Length, from, (nuint)block.Length)));
    }

    public void Dispose()
    {
        if (_context != 0)
            _ = _library.FreeCompressor(_context);
        _context = 0;
    }

    private int Checked(nuint result) => _library.IsError(result) == 0
        ? (int)result
        : throw new InvalidOperationException($"Zstandard could not compress: {_library.Describe(result)}");
}
