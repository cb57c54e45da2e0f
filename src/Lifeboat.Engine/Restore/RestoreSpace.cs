using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Storage;

namespace Lifeboat.Engine.Restore;

/// <summary>Adds up what all sources need on each filesystem.</summary>
internal static class RestoreSpace
{
    public static IEnumerable<Problem> Shortages(IReadOnlyList<SourceRestore> sources) => sources
        .SelectMany(static source => source.Plan.BytesNeeded)
        .GroupBy(static need => FilesystemOf(need.Key), StringComparer.Ordinal)
        .Select(static group => SpaceCheck.Shortage(group.First().Key, group.Sum(static need => need.Value), "staging the restore"))
        .OfType<Problem>();

    private static string FilesystemOf(string path)
    {
        string full = Path.GetFullPath(path);
        return DriveInfo.GetDrives()
            .Select(static drive => drive.RootDirectory.FullName)
            .Where(root => full == root || full.StartsWith(root.EndsWith(Path.DirectorySeparatorChar) ? root : root + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            .MaxBy(static root => root.Length) ?? full;
    }
}
