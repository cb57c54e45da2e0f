using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Trust;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>
/// Where something of this machine's file system is restored to, and the names beside it: what is staged, and what is kept of the
/// state before.
/// </summary>
internal sealed class SwitchPlace
{
    public SwitchPlace(string path, string restoreId)
    {
        RestoreId = restoreId;
        Path = Resolve(path);
        Parent = System.IO.Path.GetDirectoryName(Path) ?? Path;
        FileName = System.IO.Path.GetFileName(Path);
        StagingName = $"{FileName}__staging_{restoreId}";
        BeforeName = $"{FileName}__before_{restoreId}";
        MissingFolders = Missing(Parent);
        Replaces = Find() is not null;
    }

    public string RestoreId { get; }

    /// <summary>Owner and mode of the folders above what was captured, the nearest first: for those that are missing.</summary>
    public IReadOnlyList<CapturedTraits> Parents { get; set; } = [];

    /// <summary>The target, where a symbolic link leads to: the link itself stays.</summary>
    public string Path { get; }

    public string Parent { get; }

    public string FileName { get; }

    public string StagingName { get; }

    public string BeforeName { get; }

    public string StagingPath => System.IO.Path.Combine(Parent, StagingName);

    public string BeforePath => System.IO.Path.Combine(Parent, BeforeName);

    public bool IsFilesystemRoot => FileName.Length == 0;

    /// <summary>The folders above the target that are not there, the uppermost first.</summary>
    public IReadOnlyList<string> MissingFolders { get; }

    /// <summary>Whether something was live when this was made.</summary>
    public bool Replaces { get; }

    /// <summary>How what is staged here and what is live are exchanged.</summary>
    public PathExchange Exchange => new(Path, StagingName, BeforeName, Replaces, Inside: false, MissingFolders, null);

    /// <summary>The nearest folder above the target that is there.</summary>
    public string ExistingAncestor
    {
        get
        {
            string folder = Parent;
            while (!Directory.Exists(folder) && System.IO.Path.GetDirectoryName(folder) is { } above)
                folder = above;
            return folder;
        }
    }

    /// <summary>The target's status; null where nothing is there.</summary>
    public FileStatus? Find()
    {
        if (!Directory.Exists(Parent))
            return null;
        using Folder parent = Folder.Open(Parent);
        return parent.Find(Folder.Name(FileName));
    }

    /// <summary>Every reason why a file could not be switched here.</summary>
    /// <param name="live">What is at the target now.</param>
    public IEnumerable<Problem> FileBlockers(string source, FileStatus? live)
    {
        if (live is { Kind: not FileKind.Regular })
            yield return Unusable(
                source, $"{Path} is there and is not a regular file", "move it away, or choose another path with --target");
        if (live is { IsMountPoint: true })
            yield return Unusable(
                source,
                $"{Path} is a mount point, so it cannot be renamed",
                "mount the folder that it is in instead of the file, or choose another path with --target");
        using Folder ancestor = Folder.Open(ExistingAncestor);
        if (!ancestor.MayWrite())
            yield return Unusable(
                source,
                $"no right to create anything in {ExistingAncestor}",
                "run as a user who may write there, or choose another path with --target");
    }

    /// <summary>Opens the parent, which is created where it is missing.</summary>
    public Folder OpenParent()
    {
        for (int i = 0; i < MissingFolders.Count; i++)
        {
            string folder = MissingFolders[i];
            try
            {
                if (!Directory.Exists(folder))
                    CapturedParents.Make(folder, Parents.Count == 0 ? null : Parents[Math.Min(MissingFolders.Count - i, Parents.Count) - 1]);
            }
            catch (IOException e)
            {
                throw new FileFailure(FileFailure.TroubleOf(e), $"cannot create the folder {folder}: {e.Message}", e);
            }
        }

        return Folder.Open(Parent);
    }

    private static List<string> Missing(string parent)
    {
        List<string> missing = [];
        for (string? folder = parent; folder is not null && !Directory.Exists(folder); folder = System.IO.Path.GetDirectoryName(folder))
            missing.Insert(0, folder);
        return missing;
    }

    private static Problem Unusable(string source, string message, string hint) => new(ErrorCodes.TargetUnusable, message, hint, source);

    /// <summary>Where a path leads to, if it is a symbolic link.</summary>
    /// <exception cref="LifeboatException">The link is somebody else's, who could have what it leads to replaced by it.</exception>
    public static string Resolve(string path)
    {
        string full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        if (!OperatingSystem.IsWindows() && TrustedStatus.OfLink(full) is { IsLink: true } link && link.Uid != 0 && link.Uid != TrustedStatus.Self)
            throw new LifeboatException(
                ErrorCodes.TargetUnusable, $"{full} is a symbolic link of another user's: what it leads to would be replaced",
                "name the place that it leads to in the app file or with --target, or give the link to the user who restores", full);
        return new FileInfo(full).LinkTarget is not null && File.ResolveLinkTarget(full, returnFinalTarget: true) is { } target
            ? System.IO.Path.TrimEndingDirectorySeparator(target.FullName)
            : full;
    }
}
