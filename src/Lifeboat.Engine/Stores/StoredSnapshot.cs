using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Stores;

/// <summary>One bundle in a store.</summary>
/// <param name="Id">Its start time, as in its name: <c>20261121_020000Z</c>.</param>
/// <param name="Store">The store's name; empty for a bundle named by its path.</param>
/// <param name="Path">The bundle's path.</param>
/// <param name="Bytes">The bundle's size.</param>
/// <param name="Metadata">From the copy beside the bundle: for lists only, since nothing protects that copy; null where there is none.</param>
public sealed record StoredSnapshot(string Id, string Store, string Path, long Bytes, SnapshotMetadata? Metadata, DateTimeOffset Timestamp)
{
    /// <summary>Whether the bundle itself looks encrypted; null where nobody looked, or it could not be seen.</summary>
    public bool? IsEncrypted { get; init; }

    /// <summary>Whether it is dated in the future, so that a clock was or is wrong; it is never the latest.</summary>
    public bool IsAhead { get; init; }

    /// <summary>Whether another installation of the app made it, by what the copy of its metadata says.</summary>
    public bool IsElsewhere { get; init; }

    /// <summary>Whether it was chosen as the latest, rather than named.</summary>
    public bool IsLatest { get; init; }
}
