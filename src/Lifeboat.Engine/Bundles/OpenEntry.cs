using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Bundles;

/// <summary>One entry on its way through the <see cref="BundlePipeline"/>, which guards everything that changes here.</summary>
internal sealed class OpenEntry(EntryHeader header)
{
    public EntryHeader Header { get; } = header;

    /// <summary>Blocks in their order, from the next to be written to the last one handed in.</summary>
    public Queue<EntryBlock> Blocks { get; } = new();

    /// <summary>Derived beside the compression of the first block; null without encryption.</summary>
    public EntryKeys? Keys { get; set; }

    /// <summary>Memory held by the blocks.</summary>
    public long Held { get; set; }

    /// <summary>The part of <see cref="Held"/> that is compressed. What is not says nothing about the entry's size in the bundle.</summary>
    public long Compressed { get; set; }

    /// <summary>Blocks that are not compressed yet.</summary>
    public int Uncompressed { get; set; }

    /// <summary>Its last block was handed in: <see cref="Bytes"/> and <see cref="Crc"/> are final.</summary>
    public bool Closed { get; set; }

    /// <summary>Its body failed: nothing more of it is written.</summary>
    public bool Aborted { get; set; }

    /// <summary>The entry's size.</summary>
    public long Bytes { get; set; }

    /// <summary>0 for an encrypted entry, as AE-2 asks.</summary>
    public uint Crc { get; set; }
}

/// <summary>A piece of an entry: first as its body wrote it, then compressed.</summary>
internal sealed class EntryBlock(OpenEntry entry, byte[] input, int length, bool first, bool last)
{
    public OpenEntry Entry { get; } = entry;

    /// <summary>From the shared array pool; null once it is compressed.</summary>
    public byte[]? Input { get; set; } = input;

    public int Length { get; } = length;

    public bool First { get; } = first;

    public bool Last { get; } = last;

    public byte[][] Segments { get; set; } = [];

    public int CompressedBytes { get; set; }

    public bool IsCompressed { get; set; }

    /// <summary>What the block is counted as while it waits to be compressed; afterwards its segments count.</summary>
    public long Reserved => Math.Max(Length, SegmentPool.SegmentBytes);

    public long SegmentBytes => (long)Segments.Length * SegmentPool.SegmentBytes;
}
