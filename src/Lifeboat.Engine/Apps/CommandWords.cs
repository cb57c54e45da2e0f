using System.Diagnostics.CodeAnalysis;
using System.Text;
using Lifeboat.Engine.Apps.Keys;

namespace Lifeboat.Engine.Apps;

/// <summary>
/// Splits a command into words as a POSIX shell does (POSIX.1-2024, Shell Command Language, 2.2 Quoting), without a shell: whatever
/// a shell would do besides (variables, pipes, redirections) is refused rather than passed on as if it were meant literally.
/// </summary>
internal static class CommandWords
{
    private const string ShellHint = "no shell is involved: quote the character, or write `sh -c '…'`";

    public static bool TrySplit(string text, [NotNullWhen(true)] out IReadOnlyList<string>? words, [NotNullWhen(false)] out Fault? fault)
    {
        List<string> found = [];
        words = null;
        for (int at = 0; ;)
        {
            while (at < text.Length && char.IsWhiteSpace(text[at]))
                at++;
            if (at == text.Length)
                break;
            string? word = ReadWord(text, ref at, out fault);
            if (word is null)
                return false;
            found.Add(word);
        }

        fault = found.Count == 0 || found[0].Length == 0 ? new Fault("the command names no program", "write `command:PROGRAM ARGS`") : null;
        words = found;
        return fault is null;
    }

    private static string? ReadWord(string text, ref int at, out Fault fault)
    {
        fault = new Fault("a quote in the command is not closed", "close it with the same quote");
        StringBuilder word = new();
        while (at < text.Length && !char.IsWhiteSpace(text[at]))
        {
            char c = text[at++];
            switch (c)
            {
                case '\'':
                    int end = text.IndexOf('\'', at);
                    if (end < 0)
                        return null;
                    word.Append(text, at, end - at);
                    at = end + 1;
                    break;
                case '"':
                    if (!ReadDoubleQuoted(text, ref at, word, ref fault))
                        return null;
                    break;
                case '\\' when at < text.Length:
                    word.Append(text[at++]);
                    break;
                case '|' or '&' or ';' or '<' or '>' or '(' or ')' or '$' or '`' or '\\':
                    fault = new Fault("there is a character in the command that only a shell understands", ShellHint);
                    return null;
                default:
                    word.Append(c);
                    break;
            }
        }

        return word.ToString();
    }

    private static bool ReadDoubleQuoted(string text, ref int at, StringBuilder word, ref Fault fault)
    {
        for (; at < text.Length; at++)
        {
            char c = text[at];
            if (c == '"')
            {
                at++;
                return true;
            }

            if (c is '$' or '`')
            {
                fault = new Fault("there is a character in the command that only a shell understands", ShellHint);
                return false;
            }

            if (c == '\\' && at + 1 < text.Length && text[at + 1] is '"' or '\\' or '$' or '`')
                c = text[++at];
            word.Append(c);
        }

        return false;
    }
}
