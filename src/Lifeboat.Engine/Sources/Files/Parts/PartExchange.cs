using System.Globalization;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Files.Parts;

/// <summary>
/// Exchanges some paths of a tree for what stands under the same paths in another folder: each live one is renamed into the folder of what is kept, each
/// incoming one into its place. Which of them were moved is told by looking where they are, so any step can be taken again after a kill. Live folders are
/// opened name by name without following symbolic links, so nothing leaves the tree.
/// </summary>
internal sealed class PartExchange(RunContext run, string source, PartSwitchRecord record)
{
    private const int NamesTold = 5;

    private string Side => record.Inside ? record.Root : Path.GetDirectoryName(record.Root) ?? record.Root;

    /// <summary>The record with the folders' times as they are now.</summary>
    public PartSwitchRecord WithTimes()
    {
        using PartFolders live = Live();
        return record with
        {
            Folders = [.. record.Folders.Select(folder => Open(live, folder) is { } there ? folder with { Modified = there.Status().Modified.ToString() } : folder)],
        };
    }

    /// <summary>The path of what is kept.</summary>
    public string OutgoingPath => Path.Combine(Side, record.Outgoing);

    public void Forward()
    {
        FileTime rootTime = RootTime();
        using (PartFolders live = Live(), incoming = Below(record.Incoming), outgoing = Below(record.Outgoing))
        {
            foreach (PartPath part in record.Parts)
                Forward(part, live, incoming, outgoing);
        }

        if (record.Inside)
            KeepRoot(rootTime);
    }

    public void Back()
    {
        List<byte[]> homeless = [];
        if (!Directory.Exists(record.Root))
            return;
        using (PartFolders live = Live(), incoming = Below(record.Incoming), outgoing = Below(record.Outgoing), stray = Below(record.Outgoing + "_stray"))
        {
            foreach (PartPath part in record.Parts)
            {
                if (!Back(part, live, incoming, outgoing, stray))
                    homeless.Add(part.Path);
            }

            foreach (PartFolder folder in record.Folders)
                KeepRecorded(live, folder);
        }

        if (homeless.Count == 0)
            RemoveEmpty(record.Outgoing);
        RestoreRoot();
        if (homeless.Count > 0)
            run.Progress.Report(new Warned(source, new Problem(
                ErrorCodes.StrayState, $"the folders of {Names(homeless)} are not there any more, so these were left in {Path.Combine(Side, record.Outgoing)}",
                "move them to where they belong by hand", source)));
    }

    /// <summary>The folder of what came in has nothing but the folders that held it.</summary>
    public void Finish()
    {
        if (!Directory.Exists(Side))
            return;
        FileTime time = RootTime();
        RemoveEmpty(record.Incoming);
        if (record.Inside)
            KeepRoot(time);
    }

    public void DropIncoming()
    {
        Delete(record.Incoming);
        if (Directory.Exists(record.Root))
            RestoreRoot();
    }

    public void DropOutgoing()
    {
        if (!Directory.Exists(record.Root))
        {
            Delete(record.Outgoing);
            return;
        }

        FileTime time = RootTime();
        Delete(record.Outgoing);
        if (record.Inside)
            KeepRoot(time);
    }

    /// <summary>What came in and has changed.</summary>
    public IEnumerable<PartPath> ChangedSince(DateTimeOffset since, CancellationToken cancellation)
    {
        if (!Directory.Exists(record.Root))
            yield break;
        using PartFolders live = Live();
        using PartFolders incoming = Below(record.Incoming);
        foreach (PartPath part in record.Parts.Where(static part => part.Arrives))
        {
            byte[] name = TreePath.NameOf(part.Path);
            if (!IsThere(incoming.Of(part.Path), name) && live.Of(part.Path) is { } folder && Exchange.ChangedSince(folder, name, since, cancellation))
                yield return part;
        }
    }

    public KeptState? Kept(CancellationToken cancellation)
    {
        if (!Directory.Exists(Side))
            return null;
        using Folder side = Folder.Open(Side);
        byte[] name = Folder.Name(record.Outgoing);
        return IsThere(side, name) ? new KeptState(Path.Combine(Side, record.Outgoing), Exchange.Bytes(side, name, cancellation)) : null;
    }

    public PartSwitchRecord Inverse(string id, CancellationToken cancellation)
    {
        List<PartPath> parts = [];
        List<PartFolder> folders = [];
        using PartFolders live = Live();
        using PartFolders outgoing = Below(record.Outgoing);
        foreach (PartPath part in record.Parts)
        {
            byte[] name = TreePath.NameOf(part.Path);
            bool isKept = IsThere(outgoing.Of(part.Path), name);
            if (part.Replaces && !isKept)
                throw KeptState.Missing(Path.Combine(Side, record.Outgoing, Readable(part.Path)), source);
            Folder? folder = live.Of(part.Path);
            bool isLive = IsThere(folder, name);
            if (!isKept && !isLive)
                continue;
            AddFolder(folders, part.Path, folder ?? throw new FileFailure(FileTrouble.Missing, $"the folder of {Readable(part.Path)} in {record.Root} is not there any more"));
            parts.Add(new PartPath(part.Path, isKept, isLive));
        }

        if (record.Inside && folders.All(static folder => !TreePath.IsRoot(folder.Path)))
            folders.Add(new PartFolder(TreePath.Root, RootTime().ToString()));
        TellChanged(cancellation);
        return record with { Incoming = record.Outgoing, Outgoing = OutgoingName(record.Root, record.Inside, id), Parts = parts, Folders = folders, StagedAt = null };
    }

    /// <summary>The name of the folder that keeps what was live.</summary>
    public static string OutgoingName(string root, bool inside, string id) => inside ? $"{InPlaceExchange.Prefix}before_{id}" : $"{Path.GetFileName(root)}__before_{id}";

    /// <summary>Adds the folder that a path is in, unless the path before is in it too.</summary>
    public static void AddFolder(List<PartFolder> folders, byte[] path, Folder folder)
    {
        byte[] parent = TreePath.ParentOf(path).ToArray();
        if (folders.Count == 0 || !folders[^1].Path.AsSpan().SequenceEqual(parent))
            folders.Add(new PartFolder(parent, folder.Status().Modified.ToString()));
    }

    private void Forward(PartPath part, PartFolders live, PartFolders incoming, PartFolders outgoing)
    {
        byte[] name = TreePath.NameOf(part.Path);
        Folder folder = live.Of(part.Path) ?? throw new FileFailure(FileTrouble.Missing, $"the folder of {Readable(part.Path)} in {record.Root} is not there any more, or is not a folder");
        Folder? from = incoming.Of(part.Path);
        if (part.Arrives && !IsThere(from, name))
            throw new FileFailure(FileTrouble.Missing, $"{Path.Combine(Side, record.Incoming, Readable(part.Path))} is not there any more");
        if (IsThere(folder, name) != part.Replaces)
            throw new FileFailure(
                part.Replaces ? FileTrouble.Missing : FileTrouble.Exists,
                part.Replaces ? $"{folder.Describe(name)} was there when this was planned, and is not there any more" : $"{folder.Describe(name)} was made meanwhile");
        FileTime time = folder.Status().Modified;
        if (part.Replaces)
            Move(live, name, outgoing, part, record.Outgoing);
        if (part.Arrives)
            incoming.Move(name, live);
        InPlaceExchange.KeepTime(folder, time);
    }

    /// <summary>Takes one path back; false where what was kept has no folder to go to.</summary>
    private bool Back(PartPath part, PartFolders live, PartFolders incoming, PartFolders outgoing, PartFolders stray)
    {
        byte[] name = TreePath.NameOf(part.Path);
        Folder? folder = live.Of(part.Path);
        Folder? kept = outgoing.Of(part.Path);
        bool isKept = IsThere(kept, name);
        // Where the old one was not put aside, what is live is the old one, even if somebody has removed the incoming one.
        bool isIncoming = part.Arrives && !IsThere(incoming.Of(part.Path), name) && (!part.Replaces || isKept);
        if (isIncoming && IsThere(folder, name))
            Move(live, name, incoming, part, record.Incoming);
        if (!isKept)
            return true;
        if (folder is null)
            return false;
        if (IsThere(folder, name))
            Move(live, name, stray, part, record.Outgoing + "_stray"); // somebody made it in the moment in which nothing had this name
        outgoing.Move(name, live);
        return true;
    }

    private void TellChanged(CancellationToken cancellation)
    {
        if (record.StagedAt is not { } since)
            return;
        List<byte[]> changed = [.. ChangedSince(since, cancellation).Where(static part => !part.Replaces).Select(static part => part.Path)];
        if (changed.Count > 0)
            run.Progress.Report(new Warned(source, new Problem(
                ErrorCodes.StrayState, $"{Names(changed)} {(changed.Count == 1 ? "was" : "were")} added by the restore and changed since; the undo takes them away and keeps them",
                "look whether anything in them is needed, before `lifeboat discard` removes what the undo keeps", source)));
    }

    private static string Names(List<byte[]> paths) =>
        string.Join(", ", paths.Take(NamesTold).Select(Readable)) + (paths.Count > NamesTold ? string.Create(CultureInfo.InvariantCulture, $" and {paths.Count - NamesTold} more") : "");

    private static string Readable(byte[] path) => Folder.Readable(TreePath.Relative(path));

    private static bool IsThere(Folder? folder, byte[] name) => folder?.Find(name) is not null;

    private PartFolders Live() => new(run, () => Folder.Open(record.Root));

    private PartFolders Below(string name) => new(run, () =>
    {
        if (!Directory.Exists(Side))
            return null;
        using Folder side = Folder.Open(Side);
        return IsThere(side, Folder.Name(name)) ? side.OpenFolder(Folder.Name(name)) : null;
    });

    private Folder MakeBeside(string name)
    {
        using Folder side = Folder.Open(Side);
        run.Step(
            $"create {side.Describe(Folder.Name(name))}",
            () =>
            {
                side.CreateFolder(Folder.Name(name));
                side.Flush();
            });
        return side.OpenFolder(Folder.Name(name));
    }

    /// <summary>Moves a live name out of the tree, into a folder beside it that is made where it is missing.</summary>
    private void Move(PartFolders live, byte[] name, PartFolders to, PartPath part, string beside)
    {
        to.Make(part.Path, () => MakeBeside(beside));
        live.Move(name, to);
    }

    private void Delete(string name)
    {
        if (!Directory.Exists(Side))
            return;
        using Folder side = Folder.Open(Side);
        if (IsThere(side, Folder.Name(name)))
            run.Step(
                $"delete {side.Describe(Folder.Name(name))}",
                () =>
                {
                    side.DeleteTree(Folder.Name(name));
                    side.Flush();
                });
    }

    private void RemoveEmpty(string name)
    {
        using Folder side = Folder.Open(Side);
        if (IsThere(side, Folder.Name(name)))
            run.Step(
                $"delete {side.Describe(Folder.Name(name))}",
                () =>
                {
                    RemoveEmpty(side, Folder.Name(name));
                    side.Flush();
                });
    }

    /// <summary>Removes a folder that has nothing but folders in it; what else is there stays, with the folders above it.</summary>
    private static bool RemoveEmpty(Folder parent, byte[] name)
    {
        bool isEmpty = true;
        using (Folder folder = parent.OpenFolder(name))
        {
            NameList names = folder.List(CancellationToken.None);
            for (int i = 0; i < names.Count; i++)
                isEmpty &= folder.Find(names[i]) is { Kind: FileKind.Folder } && RemoveEmpty(folder, names[i]);
        }

        if (isEmpty)
            parent.DeleteFolder(name);
        return isEmpty;
    }

    private FileTime RootTime()
    {
        using Folder root = Folder.Open(record.Root);
        return root.Status().Modified;
    }

    private void KeepRoot(FileTime time)
    {
        using Folder root = Folder.Open(record.Root);
        InPlaceExchange.KeepTime(root, time);
    }

    /// <summary>Gives the live folder its time back after what is ours was made or removed in it.</summary>
    private void RestoreRoot()
    {
        if (record.Inside && record.Folders.FirstOrDefault(static folder => TreePath.IsRoot(folder.Path)) is { } root && FileTime.TryParse(root.Modified, out FileTime time))
            KeepRoot(time);
    }

    private static void KeepRecorded(PartFolders live, PartFolder folder)
    {
        if (FileTime.TryParse(folder.Modified, out FileTime time) && Open(live, folder) is { } there)
            InPlaceExchange.KeepTime(there, time);
    }

    /// <summary>Any name in it leads to the folder.</summary>
    private static Folder? Open(PartFolders live, PartFolder folder) => live.Of(TreePath.Child(folder.Path, "x"u8.ToArray()));
}
