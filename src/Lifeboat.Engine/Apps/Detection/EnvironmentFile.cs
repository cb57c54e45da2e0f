using System.Text.RegularExpressions;

namespace Lifeboat.Engine.Apps.Detection;

/// <param name="Raw">All that stands after the <c>=</c>, quotes and comments too.</param>
/// <param name="IsPlain">The line is <c>KEY=value</c> and nothing else, and the only one of that key: sed can take the value out.</param>
internal sealed record EnvironmentEntry(string Key, string Value, string Raw, bool IsPlain);

/// <summary>A <c>.env</c> file: <c>KEY=value</c> lines as Docker Compose, Laravel, python-dotenv and dotenv read them.</summary>
internal sealed partial class EnvironmentFile
{
    private readonly Dictionary<string, EnvironmentEntry> _entries = new(StringComparer.Ordinal);

    private EnvironmentFile(string path) => RelativePath = path;

    /// <summary>The path below the app's folder, <c>/</c> between names.</summary>
    public string RelativePath { get; }

    public IEnumerable<EnvironmentEntry> Entries => _entries.Values;

    /// <summary>A key's value; null where it is missing or empty.</summary>
    public string? this[string key] => _entries.TryGetValue(key, out EnvironmentEntry? entry) && entry.Value.Length > 0 ? entry.Value : null;

    public static bool IsName(string fileName) =>
        (fileName.EndsWith(".env", StringComparison.Ordinal) || fileName.StartsWith(".env.", StringComparison.Ordinal))
        && !SettingsDetector.IsSample(fileName);

    public static EnvironmentFile Parse(string relativePath, string text)
    {
        EnvironmentFile file = new(relativePath);
        foreach (string line in text.ReplaceLineEndings("\n").Split('\n'))
        {
            Match match = Assignment().Match(line);
            if (!match.Success || match.Groups["key"].Length > 255)
                continue;
            string key = match.Groups["key"].Value;
            string raw = match.Groups["value"].Value;
            bool isPlain = line == $"{key}={raw}" && PlainValue().IsMatch(raw) && !file._entries.ContainsKey(key);
            file._entries[key] = new EnvironmentEntry(key, Unquoted(raw), raw, isPlain);
        }

        return file;
    }

    /// <summary>
    /// A reference to one value of the file: a program that takes it out where that is safe to write, else the variable of the same name.
    /// </summary>
    public string ReferenceTo(string key)
    {
        string command = $"command:sed -n s/^{key}=//p '{RelativePath}'";
        bool works = !OperatingSystem.IsWindows() && _entries[key].IsPlain && !RelativePath.Contains('\'', StringComparison.Ordinal)
            && !RelativePath.StartsWith('-') && SecretReference.TryParse(command, out _);
        return works ? command : $"env:{key}";
    }

    private static string Unquoted(string raw)
    {
        if (raw.Length >= 2 && raw[0] is '"' or '\'' && raw.IndexOf(raw[0], 1) is > 0 and int end)
            return raw[1..end];
        int comment = raw.IndexOf(" #", StringComparison.Ordinal);
        return (comment < 0 ? raw : raw[..comment]).Trim();
    }

    [GeneratedRegex("^\\s*(export\\s+)?(?<key>[A-Za-z_][A-Za-z0-9_]*)\\s*=\\s*(?<value>.*)$", RegexOptions.CultureInvariant)]
    private static partial Regex Assignment();

    [GeneratedRegex("^[^\\s\"'`$\\\\]+\\z", RegexOptions.CultureInvariant)]
    private static partial Regex PlainValue();
}
