using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Trees;

/// <summary>One thing that a walk comes to.</summary>
/// <param name="Parent">The folder it is in, open until the walk goes on; null for the root.</param>
internal sealed record TreeItem(Folder? Parent, byte[] Name, byte[] Path, FileStatus Status);

/// <summary>
/// Walks a tree, each folder before what is in it, names sorted by their bytes, symbolic links not followed. Memory grows with the
/// depth and with the longest list of names, not with the tree.
/// </summary>
/// <param name="skip">Says which paths are left out, with all that is below them.</param>
/// <param name="failed">Told of what vanished or cannot be entered; the walk goes on without it.</param>
internal sealed class TreeWalk(Folder root, Predicate<byte[]> skip, Action<byte[], FileFailure> failed)
{
    public IEnumerable<TreeItem> Items(CancellationToken cancellation)
    {
        Stack<Level> levels = new();
        try
        {
            levels.Push(new Level(root.Share(), TreePath.Root, root.List(cancellation)));
            yield return new TreeItem(null, [], TreePath.Root, root.Status());
            while (levels.TryPeek(out Level? level))
            {
                cancellation.ThrowIfCancellationRequested();
                if (!level.TakeName(out byte[] name))
                {
                    levels.Pop().Folder.Dispose();
                    continue;
                }

                byte[] path = TreePath.Child(level.Path, name);
                if (skip(path) || Look(level.Folder, name, path) is not { } status)
                    continue;
                if (status.Kind != FileKind.Folder)
                {
                    yield return new TreeItem(level.Folder, name, path, status);
                }
                else if (Enter(level.Folder, name, path, cancellation) is { } below)
                {
                    levels.Push(below);
                    yield return new TreeItem(level.Folder, name, path, below.Folder.Status());
                }
            }
        }
        finally
        {
            foreach (Level level in levels)
                level.Folder.Dispose();
        }
    }

    private FileStatus? Look(Folder folder, byte[] name, byte[] path)
    {
        try
        {
            return folder.Find(name) ?? throw new FileFailure(FileTrouble.Missing, "it is not there any more");
        }
        catch (FileFailure e)
        {
            failed(path, e);
            return null;
        }
    }

    private Level? Enter(Folder parent, byte[] name, byte[] path, CancellationToken cancellation)
    {
        Folder? folder = null;
        try
        {
            folder = parent.OpenFolder(name);
            return new Level(folder, path, folder.List(cancellation));
        }
        catch (FileFailure e)
        {
            folder?.Dispose();
            failed(path, e);
            return null;
        }
        catch (OperationCanceledException)
        {
            folder?.Dispose();
            throw;
        }
    }

    private sealed class Level(Folder folder, byte[] path, NameList names)
    {
        private int _next;

        public Folder Folder { get; } = folder;

        public byte[] Path { get; } = path;

        public bool TakeName(out byte[] name)
        {
            name = _next < names.Count ? names[_next] : [];
            return _next++ < names.Count;
        }
    }
}
