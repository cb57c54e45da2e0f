using System.Globalization;
using System.Text.RegularExpressions;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Processes;

namespace Lifeboat.Engine.Sources.Postgres.Sessions;

/// <summary>One installation of PostgreSQL's client programs.</summary>
/// <param name="Psql">A path; behind <c>via:</c>, a name. Likewise the others.</param>
/// <param name="Version">As <c>pg_dump --version</c> says it.</param>
public sealed partial record PostgresTools(string Psql, string PgDump, string PgDumpAll, string PgRestore, Version Version)
{
    private static readonly string[] Programs = ["psql", "pg_dump", "pg_dumpall", "pg_restore"];

    public override string ToString() => $"{Version} ({PgDump})";

    /// <summary>
    /// Every usable installation, in order of preference where versions are equal: the app file's folder (alone, where it is given),
    /// PATH, the usual install folders. Behind <c>via:</c>, the names as they are on the other side.
    /// </summary>
    /// <param name="folder">The app file's <c>tools:</c> folder for postgres; null for none.</param>
    /// <exception cref="LifeboatException">There is none.</exception>
    public static async Task<IReadOnlyList<PostgresTools>> FindAsync(
        RunContext context, string? folder, IReadOnlyList<string> via, CancellationToken cancellation)
    {
        List<PostgresTools> found = [];
        if (via.Count > 0)
        {
            string prefix = folder is null ? "" : folder.TrimEnd('/') + "/";
            if (await ProbeAsync([.. Programs.Select(p => prefix + p)], via, cancellation) is { } far)
                found.Add(far);
        }
        else
        {
            foreach (string bin in folder is null ? UsualFolders(context.Host) : [folder])
            {
                if (Complete(bin) is { } programs && await ProbeAsync(programs, via, cancellation) is { } tools)
                    found.Add(tools);
            }
        }

        return found.Count > 0 ? found : throw new LifeboatException(
            ErrorCodes.PostgresToolsMissing,
            $"PostgreSQL's client programs ({string.Join(", ", Programs)}) were not found {Where(folder, via)}",
            via.Count > 0 ? "install them on the other side of `via:`"
                : "install postgresql-client, or name their folder in the app file: tools: {postgres: FOLDER}");
    }

    /// <summary>The one to use with a server: of the same major version where there is one, else the newest that is not older.</summary>
    /// <exception cref="LifeboatException">All are older than the server.</exception>
    public static PostgresTools For(IReadOnlyList<PostgresTools> found, int serverMajor, string serverVersion, string source)
    {
        PostgresTools? tools = found.Where(t => t.Version.Major == serverMajor).OrderByDescending(static t => t.Version).FirstOrDefault()
            ?? found.Where(t => t.Version.Major > serverMajor).OrderByDescending(static t => t.Version).FirstOrDefault();
        return tools ?? throw new LifeboatException(
            ErrorCodes.PostgresToolsTooOld,
            $"the server is PostgreSQL {serverVersion}, and the newest client programs found are "
            + $"{found.OrderByDescending(static t => t.Version).First()}",
            $"install postgresql-client-{serverMajor} or newer, or name its folder in the app file: tools: {{postgres: FOLDER}}",
            source);
    }

    /// <summary>The one to begin with, before the server's version is known.</summary>
    public static PostgresTools Newest(IReadOnlyList<PostgresTools> found) => found.OrderByDescending(static t => t.Version).First();

    private static string Where(string? folder, IReadOnlyList<string> via) =>
        via.Count > 0 ? $"via {string.Join(' ', via)}" : folder is not null ? $"in {folder}" : "in PATH or the usual folders";

    private static async Task<PostgresTools?> ProbeAsync(string[] programs, IReadOnlyList<string> via, CancellationToken cancellation)
    {
        string[] words = [.. via, programs[1], "--version"];
        ProgramResult result;
        try
        {
            result = await ProgramRunner.RunAsync(new ProgramStart(words[0], words[1..]), cancellation);
        }
        catch (LifeboatException) when (via.Count == 0)
        {
            return null; // A file of that name which cannot be run is no installation.
        }

        Match match = VersionLine().Match(result.Text);
        if (via.Count > 0 && result.ExitStatus != 0)
            throw new LifeboatException(
                ErrorCodes.PostgresToolsMissing,
                $"`{string.Join(' ', words)}` ended with status {result.ExitStatus}: {PostgresProblems.Flat(result.Errors)}",
                "correct `via:` in the app file, start what it reaches, or install PostgreSQL's client programs there");
        if (result.ExitStatus != 0 || !match.Success)
            return null;
        int minor = match.Groups[2].Success ? int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture) : 0;
        return new PostgresTools(
            programs[0], programs[1], programs[2], programs[3],
                new Version(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), minor));
    }

    /// <summary>
    /// The four programs in a folder; null where one is missing or they are Debian's wrapper, which chooses a version by itself.
    /// </summary>
    private static string[]? Complete(string bin)
    {
        string[] files = [.. Programs.Select(p => Path.Combine(bin, OperatingSystem.IsWindows() ? p + ".exe" : p))];
        if (!files.All(File.Exists))
            return null;
        string real = File.ResolveLinkTarget(files[0], returnFinalTarget: true)?.FullName ?? files[0];
        return Path.GetFileName(real) == "pg_wrapper" ? null : files;
    }

    private static IEnumerable<string> UsualFolders(HostEnvironment host)
    {
        IEnumerable<string> path = host.Variables.GetValueOrDefault("PATH", "").Split(Path.PathSeparator,
            StringSplitOptions.RemoveEmptyEntries);
        IEnumerable<string> usual = OperatingSystem.IsWindows()
            ? Versions(@"C:\Program Files\PostgreSQL", "", "bin")
            : [
                .. Versions("/usr/lib/postgresql", "", "bin"), .. Versions("/usr", "pgsql-", "bin"),
                .. Versions("/opt/homebrew/opt", "postgresql@", "bin"), .. Versions("/usr/local/opt", "postgresql@", "bin"),
                .. Versions("/opt/homebrew/opt", "libpq", "bin"), .. Versions("/usr/local/opt", "libpq", "bin"),
            ];
        return path.Concat(usual).Where(Path.IsPathFullyQualified).Distinct(StringComparer.Ordinal);
    }

    private static IEnumerable<string> Versions(string parent, string prefix, string child) => Directory.Exists(parent)
        ? Directory.EnumerateDirectories(parent, prefix + "*").Select(folder => Path.Combine(folder, child)).Where(Directory.Exists)
        : [];

    [GeneratedRegex(@"\(PostgreSQL\) (\d+)(?:\.(\d+))?")]
    private static partial Regex VersionLine();
}
