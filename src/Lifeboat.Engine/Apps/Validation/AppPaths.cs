namespace Lifeboat.Engine.Apps.Validation;

/// <summary>Makes the app file's paths absolute, and compares them as this system's filesystems do.</summary>
internal static class AppPaths
{
    public static StringComparison Comparison => OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;

    /// <summary>Absolute and without a last separator.</summary>
    public static string Resolve(string directory, string path) =>
        Path.TrimEndingDirectorySeparator(Path.GetFullPath(Path.Combine(directory, path)));

    public static bool Equal(string a, string b) => a.Equals(b, Comparison);

    /// <summary>An absolute path without symbolic links, as far as it is there; what is not there yet stands behind that as it is.</summary>
    public static string Real(string path)
    {
        const int mostLinks = 40; // as the kernel allows
        string real = Path.GetPathRoot(path)!;
        Stack<string> ahead = new(Names(path[real.Length..]).Reverse());
        int links = 0;
        while (ahead.TryPop(out string? name))
        {
            string here = name == ".." ? Path.GetDirectoryName(real) ?? real : Path.Combine(real, name);
            if (new FileInfo(here).LinkTarget is not { } target || links++ == mostLinks)
            {
                real = here;
                continue;
            }

            string root = Path.GetPathRoot(target) ?? "";
            real = root.Length > 0 ? root : real;
            foreach (string one in Names(target[root.Length..]).Reverse())
                ahead.Push(one);
        }

        return Path.TrimEndingDirectorySeparator(real);
    }

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

    private static IEnumerable<string> Names(string path) =>
        path.Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries).Where(static name => name != ".");
}
