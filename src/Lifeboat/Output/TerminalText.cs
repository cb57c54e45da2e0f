using System.Globalization;
using System.Text;

namespace Lifeboat.Output;

/// <summary>Makes text from elsewhere (names of tables and files, messages of programs) safe to show on a terminal.</summary>
internal static class TerminalText
{
    /// <summary>
    /// Control characters, escape sequences, invisible and direction-changing characters and broken surrogates become visible
    /// escapes (<c>\n</c>, <c>\e</c>, <c>\u{202E}</c>), so that no name can move the cursor, hide itself or fake a line of ours.
    /// </summary>
    public static string Safe(string text)
    {
        foreach (char c in text)
        {
            if (c is < ' ' or > '~')
                return Escape(text);
        }

        return text;
    }

    private static string Escape(string text)
    {
        StringBuilder safe = new(text.Length + 8);
        ReadOnlySpan<char> rest = text;
        while (!rest.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(rest, out Rune rune, out int used) != System.Buffers.OperationStatus.Done)
                safe.Append(CultureInfo.InvariantCulture, $"\\u{{{(int)rest[0]:X4}}}");
            else if (IsHarmless(rune))
                safe.Append(rest[..used]);
            else
                safe.Append(Named(rune));
            rest = rest[used..];
        }

        return safe.ToString();
    }

    private static bool IsHarmless(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => false,
        UnicodeCategory.Format => rune.Value is 0x200C or 0x200D, // joiners: part of ordinary words and emoji
        _ => true,
    };

    private static string Named(Rune rune) => rune.Value switch
    {
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        0x1B => "\\e",
        < 0x100 => $"\\x{rune.Value:X2}",
        _ => $"\\u{{{rune.Value:X4}}}",
    };
}
