using Lifeboat.Engine.Apps.Validation;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>
/// The folders above what is captured: where a restore has to make them, they get the owner and the mode that they had, since whoever runs a restore is seldom the
/// application's user.
/// </summary>
internal static class CapturedParents
{
    private const int Most = 8;
    private const int Permissions = 0b111_111_111;
    private const int OwnersOwn = 0b111_000_000;

    /// <summary>The traits of the folders above a path, the nearest first; none where the system has no owners.</summary>
    public static IReadOnlyList<CapturedTraits>? Of(string path)
    {
        if (OperatingSystem.IsWindows())
            return null;
        List<CapturedTraits> parents = [];
        OwnerNames names = new();
        string? folder = Path.GetDirectoryName(AppPaths.Real(path));
        for (; folder is not null && Path.GetDirectoryName(folder) is not null && parents.Count < Most; folder = Path.GetDirectoryName(folder))
        {
            if (!Directory.Exists(folder))
                break;
            using Folder open = Folder.Open(folder);
            parents.Add(CapturedTraits.Of(open.Status(), names));
        }

        return parents;
    }

    /// <summary>Makes a folder that is missing.</summary>
    /// <param name="traits">What it had where it was captured; null where that is not known.</param>
    public static void Make(string folder, CapturedTraits? traits)
    {
        Directory.CreateDirectory(folder);
        if (traits is null || OperatingSystem.IsWindows())
            return;
        using Folder made = Folder.Open(folder);
        FileTraits wanted = TraitRules.For(made.Status()).Effective(traits.ToTraits());
        made.ApplyToSelf(new FileTraits(wanted.Mode is { } mode ? (mode & Permissions) | OwnersOwn : null, wanted.Owner, null));
    }
}
