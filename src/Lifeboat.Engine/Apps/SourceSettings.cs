using Lifeboat.Engine.Apps.Keys;
using Lifeboat.Engine.Apps.Validation;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Apps;

/// <summary>One store of the app's state, as the app file describes it. Paths are absolute here.</summary>
/// <param name="Name">The key under <c>sources:</c>: letters, digits, <c>-</c>, <c>_</c>, at most 40 characters.</param>
public abstract record SourceSettings(string Name)
{
    /// <summary>The word under <c>neutralize:</c> for the built-in list of statements for Odoo's databases.</summary>
    public const string OdooList = "odoo";

    /// <summary>
    /// For how long nothing may come or go over a connection to a server, where the app file does not say. Whatever is on its way through a slow line when the last byte was
    /// handed to the client program must be through by then: a few megabytes.
    /// </summary>
    public static readonly TimeSpan DefaultStallLimit = TimeSpan.FromMinutes(5);

    /// <summary>SQL statements, and words for built-in lists, that make a restored copy neutral; for sources with a database.</summary>
    public IReadOnlyList<string> Neutralize { get; init; } = [];

    /// <summary>Whether the app file says how a restored copy is made neutral.</summary>
    public virtual bool CanBeNeutral => Neutralize.Count > 0;

    /// <summary>The source as a plain restore takes it: nothing is made neutral.</summary>
    public virtual SourceSettings AsItWas() => this with { Neutralize = [] };

    /// <summary>The word after <c>type:</c>.</summary>
    public abstract string Type { get; }

    /// <summary>The same source in another place: what <c>--target</c> names.</summary>
    /// <param name="target">A URL for databases behind a server, an absolute path for the others.</param>
    /// <exception cref="LifeboatException">The target does not suit the source.</exception>
    public abstract SourceSettings WithTarget(string target);

    private protected string TargetPath(string target)
    {
        Fault? fault = string.IsNullOrWhiteSpace(target) ? new Fault("the target is empty", "write a path after `=`") : TextRules.Path(target);
        if (fault is null && !Path.IsPathFullyQualified(target))
            fault = new Fault("the target is not an absolute path", "write the whole path after `=`");
        return fault is null ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(target)) : throw Refused(fault);
    }

    private protected LifeboatException Refused(Fault fault) => new(ErrorCodes.TargetInvalid, fault.Message, fault.Hint, $"--target {Name}");
}

/// <summary>One PostgreSQL database.</summary>
/// <param name="Url">
/// A libpq connection URI without a password (PostgreSQL 15 manual, 34.1.1.2). Null where <paramref name="UrlSecret"/> is given.
/// </param>
/// <param name="UrlSecret">A secret that holds the whole URI, password and all (<c>url: "env:DATABASE_URL"</c>).</param>
/// <param name="Via">A command prefix that reaches the server's programs, such as <c>docker exec -i db</c>; empty for none.</param>
public sealed record PostgresSettings(
    string Name, string? Url, SecretReference? UrlSecret, SecretReference? Password, IReadOnlyList<string> Via) : SourceSettings(Name)
{
    public override string Type => "postgres";

    /// <summary><c>stall_limit:</c>: for how long nothing may come or go over a connection before it is asked whether the server still works.</summary>
    public TimeSpan StallLimit { get; init; } = DefaultStallLimit;

    /// <summary>Directories on the server for tablespaces that a restore has to create elsewhere than they were, by the tablespaces' names.</summary>
    public IReadOnlyDictionary<string, string> Tablespaces { get; init; } = new Dictionary<string, string>();

    /// <summary>Columns whose values are not captured.</summary>
    public IReadOnlyList<ColumnRedaction> Redact { get; init; } = [];

    /// <summary>Whether a restore changes roles that exist on the server to what they were (<c>--update-roles</c>).</summary>
    public bool UpdateRoles { get; init; }

    /// <summary>
    /// Another database: a URL without a password, or a secret reference that holds one whole. The source's own <c>password:</c>
    /// and <c>via:</c> stay as they are.
    /// </summary>
    public override PostgresSettings WithTarget(string target)
    {
        if (string.IsNullOrWhiteSpace(target))
            throw Refused(new Fault("the target is empty", "write a URL after `=`"));
        if (SecretReference.IsMeant(target))
            return SecretReference.TryParse(target, out SecretReference? reference, out Fault? faulty)
                ? this with { Url = null, UrlSecret = reference }
                : throw Refused(faulty);
        if (PostgresUrl.TryParse(target, out PostgresUrl? cut, out Fault? fault))
            return this with { Url = target, UrlSecret = null };
        throw Refused(cut is null or { HoldsPassword: false } ? fault : new Fault(
            fault.Message, "arguments are visible to every user: leave it out (the source's `password:` is used), or write `env:NAME` for a variable that holds the whole URL"));
    }
}

/// <summary>One MySQL or MariaDB database.</summary>
/// <param name="Url">A URL without a password; null where <paramref name="UrlSecret"/> is given.</param>
/// <param name="UrlSecret">A secret that holds the whole URL, password and all (<c>url: "env:DATABASE_URL"</c>).</param>
/// <param name="Via">A command prefix that reaches the server's programs, such as <c>docker exec -i db</c>; empty for none.</param>
/// <param name="AllAccounts">Whether every account of the server is captured, or only those that matter to the database.</param>
public sealed record MySqlSettings(
    string Name, string? Url, SecretReference? UrlSecret, SecretReference? Password, IReadOnlyList<string> Via, bool AllAccounts = false)
    : SourceSettings(Name)
{
    public override string Type => "mysql";

    /// <inheritdoc cref="PostgresSettings.StallLimit"/>
    public TimeSpan StallLimit { get; init; } = DefaultStallLimit;

    /// <inheritdoc cref="PostgresSettings.Redact"/>
    public IReadOnlyList<ColumnRedaction> Redact { get; init; } = [];

    /// <summary>Whether a restore changes accounts that exist on the server to what they were (<c>--update-roles</c>).</summary>
    public bool UpdateRoles { get; init; }

    /// <inheritdoc cref="PostgresSettings.WithTarget"/>
    public override MySqlSettings WithTarget(string target)
    {
        if (string.IsNullOrWhiteSpace(target))
            throw Refused(new Fault("the target is empty", "write a URL after `=`"));
        if (SecretReference.IsMeant(target))
            return SecretReference.TryParse(target, out SecretReference? reference, out Fault? faulty)
                ? this with { Url = null, UrlSecret = reference }
                : throw Refused(faulty);
        return MySqlUrl.TryParse(target, out MySqlUrl? url, out Fault? fault)
            ? this with { Url = target, UrlSecret = null }
            : throw Refused(url is null or { HoldsPassword: false } ? fault : new Fault(
                fault.Message, "arguments are visible to every user: leave it out (the source's `password:` is used), or write `env:NAME`"));
    }
}

public sealed record SqliteSettings(string Name, string Path) : SourceSettings(Name)
{
    public override string Type => "sqlite";

    /// <inheritdoc cref="PostgresSettings.Redact"/>
    public IReadOnlyList<ColumnRedaction> Redact { get; init; } = [];

    public override SqliteSettings WithTarget(string target) => this with { Path = TargetPath(target) };
}

/// <summary>One Chroma persist directory.</summary>
public sealed record ChromaSettings(string Name, string Path) : SourceSettings(Name)
{
    public override string Type => "chroma";

    public override ChromaSettings WithTarget(string target) => this with { Path = TargetPath(target) };
}

/// <param name="Exclude">Globs relative to the root: <c>*</c> and <c>?</c> within a name, <c>**</c> across folders.</param>
public sealed record FilesSettings(string Name, string Path, IReadOnlyList<string> Exclude) : SourceSettings(Name)
{
    public override string Type => "files";

    /// <summary>That extended attributes and ACLs are not carried is known, and not warned of.</summary>
    public bool IgnoresAttributes { get; init; }

    /// <summary>Globs, as those of <c>exclude:</c>: files that are captured without their content.</summary>
    public IReadOnlyList<string> Redact { get; init; } = [];

    public override FilesSettings WithTarget(string target) => this with { Path = TargetPath(target) };
}

/// <param name="Files">Absolute paths of settings files.</param>
/// <param name="Directory">The folder that the files' names in the snapshot are relative to: the app file's.</param>
/// <param name="Environment">Names of environment variables.</param>
public sealed record SettingsSettings(
    string Name, string Directory, IReadOnlyList<string> Files, IReadOnlyList<string> Environment) : SourceSettings(Name)
{
    public override string Type => "settings";

    /// <summary>Names of settings and environment variables whose values are not captured.</summary>
    public IReadOnlyList<string> Redact { get; init; } = [];

    /// <summary>Whether a restore was told another folder than the app's own.</summary>
    public bool IsSentElsewhere { get; init; }

    /// <summary>Values by name that make a restored copy neutral.</summary>
    public IReadOnlyDictionary<string, string> NeutralValues { get; init; } = new Dictionary<string, string>();

    public override bool CanBeNeutral => NeutralValues.Count > 0;

    public override SettingsSettings AsItWas() => this with { NeutralValues = new Dictionary<string, string>() };

    /// <summary>
    /// What a settings file is called in the snapshot, <c>/</c> between names: its path relative to the folder, or
    /// <c>outside/</c> and its absolute path (<c>outside/etc/odoo/odoo.conf</c>) where it lies elsewhere.
    /// </summary>
    public string NameOf(string file)
    {
        if (AppPaths.Inside(Directory, file) is { } inside)
            return inside;
        string absolute = OperatingSystem.IsWindows() ? file.Replace('\\', '/').Replace(":", "", StringComparison.Ordinal) : file;
        return "outside/" + absolute.TrimStart('/');
    }

    /// <summary>Another folder: every file comes to lie below it, under its name in the snapshot.</summary>
    public override SettingsSettings WithTarget(string target)
    {
        string folder = TargetPath(target);
        return this with
        {
            Directory = folder, Files = [.. Files.Select(file => Path.GetFullPath(Path.Combine(folder, NameOf(file))))], IsSentElsewhere = true,
        };
    }
}
