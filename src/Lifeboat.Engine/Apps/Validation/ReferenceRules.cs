using System.Globalization;
using Lifeboat.Engine.Apps.Keys;
using Lifeboat.Engine.Apps.Yaml;

namespace Lifeboat.Engine.Apps.Validation;

/// <summary>Checks that <c>references:</c> name sources that there are, of the right types. Looks only at values that are right by themselves.</summary>
internal sealed class ReferenceRules(Mistakes mistakes)
{
    public void Check(MapNode root)
    {
        if (root.Value("references") is not ListNode list || root.Value("sources") is not MapNode sources)
            return;
        for (int i = 0; i < list.Items.Count; i++)
        {
            if (list.Items[i] is not MapNode map)
                continue;
            string path = string.Create(CultureInfo.InvariantCulture, $"references[{i}]");
            if (map.Value("column") is TextNode { IsNothing: false } column && TextRules.ReferringColumn(column.Text) is null)
                CheckColumn(column, sources, $"{path}.column");
            if (map.Value("files") is TextNode { IsNothing: false } files && TypeOf(sources, files.Text) is var type && type is not "files")
                mistakes.Add(
                    files.At, $"{path}.files", type is null ? "there is no source of this name" : "the source is not of type `files`",
                    $"name a source of type `files`: {Names(sources, "files")}");
        }
    }

    private void CheckColumn(TextNode column, MapNode sources, string path)
    {
        int slash = column.Text.IndexOf('/', StringComparison.Ordinal);
        string? type = TypeOf(sources, column.Text[..slash]);
        string name = column.Text[(slash + 1)..];
        if (type is not ("postgres" or "mysql" or "sqlite"))
            mistakes.Add(
                column.At, path, type is null ? "there is no source of the name before `/`" : "the source before `/` is no database",
                $"name a source with a database: {Names(sources, "postgres", "mysql", "sqlite")}");
        else if ((type == "postgres" ? TextRules.SchemaTableColumn(name) : TextRules.TableColumn(name)) is { } fault)
            mistakes.Add(column.At, path, fault);
    }

    private static string? TypeOf(MapNode sources, string name) => sources.Value(name) is MapNode source ? source.Text("type") ?? "" : null;

    private static string Names(MapNode sources, params string[] types)
    {
        string[] names = [.. sources.Entries.Where(e => e.Value is MapNode map && types.Contains(map.Text("type"))).Select(static e => $"`{e.Key}`")];
        return names.Length == 0 ? "there is none" : string.Join(", ", names);
    }
}
