using System.Text.RegularExpressions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>A table's CREATE TABLE, taken apart: what is needed before its rows, and what is built faster behind them.</summary>
/// <param name="Create">Without secondary keys and foreign keys.</param>
/// <param name="Keys">ALTER TABLE statements for the keys.</param>
/// <param name="ForeignKeys">One ALTER TABLE for all foreign keys; null where there are none.</param>
internal sealed partial record DeferredTable(string Create, IReadOnlyList<string> Keys, string? ForeignKeys)
{
    /// <param name="create">As SHOW CREATE TABLE prints it, each part on a line of its own.</param>
    public static DeferredTable Of(string name, string create)
    {
        string[] lines = create.Split('\n');
        int end = Array.FindLastIndex(lines, static line => line.StartsWith(')'));
        if (end < 1 || !lines[end].Contains("ENGINE=InnoDB", StringComparison.Ordinal))
            return new DeferredTable(create, [], null);
        string[] parts = [.. lines[1..end].Select(static line => line.EndsWith(',') ? line[..^1] : line)];
        string? counter = parts.FirstOrDefault(static part => part.Contains(" AUTO_INCREMENT", StringComparison.Ordinal) && part.StartsWith("  `", StringComparison.Ordinal));
        bool counterIsPrimary = counter is null || parts.Any(part =>
            part.StartsWith("  PRIMARY KEY (" + counter.Trim()[..(counter.Trim().IndexOf('`', 1) + 1)], StringComparison.Ordinal));
        bool isForeign(string part) => ForeignKey().IsMatch(part);
        bool isKey(string part) => counterIsPrimary && Key().IsMatch(part);
        string[] kept = [.. parts.Where(part => !isForeign(part) && !isKey(part))];
        // The server builds one full-text index at a time.
        string[] plain = [.. parts.Where(part => isKey(part) && !part.StartsWith("  FULLTEXT", StringComparison.Ordinal)).Select(static part => $"ADD {part.Trim()}")];
        string[] texts = [.. parts.Where(part => isKey(part) && part.StartsWith("  FULLTEXT", StringComparison.Ordinal)).Select(static part => $"ADD {part.Trim()}")];
        string[] foreign = [.. parts.Where(isForeign).Select(static part => $"ADD {part.Trim()}")];
        string table = $"ALTER TABLE {Catalogue.Definitions.Latin1(SqlText.Identifier(name))} ";
        return new DeferredTable(
            $"{lines[0]}\n{string.Join(",\n", kept)}\n{string.Join('\n', lines[end..])}",
            [.. plain.Length == 0 ? (string[])[] : [table + string.Join(", ", plain)], .. texts.Select(text => table + text)],
            foreign.Length == 0 ? null : table + string.Join(", ", foreign));
    }

    [GeneratedRegex(@"^  CONSTRAINT `(?:[^`]|``)+` FOREIGN KEY \(")]
    private static partial Regex ForeignKey();

    [GeneratedRegex(@"^  (?:UNIQUE |FULLTEXT |SPATIAL )?KEY `(?:[^`]|``)+` (?:\(|USING )")]
    private static partial Regex Key();
}
