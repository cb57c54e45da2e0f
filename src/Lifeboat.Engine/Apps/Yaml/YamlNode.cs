namespace Lifeboat.Engine.Apps.Yaml;

/// <summary>Where something stands in a file; both count from 1.</summary>
internal readonly record struct Position(int Line, int Column);

/// <summary>A value in a YAML file, with its place.</summary>
internal abstract record YamlNode(Position At);

/// <param name="IsPlain">Written without quotes, so that YAML may take it for a number, a truth value or nothing.</param>
internal sealed record TextNode(Position At, string Text, bool IsPlain) : YamlNode(At)
{
    /// <summary>The key has no value at all, or YAML's null.</summary>
    public bool IsNothing => IsPlain && Text is "" or "~" or "null" or "Null" or "NULL";
}

internal sealed record ListNode(Position At, IReadOnlyList<YamlNode> Items) : YamlNode(At);

internal sealed record MapNode(Position At, IReadOnlyList<MapEntry> Entries) : YamlNode(At)
{
    public MapEntry? Entry(string key) => Entries.FirstOrDefault(entry => entry.Key == key);

    public YamlNode? Value(string key) => Entry(key)?.Value;

    /// <summary>A key's value where it is a text; null where it is anything else or missing.</summary>
    public string? Text(string key) => Value(key) is TextNode { IsNothing: false } node ? node.Text : null;
}

internal sealed record MapEntry(string Key, Position At, YamlNode Value);

/// <summary>Something that was reported already (an alias, too deep a nest): nothing more is said about it.</summary>
internal sealed record UnusableNode(Position At) : YamlNode(At);

/// <summary>A mistake in the YAML itself.</summary>
internal sealed record YamlFault(Position At, string Message, string Hint);
