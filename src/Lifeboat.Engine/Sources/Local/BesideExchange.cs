using Lifeboat.Engine.Hosting;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>Exchanges a path for what stands beside it: the live one is renamed aside, the other one into its place.</summary>
/// <param name="sideSuffixes">What may stand beside a path and goes wherever it goes.</param>
internal sealed class BesideExchange(RunContext run, PathExchange path, IReadOnlyList<string> sideSuffixes) : Exchange(run, path)
{
    private readonly string _parent = Path.GetDirectoryName(path.Path) ?? path.Path;
    private readonly string _live = Path.GetFileName(path.Path);

    public override void Forward()
    {
        using Folder parent = Folder.Open(_parent);
        if (Place.Incoming is { } incoming && !IsThere(parent, incoming))
            throw new FileFailure(FileTrouble.Missing, $"{parent.Describe(Folder.Name(incoming))} is not there any more");
        if (IsThere(parent, _live))
            Rename(parent, _live, Place.Outgoing);
        else if (Place.Replaces)
            throw new FileFailure(FileTrouble.Missing, $"{Place.Path} was there when this was planned, and is not there any more");
        MoveSides(parent, _live, Place.Outgoing);
        if (Place.Incoming is not null)
        {
            Rename(parent, Place.Incoming, _live);
            MoveSides(parent, Place.Incoming, _live);
        }
    }

    public override void Back()
    {
        if (!Directory.Exists(_parent))
            return;
        using Folder parent = Folder.Open(_parent);
        if (Place.Incoming is { } incoming)
        {
            // Where the old one was not put aside, what is live is the old one, even if somebody has removed the incoming one.
            bool isLive = !IsThere(parent, incoming) && (!Place.Replaces || IsThere(parent, Place.Outgoing));
            if (isLive && IsThere(parent, _live))
            {
                MoveSides(parent, _live, incoming); // none of its side files may ever stand beside the old one
                Rename(parent, _live, incoming);
            }
        }

        if (!IsThere(parent, Place.Outgoing))
            return;
        if (IsThere(parent, _live))
        {
            // Somebody made it in the moment in which nothing had this name.
            MoveSides(parent, _live, Stray);
            Rename(parent, _live, Stray);
        }

        Rename(parent, Place.Outgoing, _live);
        MoveSides(parent, Place.Outgoing, _live);
    }

    public override void Finish()
    {
        // Nothing is left over.
    }

    public override void DropIncoming()
    {
        if (Place.Incoming is not null)
            Drop(Place.Incoming);
        DropCreatedFolders();
    }

    public override void DropOutgoing() => Drop(Place.Outgoing);

    public override bool WasUsed(DateTimeOffset since, CancellationToken cancellation)
    {
        if (!Directory.Exists(_parent))
            return false;
        using Folder parent = Folder.Open(_parent);
        bool isLive = Place.Incoming is not null && !IsThere(parent, Place.Incoming);
        return isLive && Names(_live).Any(name => ChangedSince(parent, Folder.Name(name), since, cancellation));
    }

    public override KeptState? Kept(CancellationToken cancellation)
    {
        if (!Directory.Exists(_parent))
            return null;
        using Folder parent = Folder.Open(_parent);
        return IsThere(parent, Place.Outgoing)
            ? new KeptState(Path.Combine(_parent, Place.Outgoing), Names(Place.Outgoing).Sum(name => Bytes(parent, Folder.Name(name), cancellation)))
            : null;
    }

    public override PathExchange Inverse(string id, string source)
    {
        using Folder parent = Folder.Open(_parent);
        bool isKept = IsThere(parent, Place.Outgoing);
        if (Place.Replaces && !isKept)
            throw KeptState.Missing(Path.Combine(_parent, Place.Outgoing), source);
        return new PathExchange(
            Place.Path, isKept ? Place.Outgoing : null, $"{_live}__before_{id}", Replaces: IsThere(parent, _live), Inside: false, [], null)
        {
            IncomingIsKept = true,
        };
    }

    private IEnumerable<string> Names(string name) => sideSuffixes.Select(side => name + side).Prepend(name);

    private void MoveSides(Folder parent, string from, string to)
    {
        foreach (string side in sideSuffixes.Where(side => IsThere(parent, from + side)))
            Rename(parent, from + side, to + side);
    }

    private void Drop(string name)
    {
        if (!Directory.Exists(_parent))
            return;
        using Folder parent = Folder.Open(_parent);
        foreach (string one in Names(name))
            Delete(parent, one);
    }
}
