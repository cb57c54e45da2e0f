using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Storage;
using Lifeboat.Engine.Trust;

namespace Lifeboat.Engine.Runs;

/// <summary>
/// Where lock, journals and evidence are kept, for their owner alone. What is in it says what is renamed and removed, so one that somebody else could have
/// written to is not used. For a restore without an app file it is beside the bundle, or, where nothing can be written there (a read-only medium) or others
/// can, in the user's own folder for state (XDG Base Directory Specification).
/// </summary>
public static class StateFolder
{
    private const string What = "the state folder";

    public static string Choose(string besideBundle, HostEnvironment host)
    {
        try
        {
            FileTrust trust = new(host);
            trust.RequirePlace(besideBundle, What);
            string own = RunLock.StateDirectory(besideBundle);
            if (Directory.Exists(own))
                trust.RequireFolder(own, What);
            string probe = Path.Combine(besideBundle, $".lifeboat_{host.NewId()}");
            using FileStream written = new(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            return besideBundle;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or LifeboatException)
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

    /// <summary>Makes the folder where it is missing.</summary>
    /// <exception cref="LifeboatException">Somebody else may have put something into it.</exception>
    public static void Prepare(string folder, HostEnvironment host)
    {
        FileTrust trust = new(host);
        trust.RequirePlace(Path.GetDirectoryName(folder)!, What);
        PrivateFile.CreateFolder(folder);
        trust.RequireFolder(folder, What);
        if (FileTrust.IsOwn(folder))
            PrivateFile.NarrowFolder(folder); // an earlier version left that to the umask
    }

    /// <summary>Whether there is one.</summary>
    /// <inheritdoc cref="Prepare"/>
    public static bool IsThere(string folder, HostEnvironment host)
    {
        if (!Directory.Exists(folder))
            return false;
        new FileTrust(host).RequireFolder(folder, What);
        return true;
    }
}
