using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Snapshots;

/// <summary>
/// The limits of a snapshot's files that are read into memory as a whole: lists, definitions, <c>metadata.json</c>. A bundle of some kilobytes could unpack to gigabytes of
/// them; what a program wrote that describes real things is never so much smaller packed.
/// </summary>
internal static class HeldText
{
    /// <summary>Up to here a file costs nothing that matters.</summary>
    public const long SmallBytes = 4L << 20;

    private const long MostBytes = 512L << 20;

    /// <summary>Definitions of ten thousand tables that are alike but for their names come to about 60.</summary>
    private const long MostPacked = 200;

    /// <param name="described">How large it can be by what the metadata says of its content; null where that says nothing.</param>
    /// <exception cref="LifeboatException">The file cannot be what it should be.</exception>
    public static void Require(SnapshotEntry entry, long? described = null)
    {
        long limit = Math.Min(MostBytes, Math.Max(SmallBytes, MostPacked * Math.Min(entry.StoredBytes, MostBytes)));
        if (described is { } counted)
            limit = Math.Min(limit, counted);
        if (entry.Bytes > limit)
            throw new LifeboatException(
                ErrorCodes.BundleDamaged, $"the file would have {entry.Bytes} bytes, and it cannot have more than {limit}", "use another snapshot; this one was altered or damaged", entry.Path);
    }
}
