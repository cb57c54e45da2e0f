using Spectre.Console;

namespace Lifeboat.Output;

/// <summary>Draws tables. Spectre.Console is loaded only when there is one to draw.</summary>
internal static class Tables
{
    public static string Render(TextTable table, int width, bool unicode)
    {
        using StringWriter text = new();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(text),
        });
        console.Profile.Width = width;
        console.Profile.Capabilities.Unicode = unicode;
        Table drawn = new() { Border = TableBorder.Simple, UseSafeBorder = true };
        foreach (string heading in table.Headings)
            drawn.AddColumn(Column(heading));
        foreach (string[] row in table.Rows)
            drawn.AddRow(row.Select(static cell => new Text(TextReport.Clean(cell))));
        console.Write(drawn);
        IEnumerable<string> lines = text.ToString().Split('\n').Select(static line => line.TrimEnd()).Where(static line => line.Length > 0);
        return string.Concat(lines.Select(static line => line + "\n"));
    }

    private static TableColumn Column(string heading)
    {
        bool right = heading.StartsWith('>');
        return new TableColumn(new Text(right ? heading[1..] : heading))
        {
            Alignment = right ? Justify.Right : Justify.Left,
            NoWrap = right,
            Padding = new Padding(0, 0, 2, 0),
        };
    }
}
