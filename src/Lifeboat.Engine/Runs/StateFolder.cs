using Lifeboat.Engine.Hosting;

namespace Lifeboat.Engine.Runs;

/// <summary>
/// Where lock, journals and evidence of a restore without an app file are kept: beside the bundle, or, where nothing can be written there (a read-only
/// medium), in the user's own folder for state (XDG Base Directory Specification).
/// </summary>
public static class StateFolder
{
    public static string Choose(string besideBundle, HostEnvironment host)
    {
        try
        {
            string probe = Path.Combine(besideBundle, $".lifeboat_{host.NewId()}");
            using FileStream written = new(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            return besideBundle;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return OfUser(host);
        }
    }

    public static string OfUser(HostEnvironment host)
    {
        string home = host.Variables.GetValueOrDefault(OperatingSystem.IsWindows() ? "LOCALAPPDATA" : "HOME") ?? host.TempDirectory;
        string state = host.Variables.GetValueOrDefault("XDG_STATE_HOME") ?? (OperatingSystem.IsWindows() ? home : Path.Combine(home, ".local", "state"));
        return Path.Combine(state, "lifeboat");
    }
}
