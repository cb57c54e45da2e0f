namespace Lifeboat.Engine.Sources.Postgres.Sql;

/// <summary>One statement, or one command line for psql.</summary>
/// <param name="Text">As it stands in the file, from its first word, without the semicolon.</param>
/// <param name="Line">The line in which it starts, from 1.</param>
/// <param name="Tokens">Its tokens, without the semicolon.</param>
internal sealed record SqlStatement(string Text, int Line, IReadOnlyList<SqlToken> Tokens)
{
    /// <summary>A psql command such as <c>\restrict</c> or <c>\connect</c>.</summary>
    public bool IsMeta => Tokens[0].Kind == SqlTokenKind.Meta;
}

/// <summary>
/// Splits SQL text as pg_dump and pg_dumpall write it into statements. As psql does (psqlscan.l), a semicolon ends a statement only
/// outside quotes, comments and parentheses, and outside the <c>BEGIN ATOMIC … END</c> body of a routine. The server must see the same ends, for any text: else what
/// looks like one statement would be several. The words by which a body ends may be names too, but a dump quotes them then; where they may be read so, that is an error.
/// </summary>
internal static class SqlStatements
{
    // Reserved words (PostgreSQL manual, appendix C): none of them is a name without quotes.
    private static readonly HashSet<string> s_beforeExpression =
    [
        "all", "and", "any", "case", "distinct", "else", "having", "in", "limit", "not", "offset", "on", "or", "returning", "select", "some", "then", "using", "when", "where",
    ];

    /// <exception cref="FormatException">A quote or comment is never closed, or something stands there that is read in more than one way.</exception>
    public static IEnumerable<SqlStatement> Split(string sql)
    {
        SqlLexer lexer = new(sql);
        List<SqlToken> tokens = [];
        int line = 1, counted = 0, parentheses = 0, bodies = 0;
        while (true)
        {
            SqlToken token = lexer.Next(fresh: tokens.Count == 0);
            bool ends = token.Kind is SqlTokenKind.End or SqlTokenKind.Meta || (token.IsSymbol(';') && parentheses <= 0 && bodies == 0);
            if (token.Kind is not SqlTokenKind.End && !(ends && token.IsSymbol(';')))
                tokens.Add(token);
            if (ends && tokens.Count > 0)
            {
                (int start, int end) = (tokens[0].Start, tokens[^1].Start + tokens[^1].Length);
                line += sql.AsSpan(counted, start - counted).Count('\n');
                counted = start;
                yield return new SqlStatement(sql[start..end], line, tokens);
            }

            if (token.Kind == SqlTokenKind.End)
                yield break;
            if (ends)
                (tokens, parentheses, bodies) = ([], 0, 0);
            else
                (parentheses, bodies) = Nesting(token, tokens, parentheses, bodies);
        }
    }

    private static (int Parentheses, int Bodies) Nesting(SqlToken token, List<SqlToken> tokens, int parentheses, int bodies)
    {
        if (token.Kind == SqlTokenKind.Symbol)
            return (parentheses + (token.IsSymbol('(') ? 1 : token.IsSymbol(')') ? -1 : 0), bodies);
        if (token.Kind != SqlTokenKind.Word || parentheses > 0 || !CreatesRoutine(tokens))
            return (parentheses, bodies);
        return token.Value switch
        {
            "atomic" when bodies == 0 && tokens.Count > 1 && tokens[^2].Is("begin") => (parentheses, 1),
            "case" when bodies > 0 => BeginsExpression(tokens) ? (parentheses, bodies + 1)
                : throw new FormatException("CASE stands where it may be a name"),
            "end" when bodies > 0 => (parentheses, bodies - 1),
            _ => (parentheses, bodies),
        };
    }

    /// <summary>Whether the last token, a CASE, stands where only an expression can begin.</summary>
    private static bool BeginsExpression(List<SqlToken> tokens)
    {
        SqlToken before = tokens[^2];
        if (before.Kind == SqlTokenKind.Symbol)
            return before.Value.Length == 1 && !char.IsAsciiDigit(before.Value[0]) && before.Value[0] is not (')' or ']' or '.');
        return before.Kind == SqlTokenKind.Word
            && (s_beforeExpression.Contains(before.Value) || (before.Is("by") && (tokens[^3].Is("order") || tokens[^3].Is("group") || tokens[^3].Is("partition"))));
    }

    private static bool CreatesRoutine(List<SqlToken> tokens)
    {
        if (!tokens[0].Is("create") || tokens.Count < 2)
            return false;
        int kind = tokens.Count > 3 && tokens[1].Is("or") && tokens[2].Is("replace") ? 3 : 1;
        return tokens[kind].Is("function") || tokens[kind].Is("procedure");
    }
}
