namespace Lifeboat.Engine.Bundles;

/// <summary>Compresses one block at a time so that an entry's blocks, one after the other, are one valid stream. For one thread.</summary>
internal interface IBlockCompressor : IDisposable
{
    /// <summary>Compresses a block; what it gives is valid until the next call.</summary>
    /// <param name="last">Whether this is the entry's last block.</param>
    ReadOnlySpan<byte> Compress(ReadOnlySpan<byte> block, bool last);
}
