using ZstdSharp;

namespace Lifeboat.Engine.Bundles;

/// <summary>Zstandard without the system's library.</summary>
internal sealed class ManagedZstdCompressor(int blockBytes) : IBlockCompressor
{
    private readonly Compressor _compressor = new(Zstandard.Level);
    private readonly byte[] _output = new byte[Compressor.GetCompressBound(blockBytes)];

    public ReadOnlySpan<byte> Compress(ReadOnlySpan<byte> block, bool last) => _output.AsSpan(0, _compressor.Wrap(block, _output));

    public void Dispose() => _compressor.Dispose();
}
