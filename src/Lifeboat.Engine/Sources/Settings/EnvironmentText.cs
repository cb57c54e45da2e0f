using System.Text.RegularExpressions;

namespace Lifeboat.Engine.Sources.Settings;

/// <summary>One <c>NAME=value</c>, or <c>NAME: value</c>, of a <c>.env</c> file.</summary>
/// <param name="Start">Of the value, with its quotes.</param>
/// <param name="End">Of the last line of the value, with what stands behind it.</param>
internal readonly record struct EnvironmentSetting(string Name, int Start, int End, bool Commented);

/// <summary>
/// Reads <c>.env</c> files by the rules that shells, Docker, systemd and the libraries of several languages have in common. They differ in quotes over
/// several lines, escapes, continued lines, and what a line end is: where it would matter which of them reads the file, nothing is guessed.
/// </summary>
internal static partial class EnvironmentText
{
    /// <summary>All settings in their order; also those in comments.</summary>
    /// <param name="text">A character for a byte.</param>
    /// <exception cref="SettingsDoubtException">Not every line is sure.</exception>
    public static IReadOnlyList<EnvironmentSetting> Read(string text)
    {
        if (OddLineEnd().Match(text) is { Success: true } odd)
            throw SettingsDoubtException.At(text, odd.Index, "it holds a character that some programs take for the end of a line, and others do not");
        List<EnvironmentSetting> settings = [];
        int at = text.StartsWith("\u00EF\u00BB\u00BF", StringComparison.Ordinal) ? 3 : 0;
        while (at < text.Length)
        {
            int end = SettingsText.EndOfLine(text, at);
            Match line = Setting().Match(text, at, end - at);
            if (line.Success)
            {
                bool commented = line.Groups["comment"].Success;
                int start = line.Index + line.Length;
                end = commented ? end : EndOfValue(text, start);
                settings.Add(new EnvironmentSetting(line.Groups["name"].Value, start, end, commented));
            }
            else if (!WithoutSetting().IsMatch(text[at..end]))
                throw SettingsDoubtException.At(text, at, "it is neither empty, a comment, nor NAME=value");
            at = SettingsText.NextLine(text, end);
        }

        return settings;
    }

    /// <summary>Whether the text of a line, in a comment, goes on behind it: a quote that is not closed there.</summary>
    public static bool IsOpen(string value) => value.TrimStart() is ['"' or '\'' or '`' or '(' or '{' or '[', ..] quoted
        && !quoted[1..].Contains(quoted[0] switch { '(' => ')', '{' => '}', '[' => ']', var quote => quote }, StringComparison.Ordinal);

    private static int EndOfValue(string text, int start)
    {
        int end = SettingsText.EndOfLine(text, start);
        if (start == end)
            return end;
        char quote = text[start];
        if (quote is not ('"' or '\'' or '`'))
        {
            RequirePlain(text, start, end);
            return end;
        }

        if (start + 2 < text.Length && text[start + 1] == quote && text[start + 2] == quote)
            throw SettingsDoubtException.At(text, start, "its value begins with three quotes");
        int close = Close(text, start);
        end = SettingsText.EndOfLine(text, close);
        return BehindQuotes().IsMatch(text[(close + 1)..end]) ? end
            : throw SettingsDoubtException.At(text, close, "what stands behind the closing quote may be part of the value");
    }

    private static int Close(string text, int start)
    {
        char quote = text[start];
        int escapes = 0;
        for (int at = start + 1; at < text.Length; at++)
        {
            if (text[at] == '\\')
            {
                escapes++;
                continue;
            }

            if (text[at] == quote && escapes == 0)
                return at;
            // Only in double quotes, and only one backslash, all programs take for an escape.
            if (text[at] == quote && (quote != '"' || escapes != 1))
                throw SettingsDoubtException.At(text, at, "a quote behind a backslash may or may not end the value");
            escapes = 0;
        }

        throw SettingsDoubtException.At(text, start, "its value begins with a quote that is never closed");
    }

    /// <summary>A value without quotes around it.</summary>
    private static void RequirePlain(string text, int start, int end)
    {
        if (text[end - 1] == '\\')
            throw SettingsDoubtException.At(text, start, "it ends with a backslash, so that the next line may or may not belong to its value");
        Match comment = Comment().Match(text, start, end - start);
        string value = comment.Success ? text[start..comment.Index] : text[start..end];
        char open = '\0';
        for (int i = 0; i < value.Length; i++)
        {
            if (value[i] is '"' or '\'' or '`' && (open == '\0' || open == value[i]))
                open = open == '\0' ? value[i] : '\0';
            if (value[i] == '\\' && i + 1 < value.Length && value[i + 1] is '"' or '\'' or '`')
                open = '\\';
        }

        if (open != '\0' || value.Contains("<<", StringComparison.Ordinal) || IsOpen(value) || value.Count('(') != value.Count(')'))
            throw SettingsDoubtException.At(text, start, "a quote, a parenthesis or << in its value may make the next line part of it");
    }

    [GeneratedRegex(@"\r(?!\n)|[\v\f\x1c-\x1e]|\xc2\x85|\xe2\x80[\xa8\xa9]", RegexOptions.CultureInvariant)]
    private static partial Regex OddLineEnd();

    [GeneratedRegex(
        @"\G[ \t]*(?<comment>[#;]+[ \t]*)?(?:export[ \t]+)?(?<quote>[""']?)(?<name>[A-Za-z0-9_.-]+)\k<quote>(?:[ \t]*=|:(?=[ \t]))[ \t]*",
        RegexOptions.CultureInvariant)]
    private static partial Regex Setting();

    [GeneratedRegex(@"^[ \t]*(?:[#;].*|(?:export[ \t]+)?[A-Za-z0-9_.-]+[ \t]*)?\z", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex WithoutSetting();

    [GeneratedRegex(@"^[ \t]*(?:#.*)?(?<!\\)\z", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex BehindQuotes();

    [GeneratedRegex(@"\G(?=#)|[ \t]#", RegexOptions.CultureInvariant)]
    private static partial Regex Comment();
}
