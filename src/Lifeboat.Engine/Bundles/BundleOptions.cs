using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Secrets;

namespace Lifeboat.Engine.Bundles;

/// <summary>How a bundle is written.</summary>
/// <param name="Compression">Of every entry; Deflate also where the Zstandard library is missing.</param>
/// <param name="Password">Encrypts every entry; null for a bundle that anybody can read.</param>
/// <param name="Host">Chance for salts, and the number of threads that compress.</param>
public sealed record BundleOptions(Compression Compression, Secret? Password, HostEnvironment Host)
{
    /// <summary>
    /// Bytes of compressed data kept in memory while another entry is being written. More lets more entries be worked on at once.
    /// </summary>
    public long BufferBytes { get; init; } = 48L << 20;

    /// <summary>Bytes of an entry that are compressed as one block, independent of the others.</summary>
    internal int BlockBytes { get; init; } = 1 << 20;

    /// <summary>An entry with this many compressed bytes is written while it is produced, as soon as no other one is.</summary>
    internal long StreamBytes { get; init; } = 4L << 20;
}
