namespace Lifeboat.Engine.Sources.MySql.Sql;

/// <summary>What a piece of SQL is to the server.</summary>
internal enum SqlTokenKind
{
    /// <summary>A keyword, a name without quotes, or a number.</summary>
    Word,

    /// <summary>A name in backticks (or double quotes, where the mode takes these for names).</summary>
    Name,

    /// <summary>A text in quotes.</summary>
    Text,

    /// <summary>One character of another kind.</summary>
    Sign,
}

/// <param name="Start">Where it begins in the statement.</param>
/// <param name="Value">A name without its quotes; everything else as it stands.</param>
internal readonly record struct SqlToken(SqlTokenKind Kind, int Start, int Length, string Value)
{
    public int End => Start + Length;

    public bool IsWord(string word) => Kind == SqlTokenKind.Word && Value.Equals(word, StringComparison.OrdinalIgnoreCase);

    public bool IsSign(char sign) => Kind == SqlTokenKind.Sign && Value[0] == sign;
}

/// <summary>
/// Takes statements apart as the servers do, whatever stands in their names, texts and comments. A comment for servers of a certain version
/// (<c>/*!50100 … */</c>) is read as what it is to them: part of the statement. What is not closed goes on to the end.
/// </summary>
internal static class SqlTokens
{
    /// <param name="mode">The session's <c>sql_mode</c>, as far as it says what quotes and backslashes are.</param>
    public static IReadOnlyList<SqlToken> Read(string sql, string mode = "")
    {
        bool quotesName = mode.Contains("ANSI", StringComparison.OrdinalIgnoreCase) || mode.Contains("ORACLE", StringComparison.OrdinalIgnoreCase);
        bool escapes = !mode.Contains("NO_BACKSLASH_ESCAPES", StringComparison.OrdinalIgnoreCase);
        List<SqlToken> tokens = [];
        for (int at = SkipBlank(sql, 0); at < sql.Length; at = SkipBlank(sql, tokens[^1].End))
        {
            tokens.Add(sql[at] switch
            {
                '`' => Name(sql, at),
                '"' when quotesName => Name(sql, at),
                '"' or '\'' => Text(sql, at, escapes),
                char c when IsWordPart(c) => Word(sql, at),
                _ => new SqlToken(SqlTokenKind.Sign, at, 1, sql[at..(at + 1)]),
            });
        }

        return tokens;
    }

    /// <summary>Characters of names that need no quotes, and of numbers; all that is not ASCII counts.</summary>
    private static bool IsWordPart(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '$' or >= '\u0080';

    private static SqlToken Word(string sql, int start)
    {
        int end = start + 1;
        while (end < sql.Length && IsWordPart(sql[end]))
            end++;
        return new SqlToken(SqlTokenKind.Word, start, end - start, sql[start..end]);
    }

    private static SqlToken Name(string sql, int start)
    {
        string quote = sql[start..(start + 1)];
        int end = EndOfQuoted(sql, start, escapes: false);
        string inner = sql[(start + 1)..Math.Max(start + 1, end - 1)];
        return new SqlToken(SqlTokenKind.Name, start, end - start, inner.Replace(quote + quote, quote, StringComparison.Ordinal));
    }

    private static SqlToken Text(string sql, int start, bool escapes)
    {
        int end = EndOfQuoted(sql, start, escapes);
        return new SqlToken(SqlTokenKind.Text, start, end - start, sql[start..end]);
    }

    /// <summary>Behind the closing quote; two quotes are one that closes nothing.</summary>
    private static int EndOfQuoted(string sql, int start, bool escapes)
    {
        for (int at = start + 1; at < sql.Length; at++)
        {
            if (escapes && sql[at] == '\\')
                at++;
            else if (sql[at] == sql[start] && at + 1 < sql.Length && sql[at + 1] == sql[start])
                at++;
            else if (sql[at] == sql[start])
                return at + 1;
        }

        return sql.Length;
    }

    /// <summary>Behind white space and comments.</summary>
    private static int SkipBlank(string sql, int at)
    {
        while (at < sql.Length)
        {
            ReadOnlySpan<char> rest = sql.AsSpan(at);
            if (char.IsWhiteSpace(rest[0]))
                at++;
            else if (rest[0] == '#' || (rest.StartsWith("--") && (rest.Length == 2 || char.IsWhiteSpace(rest[2]) || char.IsControl(rest[2]))))
                at = sql.IndexOf('\n', at) is >= 0 and int end ? end + 1 : sql.Length;
            else if (rest.StartsWith("/*!") || rest.StartsWith("/*M!"))
                at = SkipVersion(sql, at);
            else if (rest.StartsWith("/*"))
                at = sql.IndexOf("*/", at + 2, StringComparison.Ordinal) is >= 0 and int close ? close + 2 : sql.Length;
            else if (rest.StartsWith("*/"))
                at += 2; // the end of a comment whose content was read
            else
                break;
        }

        return at;
    }

    /// <summary>Behind <c>/*!50100</c>: what follows is for the server.</summary>
    private static int SkipVersion(string sql, int at)
    {
        at = sql.IndexOf('!', at) + 1;
        while (at < sql.Length && char.IsAsciiDigit(sql[at]))
            at++;
        return at;
    }
}
