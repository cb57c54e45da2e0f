using System.Text;
using Lifeboat.Engine.Apps.Keys;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Storage;
using Lifeboat.Engine.Trust;

namespace Lifeboat.Engine.Apps.Detection;

/// <param name="AppFile">The new app file.</param>
/// <param name="PassphraseFile">The file with the passphrase.</param>
/// <param name="PassphraseIsNew">False where one was there already, which is used.</param>
/// <param name="Findings">What was found, and by what.</param>
/// <param name="Notes">What a person should do now, a sentence each.</param>
public sealed record InitResult(
    string AppFile, string PassphraseFile, bool PassphraseIsNew, IReadOnlyList<Finding> Findings, IReadOnlyList<string> Notes);

/// <summary><c>lifeboat init</c>: looks at a folder, writes an app file for it, and makes a passphrase. Overwrites neither.</summary>
public sealed class InitOperation(RunContext context, DetectionPlaces? places = null)
{
    public const string PassphraseName = "lifeboat.passphrase";

    /// <summary>Everybody may read it, as with other programs' settings; whoever may write it decides what is run.</summary>
    private const UnixFileMode AppFileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Where a folder is one that a web server serves, everything is put into a folder of the user's instead, <see cref="Outside"/>.</summary>
    /// <param name="directory">The app's folder; absolute.</param>
    /// <exception cref="LifeboatException">There is an app file already, or the folder cannot be read or written.</exception>
    public async Task<InitResult> RunAsync(string directory, CancellationToken cancellation)
    {
        directory = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        if (!Directory.Exists(directory))
            throw Unusable(directory, "there is no such folder", null);
        string? served = WebRoot.SignOf(directory);
        string home = served is null ? directory : Outside(directory);
        string appFile = Path.Combine(home, Apps.AppFile.DefaultName);
        if (new[] { appFile, Path.Combine(directory, Apps.AppFile.DefaultName) }.FirstOrDefault(IsThere) is { } there)
            throw Exists(there, null);
        try
        {
            if (served is not null)
                PrivateFile.CreateFolder(home);
            // What is written where others can exchange it would be refused by the next command.
            new FileTrust(context.Host).RequirePlace(home, "the app file");
            InitResult result = await WriteAsync(directory, appFile, cancellation);
            return served is null ? result : result with { Notes = [Served(directory, served, home), .. result.Notes] };
        }
        catch (UnauthorizedAccessException e)
        {
            throw Unusable(home, e.Message, e);
        }
        catch (IOException e)
        {
            throw File.Exists(appFile) ? Exists(appFile, e) : Unusable(home, e.Message, e);
        }
    }

    private static bool IsThere(string path) => Path.Exists(path) || new FileInfo(path).LinkTarget is not null;

    private static string Served(string directory, string sign, string home) =>
        $"{directory} looks like a folder that a web server serves ({sign}): a passphrase or a bundle in it could be fetched by anybody. So everything was put "
        + $"into {home}; run lifeboat there";

    /// <summary>A folder for an app that no web server serves: in the user's data folder (XDG Base Directory Specification), or root's, <c>/var/lib/lifeboat</c>.</summary>
    private string Outside(string directory)
    {
        IReadOnlyDictionary<string, string> variables = context.Host.Variables;
        string data = variables.GetValueOrDefault("XDG_DATA_HOME")
            ?? (OperatingSystem.IsWindows() ? variables.GetValueOrDefault("LOCALAPPDATA")
            : TrustedStatus.Self == 0 ? "/var/lib"
            : variables.TryGetValue("HOME", out string? home) ? Path.Combine(home, ".local", "share") : null)
            ?? throw Unusable(directory, "a web server serves it, and no other folder of this user is known", null);
        return Path.Combine(data, "lifeboat", DraftNames.Of(Path.GetFileName(directory), "app", longest: 48));
    }

    private async Task<InitResult> WriteAsync(string directory, string appFile, CancellationToken cancellation)
    {
        string home = Path.GetDirectoryName(appFile)!;
        IReadOnlyList<Finding> findings = await new AppDetector(context, places ?? new DetectionPlaces()).DetectAsync(directory, cancellation);
        byte[] text = Encoding.UTF8.GetBytes(new AppFileWriter(directory, home).Write(findings));
        Apps.AppFile.Parse(text, appFile); // it never leaves a file behind that its own check refuses
        string passphrase = Path.Combine(home, PassphraseName);
        bool isNew = !Path.Exists(passphrase);
        if (isNew)
            await WritePassphraseAsync(passphrase, cancellation);
        string own = Path.Combine(home, ".lifeboat");
        PrivateFile.CreateFolder(own);
        await PrivateFile.ReplaceAsync(Path.Combine(own, AppFileSchema.FileName), Encoding.UTF8.GetBytes(AppFileSchema.Text), context.Host.NewId(), cancellation);
        await using FileStream file = PrivateFile.Create(appFile);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file.SafeFileHandle, AppFileMode);
        await file.WriteAsync(text, cancellation);
        await file.FlushAsync(cancellation);
        RandomAccess.FlushToDisk(file.SafeFileHandle);
        return new InitResult(appFile, passphrase, isNew, findings, [.. Notes(home, isNew, findings)]);
    }

    private async Task WritePassphraseAsync(string path, CancellationToken cancellation)
    {
        await using FileStream file = PrivateFile.Create(path);
        await file.WriteAsync(Encoding.UTF8.GetBytes(Passphrase.Generate(context.Host).Reveal() + "\n"), cancellation);
        await file.FlushAsync(cancellation);
        RandomAccess.FlushToDisk(file.SafeFileHandle);
    }

    private static IEnumerable<string> Notes(string directory, bool isNew, IReadOnlyList<Finding> findings)
    {
        yield return isNew
            ? $"keep a copy of {PassphraseName} somewhere else than on this machine: without it no bundle can be opened"
            : $"{PassphraseName} was there already and is used; keep a copy of it somewhere else than on this machine";
        if (Path.Exists(Path.Combine(directory, ".git")))
            yield return $"add {PassphraseName}, .lifeboat/ and backups/ to .gitignore: a passphrase in a repository is known to all who have it";
        if (findings.OfType<SourceFinding>().Any(static one => one.Source.Type == "postgres"))
            yield return "the application's own role can neither restore its database nor read the roles' passwords: lifeboat.yaml has the statement that makes one which can";
    }

    private static LifeboatException Exists(string appFile, Exception? inner) => new(
        ErrorCodes.AppFileExists, $"there is an app file already: {appFile}", "edit it, or move it away and run `lifeboat init` again", appFile, inner);

    private static LifeboatException Unusable(string directory, string why, Exception? inner) => new(
        ErrorCodes.AppFolderUnusable, $"the folder cannot be used: {why}", "name a folder that this user may read and write", directory, inner);
}
