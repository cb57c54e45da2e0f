using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Files.Parts;

/// <summary>What the live tree has where a manifest has a folder.</summary>
/// <param name="Entry">The folder in the manifest.</param>
/// <param name="Folder">The live one, open; null where there is none.</param>
/// <param name="Status">The live one's; of what stands in its place or in that of a folder above it, where there is no folder.</param>
/// <param name="Where">The path of the uppermost folder that is not there.</param>
internal sealed record LiveFolder(ManifestEntry Entry, Folder? Folder, FileStatus? Status, byte[] Where)
{
    /// <summary>Whether nothing is there; else something other than a folder is in the way, at <see cref="Where"/>.</summary>
    public bool IsMissing => Folder is null && Status is null;
}

/// <summary>The live folders that correspond to a manifest's, opened without following symbolic links.</summary>
/// <param name="root">The live tree's.</param>
internal sealed class LiveFolders(Folder root) : IDisposable
{
    private readonly List<LiveFolder> _open = [];

    /// <summary>The last of some folders; to be called with those above each entry, in the manifest's order.</summary>
    public LiveFolder Last(IReadOnlyList<ManifestEntry> above)
    {
        int same = 0;
        while (same < _open.Count && same < above.Count && ReferenceEquals(_open[same].Entry, above[same]))
            same++;
        Leave(same);
        for (; same < above.Count; same++)
            _open.Add(Enter(above[same]));
        return _open[^1];
    }

    public void Dispose() => Leave(0);

    private LiveFolder Enter(ManifestEntry entry)
    {
        if (_open.Count == 0)
            return new LiveFolder(entry, root.Share(), root.Status(), entry.Path);
        LiveFolder parent = _open[^1];
        if (parent.Folder is null)
            return parent with { Entry = entry };
        byte[] name = TreePath.NameOf(entry.Path);
        FileStatus? status = parent.Folder.Find(name);
        return new LiveFolder(entry, status is { Kind: FileKind.Folder } ? parent.Folder.OpenFolder(name) : null, status, entry.Path);
    }

    private void Leave(int depth)
    {
        for (; _open.Count > depth; _open.RemoveAt(_open.Count - 1))
            _open[^1].Folder?.Dispose();
    }
}
