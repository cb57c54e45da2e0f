namespace Lifeboat.Engine.Bundles;

/// <summary>Each block is a Zstandard frame (RFC 8878); frames one after the other are one stream by section 3.1.</summary>
internal sealed unsafe class ZstdBlockCompressor : IBlockCompressor
{
    // The fastest that compresses database text six-fold; level 3 costs a quarter more for nearly the same size.
    private const int Level = 1;

    private readonly ZstdLibrary _library = ZstdLibrary.Instance;
    private readonly byte[] _output;
    private nint _context;

    public ZstdBlockCompressor(int blockBytes)
    {
        _output = new byte[_library.CompressBound((nuint)blockBytes)];
        _context = _library.CreateCompressor();
        if (_context == 0)
            throw new InsufficientMemoryException("no memory for a Zstandard compressor");
        _ = Checked(_library.SetCompressor(_context, ZstdLibrary.CompressionLevel, Level));
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
