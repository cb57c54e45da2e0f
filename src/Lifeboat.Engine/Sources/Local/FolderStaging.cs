using System.Text;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>
/// Where a folder is staged: beside the live one, or, where that cannot be renamed itself (a mount point, or its parent is not ours to
/// write in), inside of it.
/// </summary>
internal sealed class FolderStaging
{
    private readonly SwitchPlace _place;

    public FolderStaging(string path, string restoreId)
    {
        _place = new SwitchPlace(path, restoreId);
        Live = _place.Find();
        IsInside = Live is { Kind: FileKind.Folder } && MustStayInside();
    }

    public string Path => _place.Path;

    /// <inheritdoc cref="SwitchPlace.Parents"/>
    public IReadOnlyList<CapturedTraits> Parents
    {
        get => _place.Parents;
        set => _place.Parents = value;
    }

    /// <summary>What is at the target now; null where nothing is.</summary>
    public FileStatus? Live { get; }

    /// <summary>Whether the restore is staged inside the target.</summary>
    public bool IsInside { get; }

    public string StagingPath => IsInside ? System.IO.Path.Combine(Path, InsideStaging) : _place.StagingPath;

    public string BeforePath => IsInside ? System.IO.Path.Combine(Path, InsideBefore) : _place.BeforePath;

    /// <summary>The folder whose file system must have room.</summary>
    public string SpaceFolder => IsInside ? Path : _place.ExistingAncestor;

    private string InsideStaging => $"{InPlaceExchange.Prefix}staging_{_place.RestoreId}";

    private string InsideBefore => $"{InPlaceExchange.Prefix}before_{_place.RestoreId}";

    /// <summary>Every reason why the switch would fail.</summary>
    /// <param name="staying">What in the live folder is not switched; null where nothing is live.</param>
    public IEnumerable<Problem> Blockers(string source, Staying? staying)
    {
        foreach (Problem problem in OwnBlockers(source))
            yield return problem;
        foreach (string point in MountPoints.Below(Path).Where(point => staying?.HoldsStill(Folder.Name("./" + point[(Path.Length + 1)..])) != true))
            yield return Unusable(
                source, $"another file system is mounted at {point}, which a restore cannot switch",
                $"unmount it, leave it out with sources.{source}.exclude, make it a source of its own, or choose another folder with --target");
    }

    /// <summary>Every reason why nothing can be switched in this place, whatever is in it.</summary>
    public IEnumerable<Problem> OwnBlockers(string source)
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
    }

    /// <summary>Creates the empty folder to build the restored state in.</summary>
    public Folder CreateStaging()
    {
        using Folder parent = IsInside ? Folder.Open(Path) : _place.OpenParent();
        byte[] name = Folder.Name(IsInside ? InsideStaging : _place.StagingName);
        FileTime time = parent.Status().Modified;
        parent.CreateFolder(name);
        if (IsInside)
            InPlaceExchange.KeepTime(parent, time); // staging inside the live folder is no change of it
        return parent.OpenFolder(name);
    }

    /// <summary>How the staged folder and the live one are exchanged.</summary>
    public PathExchange Exchange => IsInside
        ? new PathExchange(Path, InsideStaging, InsideBefore, Replaces: true, Inside: true, [], CapturedTraits.Of(Live!.Value, new OwnerNames()))
        : _place.Exchange;

    private static Problem Unusable(string source, string message, string hint) => new(ErrorCodes.TargetUnusable, message, hint, source);

    private static bool MayWrite(string path)
    {
        using Folder folder = Folder.Open(path);
        return folder.MayWrite();
    }

    private bool MustStayInside()
    {
        using Folder parent = Folder.Open(_place.Parent);
        return Live!.Value.IsMountPoint || Live.Value.Device != parent.Status().Device || !parent.MayWrite();
    }
}
