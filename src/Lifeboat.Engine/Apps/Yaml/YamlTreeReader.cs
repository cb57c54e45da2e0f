using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Lifeboat.Engine.Apps.Yaml;

/// <summary>
/// Reads one YAML document into nodes with their places. Only what an app file needs is taken: anchors, aliases, tags, several
/// documents, keys that are not text and keys given twice are faults. No text from the file gets into a fault, except keys that
/// cannot be secrets.
/// </summary>
internal sealed class YamlTreeReader
{
    private const int MaxDepth = 24;
    private readonly Parser _parser;
    private readonly List<YamlFault> _faults;
    private ParsingEvent _next = new StreamStart();

    private YamlTreeReader(string text, List<YamlFault> faults)
    {
        _parser = new Parser(new StringReader(text));
        _faults = faults;
    }

    /// <summary>Reads the document; null where it is empty or not YAML. Faults are added as they are met.</summary>
    public static YamlNode? Read(string text, List<YamlFault> faults)
    {
        try
        {
            return new YamlTreeReader(text, faults).ReadDocument();
        }
        catch (YamlException e)
        {
            faults.Add(SyntaxFaults.Describe(e));
            return null;
        }
    }

    private YamlNode? ReadDocument()
    {
        Advance();
        Take<StreamStart>();
        if (_next is StreamEnd)
            return null;
        Take<DocumentStart>();
        YamlNode root = ReadNode(0);
        Take<DocumentEnd>();
        if (_next is DocumentStart second)
            _faults.Add(new YamlFault(At(second), "a second YAML document begins here", "write one app to a file, without `---` between"));
        return root is TextNode { IsNothing: true } ? null : root;
    }

    private YamlNode ReadNode(int depth)
    {
        ParsingEvent next = _next;
        if (next is NodeEvent node)
            RefuseDecorations(node);
        switch (next)
        {
            case Scalar scalar:
                Advance();
                return new TextNode(At(scalar), scalar.Value, scalar.Style == ScalarStyle.Plain);
            case SequenceStart or MappingStart when depth >= MaxDepth:
                throw new SyntaxErrorException(next.Start, next.End, SyntaxFaults.TooDeep); // reading on could take hours
            case SequenceStart:
                return ReadList(depth);
            case MappingStart:
                return ReadMap(depth);
            case AnchorAlias:
                _faults.Add(new YamlFault(
                    At(next), "YAML aliases (`*name`) are not supported", "write the value out; a text that begins with `*` must be quoted"));
                Advance();
                return new UnusableNode(At(next));
            default:
                throw new SyntaxErrorException(next.Start, next.End, "a value is expected here");
        }
    }

    private ListNode ReadList(int depth)
    {
        Position at = At(Take<SequenceStart>());
        List<YamlNode> items = [];
        while (_next is not SequenceEnd)
            items.Add(ReadNode(depth + 1));
        Advance();
        return new ListNode(at, items);
    }

    private MapNode ReadMap(int depth)
    {
        Position at = At(Take<MappingStart>());
        Dictionary<string, MapEntry> entries = new(StringComparer.Ordinal);
        while (_next is not MappingEnd)
        {
            YamlNode key = ReadNode(depth + 1);
            YamlNode value = ReadNode(depth + 1);
            if (key is not TextNode { Text: var name })
                _faults.Add(new YamlFault(key.At, "a key is not a text", "write `key: value`"));
            else if (!entries.TryAdd(name, new MapEntry(name, key.At, value)))
                _faults.Add(new YamlFault(
                    key.At, $"{Shown.Key(name)} stands here twice, first on line {entries[name].At.Line}", "keep one of the two"));
        }

        Advance();
        return new MapNode(at, [.. entries.Values]);
    }

    private void RefuseDecorations(NodeEvent node)
    {
        if (!node.Anchor.IsEmpty)
            _faults.Add(new YamlFault(
                At(node), "YAML anchors (`&name`) are not supported", "write the value without it; a text that begins with `&` must be quoted"));
        if (!node.Tag.IsEmpty)
            _faults.Add(new YamlFault(
                At(node), "YAML tags (`!name`) are not supported", "write the value without it; a text that begins with `!` must be quoted"));
    }

    private T Take<T>()
        where T : ParsingEvent
    {
        T taken = _next as T ?? throw new SyntaxErrorException(_next.Start, _next.End, "something else is expected here");
        Advance();
        return taken;
    }

    private void Advance()
    {
        try
        {
            if (_parser.MoveNext())
                _next = _parser.Current!;
            else if (_next is not StreamEnd)
                throw new SyntaxErrorException(_next.End, _next.End, "the document ends too early");
        }
        catch (InvalidOperationException e)
        {
            // The parser trips over some malformed texts instead of refusing them; which ones is its own affair.
            throw new SyntaxErrorException(_next.End, _next.End, $"the parser gave up: {e.Message}");
        }
    }

    private static Position At(ParsingEvent at) => new((int)at.Start.Line, (int)at.Start.Column);
}
