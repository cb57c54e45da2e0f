using System.Globalization;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Sources;

/// <summary>What all kinds of source say of making a restored copy neutral.</summary>
internal static class Neutralizing
{
    private const int ShownLength = 160;
    private static readonly string[] s_changing = ["UPDATE", "DELETE", "INSERT", "MERGE", "WITH"];

    /// <summary>A line of the plan.</summary>
    public static string Step(string what)
    {
        string line = string.Join(' ', what.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return $"make the copy neutral: {(line.Length > ShownLength ? line[..ShownLength] + "…" : line)}";
    }

    /// <summary>Whether a statement is one that is there to change rows, by its first word.</summary>
    public static bool ChangesRows(string sql)
    {
        string first = sql.TrimStart().Split([' ', '\t', '\r', '\n', '('], 2)[0];
        return s_changing.Contains(first, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>How many rows a statement has changed.</summary>
    public static string Changed(string what, long rows) => string.Create(CultureInfo.InvariantCulture, $"{Step(what)}: {rows} {(rows == 1 ? "row" : "rows")}");

    /// <summary>A statement that changed no row may have had nothing to change, or something in the database kept it from doing so: only its author knows.</summary>
    public static Problem NothingChanged(string source, string what) => new(
        ErrorCodes.NeutralizeNothingChanged,
        $"{Step(what)}: no row was changed",
        $"if there was something to change, look for a trigger or rule that keeps it as it is, and whether its condition is right; if not, remove it from sources.{source}.neutralize",
        source);

    public static Problem Failed(string source, string what, string why) => new(
        ErrorCodes.NeutralizeFailed,
        $"{Step(what)}: {why}",
        $"correct sources.{source}.neutralize and restore again, or restore with --no-neutralize; nothing live was changed",
        source);
}
