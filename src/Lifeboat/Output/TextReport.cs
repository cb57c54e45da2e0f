using System.Text;

namespace Lifeboat.Output;

/// <summary>Collects the text of a result for people. Whatever it is given is made safe for a terminal.</summary>
/// <param name="width">Columns to stay within; very many where nothing wraps (a pipe, a file).</param>
internal sealed class TextReport(int width, bool unicode, TimeZoneInfo zone)
{
    private readonly StringBuilder _text = new();

    public TimeZoneInfo Zone => zone;

    public TextReport Line(string text = "")
    {
        _text.Append(Clean(text)).Append('\n');
        return this;
    }

    /// <summary>A line that is wrapped at words, with later lines indented by <paramref name="hanging"/> columns.</summary>
    public TextReport Wrapped(string text, int hanging)
    {
        foreach (string line in Wrap(Clean(text), width, hanging))
            _text.Append(line).Append('\n');
        return this;
    }

    public TextReport Table(TextTable table)
    {
        _text.Append(Tables.Render(table, width, unicode));
        return this;
    }

    public override string ToString() => _text.ToString();

    internal static string Clean(string text) => TerminalText.Safe(Redaction.Clean(text));

    /// <summary>Breaks at spaces; a word longer than the width stays whole, so that paths can be copied.</summary>
    internal static IEnumerable<string> Wrap(string text, int width, int hanging)
    {
        string rest = text;
        while (rest.Length > width)
        {
            int indent = rest.Length - rest.TrimStart().Length;
            int cut = rest.LastIndexOf(' ', width);
            if (cut <= indent)
                cut = rest.IndexOf(' ', Math.Min(rest.Length, Math.Max(width, indent)));
            if (cut <= indent)
                break;
            yield return rest[..cut].TrimEnd();
            rest = new string(' ', hanging) + rest[cut..].TrimStart();
        }

        yield return rest;
    }
}

/// <summary>A table as data: headings (a leading <c>&gt;</c> aligns the column to the right) and rows.</summary>
internal sealed class TextTable(params string[] headings)
{
    public IReadOnlyList<string> Headings { get; } = headings;

    public List<string[]> Rows { get; } = [];

    public TextTable Row(params string[] cells)
    {
        Rows.Add(cells);
        return this;
    }

    public TextTable WithoutEmptyColumns()
    {
        int[] used = [.. Enumerable.Range(0, Headings.Count).Where(i => Rows.Exists(row => row[i].Length > 0))];
        TextTable table = new([.. used.Select(i => Headings[i])]);
        table.Rows.AddRange(Rows.Select(row => used.Select(i => row[i]).ToArray()));
        return table;
    }
}
