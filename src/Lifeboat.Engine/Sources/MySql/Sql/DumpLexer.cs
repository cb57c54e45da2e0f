using System.Text;

namespace Lifeboat.Engine.Sources.MySql.Sql;

internal enum DumpTokenKind
{
    /// <summary>A key word, name or number without quotes; in lower case.</summary>
    Word,

    /// <summary>A name in backticks, or a string; without its quotes, escapes as they stand.</summary>
    Quoted,

    /// <summary>One character of anything else.</summary>
    Symbol,
}

internal readonly record struct DumpToken(DumpTokenKind Kind, string Value)
{
    public bool Is(string word) => Kind == DumpTokenKind.Word && Value == word;

    public bool IsSymbol(char symbol) => Kind == DumpTokenKind.Symbol && Value[0] == symbol;
}

/// <summary>How a session reads SQL.</summary>
/// <param name="SqlMode">Its <c>sql_mode</c>.</param>
/// <param name="CharacterSet">Its <c>character_set_client</c>.</param>
/// <param name="DollarQuotes">Whether <c>$$</c> begins a quote: MySQL's libraries.</param>
internal sealed record SqlDialect(string SqlMode, string CharacterSet, bool DollarQuotes)
{
    // Modes that stand for several others, that one among them.
    private static readonly string[] s_quoteNames = ["ANSI_QUOTES", "ANSI", "DB2", "MAXDB", "MSSQL", "ORACLE", "POSTGRESQL"];

    public bool BackslashEscapes => !Modes.Contains("NO_BACKSLASH_ESCAPES");

    public bool AnsiQuotes => Modes.Any(s_quoteNames.Contains);

    /// <summary>Whether routines are written in another language.</summary>
    public bool IsOracle => Modes.Contains("ORACLE");

    private string[] Modes => SqlMode.ToUpperInvariant().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    /// <summary>How many bytes a character has that begins with some two: in these sets the second may be a backslash's.</summary>
    public int Width(char first, char second) => CharacterSet switch
    {
        "gbk" or "gb18030" => first is >= '\x81' and <= '\xfe' && second is >= '\x40' and not '\x7f' and not '\xff' ? 2 : 1,
        "big5" => first is >= '\xa1' and <= '\xf9' && second is (>= '\x40' and <= '\x7e') or (>= '\xa1' and <= '\xfe') ? 2 : 1,
        "sjis" or "cp932" => first is (>= '\x81' and <= '\x9f') or (>= '\xe0' and <= '\xfc') && second is >= '\x40' and <= '\xfc' and not '\x7f' ? 2 : 1,
        _ => 1,
    };
}

/// <summary>
/// Reads one statement out of a bundle, a character for each byte, into tokens, as the server does (MySQL manual, 11 "Language Structure"; MariaDB's is the same). Whether something is
/// quoted must be answered as the server answers it, for any text: what versions read in different ways is an error.
/// </summary>
internal sealed class DumpLexer
{
    private static readonly char[] s_digits = [.. "0123456789"];

    private readonly string _sql;
    private readonly SqlDialect _dialect;
    private readonly bool _inComment;
    private readonly List<DumpToken> _tokens = [];
    private int _at;

    /// <param name="inComment">Whether it is the inside of a comment, which some servers run.</param>
    private DumpLexer(string sql, SqlDialect dialect, bool inComment) => (_sql, _dialect, _inComment) = (sql, dialect, inComment);

    /// <exception cref="FormatException">A quote or comment is not closed, or something stands there that is read in more than one way.</exception>
    public static IReadOnlyList<DumpToken> Read(string sql, SqlDialect dialect) => new DumpLexer(sql, dialect, inComment: false).Read();

    private List<DumpToken> Read()
    {
        while (_at < _sql.Length)
        {
            char c = _sql[_at];
            if (c == '\0')
                throw new FormatException("it holds a NUL");
            if (c is ' ' or (>= '\t' and <= '\r'))
                _at++;
            else if (_inComment && (c == '#' || StartsWith("--") || StartsWith("/*")))
                throw new FormatException("a comment that is run holds another one");
            else if (StartsWith("--") && _at + 2 < _sql.Length && _sql[_at + 2] >= 0x7f)
                throw new FormatException("what follows two minus signs depends on the character set");
            else if (c == '#' || (StartsWith("--") && (_at + 2 == _sql.Length || _sql[_at + 2] <= ' ')))
                _at = _sql.IndexOf('\n', _at) is var end and >= 0 ? end : _sql.Length;
            else if (StartsWith("/*"))
                Comment();
            else if (c is '\'' or '"' or '`')
                Quoted(c);
            else if (c == '$' && _dialect.DollarQuotes && DollarTag() is { } tag)
                DollarQuoted(tag);
            else if (IsNamePart(c))
                Word();
            else
                _tokens.Add(new DumpToken(DumpTokenKind.Symbol, _sql[_at++].ToString()));
        }

        return _tokens;
    }

    private static bool IsNamePart(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '$' || c >= 0x80;

    private bool StartsWith(string text) => _sql.AsSpan(_at).StartsWith(text, StringComparison.Ordinal);

    /// <summary>A comment; of one that servers from some version on run, the tokens. Others pass it over: so it must end where it ends for both.</summary>
    private void Comment()
    {
        int end = _sql.IndexOf("*/", _at + 2, StringComparison.Ordinal);
        if (end < 0)
            throw new FormatException("a comment is not closed");
        int from = StartsWith("/*!") ? _at + 3 : StartsWith("/*M!") ? _at + 4 : -1;
        if (from >= 0)
            _tokens.AddRange(new DumpLexer(_sql[from..end].TrimStart(s_digits), _dialect, inComment: true).Read());
        _at = end + 2;
    }

    private void Quoted(char quote)
    {
        bool escapes = quote != '`' && _dialect.BackslashEscapes && !(quote == '"' && _dialect.AnsiQuotes);
        StringBuilder text = new();
        for (int i = _at + 1; i < _sql.Length; i++)
        {
            char c = _sql[i];
            int taken = i + 1 < _sql.Length && ((c >= 0x80 && _dialect.Width(c, _sql[i + 1]) == 2) || (c == '\\' && escapes) || (c == quote && _sql[i + 1] == quote)) ? 2 : 1;
            if (c == quote && taken == 1)
            {
                _tokens.Add(new DumpToken(DumpTokenKind.Quoted, text.ToString()));
                _at = i + 1;
                return;
            }

            text.Append(_sql, i, taken);
            i += taken - 1;
        }

        throw new FormatException("a quote is not closed");
    }

    private string? DollarTag()
    {
        int end = _at + 1;
        while (end < _sql.Length && IsNamePart(_sql[end]) && _sql[end] != '$')
            end++;
        return end < _sql.Length && _sql[end] == '$' ? _sql[_at..(end + 1)] : null;
    }

    private void DollarQuoted(string tag)
    {
        int end = _sql.IndexOf(tag, _at + tag.Length, StringComparison.Ordinal);
        if (end < 0)
            throw new FormatException("a dollar quote is not closed");
        _tokens.Add(new DumpToken(DumpTokenKind.Quoted, _sql[(_at + tag.Length)..end]));
        _at = end + tag.Length;
    }

    private void Word()
    {
        int start = _at;
        while (_at < _sql.Length && IsNamePart(_sql[_at]))
            _at += _at + 1 < _sql.Length && _sql[_at] >= 0x80 ? _dialect.Width(_sql[_at], _sql[_at + 1]) : 1;
        _tokens.Add(new DumpToken(DumpTokenKind.Word, _sql[start.._at].ToLowerInvariant()));
    }
}
