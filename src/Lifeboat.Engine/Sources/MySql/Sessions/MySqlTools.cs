using System.Text.RegularExpressions;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Processes;

namespace Lifeboat.Engine.Sources.MySql.Sessions;

/// <summary>The client program: MariaDB's <c>mariadb</c> or MySQL's <c>mysql</c>. Each talks to servers of both.</summary>
/// <param name="Program">A path; behind <c>via:</c>, a name.</param>
/// <param name="Version">As it tells it itself: <c>mariadb 10.11.19</c>.</param>
public sealed partial record MySqlTools(string Program, string Version)
{
    private static readonly string[] s_names = ["mariadb", "mysql"];

    /// <exception cref="LifeboatException">There is none.</exception>
    public static async Task<MySqlTools> FindAsync(RunContext context, string? folder, IReadOnlyList<string> via, CancellationToken cancellation)
    {
        IEnumerable<string> candidates = via.Count > 0
            ? s_names.Select(name => folder is null ? name : $"{folder.TrimEnd('/')}/{name}")
            : Folders(context.Host, folder).SelectMany(static bin => s_names.Select(name => Path.Combine(bin, OperatingSystem.IsWindows() ? name + ".exe" : name)))
                .Where(File.Exists);
        string said = "";
        foreach (string program in candidates)
        {
            string[] words = [.. via, program, "--version"];
            ProgramResult result = await ProgramRunner.RunAsync(new ProgramStart(words[0], words[1..]), cancellation);
            Match match = VersionText().Match(result.Text);
            if (result.ExitStatus == 0 && match.Success)
                return new MySqlTools(program, $"{(result.Text.Contains("MariaDB", StringComparison.Ordinal) ? "mariadb" : "mysql")} {match.Groups[1].Value}");
            said = MySqlProblems.Flat(result.Errors);
        }

        string where = via.Count > 0 ? $"via {string.Join(' ', via)}" : folder is not null ? $"in {folder}" : "in PATH or the usual folders";
        throw new LifeboatException(
            ErrorCodes.MySqlToolsMissing,
            $"neither of the client programs mariadb and mysql was found {where}{(said.Length == 0 ? "" : $": {said}")}",
            via.Count > 0 ? "correct `via:` in the app file, start what it reaches, or install the client program there"
                : "install mariadb-client or mysql-client, or name its folder in the app file: tools: {mysql: FOLDER}");
    }

    private static IEnumerable<string> Folders(HostEnvironment host, string? folder)
    {
        if (folder is not null)
            return [folder];
        string[] usual = OperatingSystem.IsWindows()
            ? [.. Below(@"C:\Program Files\MySQL"), .. Below(@"C:\Program Files", "MariaDB*")]
            : ["/usr/bin", "/usr/local/mysql/bin", "/opt/homebrew/bin", "/opt/homebrew/opt/mysql-client/bin", "/usr/local/bin"];
        return host.Variables.GetValueOrDefault("PATH", "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Concat(usual).Where(Path.IsPathFullyQualified).Distinct(StringComparer.Ordinal);
    }

    private static IEnumerable<string> Below(string parent, string pattern = "*") =>
        Directory.Exists(parent) ? Directory.EnumerateDirectories(parent, pattern).Select(static found => Path.Combine(found, "bin")) : [];

    // "mariadb  Ver 15.1 Distrib 10.11.19-MariaDB", "mysql from 11.4.2-MariaDB", "mysql  Ver 9.7.0 for Linux"
    [GeneratedRegex(@"(?:Distrib|from|Ver) (\d+\.\d+\.\d+)")]
    private static partial Regex VersionText();
}
