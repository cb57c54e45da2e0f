using System.Text;

namespace Lifeboat.Engine.Sources.Postgres.Sql;

internal enum SqlTokenKind
{
    /// <summary>A key word or unquoted name; its value is in lower case.</summary>
    Word,

    /// <summary>A name in double quotes; its value is the name itself.</summary>
    Name,

    /// <summary>A string in single quotes or dollar quotes; its value is the string itself.</summary>
    Text,

    /// <summary>A number, or one character of anything else.</summary>
    Symbol,

    /// <summary>A line that starts with a backslash where a statement could start: a command for psql.</summary>
    Meta,

    End,
}

/// <param name="Start">Where it starts in the text.</param>
/// <param name="Length">How long it is there, quotes included.</param>
internal readonly record struct SqlToken(SqlTokenKind Kind, string Value, int Start, int Length)
{
    public bool Is(string word) => Kind == SqlTokenKind.Word && Value == word;

    public bool IsSymbol(char symbol) => Kind == SqlTokenKind.Symbol && Value.Length == 1 && Value[0] == symbol;

    /// <summary>A name, quoted or not.</summary>
    public bool IsName => Kind is SqlTokenKind.Word or SqlTokenKind.Name;
}

/// <summary>
/// Reads SQL as pg_dump and pg_dumpall write it (PostgreSQL manual, 4.1 "Lexical Structure", with standard_conforming_strings on),
/// token by token; white space and comments are passed over. Whether a text stands inside quotes must be answered as the server and psql answer it, for any text: what
/// they read in different ways is an error here.
/// </summary>
internal sealed class SqlLexer(string sql)
{
    private int _at;

    /// <summary>The next token; <paramref name="fresh"/> where a statement could start, so that a backslash begins a command for psql.</summary>
    /// <exception cref="FormatException">A quote or comment is never closed, or something stands there that is read in more than one way.</exception>
    public SqlToken Next(bool fresh = false)
    {
        // Inside quotes too: psql reads no line behind one.
        if (_at == 0 && sql.Contains('\0', StringComparison.Ordinal))
            throw new FormatException("it holds a NUL");
        SkipBlanks();
        if (_at == sql.Length)
            return new SqlToken(SqlTokenKind.End, "", _at, 0);
        char c = sql[_at];
        if (c == '\\' && fresh)
            return Meta();
        if (c == '\'')
            return Quoted(_at, _at, escapes: false);
        if (c == '"')
            return QuotedName();
        if (c == '$' && DollarTag() is { } tag)
            return DollarQuoted(tag);
        if (IsNameStart(c))
            return WordOrPrefixed();
        return char.IsAsciiDigit(c) ? Number() : Take(SqlTokenKind.Symbol, c.ToString(), _at, 1);
    }

    // Others that Unicode calls white space are letters of a name to the server.
    private static bool IsBlank(char c) => c is ' ' or '\t' or '\n' or '\r' or '\f' or '\v';

    private static bool IsNameStart(char c) => char.IsAsciiLetter(c) || c == '_' || c >= 0x80;

    private static bool IsNamePart(char c) => IsNameStart(c) || char.IsAsciiDigit(c) || c == '$';

    private SqlToken Take(SqlTokenKind kind, string value, int start, int length)
    {
        _at = start + length;
        return new SqlToken(kind, value, start, length);
    }

    private void SkipBlanks()
    {
        while (_at < sql.Length)
        {
            if (IsBlank(sql[_at]))
                _at++;
            else if (StartsWith("--"))
                _at = sql.AsSpan(_at).IndexOfAny('\n', '\r') is var end and >= 0 ? _at + end : sql.Length;
            else if (StartsWith("/*"))
                SkipComment();
            else
                return;
        }
    }

    private void SkipComment()
    {
        int start = _at, depth = 0;
        do
        {
            if (_at >= sql.Length)
                throw Unclosed("a comment", start);
            if (StartsWith("/*"))
                (depth, _at) = (depth + 1, _at + 2);
            else if (StartsWith("*/"))
                (depth, _at) = (depth - 1, _at + 2);
            else
                _at++;
        }
        while (depth > 0);
    }

    private bool StartsWith(string text) => sql.AsSpan(_at).StartsWith(text, StringComparison.Ordinal);

    private int LineEnd(int from)
    {
        int end = sql.IndexOf('\n', from);
        return end < 0 ? sql.Length : end;
    }

    private SqlToken Meta()
    {
        int end = LineEnd(_at);
        return Take(SqlTokenKind.Meta, sql[_at..end].TrimEnd('\r'), _at, end - _at);
    }

    private SqlToken WordOrPrefixed()
    {
        int end = _at;
        while (end < sql.Length && IsNamePart(sql[end]))
            end++;
        bool prefixed = end < sql.Length && sql[end] == '\'' && end == _at + 1 && sql[_at] is 'e' or 'E' or 'b' or 'B' or 'x' or 'X' or 'n' or 'N';
        if (prefixed && end < sql.Length && sql[end] == '\'')
            return Quoted(_at, end, escapes: sql[_at] is 'e' or 'E');
        return Take(SqlTokenKind.Word, LowerAscii(sql[_at..end]), _at, end - _at);
    }

    // The server folds unquoted names by ASCII alone when they are in a multi-byte encoding (scansup.c, downcase_identifier).
    private static string LowerAscii(string name) =>
        string.Create(name.Length, name, static (to, from) =>
        {
            for (int i = 0; i < to.Length; i++)
                to[i] = char.IsAsciiLetterUpper(from[i]) ? (char)(from[i] | 0x20) : from[i];
        });

    /// <summary>A number, and letters that follow at once. A dollar behind digits begins a quote; behind such letters, that depends on the version.</summary>
    private SqlToken Number()
    {
        int end = _at;
        bool letters = false;
        for (; end < sql.Length && ((IsNamePart(sql[end]) && sql[end] != '$') || sql[end] == '.'); end++)
            letters |= !char.IsAsciiDigit(sql[end]) && sql[end] != '.';
        return letters && end < sql.Length && sql[end] == '$' ? throw new FormatException("a dollar follows a number with letters")
            : Take(SqlTokenKind.Symbol, sql[_at..end], _at, end - _at);
    }

    private SqlToken QuotedName()
    {
        StringBuilder name = new();
        for (int i = _at + 1; i < sql.Length; i++)
        {
            if (sql[i] != '"')
                name.Append(sql[i]);
            else if (i + 1 < sql.Length && sql[i + 1] == '"')
                name.Append(sql[i++]);
            else
                return Take(SqlTokenKind.Name, name.ToString(), _at, i + 1 - _at);
        }

        throw Unclosed("a quoted name", _at);
    }

    private SqlToken Quoted(int start, int quote, bool escapes)
    {
        StringBuilder text = new();
        for (int i = quote + 1; i < sql.Length; i++)
        {
            if (sql[i] == '\\' && escapes && i + 1 < sql.Length)
                text.Append(Unescaped(sql[++i]));
            else if (sql[i] != '\'')
                text.Append(sql[i]);
            else if (i + 1 < sql.Length && sql[i + 1] == '\'')
                text.Append(sql[i++]);
            else
                return IsContinued(i + 1) ? throw new FormatException("a string is continued in another line")
                    : Take(SqlTokenKind.Text, text.ToString(), start, i + 1 - start);
        }

        throw Unclosed("a string", start);
    }

    /// <summary>Whether a string goes on behind a line end: the server takes both for one of the first one's kind, psql for two. No dump has that.</summary>
    private bool IsContinued(int from)
    {
        (int before, bool lines) = (_at, false);
        _at = from;
        SkipBlanks();
        lines = _at < sql.Length && sql[_at] == '\'' && sql.AsSpan(from, _at - from).ContainsAny('\n', '\r');
        _at = before;
        return lines;
    }

    // pg_dump and pg_dumpall escape nothing but the backslash itself (fe_utils/string_utils.c, appendStringLiteral).
    private static char Unescaped(char c) => c switch { 'n' => '\n', 't' => '\t', 'r' => '\r', 'b' => '\b', 'f' => '\f', _ => c };

    private string? DollarTag()
    {
        int end = _at + 1;
        if (end < sql.Length && char.IsAsciiDigit(sql[end]))
            return null;
        while (end < sql.Length && (IsNameStart(sql[end]) || char.IsAsciiDigit(sql[end])))
            end++;
        return end < sql.Length && sql[end] == '$' ? sql[_at..(end + 1)] : null;
    }

    private SqlToken DollarQuoted(string tag)
    {
        int from = _at + tag.Length;
        int end = sql.IndexOf(tag, from, StringComparison.Ordinal);
        return end < 0 ? throw Unclosed("a dollar-quoted string", _at) : Take(SqlTokenKind.Text, sql[from..end], _at, end + tag.Length - _at);
    }

    private FormatException Unclosed(string what, int start) =>
        new($"{what} that starts in line {1 + sql.AsSpan(0, start).Count('\n')} is not closed");
}
