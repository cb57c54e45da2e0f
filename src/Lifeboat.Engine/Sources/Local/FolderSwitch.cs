using System.Text;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>
/// Switches a folder for a staged one by renames. A folder that cannot be renamed itself (a mount point, or its parent is not ours to
/// write in) is staged inside itself, and what is in it is switched name by name.
/// </summary>
internal sealed class FolderSwitch : IDisposable
{
    private const string InsidePrefix = ".lifeboat_";
    private readonly SwitchPlace _place;
    private readonly RenameSequence _renames = new();
    private FileTraits? _rootBefore;

    public FolderSwitch(string path, string restoreId)
    {
        _place = new SwitchPlace(path, restoreId);
        Live = _place.Find();
        IsInside = Live is { Kind: FileKind.Folder } && MustStayInside();
    }

    public string Path => _place.Path;

    /// <summary>What is at the target now; null where nothing is.</summary>
    public FileStatus? Live { get; }

    /// <summary>Whether the restore is staged inside the target.</summary>
    public bool IsInside { get; }

    public string StagingPath => IsInside ? System.IO.Path.Combine(Path, InsideStaging) : _place.StagingPath;

    public string BeforePath => IsInside ? System.IO.Path.Combine(Path, InsideBefore) : _place.BeforePath;

    /// <summary>The folder whose file system must have room.</summary>
    public string SpaceFolder => IsInside ? Path : _place.ExistingAncestor;

    private string InsideStaging => $"{InsidePrefix}staging_{_place.RestoreId}";

    private string InsideBefore => $"{InsidePrefix}before_{_place.RestoreId}";

    /// <summary>Every reason why the switch would fail.</summary>
    public IEnumerable<Problem> Blockers(string source)
    {
        if (_place.IsFilesystemRoot)
            yield return Unusable(source, "the root of the file system cannot be replaced", "choose another folder with --target");
        if (Live is { Kind: not FileKind.Folder })
            yield return Unusable(source, $"{Path} is there and is not a folder", "move it away, or choose another folder with --target");
        string writable = IsInside ? Path : _place.ExistingAncestor;
        if (!MayWrite(writable))
            yield return Unusable(
                source,
                $"no right to create anything in {writable}",
                "run as a user who may write there, or choose another folder with --target");
        foreach (string point in MountPoints.Below(Path))
            yield return Unusable(
                source, $"another file system is mounted at {point}, which a restore cannot switch", "unmount it, make it a source of its own, or choose another folder with --target");
    }

    /// <summary>Creates the empty folder to build the restored state in.</summary>
    public Folder CreateStaging()
    {
        using Folder parent = IsInside ? Folder.Open(Path) : _place.OpenParent();
        byte[] name = Folder.Name(IsInside ? InsideStaging : _place.StagingName);
        FileTime time = parent.Status().Modified;
        parent.CreateFolder(name);
        if (IsInside)
            KeepTime(parent, time);
        return parent.OpenFolder(name);
    }

    /// <summary>Switches; on failure everything is as it was before.</summary>
    public void Commit()
    {
        try
        {
            if (IsInside)
                CommitInside();
            else
                CommitBeside();
        }
        catch
        {
            TakeBack();
            throw;
        }
    }

    /// <summary>Switches back after <see cref="Commit"/> and deletes what was staged.</summary>
    public void Revert()
    {
        if (IsInside)
            RevertInside();
        else
            _renames.RollBack();
        Discard();
    }

    /// <summary>Deletes what was staged, whatever state it is in.</summary>
    public void Discard()
    {
        string folder = IsInside ? Path : _place.Parent;
        if (Directory.Exists(folder))
        {
            using Folder parent = Folder.Open(folder);
            FileTime time = parent.Status().Modified;
            parent.DeleteTree(Folder.Name(IsInside ? InsideStaging : _place.StagingName));
            if (IsInside)
                KeepTime(parent, time);
        }

        _place.RemoveCreatedParents();
    }

    public void Dispose() => _renames.Dispose();

    private static Problem Unusable(string source, string message, string hint) => new(ErrorCodes.TargetUnusable, message, hint, source);

    private static bool MayWrite(string path)
    {
        using Folder folder = Folder.Open(path);
        return folder.MayWrite();
    }

    /// <summary>Staging inside the live folder is no change of it.</summary>
    private static void KeepTime(Folder live, FileTime time)
    {
        try
        {
            live.ApplyToSelf(new FileTraits(null, null, time));
        }
        catch (FileFailure e) when (e.Trouble == FileTrouble.Denied)
        {
            // Who may write in a folder may not be its owner, and only that one can set its time.
        }
    }

    private bool MustStayInside()
    {
        using Folder parent = Folder.Open(_place.Parent);
        return Live!.Value.IsMountPoint || Live.Value.Device != parent.Status().Device || !parent.MayWrite();
    }

    private void CommitBeside()
    {
        using Folder parent = Folder.Open(_place.Parent);
        byte[] name = Folder.Name(_place.FileName);
        if (parent.Find(name) is not null)
            _renames.Rename(parent, name, parent, Folder.Name(_place.BeforeName));
        _renames.Rename(parent, Folder.Name(_place.StagingName), parent, name);
        _renames.Flush();
    }

    private void CommitInside()
    {
        using Folder live = Folder.Open(Path);
        using Folder staging = live.OpenFolder(Folder.Name(InsideStaging));
        FileStatus now = live.Status();
        FileStatus staged = staging.Status();
        _rootBefore = Changed(now, staged);
        live.CreateFolder(Folder.Name(InsideBefore));
        using Folder before = live.OpenFolder(Folder.Name(InsideBefore));
        MoveAll(live, before, _renames);
        MoveAll(staging, live, _renames);
        before.ApplyToSelf(Changed(now, before.Status()));
        live.ApplyToSelf(Changed(staged, live.Status()));
        _renames.Flush();
        live.DeleteFolder(Folder.Name(InsideStaging));
    }

    /// <summary>The staging folder is gone after a commit, so this moves everything anew.</summary>
    private void RevertInside()
    {
        using Folder live = Folder.Open(Path);
        if (live.Find(Folder.Name(InsideBefore)) is null)
            return;
        using RenameSequence back = new();
        try
        {
            if (live.Find(Folder.Name(InsideStaging)) is null)
                live.CreateFolder(Folder.Name(InsideStaging));
            using Folder staging = live.OpenFolder(Folder.Name(InsideStaging));
            using Folder before = live.OpenFolder(Folder.Name(InsideBefore));
            MoveAll(live, staging, back);
            MoveAll(before, live, back);
            back.Flush();
        }
        catch
        {
            back.RollBack();
            throw;
        }

        live.DeleteFolder(Folder.Name(InsideBefore));
        if (_rootBefore is { } traits)
            live.ApplyToSelf(traits);
    }

    /// <summary>
    /// What to set to get from one status to another; an owner that is right already need not be set, which only root may.
    /// </summary>
    private static FileTraits Changed(FileStatus wanted, FileStatus now) =>
        wanted.Traits with { Owner = wanted.Owner == now.Owner ? null : wanted.Owner };

    private static void MoveAll(Folder from, Folder to, RenameSequence renames)
    {
        NameList names = from.List(CancellationToken.None);
        for (int i = 0; i < names.Count; i++)
        {
            if (!names[i].AsSpan().StartsWith(Encoding.UTF8.GetBytes(InsidePrefix)))
                renames.Rename(from, names[i], to, names[i]);
        }
    }

    private void TakeBack()
    {
        _renames.RollBack();
        if (!IsInside)
            return;
        using Folder live = Folder.Open(Path);
        if (live.Find(Folder.Name(InsideBefore)) is not null)
            live.DeleteFolder(Folder.Name(InsideBefore));
        if (_rootBefore is { } traits)
            live.ApplyToSelf(traits);
    }
}
