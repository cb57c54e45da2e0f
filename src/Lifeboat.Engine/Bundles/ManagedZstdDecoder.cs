using System.Buffers;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace Lifeboat.Engine.Bundles;

/// <summary>Zstandard without the system's library.</summary>
internal sealed class ManagedZstdDecoder : IZstdDecoder
{
    private readonly Decompressor _decompressor = new();

    public ManagedZstdDecoder() => _decompressor.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, Zstandard.WindowLog);

    public bool Decode(ReadOnlySpan<byte> input, Span<byte> output, out int consumed, out int written)
    {
        OperationStatus status = _decompressor.UnwrapStream(input, output, out consumed, out written);
        return status == OperationStatus.InvalidData
            ? throw new InvalidDataException("the compressed data is not valid")
            : status != OperationStatus.Done;
    }

    public void Dispose() => _decompressor.Dispose();
}
