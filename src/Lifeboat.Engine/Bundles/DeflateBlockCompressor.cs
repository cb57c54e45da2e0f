using System.IO.Compression;

namespace Lifeboat.Engine.Bundles;

/// <summary>
/// Each block is a run of Deflate blocks (RFC 1951) that ends at a byte's border with a sync flush, so that the next may follow;
/// the entry's last one also has the final block.
/// </summary>
internal sealed class DeflateBlockCompressor : IBlockCompressor
{
    private static readonly byte[] EmptyFinalBlock = [0x03, 0x00];

    private readonly MemoryStream _output = new();

    public ReadOnlySpan<byte> Compress(ReadOnlySpan<byte> block, bool last)
    {
        _output.SetLength(0);
        int flushed = 0;
        if (block.Length > 0)
        {
            using DeflateStream deflate = new(_output, CompressionLevel.Fastest, leaveOpen: true);
            deflate.Write(block);
            deflate.Flush();
            flushed = (int)_output.Length;
        }

        // Disposing has appended the compressor's own final block, which is cut off here: only the entry's last may have one.
        _output.SetLength(flushed);
        if (last)
            _output.Write(EmptyFinalBlock);
        return _output.GetBuffer().AsSpan(0, (int)_output.Length);
    }

    public void Dispose() => _output.Dispose();
}
