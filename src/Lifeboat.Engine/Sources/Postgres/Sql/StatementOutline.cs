namespace Lifeboat.Engine.Sources.Postgres.Sql;

/// <summary>
/// A statement without the expressions in it, which the server keeps as trees and writes from those: versions may write the same tree in different ways. What is
/// left names the object, its columns, types, constraints and options. Expressions are: a view's query, a rule's action, a routine's body of SQL, what follows
/// DEFAULT, the expressions of statistics, a collation's locale (16 and later write its standard name), and what is in brackets after CHECK, WHERE, WHEN, USING, an index's method, GENERATED ALWAYS AS and PARTITION BY.
/// </summary>
internal static class StatementOutline
{
    public static string TextOf(IReadOnlyList<SqlToken> tokens) => string.Join(' ', Of(tokens).Select(static token => token.Kind switch
    {
        SqlTokenKind.Text => SqlText.Literal(token.Value), SqlTokenKind.Name => SqlText.Identifier(token.Value), _ => token.Value,
    }));

    public static IEnumerable<SqlToken> Of(IReadOnlyList<SqlToken> tokens)
    {
        for (int i = 0; i < tokens.Count; i++)
        {
            yield return tokens[i];
            i = EndOfExpression(tokens, i + 1) - 1;
        }
    }

    /// <summary>Whether a statement makes a view or a rule.</summary>
    public static bool IsQuery(IReadOnlyList<SqlToken> tokens) => Creates(tokens, "view") || Creates(tokens, "rule");

    /// <summary>Where the expression ends that starts at a place; that place itself where none does.</summary>
    private static int EndOfExpression(IReadOnlyList<SqlToken> tokens, int at)
    {
        SqlToken before = tokens[at - 1];
        if (at == tokens.Count)
            return at;
        if (before.Is("as") && Creates(tokens, "view"))
            return EndOfQuery(tokens);
        if ((before.Is("do") && Creates(tokens, "rule")) || ((before.Is("return") || before.Is("begin")) && (Creates(tokens, "function") || Creates(tokens, "procedure"))))
            return tokens.Count;
        if (before.IsSymbol('=') && at > 1 && tokens[at - 2].Is("locale") && Creates(tokens, "collation"))
            return at + 1;
        if (before.Is("on") && Creates(tokens, "statistics"))
            return EndAt(tokens, at, static token => token.Is("from"));
        if (before.Is("default") && at > 2)
            return EndAt(tokens, at, static token => token.IsSymbol(',') || token.Is("not") || token.Is("constraint") || token.Is("check"));
        return tokens[at].IsSymbol('(') && HoldsExpression(tokens, at - 1) ? EndAt(tokens, at + 1, static _ => false) : at;
    }

    /// <summary>A view's query ends before WITH CHECK OPTION, which is the view's own.</summary>
    private static int EndOfQuery(IReadOnlyList<SqlToken> tokens)
    {
        int end = tokens.Count;
        return end > 4 && tokens[end - 1].Is("option") && tokens[end - 2].Is("check") ? end - 4 : end;
    }

    private static bool HoldsExpression(IReadOnlyList<SqlToken> tokens, int word) =>
        tokens[word].Is("check") || tokens[word].Is("where") || tokens[word].Is("when") || tokens[word].Is("using")
        || (word > 0 && (tokens[word - 1].Is("using") || (tokens[word].Is("as") && tokens[word - 1].Is("always")) || tokens[word - 1].Is("by")));

    /// <summary>The first place from one on that is not inside brackets, and is what is looked for or a closing bracket.</summary>
    private static int EndAt(IReadOnlyList<SqlToken> tokens, int from, Func<SqlToken, bool> isEnd)
    {
        int depth = 0;
        for (int i = from; i < tokens.Count; i++)
        {
            if (depth == 0 && (tokens[i].IsSymbol(')') || isEnd(tokens[i])))
                return i;
            depth += tokens[i].IsSymbol('(') ? 1 : tokens[i].IsSymbol(')') ? -1 : 0;
        }

        return tokens.Count;
    }

    private static bool Creates(IReadOnlyList<SqlToken> tokens, string kind) => tokens.Count > 0 && tokens[0].Is("create") && tokens.Take(4).Any(token => token.Is(kind));
}
