using YamlDotNet.Core;

namespace Lifeboat.Engine.Apps.Yaml;

/// <summary>
/// Says in our words what the YAML parser found. Its own message is used only to choose between them: it can quote the file,
/// and what it quotes can be a secret.
/// </summary>
internal static class SyntaxFaults
{
    public const string TooDeep = "nested too deeply";

    private static readonly (string Part, string Message, string Hint)[] Known =
    [
        (TooDeep, "lists and maps are nested too deeply", "an app file needs no more than five levels"),
        ("could not find expected ':'", "a `:` is missing after a key", "write `key: value`, with a space after the colon"),
        ("expected key", "the line fits neither the key before it nor a new key", "check the indentation and the quotes: keys of one map begin in the same column"),
        ("did not find expected ',' or '}'", "a `{` is not closed, or a comma is missing", "close it with `}` and separate its keys by commas"),
        ("did not find expected ',' or ']'", "a `[` is not closed, or a comma is missing", "close it with `]` and separate its items by commas"),
        ("expected '-'", "the line fits no list item", "check the indentation: items of one list begin with `-` in the same column"),
        ("unexpected end of stream", "a quote is not closed", "close it with the same quote"),
        ("unexpected document indicator", "a quote is not closed", "close it with the same quote"),
        ("unknown escape character", "a backslash in double quotes escapes nothing known", "write single quotes around a text with backslashes"),
        ("hexadecimal", "an escape in double quotes is incomplete", "write single quotes around a text with backslashes"),
        ("cannot start any token", "a text begins with a character that YAML reserves", "write quotes around a text that begins with @, ` or %"),
        ("undefined tag handle", "YAML tags (`!name`) are not supported", "write quotes around a text that begins with `!`"),
        ("scanning a tag", "YAML tags (`!name`) are not supported", "write quotes around a text that begins with `!`"),
        ("anchor", "YAML anchors and aliases are not supported", "write quotes around a text that begins with `&` or `*`"),
        ("directive", "YAML directives (`%`) are not supported", "remove the line, or quote a text that begins with `%`"),
        ("tab", "a tab stands where YAML wants spaces", "indent with spaces"),
        ("invalid mapping", "there is a second `: ` in one value", "write quotes around a value with `: ` in it, and each key on its own line"),
        ("wrong indentation", "a quote is not closed, or the quoted text goes on with less indentation", "close it with the same quote, on the same line"),
    ];

    public static YamlFault Describe(YamlException e)
    {
        Position at = new(Math.Max(1, (int)e.Start.Line), Math.Max(1, (int)e.Start.Column));
        foreach ((string part, string message, string hint) in Known)
            if (e.Message.Contains(part, StringComparison.Ordinal))
                return new YamlFault(at, message, hint);
        return new YamlFault(at, "this is not YAML", "check the quotes, brackets and indentation here and on the line before");
    }
}
