using System.Text;

namespace Lifeboat.Engine.Apps.Yaml;

/// <summary>Turns an app file's bytes into text, or says why they are not text.</summary>
internal static class YamlText
{
    /// <summary>The largest app file that is read.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>Decodes UTF-8 (a byte order mark is passed over); on failure the text is null and the faults say why.</summary>
    public static string? Decode(ReadOnlySpan<byte> bytes, List<YamlFault> faults)
    {
        if (bytes is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..])
        {
            faults.Add(new YamlFault(new Position(1, 1), "the file is UTF-16, not UTF-8", "save it as UTF-8"));
            return null;
        }

        if (bytes is [0xEF, 0xBB, 0xBF, ..])
            bytes = bytes[3..];
        int bad = FirstUnusable(bytes, out bool isText);
        if (bad >= 0)
        {
            Position at = PositionOf(bytes, bad);
            faults.Add(isText
                ? new YamlFault(at, "a byte is not UTF-8", "save the file as UTF-8")
                : new YamlFault(at, "there is a control character; this is not a text file", "name the app file (lifeboat.yaml), or remove the character"));
            return null;
        }

        string text = Encoding.UTF8.GetString(bytes);
        FindTabs(text, faults);
        return faults.Count == 0 ? text : null;
    }

    private static int FirstUnusable(ReadOnlySpan<byte> bytes, out bool isText)
    {
        isText = false;
        for (int at = 0; at < bytes.Length;)
        {
            if (bytes[at] < 0x80)
            {
                if (bytes[at] is < 0x20 and not (byte)'\t' and not (byte)'\n' and not (byte)'\r' or 0x7F)
                    return at;
                at++;
                continue;
            }

            isText = Rune.DecodeFromUtf8(bytes[at..], out _, out int length) != System.Buffers.OperationStatus.Done;
            if (isText)
                return at;
            at += length;
        }

        return -1;
    }

    private static Position PositionOf(ReadOnlySpan<byte> bytes, int at)
    {
        ReadOnlySpan<byte> before = bytes[..at];
        return new Position(before.Count((byte)'\n') + 1, at - before.LastIndexOf((byte)'\n'));
    }

    // YAML forbids tabs as indentation, and its parser's own message for them does not say so.
    private static void FindTabs(string text, List<YamlFault> faults)
    {
        int line = 0;
        foreach (ReadOnlySpan<char> each in text.AsSpan().EnumerateLines())
        {
            line++;
            ReadOnlySpan<char> content = each.TrimStart(" \t");
            int tab = each[..^content.Length].IndexOf('\t');
            if (tab >= 0 && content.Length > 0 && content[0] != '#')
                faults.Add(new YamlFault(new Position(line, tab + 1), "the line is indented with a tab", "indent with spaces; YAML does not allow tabs there"));
        }
    }
}
