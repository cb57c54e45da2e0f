using System.Text.RegularExpressions;

namespace Lifeboat.Engine.Apps.Detection;

/// <summary>A settings file; all of them become one source.</summary>
internal sealed record SettingsFileFinding(string Reason, string FullPath) : Finding(Reason);

/// <summary>Finds settings files by their names.</summary>
internal static partial class SettingsDetector
{
    private const int Most = 40;

    public static IEnumerable<Finding> Detect(FolderScan scan) => scan.Files
        .Where(static f => f.Depth <= 2 && f.Length < 1024 * 1024 && IsSettings(f.Name))
        .Take(Most)
        .Select(static f => new SettingsFileFinding($"{f.Relative} is a settings file by its name", f.FullPath));

    public static bool IsSample(string name) => Sample().IsMatch(name);

    private static bool IsSettings(string name) =>
        !IsSample(name) && (EnvironmentFile.IsName(name) || Known().IsMatch(name)) && name is not (AppFile.DefaultName or InitOperation.PassphraseName);

    [GeneratedRegex("(example|sample|template|dist|default)", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Sample();

    [GeneratedRegex(
        "^(.*settings.*\\.json|appsettings.*\\.json|(app[_-]?)?(config|settings|secrets)\\.(ya?ml|json|toml|ini|conf|cfg|properties)|application(-[a-z]+)?\\.(ya?ml|properties)|local_settings\\.py|wp-config\\.php|odoo\\.conf|\\.odoorc)$",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Known();
}
