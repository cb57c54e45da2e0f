namespace Lifeboat.Engine.Apps.Validation;

/// <summary>Makes the app file's paths absolute, and compares them as this system's filesystems do.</summary>
internal static class AppPaths
{
    public static StringComparison Comparison => OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;

    /// <summary>Absolute and without a last separator.</summary>
    public static string Resolve(string directory, string path) =>
        Path.TrimEndingDirectorySeparator(Path.GetFullPath(Path.Combine(directory, path)));

    public static bool Equal(string a, string b) => a.Equals(b, Comparison);

    /// <summary>The path from a folder to something in it (<c>.</c> for itself), with <c>/</c> between names; null where it is not inside.</summary>
    public static string? Inside(string folder, string path)
    {
        if (Equal(folder, path))
            return ".";
        string prefix = Path.EndsInDirectorySeparator(folder) ? folder : folder + Path.DirectorySeparatorChar;
        if (!path.StartsWith(prefix, Comparison))
            return null;
        string inside = path[prefix.Length..];
        return OperatingSystem.IsWindows() ? inside.Replace('\\', '/') : inside;
    }
}
