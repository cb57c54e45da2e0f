using System.Globalization;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>Which processes of this machine have a file open, as far as this user may see (proc(5), /proc/pid/fd).</summary>
internal static class OpenFiles
{
    /// <summary>The processes' ids, without this one's.</summary>
    public static IReadOnlyList<int> HoldersOf(string path, int self)
    {
        if (OperatingSystem.IsWindows() || !Directory.Exists("/proc"))
            return [];
        List<int> holders = [];
        foreach (string process in Directory.EnumerateDirectories("/proc"))
        {
            string name = Path.GetFileName(process);
            if (int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int id) && id != self && Holds(process, path))
                holders.Add(id);
        }

        return holders;
    }

    /// <summary>In a container the same file has another path, but the same name as a rule.</summary>
    private static bool IsSame(string descriptor, string path) => new FileInfo(descriptor).LinkTarget is { } target
        && (target == path || (Path.GetFileName(target) == Path.GetFileName(path) && UnixFolder.AreSame(descriptor, path)));

    private static bool Holds(string process, string path)
    {
        try
        {
            return Directory.EnumerateFiles(Path.Combine(process, "fd")).Any(file => IsSame(file, path));
        }
        catch (IOException)
        {
            return false; // it has ended meanwhile
        }
        catch (UnauthorizedAccessException)
        {
            return false; // another user's
        }
    }
}
