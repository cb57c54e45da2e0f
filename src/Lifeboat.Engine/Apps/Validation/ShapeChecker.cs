using System.Globalization;
using System.Text.RegularExpressions;
using Lifeboat.Engine.Apps.Keys;
using Lifeboat.Engine.Apps.Yaml;

namespace Lifeboat.Engine.Apps.Validation;

/// <summary>Compares a tree with the table of keys and collects every difference. No message repeats a value.</summary>
internal sealed partial class ShapeChecker(Mistakes mistakes)
{
    public void Check(Shape shape, YamlNode node, string path)
    {
        switch (shape)
        {
            case TextShape text:
                CheckText(text, node, path);
                break;
            case ChoiceShape choice:
                CheckChoice(choice, node, path);
                break;
            case NumberShape number:
                CheckNumber(number, node, path);
                break;
            case ListShape list:
                CheckList(list, node, path);
                break;
            case MapListShape maps:
                CheckMapList(maps, node, path);
                break;
            case MapShape map when AsMap(node, path, map.Keys.Select(static k => k.Name)) is { } found:
                CheckKeys(map, found, path, discriminator: null);
                break;
            case NamedMapShape named:
                CheckNamed(named, node, path);
                break;
            case TextMapShape texts when AsMap(node, path, [texts.Thing]) is { } found:
                CheckTexts(texts, found, path);
                break;
            case TypedMapShape typed when AsMap(node, path, ["type"]) is { } found:
                CheckTyped(typed, found, path);
                break;
            case WordOrMapShape either:
                CheckWordOrMap(either, node, path);
                break;
        }
    }

    private void CheckText(TextShape shape, YamlNode node, string path)
    {
        if (node is not TextNode text)
        {
            string hint = shape.IsSecret ? TextRules.LiteralSecret.Hint : $"write one text, such as `{shape.Example}`";
            AddUnlessReported(node, path, $"a text is wanted here, not a {Kind(node)}", hint);
        }
        else if (shape.TakesNull && text is { IsNothing: true, Text.Length: > 0 })
            return;
        else if (text.IsNothing || string.IsNullOrWhiteSpace(text.Text))
            mistakes.Add(text.At, path, "there is no value", $"write one, such as `{shape.Example}`");
        else if (text.IsPlain && IsNotTextInYaml().IsMatch(text.Text) && shape.IsSecret)
            mistakes.Add(text.At, path, TextRules.LiteralSecret);
        else if (text.IsPlain && IsNotTextInYaml().IsMatch(text.Text))
            mistakes.Add(text.At, path, "a text is wanted here, but YAML reads this as a number or a truth value", "write quotes around it");
        else if (text.Text.Length > shape.MaxLength)
            mistakes.Add(text.At, path, $"the text is longer than {shape.MaxLength} characters", $"write a shorter one, such as `{shape.Example}`");
        else if (shape.Rule?.Invoke(text.Text) is { } fault)
            mistakes.Add(text.At, path, fault);
    }

    private void CheckChoice(ChoiceShape shape, YamlNode node, string path)
    {
        if (node is TextNode text && shape.Values.Contains(text.Text))
            return;
        string words = string.Join(" or ", shape.Values.Select(static v => $"`{v}`"));
        string? meant = node is TextNode wrong ? NearMiss.Find(wrong.Text, shape.Values) : null;
        AddUnlessReported(node, path, $"one of the words {words} is wanted here", meant is null ? $"write {words}" : $"did you mean `{meant}`?");
    }

    private void CheckNumber(NumberShape shape, YamlNode node, string path)
    {
        string wanted = $"a whole number from {shape.Least} to {shape.Most} is wanted here";
        if (node is TextNode text && int.TryParse(text.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value)
            && value >= shape.Least && value <= shape.Most)
        {
            if (!text.IsPlain)
                mistakes.Add(text.At, path, wanted, "write the number without quotes");
            return;
        }

        AddUnlessReported(node, path, wanted, $"write one, such as {Math.Min(shape.Most, 4)}");
    }

    private void CheckList(ListShape shape, YamlNode node, string path)
    {
        if (node is not ListNode list)
        {
            AddUnlessReported(node, path, $"a list is wanted here, not a {Kind(node)}", $"write `[\"{shape.Item.Example}\"]`, or an item to a line, each after `- `");
            return;
        }

        if (list.Items.Count == 0)
            mistakes.Add(list.At, path, "the list is empty", $"write at least one item, such as `{shape.Item.Example}`, or leave the key out");
        Dictionary<string, int> seen = new(StringComparer.Ordinal);
        for (int i = 0; i < list.Items.Count; i++)
        {
            string itemPath = string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]");
            Check(shape.Item, list.Items[i], itemPath);
            if (shape.Unique && list.Items[i] is TextNode item && !seen.TryAdd(item.Text, i))
                mistakes.Add(item.At, itemPath, $"the item is the same as {path}[{seen[item.Text]}]", "keep one of the two");
        }
    }

    private void CheckMapList(MapListShape shape, YamlNode node, string path)
    {
        if (node is not ListNode { Items.Count: > 0 } list)
        {
            AddUnlessReported(node, path, "a list of maps is wanted here", $"write `[{shape.Example}]`, or leave the key out");
            return;
        }

        for (int i = 0; i < list.Items.Count; i++)
            Check(shape.Item, list.Items[i], string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"));
    }

    private void CheckNamed(NamedMapShape shape, YamlNode node, string path)
    {
        if (node is TextNode { IsNothing: true } or MapNode { Entries.Count: 0 })
        {
            mistakes.Add(node.At, path, $"there is no {shape.Thing}", $"write at least one, such as `{shape.Example}`");
            return;
        }

        if (AsMap(node, path, [shape.Example]) is not { } map)
            return;
        Dictionary<string, MapEntry> names = new(StringComparer.OrdinalIgnoreCase);
        foreach (MapEntry entry in map.Entries)
        {
            bool good = Regex.IsMatch(entry.Key, NamedMapShape.NamePattern, RegexOptions.CultureInvariant) && !entry.Key.EndsWith('\n');
            if (!good)
                mistakes.Add(
                    entry.At, path, $"a {shape.Thing}'s name is empty, longer than 40, or has other characters than letters, digits, `-` and `_`",
                    $"write a short name: `{shape.Example}`");
            else if (!names.TryAdd(entry.Key, entry))
                mistakes.Add(
                    entry.At, $"{path}.{entry.Key}", $"the name differs from `{names[entry.Key].Key}` only in upper and lower case",
                    "give it another name; some filesystems take the two for one");
            Check(shape.Item, entry.Value, good ? $"{path}.{entry.Key}" : path);
        }
    }

    private void CheckTexts(TextMapShape shape, MapNode map, string path)
    {
        if (map.Entries.Count == 0)
            mistakes.Add(map.At, path, $"there is no {shape.Thing}", $"write at least one, such as `{shape.Example}: {shape.Item.Example}`, or leave the key out");
        foreach (MapEntry entry in map.Entries)
        {
            string entryPath = $"{path}.{Shown.Key(entry.Key).Trim('`')}";
            if (shape.NameRule?.Invoke(entry.Key) is { } fault)
                mistakes.Add(entry.At, entryPath, fault);
            Check(shape.Item, entry.Value, entryPath);
        }
    }

    private void CheckTyped(TypedMapShape shape, MapNode map, string path)
    {
        string[] types = [.. shape.Types.Select(static t => t.Type)];
        string words = string.Join(", ", types.Select(static t => $"`{t}`"));
        if (map.Entry("type") is not { } entry)
        {
            // A key nearly called `type` is the mistake then, not a missing one.
            MapEntry? nearly = map.Entries.FirstOrDefault(static e => NearMiss.Find(e.Key, ["type"]) is not null);
            mistakes.Add(nearly?.At ?? map.At, path, "the source has no `type`", nearly is null ? $"write `type:` with one of {words}" : "did you mean `type`?");
            return;
        }

        string typePath = path + ".type";
        if (entry.Value is not TextNode { IsNothing: false } text)
            AddUnlessReported(entry.Value, typePath, "the source's type is missing", $"write one of {words}");
        else if (shape.Types.FirstOrDefault(t => t.Type == text.Text) is { } variant)
            CheckKeys(variant.Map, map, path, discriminator: "type");
        else
        {
            string? meant = NearMiss.Find(text.Text, types);
            mistakes.Add(text.At, typePath, "the source's type is unknown", meant is null ? $"write one of {words}" : $"did you mean `{meant}`?");
        }
    }

    private void CheckWordOrMap(WordOrMapShape shape, YamlNode node, string path)
    {
        if (node is TextNode text && text.Text == shape.Word)
            return;
        string example = $"{{{shape.Map.Keys[0].Name}: \"{((TextShape)shape.Map.Keys[0].Shape).Example}\"}}";
        if (node is MapNode)
            Check(shape.Map, node, path);
        else
            AddUnlessReported(
                node, path, $"`{shape.Word}` or a map with `{shape.Map.Keys[0].Name}` is wanted here",
                $"write `{example}` with a secret reference, or `{shape.Word}`");
    }

    private void CheckKeys(MapShape shape, MapNode map, string path, string? discriminator)
    {
        string[] known = [.. discriminator is null ? [] : new[] { discriminator }, .. shape.Keys.Select(static k => k.Name)];
        HashSet<string> meantElsewhere = new(StringComparer.Ordinal);
        foreach (MapEntry entry in map.Entries)
        {
            if (shape.Keys.FirstOrDefault(k => k.Name == entry.Key) is { } key)
                Check(key.Shape, entry.Value, Join(path, entry.Key));
            else if (shape.Later.Contains(entry.Key))
                mistakes.Add(entry.At, Join(path, entry.Key), $"`{entry.Key}` is not supported by this version yet", $"remove it until it is; keys here are: {List(known)}");
            else if (entry.Key != discriminator && AddUnknown(entry, known, map, path) is { } meant)
                meantElsewhere.Add(meant);
        }

        if (map.Entries.Any(e => shape.Later.Contains(e.Key)) && path.Length > 0)
            return; // what is missing is most likely replaced by the key of a later version

        foreach (Key key in shape.Keys.Where(k => k.Missing is not null && map.Entry(k.Name) is null && !meantElsewhere.Contains(k.Name)))
            mistakes.Add(map.At, path, $"the key `{key.Name}` is missing", key.Missing!);
        if (shape.AtLeastOneOf.Count > 0 && !shape.AtLeastOneOf.Any(k => map.Entry(k) is not null || meantElsewhere.Contains(k)))
            mistakes.Add(map.At, path, $"one of the keys {List(shape.AtLeastOneOf)} is needed", $"write {List(shape.AtLeastOneOf)} with a list");
    }

    private string? AddUnknown(MapEntry entry, string[] known, MapNode map, string path)
    {
        if (entry.Key.Contains(':', StringComparison.Ordinal) && entry.Value is TextNode { IsNothing: true })
        {
            mistakes.Add(entry.At, path, "a blank is missing after a colon", "write `key: value`");
            return known.FirstOrDefault(k => entry.Key.StartsWith(k + ":", StringComparison.Ordinal));
        }

        // A key without a value may be anything, so it is not repeated.
        string? meant = NearMiss.Find(entry.Key, [.. known.Where(k => map.Entry(k) is null)]);
        string shown = meant is null && entry.Value is TextNode { IsNothing: true } ? "a key" : Shown.Key(entry.Key);
        string message = shown == "a key" ? "a key here is unknown" : $"the key {shown} is unknown";
        mistakes.Add(entry.At, path, message, $"{(meant is null ? "" : $"did you mean `{meant}`? ")}keys here are: {List(known)}");
        return meant;
    }

    private MapNode? AsMap(YamlNode node, string path, IEnumerable<string> keys)
    {
        if (node is MapNode map)
            return map;
        AddUnlessReported(node, path, $"a map is wanted here, not a {Kind(node)}", $"write `key: value` lines below it, or `{{key: value}}`: {string.Join(", ", keys)}");
        return null;
    }

    private void AddUnlessReported(YamlNode node, string path, string message, string hint)
    {
        if (node is not UnusableNode)
            mistakes.Add(node.At, path, message, hint);
    }

    private static string Join(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";

    private static string List(IEnumerable<string> keys) => string.Join(", ", keys.Select(static k => $"`{k}`"));

    private static string Kind(YamlNode node) => node switch
    {
        ListNode => "list",
        MapNode => "map",
        TextNode { IsNothing: true } => "missing value",
        _ => "text",
    };

    // What YAML 1.2's core schema, and editors with it, read as a number or a truth value (YAML 1.2.2, 10.3.2).
    [GeneratedRegex(
        "^([-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\\.(inf|Inf|INF)|\\.(nan|NaN|NAN)|true|True|TRUE|false|False|FALSE)\\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex IsNotTextInYaml();
}
