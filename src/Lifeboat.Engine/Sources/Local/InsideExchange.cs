using Lifeboat.Engine.Hosting;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>
/// Exchanges what is in a folder that cannot be renamed (a mount point, or its parent is not ours to write in) for what is in a folder inside of it, name by
/// name. While the incoming names are moved, their folder has a name of its own: by that the next process sees which of the live names are which.
/// </summary>
internal sealed class InsideExchange(RunContext run, PathExchange path) : Exchange(run, path)
{
    /// <summary>What every name of ours inside of such a folder begins with.</summary>
    public const string Prefix = ".lifeboat_";

    private readonly string _moving = path.Incoming + "_moving";

    private string Incoming => Place.Incoming!;

    public override void Forward()
    {
        using Folder live = Folder.Open(Place.Path);
        if (!IsThere(live, Incoming))
            throw new FileFailure(FileTrouble.Missing, $"{live.Describe(Folder.Name(Incoming))} is not there any more");
        FileStatus now = live.Status();
        if (!IsThere(live, Place.Outgoing))
            Step($"create {live.Describe(Folder.Name(Place.Outgoing))}", () => live.CreateFolder(Folder.Name(Place.Outgoing)));
        using (Folder outgoing = live.OpenFolder(Folder.Name(Place.Outgoing)))
        {
            MoveAll(live, outgoing);
            outgoing.ApplyToSelf(Changed(now.Traits, outgoing.Status()));
        }

        Rename(live, Incoming, _moving);
        using Folder moving = live.OpenFolder(Folder.Name(_moving));
        FileTraits restored = moving.Status().Traits;
        MoveAll(moving, live);
        live.ApplyToSelf(Changed(restored, live.Status()));
        live.Flush();
    }

    public override void Back()
    {
        if (!Directory.Exists(Place.Path))
            return;
        using Folder live = Folder.Open(Place.Path);
        if (IsThere(live, _moving))
        {
            using (Folder moving = live.OpenFolder(Folder.Name(_moving)))
            {
                PutAside(live, OthersIn(live).Where(name => moving.Find(name) is not null));
                MoveAll(live, moving);
            }

            Rename(live, _moving, Incoming);
        }

        if (IsThere(live, Place.Outgoing))
        {
            using (Folder outgoing = live.OpenFolder(Folder.Name(Place.Outgoing)))
            {
                PutAside(live, OthersIn(outgoing).Where(name => live.Find(name) is not null));
                MoveAll(outgoing, live);
            }

            Delete(live, Place.Outgoing);
        }

        KeepRoot(live);
    }

    public override void Finish()
    {
        if (!Directory.Exists(Place.Path))
            return;
        using Folder live = Folder.Open(Place.Path);
        FileTime time = live.Status().Modified;
        Delete(live, _moving);
        KeepTime(live, time);
    }

    public override void DropIncoming()
    {
        if (!Directory.Exists(Place.Path))
            return;
        using Folder live = Folder.Open(Place.Path);
        Delete(live, Incoming);
        KeepRoot(live);
    }

    public override void DropOutgoing()
    {
        if (!Directory.Exists(Place.Path))
            return;
        using Folder live = Folder.Open(Place.Path);
        FileTime time = live.Status().Modified;
        Delete(live, Place.Outgoing);
        KeepTime(live, time);
    }

    public override bool WasUsed(DateTimeOffset since, CancellationToken cancellation)
    {
        if (!Directory.Exists(Place.Path))
            return false;
        using Folder live = Folder.Open(Place.Path);
        return IsThere(live, _moving) && OthersIn(live).Any(name => ChangedSince(live, name, since, cancellation));
    }

    public override KeptState? Kept(CancellationToken cancellation)
    {
        if (!Directory.Exists(Place.Path))
            return null;
        using Folder live = Folder.Open(Place.Path);
        return IsThere(live, Place.Outgoing)
            ? new KeptState(Path.Combine(Place.Path, Place.Outgoing), Bytes(live, Folder.Name(Place.Outgoing), cancellation))
            : null;
    }

    public override PathExchange Inverse(string id, string source)
    {
        using Folder live = Folder.Open(Place.Path);
        if (!IsThere(live, Place.Outgoing))
            throw KeptState.Missing(Path.Combine(Place.Path, Place.Outgoing), source);
        return new PathExchange(
            Place.Path, Place.Outgoing, $"{Prefix}before_{id}", Replaces: true, Inside: true, [], CapturedTraits.Of(live.Status(), new OwnerNames()));
    }

    /// <summary>What to set to get to some traits; an owner that is right already need not be set, which only root may.</summary>
    private static FileTraits Changed(FileTraits wanted, FileStatus now) => wanted with { Owner = wanted.Owner == now.Owner ? null : wanted.Owner };

    /// <summary>All names but ours.</summary>
    private static IEnumerable<byte[]> OthersIn(Folder folder)
    {
        NameList names = folder.List(CancellationToken.None);
        for (int i = 0; i < names.Count; i++)
        {
            if (!names[i].AsSpan().StartsWith(".lifeboat_"u8))
                yield return names[i];
        }
    }

    private void MoveAll(Folder from, Folder to)
    {
        foreach (byte[] name in OthersIn(from))
            Step($"rename {from.Describe(name)} into {to.Display}", () => from.Rename(name, to, name));
        from.Flush();
        to.Flush();
    }

    /// <summary>Moves what somebody made in the moment in which nothing had its name.</summary>
    private void PutAside(Folder live, IEnumerable<byte[]> names)
    {
        foreach (byte[] name in names.ToArray())
        {
            if (!IsThere(live, Stray))
                live.CreateFolder(Folder.Name(Stray));
            using Folder stray = live.OpenFolder(Folder.Name(Stray));
            Step($"rename {live.Describe(name)} into {stray.Display}", () => live.Rename(name, stray, name));
        }
    }

    /// <summary>Gives the live folder back the traits that it had.</summary>
    private void KeepRoot(Folder live)
    {
        if (Place.Root?.ToTraits() is { } traits)
            Keep(live, Changed(traits, live.Status()));
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
