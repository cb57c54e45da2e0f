using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>
/// Exchanges what is in a folder, name by name, and leaves the folder itself: because it cannot be renamed (a mount point, or its parent is not ours to write
/// in), or because something in it stays where it is (<see cref="Staying"/>). While the incoming names are moved, their folder has a name of its own: by that the
/// next process sees which of the live names are which.
/// </summary>
internal sealed class InPlaceExchange : Exchange
{
    /// <summary>What every name of ours inside of such a folder begins with.</summary>
    public const string Prefix = ".lifeboat_";

    private readonly Staying _staying;
    private readonly string _moving;

    public InPlaceExchange(RunContext run, PathExchange path)
        : base(run, path)
    {
        _staying = path.Staying is { Folders.Count: > 0 } staying ? staying : Staying.RootOnly(path.Root);
        _moving = path.Incoming + "_moving";
    }

    /// <summary>Where the names of what comes in and of what is kept are.</summary>
    private string Near => Place.Inside ? Place.Path : Path.GetDirectoryName(Place.Path)!;

    public override void Forward()
    {
        using Folder live = Folder.OpenItself(Place.Path);
        using Folder near = Folder.Open(Near);
        if (Place.Incoming is { } incoming && !IsThere(near, incoming))
            throw new FileFailure(FileTrouble.Missing, $"{near.Describe(Folder.Name(incoming))} is not there any more");
        MakeFolder(near, Folder.Name(Place.Outgoing));
        using (Folder outgoing = near.OpenFolder(Folder.Name(Place.Outgoing)))
            MoveOut(live, outgoing, TreePath.Root);
        if (Place.Incoming is not null)
        {
            Rename(near, Place.Incoming, _moving);
            using Folder moving = near.OpenFolder(Folder.Name(_moving));
            MoveIn(moving, live, TreePath.Root);
        }

        live.Flush();
    }

    public override void Back()
    {
        if (!Directory.Exists(Place.Path))
            return;
        using Folder live = Folder.OpenItself(Place.Path);
        using Folder near = Folder.Open(Near);
        if (Place.Incoming is not null && IsThere(near, _moving))
        {
            using (Folder moving = near.OpenFolder(Folder.Name(_moving)))
            {
                TakeOut(live, moving, TreePath.Root);
                GiveTraits(moving, static folder => folder.Incoming);
            }

            Rename(near, _moving, Place.Incoming);
        }

        if (IsThere(near, Place.Outgoing))
        {
            using (Folder outgoing = near.OpenFolder(Folder.Name(Place.Outgoing)))
                PutBack(outgoing, live, TreePath.Root);
            GiveTraits(live, static folder => folder.Live);
            Step($"delete {near.Describe(Folder.Name(Place.Outgoing))}", () => near.DeleteFolder(Folder.Name(Place.Outgoing)));
            near.Flush();
        }

        KeepRoot(live);
    }

    public override void Finish()
    {
        if (!Directory.Exists(Place.Path) || Place.Incoming is null)
            return;
        using Folder near = Folder.Open(Near);
        if (!IsThere(near, _moving))
            return;
        FileTime time = near.Status().Modified;
        // What did not come in because something that stays has its place: what was kept is kept on.
        if (Place.IncomingIsKept && IsThere(near, Place.Outgoing))
        {
            using Folder moving = near.OpenFolder(Folder.Name(_moving));
            using Folder outgoing = near.OpenFolder(Folder.Name(Place.Outgoing));
            KeepLeftOver(moving, outgoing, TreePath.Root);
        }

        Delete(near, _moving);
        KeepNear(near, time);
    }

    public override void DropIncoming()
    {
        if (Place.Incoming is not null && Directory.Exists(Near))
        {
            using Folder near = Folder.Open(Near);
            Delete(near, Place.Incoming);
            if (Place.Inside)
                KeepRoot(near);
        }

        DropCreatedFolders();
    }

    public override void DropOutgoing()
    {
        if (!Directory.Exists(Near))
            return;
        using Folder near = Folder.Open(Near);
        FileTime time = near.Status().Modified;
        Delete(near, Place.Outgoing);
        KeepNear(near, time);
    }

    public override bool WasUsed(DateTimeOffset since, CancellationToken cancellation)
    {
        if (Place.Incoming is null || !Directory.Exists(Place.Path))
            return false;
        using Folder live = Folder.OpenItself(Place.Path);
        using Folder near = Folder.Open(Near);
        return IsThere(near, _moving) && WasUsed(live, TreePath.Root, since, cancellation);
    }

    public override KeptState? Kept(CancellationToken cancellation)
    {
        if (!Directory.Exists(Near))
            return null;
        using Folder near = Folder.Open(Near);
        return IsThere(near, Place.Outgoing)
            ? new KeptState(Path.Combine(Near, Place.Outgoing), Bytes(near, Folder.Name(Place.Outgoing), cancellation))
            : null;
    }

    public override PathExchange Inverse(string id, string source)
    {
        using Folder live = Folder.OpenItself(Place.Path);
        using Folder near = Folder.Open(Near);
        if (!IsThere(near, Place.Outgoing))
            throw KeptState.Missing(Path.Combine(Near, Place.Outgoing), source);
        string outgoing = Place.Inside ? $"{Prefix}before_{id}" : $"{Path.GetFileName(Place.Path)}__before_{id}";
        return new PathExchange(
            Place.Path, Place.Outgoing, outgoing, Replaces: true, Place.Inside, [], Place.Inside ? CapturedTraits.Of(live.Status(), new OwnerNames()) : null)
        {
            IncomingIsKept = true,
        };
    }

    /// <summary>All names that are exchanged: not ours, not what stays.</summary>
    private IEnumerable<(byte[] Name, byte[] Path)> Exchanged(Folder folder, byte[] path)
    {
        NameList names = folder.List(CancellationToken.None);
        for (int i = 0; i < names.Count; i++)
        {
            byte[] child = TreePath.Child(path, names[i]);
            if (!(TreePath.IsRoot(path) && names[i].AsSpan().StartsWith(".lifeboat_"u8)) && !_staying.IsPath(child))
                yield return (names[i], child);
        }
    }

    private void MoveOut(Folder live, Folder outgoing, byte[] path)
    {
        foreach ((byte[] name, byte[] child) in Exchanged(live, path))
        {
            if (!_staying.IsFolder(child))
            {
                Move(live, name, outgoing);
                continue;
            }

            MakeFolder(outgoing, name);
            using Folder below = live.OpenFolder(name);
            using Folder kept = outgoing.OpenFolder(name);
            MoveOut(below, kept, child);
        }

        outgoing.Flush();
        if (_staying.FolderOf(path)?.Live?.ToTraits() is not { } traits)
            return;
        Keep(outgoing, Changed(traits, outgoing.Status()));
        Keep(live, Changed(traits, live.Status())); // where nothing comes in, it is as it was
    }

    private void MoveIn(Folder moving, Folder live, byte[] path)
    {
        FileTraits restored = _staying.FolderOf(path)?.Incoming?.ToTraits() ?? moving.Status().Traits;
        foreach ((byte[] name, byte[] child) in Exchanged(moving, path))
        {
            if (!_staying.IsFolder(child))
            {
                Move(moving, name, live);
                continue;
            }

            if (moving.Find(name) is not { Kind: FileKind.Folder })
                throw new FileFailure(FileTrouble.WrongKind, $"{live.Describe(name)} is a folder in which something stays, and no folder in the snapshot");
            using Folder below = moving.OpenFolder(name);
            using Folder there = live.OpenFolder(name);
            MoveIn(below, there, child);
        }

        moving.Flush();
        live.Flush();
        Keep(live, Changed(restored, live.Status()));
    }

    /// <summary>The inverse of <see cref="MoveIn"/>, with what an application may have made meanwhile.</summary>
    private void TakeOut(Folder live, Folder moving, byte[] path)
    {
        foreach ((byte[] name, byte[] child) in Exchanged(live, path))
        {
            if (_staying.IsFolder(child) && live.Find(name) is { Kind: FileKind.Folder })
            {
                using Folder below = live.OpenFolder(name);
                if (moving.Find(name) is null && !Exchanged(below, child).Any())
                    continue;
                MakeFolder(moving, name);
                using Folder taken = moving.OpenFolder(name);
                TakeOut(below, taken, child);
            }
            else if (moving.Find(name) is not null)
            {
                PutAside(live, name);
            }
            else
            {
                Move(live, name, moving);
            }
        }

        moving.Flush();
        live.Flush();
    }

    /// <summary>The inverse of <see cref="MoveOut"/>.</summary>
    private void PutBack(Folder outgoing, Folder live, byte[] path)
    {
        foreach ((byte[] name, byte[] child) in Exchanged(outgoing, path))
        {
            FileStatus? there = live.Find(name);
            if (_staying.IsFolder(child) && there is { Kind: FileKind.Folder })
            {
                using (Folder kept = outgoing.OpenFolder(name))
                using (Folder below = live.OpenFolder(name))
                    PutBack(kept, below, child);
                Step($"delete {outgoing.Describe(name)}", () => outgoing.DeleteFolder(name));
                continue;
            }

            if (there is not null)
                PutAside(live, name);
            Move(outgoing, name, live);
        }

        outgoing.Flush();
        live.Flush();
    }

    private void KeepLeftOver(Folder moving, Folder outgoing, byte[] path)
    {
        NameList names = moving.List(CancellationToken.None);
        for (int i = 0; i < names.Count; i++)
        {
            byte[] child = TreePath.Child(path, names[i]);
            if (outgoing.Find(names[i]) is not { } there)
            {
                if (!_staying.IsFolder(child) || _staying.IsPath(child))
                    Move(moving, names[i], outgoing);
            }
            else if (there.Kind == FileKind.Folder && moving.Find(names[i]) is { Kind: FileKind.Folder })
            {
                using Folder below = moving.OpenFolder(names[i]);
                using Folder kept = outgoing.OpenFolder(names[i]);
                KeepLeftOver(below, kept, child);
            }
        }
    }

    private bool WasUsed(Folder live, byte[] path, DateTimeOffset since, CancellationToken cancellation)
    {
        foreach ((byte[] name, byte[] child) in Exchanged(live, path))
        {
            if (!_staying.IsFolder(child) || live.Find(name) is not { Kind: FileKind.Folder })
            {
                if (ChangedSince(live, name, since, cancellation))
                    return true;
                continue;
            }

            using Folder below = live.OpenFolder(name);
            if (WasUsed(below, child, since, cancellation))
                return true;
        }

        return false;
    }

    /// <summary>Gives the folders that stayed, or their counterparts, the traits that they had; the deepest first.</summary>
    private void GiveTraits(Folder root, Func<StayingFolder, CapturedTraits?> which)
    {
        foreach (StayingFolder folder in _staying.Folders.Reverse())
        {
            if (which(folder)?.ToTraits() is not { } traits)
                continue;
#pragma warning disable CA2000 // the using below disposes it
            Folder? found = Find(root, folder.Path);
#pragma warning restore CA2000
            using (found)
            {
                if (found is not null)
                    Keep(found, Changed(traits, found.Status()));
            }
        }
    }

    private static Folder? Find(Folder root, byte[] path)
    {
        try
        {
            return TreePath.IsRoot(path) ? root.Share() : Opened(root, path);
        }
        catch (FileFailure e) when (e.Trouble is FileTrouble.Missing or FileTrouble.WrongKind)
        {
            return null;
        }
    }

    private static Folder Opened(Folder root, byte[] path)
    {
        using Folder parent = FolderStack.OpenParentOf(root, path);
        return parent.OpenFolder(TreePath.NameOf(path));
    }

    private void MakeFolder(Folder parent, byte[] name)
    {
        if (parent.Find(name) is null)
            Step($"create {parent.Describe(name)}", () => parent.CreateFolder(name));
    }

    private void Move(Folder from, byte[] name, Folder to) =>
        Step($"rename {from.Describe(name)} into {to.Display}", () => from.Rename(name, to, name));

    /// <summary>Moves what somebody made in the moment in which nothing had its name.</summary>
    private void PutAside(Folder live, byte[] name)
    {
        using Folder near = Folder.Open(Near);
        MakeFolder(near, Folder.Name(Stray));
        using Folder stray = near.OpenFolder(Folder.Name(Stray));
        byte[] free = name;
        for (int i = 2; stray.Find(free) is not null; i++)
            free = [.. name, .. Folder.Name(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"_{i}"))];
        Step($"rename {live.Describe(name)} into {stray.Display}", () => live.Rename(name, stray, free));
    }

    /// <summary>What to set to get to some traits; an owner that is right already need not be set, which only root may.</summary>
    private static FileTraits Changed(FileTraits wanted, FileStatus now) => wanted with { Owner = wanted.Owner == now.Owner ? null : wanted.Owner };

    /// <summary>Gives the live folder back the traits that it had.</summary>
    private void KeepRoot(Folder live)
    {
        if (_staying.FolderOf(TreePath.Root)?.Live?.ToTraits() is { } traits)
            Keep(live, Changed(traits, live.Status()));
    }

    /// <summary>The live folder's own time is the application's, where our names are inside of it.</summary>
    private void KeepNear(Folder near, FileTime time)
    {
        if (Place.Inside)
            KeepTime(near, time);
    }

    /// <summary>Making or removing what is ours in the live folder is no change of it.</summary>
    public static void KeepTime(Folder live, FileTime time) => Keep(live, new FileTraits(null, null, time));

    private static void Keep(Folder live, FileTraits traits)
    {
        try
        {
            live.ApplyToSelf(traits);
        }
        catch (FileFailure e) when (e.Trouble == FileTrouble.Denied)
        {
            // Who may write in a folder may not be its owner, and only that one can set its time.
        }
    }
}
