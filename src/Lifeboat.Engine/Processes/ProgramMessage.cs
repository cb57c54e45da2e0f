using System.Text.RegularExpressions;

namespace Lifeboat.Engine.Processes;

/// <summary>What a program wrote to its error stream, as one line for a message.</summary>
internal static partial class ProgramMessage
{
    private const int LinesKept = 6;
    private const int CharactersOfLine = 300;

    /// <summary>
    /// The reason: lines that say so in the manner of database clients (<c>ERROR:</c>, <c>DETAIL:</c>, <c>HINT:</c>, <c>CONTEXT:</c>, <c>ERROR 1064</c>), the
    /// first error with what belongs to it; where there are none, the last lines. The statement that failed, which may be of any length, is left out.
    /// </summary>
    public static string Of(string errors)
    {
        List<string> lines = [];
        bool inStatement = false;
        foreach (string line in errors.Split('\n').Select(static line => line.Trim()).Where(static line => line.Length > 0))
        {
            bool isReason = Reason().IsMatch(line);
            inStatement = !isReason && (inStatement || Statement().IsMatch(line));
            if (!inStatement && !line.StartsWith("LOCATION:", StringComparison.Ordinal))
                lines.Add(line);
        }

        int first = lines.FindIndex(static line => First().IsMatch(line));
        IEnumerable<string> kept = first < 0 ? lines.TakeLast(LinesKept) : lines.Skip(first).Where(static line => Reason().IsMatch(line)).Take(LinesKept);
        return string.Join(" / ", kept.Select(Cut)) is { Length: > 0 } said ? said : "it said nothing";
    }

    private static string Cut(string line) => line.Length > CharactersOfLine ? line[..CharactersOfLine] + "…" : line;

    [GeneratedRegex(@"\b(ERROR|FATAL|PANIC|DETAIL|HINT|CONTEXT):\s|^ERROR \d+|\b(error|fatal|failed|cannot):? ", RegexOptions.CultureInvariant)]
    private static partial Regex Reason();

    [GeneratedRegex(@"\b(ERROR|FATAL|PANIC):\s|^ERROR \d+|\berror: ", RegexOptions.CultureInvariant)]
    private static partial Regex First();

    // pg_restore quotes the statement behind its error (pg_backup_db.c); psql its place in it (LINE 1: …, and a caret below), or an inner one (QUERY).
    [GeneratedRegex(@"^(pg_restore: )?(detail: )?Command was: |^(LINE \d+|QUERY|STATEMENT):", RegexOptions.CultureInvariant)]
    private static partial Regex Statement();
}
