using System.Text.RegularExpressions;

namespace Lifeboat.Output;

/// <summary>The last line of defence: takes passwords out of connection URLs in whatever is printed.</summary>
internal static partial class Redaction
{
    private const string Mark = "[redacted]";

    public static string Clean(string text) =>
        text.Contains('=', StringComparison.Ordinal) || text.Contains("://", StringComparison.Ordinal)
            ? UserInfo().Replace(Parameter().Replace(text, "$1" + Mark), "$1" + Mark + "@")
            : text;

    // scheme://user:PASSWORD@host; the password may hold an unescaped @ or /, so the last @ of the word counts
    [GeneratedRegex(@"(\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@]*:)[^\s""'<>]*@", RegexOptions.CultureInvariant)]
    private static partial Regex UserInfo();

    [GeneratedRegex(@"(\b(?:ssl)?(?:password|passwd|pwd)\s*=\s*)(?:'[^']*'|""[^""]*""|[^\s&;'""]+)",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Parameter();
}
