using System.Text;

namespace Lifeboat.Engine.Apps;

/// <summary>What is captured instead of a column's values. NULL stays NULL.</summary>
public enum Replacement
{
    /// <summary>NULL for every row.</summary>
    Null,

    /// <summary>One text for every row.</summary>
    Constant,

    /// <summary>Letters become <c>x</c> and <c>X</c>, digits <c>0</c>; length, blanks and ASCII punctuation stay.</summary>
    Mask,

    /// <summary>32 hex digits of a hash with a key of the run: equal values stay equal, others stay others.</summary>
    Hash,
}

/// <summary>A column whose values are not captured.</summary>
/// <param name="Name">As the app file has it.</param>
/// <param name="Path">The name's parts: schema (PostgreSQL alone), table, column.</param>
/// <param name="Constant">The text of <see cref="Replacement.Constant"/>; else null.</param>
public sealed record ColumnRedaction(string Name, IReadOnlyList<string> Path, Replacement By, string? Constant = null)
{
    private const string ConstantPrefix = "constant:";

    /// <summary>How <c>metadata.json</c> calls the replacement.</summary>
    public string Word => By.ToString().ToLowerInvariant();

    internal static bool IsReplacement(string text) =>
        text is "null" or "mask" or "hash" || text.StartsWith(ConstantPrefix, StringComparison.Ordinal);

    /// <summary>Makes one of a name and a replacement that were checked.</summary>
    internal static ColumnRedaction Of(string name, string replacement) => replacement switch
    {
        "null" => new ColumnRedaction(name, SplitName(name)!, Replacement.Null),
        "mask" => new ColumnRedaction(name, SplitName(name)!, Replacement.Mask),
        "hash" => new ColumnRedaction(name, SplitName(name)!, Replacement.Hash),
        _ => new ColumnRedaction(name, SplitName(name)!, Replacement.Constant, replacement[ConstantPrefix.Length..]),
    };

    /// <summary>A name's parts: separated by dots; one in double quotes may hold dots, and quotes doubled. Null where it is no such name.</summary>
    internal static IReadOnlyList<string>? SplitName(string name)
    {
        List<string> parts = [];
        for (int at = 0; ; at++)
        {
            string? part = ReadPart(name, ref at);
            if (string.IsNullOrEmpty(part))
                return null;
            parts.Add(part);
            if (at == name.Length)
                return parts;
            if (name[at] != '.')
                return null;
        }
    }

    private static string? ReadPart(string name, ref int at)
    {
        StringBuilder part = new();
        bool quoted = at < name.Length && name[at] == '"';
        if (quoted)
            at++;
        for (; at < name.Length; at++)
        {
            char c = name[at];
            if (quoted ? c == '"' : c == '.')
            {
                if (!quoted || at + 1 == name.Length || name[at + 1] != '"')
                    break;
                at++;
            }
            else if (!quoted && c == '"')
            {
                return null;
            }

            part.Append(c);
        }

        if (!quoted)
            return part.ToString();
        return at++ < name.Length ? part.ToString() : null;
    }
}
