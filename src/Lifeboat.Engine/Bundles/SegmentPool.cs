namespace Lifeboat.Engine.Bundles;

/// <summary>Pieces of memory of one size that are used again and again: compressed data waits in them for its turn.</summary>
internal sealed class SegmentPool
{
    /// <summary>Below the size from which the collector treats an object as large.</summary>
    public const int SegmentBytes = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly Stack<byte[]> _free = new();

    /// <summary>Copies data into as many segments as it takes.</summary>
    public byte[][] Copy(ReadOnlySpan<byte> data)
    {
        byte[][] segments = new byte[(data.Length + SegmentBytes - 1) / SegmentBytes][];
        for (int i = 0; i < segments.Length; i++)
        {
            segments[i] = Take();
            ReadOnlySpan<byte> part = data[..Math.Min(data.Length, SegmentBytes)];
            part.CopyTo(segments[i]);
            data = data[part.Length..];
        }

        return segments;
    }

    public void Return(byte[][] segments)
    {
        lock (_gate)
            foreach (byte[] segment in segments)
                _free.Push(segment);
    }

    private byte[] Take()
    {
        lock (_gate)
            if (_free.TryPop(out byte[]? segment))
                return segment;
        return GC.AllocateUninitializedArray<byte>(SegmentBytes);
    }
}
