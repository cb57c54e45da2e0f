using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Files.Parts;

/// <summary>
/// The folder that a path is in, in one of the trees of an exchange (the live one, that of what comes in, that of what is kept). Paths come in order, so the
/// last folder is kept open; when it is left, its changes are made to survive a power cut.
/// </summary>
/// <param name="open">Opens the tree's root; null where it is not there.</param>
internal sealed class PartFolders(RunContext run, Func<Folder?> open) : IDisposable
{
    private Folder? _root;
    private byte[]? _path;
    private Folder? _folder;
    private bool _isChanged;

    /// <summary>The folder of a path's name; null where it, or one above it, is not there or is not a folder.</summary>
    public Folder? Of(byte[] path)
    {
        byte[] parent = TreePath.ParentOf(path).ToArray();
        if (_folder is not null && parent.AsSpan().SequenceEqual(_path))
            return _folder;
        Leave();
        _root ??= open();
        try
        {
            _folder = _root is null ? null : FolderStack.OpenParentOf(_root, path);
            _path = parent;
        }
        catch (FileFailure e) when (e.Trouble is FileTrouble.Missing or FileTrouble.WrongKind)
        {
            // The caller decides what that means.
        }

        return _folder;
    }

    /// <summary>As <see cref="Of"/>, with what is missing made, for the eyes of its owner alone.</summary>
    /// <param name="make">Makes the tree's root.</param>
    public Folder Make(byte[] path, Func<Folder> make)
    {
        if (Of(path) is { } there)
            return there;
        _root ??= make();
        Folder folder = _root.Share();
        byte[] parent = TreePath.ParentOf(path).ToArray();
        for (int end = 2; end <= parent.Length; end++)
        {
            if (end < parent.Length && parent[end] != '/')
                continue;
            using Folder above = folder;
            byte[] name = TreePath.NameOf(parent[..end]);
            if (above.Find(name) is null)
                run.Step($"create {above.Describe(name)}", () => above.CreateFolder(name));
            folder = above.OpenFolder(name);
            above.Flush();
        }

        _folder = folder;
        _path = parent;
        return folder;
    }

    /// <summary>Renames what has a name in the folder that was asked for last into that of another tree.</summary>
    public void Move(byte[] name, PartFolders other)
    {
        Folder from = _folder!, to = other._folder!;
        run.Step($"rename {from.Describe(name)} into {to.Display}", () => from.Rename(name, to, name));
        _isChanged = other._isChanged = true;
    }

    public void Dispose()
    {
        Leave();
        _root?.Dispose();
    }

    private void Leave()
    {
        if (_isChanged)
            _folder?.Flush();
        _isChanged = false;
        _folder?.Dispose();
        _folder = null;
    }
}
