using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Trees;

/// <summary>The open folders from the root of a tree down to where a manifest's entries have come.</summary>
/// <param name="leave">Called with each folder when the entries go on outside it; deepest first.</param>
internal sealed class FolderStack(Folder root, Action<Folder, ManifestEntry>? leave = null) : IDisposable
{
    private readonly Stack<(Folder Folder, ManifestEntry Entry)> _open = new();

    /// <summary>Opens the folder that a path is in, from the root of its tree.</summary>
    public static Folder OpenParentOf(Folder root, byte[] path)
    {
        Folder folder = root.Share();
        ReadOnlySpan<byte> parent = TreePath.ParentOf(path);
        foreach (Range range in TreePath.IsRoot(parent) ? default : parent[2..].Split((byte)'/'))
        {
            using Folder above = folder;
            folder = above.OpenFolder(parent[2..][range].ToArray());
        }

        return folder;
    }

    /// <summary>The folder that an entry is in; to be called for the entries in the manifest's order.</summary>
    public Folder ParentOf(ManifestEntry entry)
    {
        int depth = TreePath.Depth(entry.Path);
        while (_open.Count > depth)
            Leave();
        return _open.Peek().Folder;
    }

    public void Enter(ManifestEntry entry) =>
        _open.Push((_open.Count == 0 ? root.Share() : ParentOf(entry).OpenFolder(TreePath.NameOf(entry.Path)), entry));

    /// <summary>Leaves all folders, the root last.</summary>
    public void LeaveAll()
    {
        while (_open.Count > 0)
            Leave();
    }

    public void Dispose()
    {
        while (_open.TryPop(out (Folder Folder, ManifestEntry Entry) level))
            level.Folder.Dispose();
    }

    private void Leave()
    {
        (Folder folder, ManifestEntry entry) = _open.Pop();
        using (folder)
            leave?.Invoke(folder, entry);
    }
}
