using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Sources.Trees;

/// <summary>What a tree is built from and compared with: its manifest in the snapshot, or the part of it that is restored.</summary>
/// <param name="details">What is counted of the entries, and the manifest's place.</param>
/// <param name="part">Picks the entries that are restored, with the folders above them; null for all.</param>
internal sealed class TreeManifest(
    VerifiedSnapshot snapshot, TreeDetails details, Func<IEnumerable<ManifestEntry>, IEnumerable<ManifestEntry>>? part = null)
{
    public VerifiedSnapshot Snapshot => snapshot;

    public TreeDetails Details => details;

    public bool IsWhole => part is null;

    /// <summary>The entries, read from the snapshot once more.</summary>
    public IEnumerable<ManifestEntry> Entries(CancellationToken cancellation)
    {
        using Stream stream = snapshot.Open(details.Manifest);
        IEnumerable<ManifestEntry> all = new MtreeReader(stream, details.Manifest).Entries(cancellation);
        foreach (ManifestEntry entry in part?.Invoke(all) ?? all)
            yield return snapshot.IsDoubted ? entry with { Traits = entry.Traits.TakenFrom(snapshot) } : entry;
    }
}
