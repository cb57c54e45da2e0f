using System.Text;
using Lifeboat.Engine.Sources.Files;
using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Trees;

/// <summary>Looks in a live folder for what a restore leaves where it is: what is excluded, and what is not the tree's.</summary>
internal sealed class StayingLook
{
    private readonly ExcludeGlobs _exclude;
    private readonly ReservedNames _reserved;
    private readonly OwnerNames _owners = new();
    private readonly List<StayingFolder> _folders = [];
    private readonly List<byte[]> _paths = [];

    private StayingLook(ExcludeGlobs exclude, ReservedNames reserved)
    {
        _exclude = exclude;
        _reserved = reserved;
    }

    /// <summary>What stays in the folder; without folders where nothing does, so that it can be renamed as a whole.</summary>
    /// <param name="incoming">What will come in; null where nothing does.</param>
    public static Staying Take(string live, Folder? incoming, IReadOnlyList<string> exclude, IReadOnlyList<ReservedPath> reserved, CancellationToken cancellation)
    {
        StayingLook look = new(new ExcludeGlobs(exclude), new ReservedNames(live, reserved));
        using Folder root = Folder.Open(live);
        if (!look.Look(root, TreePath.Root, cancellation))
            return new Staying([], []);
        // What belongs to a source in here stays its own, also where only the incoming tree has it: an old -wal beside another database would damage it.
        foreach ((ReservedPath of, byte[] path) in look._reserved.All)
            look._paths.AddRange(of.SideSuffixes.Select(side => (byte[])[.. path, .. Encoding.UTF8.GetBytes(side)]));
        return new Staying([.. look.InOrder(incoming)], look._paths);
    }

    private IEnumerable<StayingFolder> InOrder(Folder? incoming) => _folders
        .OrderBy(static folder => folder.Path, Comparer<byte[]>.Create(static (left, right) => TreePath.Compare(left, right)))
        .Select(folder => folder with { Incoming = incoming is null ? null : TraitsIn(incoming, folder.Path) });

    private CapturedTraits? TraitsIn(Folder root, byte[] path)
    {
        Folder folder = root.Share();
        try
        {
            foreach (Range range in TreePath.IsRoot(path) ? default : path.AsSpan(2).Split((byte)'/'))
            {
                byte[] name = path.AsSpan(2)[range].ToArray();
                if (folder.Find(name) is not { Kind: FileKind.Folder })
                    return null;
                using Folder above = folder;
                folder = above.OpenFolder(name);
            }

            return CapturedTraits.Of(folder.Status(), _owners);
        }
        finally
        {
            folder.Dispose();
        }
    }

    /// <summary>Whether something in the folder stays.</summary>
    private bool Look(Folder folder, byte[] path, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        bool any = false;
        NameList list = folder.List(cancellation);
        for (int i = 0; i < list.Count; i++)
        {
            byte[] name = list[i];
            byte[] child = TreePath.Child(path, name);
            if (FilesSource.IsOurs(child))
                continue;
            if (_exclude.Match(child) || _reserved.Match(child))
            {
                _paths.Add(child);
                any = true;
            }
            else if ((_exclude.MayMatchBelow(child) || _reserved.MayBeBelow(child)) && folder.Find(name) is { Kind: FileKind.Folder })
            {
                using Folder below = folder.OpenFolder(name);
                any |= Look(below, child, cancellation);
            }
        }

        if (any)
            _folders.Add(new StayingFolder(path, CapturedTraits.Of(folder.Status(), _owners), null));
        return any;
    }
}
