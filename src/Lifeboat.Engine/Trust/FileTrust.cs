using System.Globalization;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Microsoft.Win32.SafeHandles;

namespace Lifeboat.Engine.Trust;

/// <summary>
/// Tells whose files this process does the bidding of. App files, journals and locks say what is run, renamed and removed, so one is taken only where nobody
/// but this process's user and root can have written it: it is theirs, no others may write to it, and none may put another in its place. Who may write in a
/// folder without the sticky bit can exchange what is in it. On Windows nothing is checked: a file's owner does not say there who may write to it.
/// </summary>
public sealed class FileTrust
{
    /// <summary>The variable that names folders whose files are taken whosever they are, with all that is below them.</summary>
    public const string Variable = "LIFEBOAT_TRUSTED_FOLDERS";

    private const int MostLinks = 40; // as the kernel has it, path_resolution(7)

    private readonly string[] _exempt;
    private readonly Lazy<UnixAccounts> _accounts = new(static () => new UnixAccounts());

    public FileTrust(HostEnvironment host) => _exempt =
    [
        .. (host.Variables.GetValueOrDefault(Variable) ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Where(Path.IsPathFullyQualified).Select(static one => Path.TrimEndingDirectorySeparator(Path.GetFullPath(one))),
    ];

    /// <summary>Whether a path belongs to this process's user.</summary>
    public static bool IsOwn(string path) => OperatingSystem.IsWindows() || TrustedStatus.Of(path)?.Uid == TrustedStatus.Self;

    /// <summary>Opens a file that says what to do. Links to it are followed one by one, and are as trusted as it is itself.</summary>
    /// <param name="what">For messages: <c>the app file</c>.</param>
    /// <exception cref="LifeboatException">Somebody else may have written it.</exception>
    /// <exception cref="IOException">It is not there, or is no regular file.</exception>
    public FileStream Open(string path, string what) => OpenFile(OperatingSystem.IsWindows() ? path : Follow(path, what), what, Reading);

    /// <summary>Opens a file in a folder that was checked before; a link is not followed.</summary>
    /// <inheritdoc cref="Open"/>
    public FileStream OpenFile(string path, string what, FileStreamOptions options)
    {
        if (OperatingSystem.IsWindows())
            return new FileStream(path, options);
        TrustedStatus? seen = TrustedStatus.OfLink(path);
        if (seen is { IsRegular: false, IsFolder: false } other)
            throw Refused(path, what, other.IsLink ? "is a symbolic link" : "is not a regular file", "remove it");
        FileStream file = new(path, options);
        try
        {
            TrustedStatus opened = TrustedStatus.Of(file.SafeFileHandle) ?? throw new IOException($"{path} cannot be looked at");
            if (seen is { } before && (before.Inode, before.Device) != (opened.Inode, opened.Device))
                throw Refused(path, what, "was exchanged while it was opened", "see who may write in its folder");
            RequireOwn(opened, path, what);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Fails unless nobody else can have put anything into a folder, or the folder itself there.</summary>
    /// <inheritdoc cref="Open"/>
    public void RequireFolder(string path, string what)
    {
        if (OperatingSystem.IsWindows())
            return;
        string place = Follow(path, what);
        TrustedStatus status = TrustedStatus.OfLink(place) ?? throw new DirectoryNotFoundException($"there is no folder {path}");
        if (!status.IsFolder)
            throw Refused(place, what, "is not a folder", "move it away");
        RequireOwn(status, place, what);
    }

    /// <summary>Fails unless nobody else can exchange what lies in a folder.</summary>
    /// <inheritdoc cref="Open"/>
    public void RequirePlace(string folder, string what)
    {
        if (!OperatingSystem.IsWindows() && TrustedStatus.Of(folder) is { } status)
            RequireOwn(status, folder, $"the folder of {what}", stickyIsEnough: true);
    }

    /// <summary>Why somebody else may have written a file, or put it where it is; null where nobody can have.</summary>
    /// <exception cref="IOException">It is not there.</exception>
    public Problem? Look(string path, string what)
    {
        if (OperatingSystem.IsWindows())
            return null;
        try
        {
            string place = Follow(Path.GetFullPath(path), what);
            RequireOwn(TrustedStatus.OfLink(place) ?? throw new FileNotFoundException($"there is no file {path}"), place, what);
            return null;
        }
        catch (LifeboatException e) when (e.Code == ErrorCodes.NotTrusted)
        {
            return e.Problems[0];
        }
    }

    /// <summary>Fails where others than a file's owner may write to it. Whose it is does not matter: an application's own password may be in its own file.</summary>
    /// <inheritdoc cref="Open"/>
    public void RequireUnshared(SafeFileHandle file, string path, string what)
    {
        if (!OperatingSystem.IsWindows() && TrustedStatus.Of(file) is { } status)
            RequireNarrow(status, path, what);
    }

    private static FileStreamOptions Reading => new() { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete };

    /// <summary>The path behind all links, each of which was looked at.</summary>
    private string Follow(string path, string what)
    {
        string place = path;
        for (int links = 0; links <= MostLinks; links++)
        {
            string parent = Path.GetDirectoryName(place) ?? place;
            RequirePlace(parent, what);
            if (TrustedStatus.OfLink(place) is not { IsLink: true } link)
                return place;
            RequireOwner(link, place, what);
            place = Path.Combine(parent, new FileInfo(place).LinkTarget ?? throw new IOException($"{place} was exchanged while it was read"));
        }

        throw Refused(path, what, "is a symbolic link that leads in a circle", "correct it");
    }

    private void RequireOwn(TrustedStatus status, string path, string what, bool stickyIsEnough = false)
    {
        RequireOwner(status, path, what);
        if (!stickyIsEnough || status is not { IsFolder: true, IsSticky: true })
            RequireNarrow(status, path, what);
    }

    private void RequireNarrow(TrustedStatus status, string path, string what)
    {
        bool open = status.IsWorldWritable || (status.IsGroupWritable && !_accounts.Value.IsOnlyOf(status.Gid, 0, status.Uid, TrustedStatus.Self));
        if (open && !IsExempt(path))
            throw Refused(
                path, what, string.Create(CultureInfo.InvariantCulture, $"may be written to by others than its owner (mode 0{Convert.ToString(status.Mode & 0xFFF, 8)})"),
                $"see that it is what its owner wrote, then run `chmod go-w '{path}'`");
    }

    private void RequireOwner(TrustedStatus status, string path, string what)
    {
        if (status.Uid != 0 && status.Uid != TrustedStatus.Self && !IsExempt(path))
            throw Refused(
                path, what, $"belongs to {_accounts.Value.Describe(status.Uid)}",
                $"run as that user, or see that it does what you want and give it to {_accounts.Value.Describe(TrustedStatus.Self)} with chown");
    }

    private bool IsExempt(string path)
    {
        string full = Path.GetFullPath(path);
        return Array.Exists(
            _exempt, one => full == one || full.StartsWith(Path.EndsInDirectorySeparator(one) ? one : one + Path.DirectorySeparatorChar, StringComparison.Ordinal));
    }

    private static LifeboatException Refused(string path, string what, string why, string hint) => new(
        ErrorCodes.NotTrusted, $"{what} is not trusted, because {path} {why}: it could make Lifeboat do what somebody else wants",
        $"{hint}; if all who can write there may decide what Lifeboat does, name the folder in {Variable}", path);
}
