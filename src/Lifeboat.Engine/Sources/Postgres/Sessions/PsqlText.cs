using System.Text;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Sessions;

/// <summary>
/// Makes sure that psql takes a text for SQL and nothing else, wherever it comes from. psql runs what stands behind a backslash outside of quotes, puts values of its
/// variables in the place of <c>:name</c>, reads no line behind a NUL, and waits for the end of a quote that is open.
/// </summary>
internal static class PsqlText
{
    /// <returns>The text, with a space behind a colon that could begin a variable's name: the same to the server.</returns>
    /// <exception cref="FormatException">The text has anything that is psql's, or a quote, comment or encoding that does not come to its end.</exception>
    public static string Of(string sql)
    {
        List<int> colons = [];
        SqlLexer lexer = new(sql);
        int cast = -1; // the second colon of a cast
        for (SqlToken token = lexer.Next(); token.Kind != SqlTokenKind.End; token = lexer.Next())
        {
            if (token.IsSymbol('\\'))
                throw new FormatException("a backslash stands outside of quotes");
            if (!token.IsSymbol(':') || token.Start == cast || token.Start + 1 == sql.Length)
                continue;
            char next = sql[token.Start + 1];
            if (next == ':')
                cast = token.Start + 1;
            else if (char.IsAsciiLetterOrDigit(next) || next is '_' or '\'' or '"' or '{' || next >= 0x80)
                colons.Add(token.Start + 1);
        }

        if (colons.Count == 0)
            return sql;
        StringBuilder text = new(sql);
        foreach (int at in Enumerable.Reverse(colons))
            text.Insert(at, ' ');
        return text.ToString();
    }

    /// <summary>The text's bytes, none of them another character's: an encoder would put a quote in the place of what looks like one.</summary>
    /// <exception cref="FormatException">The encoding does not have a character of it.</exception>
    public static byte[] Encode(string text, Encoding encoding)
    {
        Encoding strict = Encoding.GetEncoding(encoding.CodePage, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback);
        try
        {
            return strict.GetBytes(text);
        }
        catch (EncoderFallbackException e)
        {
            throw new FormatException($"the connection's encoding {encoding.WebName} does not have all of its characters", e);
        }
    }
}
