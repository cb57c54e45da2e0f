using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Bundles;

/// <summary>One entry as the central directory has it.</summary>
internal sealed record BundleEntry
{
    public required SnapshotEntry Listed { get; init; }

    public string Path => Listed.Path;

    public required ushort Flags { get; init; }

    /// <summary>As it stands in the headers: 99 for an encrypted entry.</summary>
    public required ushort HeaderMethod { get; init; }

    /// <summary>The compression: stored, Deflate or Zstandard.</summary>
    public required ushort Method { get; init; }

    /// <summary>1 or 2 for an encrypted entry, else 0.</summary>
    public required ushort AesVersion { get; init; }

    public required uint DosTime { get; init; }

    public required uint Crc { get; init; }

    /// <summary>Of the name in the file, which is ASCII or UTF-8.</summary>
    public required int NameBytes { get; init; }

    /// <summary>Of the local header.</summary>
    public required long Offset { get; init; }

    /// <summary>Where the next entry or the central directory starts: this entry ends before.</summary>
    public long Limit { get; set; }

    public bool IsEncrypted => AesVersion != 0;

    /// <summary>Bytes of compressed data, without what encryption adds.</summary>
    public long CompressedBytes => Listed.StoredBytes - (IsEncrypted ? EntryKeys.Overhead : 0);
}
