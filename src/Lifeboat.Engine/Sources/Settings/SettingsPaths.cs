using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Settings;

/// <summary>Where settings files stand in the snapshot and in the metadata.</summary>
internal static class SettingsPaths
{
    public const string EnvironmentFileName = "environment.env";

    // No escaped name looks like these two: after a per cent sign that has two hex digits.
    private const string OutsideFolder = "%outside";
    private const string SameNameFolder = "%settings";

    /// <summary>The path in the metadata: relative to the folder with <c>/</c>, absolute for a file outside it.</summary>
    public static string Recorded(string directory, string file)
    {
        string relative = Path.GetRelativePath(directory, file);
        bool outside = Path.IsPathRooted(relative) || relative == ".." || relative.StartsWith(
            ".." + Path.DirectorySeparatorChar, StringComparison.Ordinal);
        return outside ? file : relative.Replace(Path.DirectorySeparatorChar, '/');
    }

    public static bool IsOutside(string recorded) => Path.IsPathRooted(recorded) || recorded.StartsWith('/');

    /// <summary>A file inside must stay inside when it is restored; metadata can be crafted.</summary>
    public static bool IsSafe(string recorded) =>
        IsOutside(recorded) || (SnapshotPath.IsValid(recorded) && !recorded.Split('/').Any(static name => name is "." or ".."));

    /// <summary>The snapshot path of a file's bytes.</summary>
    public static string InSnapshot(string source, string recorded)
    {
        string escaped = string.Join('/', recorded.Split('/', '\\')
            .Where(static name => name.Length > 0)
            .Select(static name => ContentPath.Escape(Folder.Name(name))));
        if (IsOutside(recorded))
            escaped = $"{OutsideFolder}/{escaped.Replace(":", "", StringComparison.Ordinal)}";
        else if (escaped == EnvironmentFileName)
            escaped = $"{SameNameFolder}/{escaped}";
        return $"settings/{source}/{escaped}";
    }
}
