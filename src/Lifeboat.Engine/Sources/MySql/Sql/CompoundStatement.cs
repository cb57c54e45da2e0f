namespace Lifeboat.Engine.Sources.MySql.Sql;

/// <summary>
/// Finds where a statement of a routine's body ends (MySQL manual, 15.6 "Compound Statement Syntax"). A server takes what follows for another statement, and runs it.
/// </summary>
internal sealed class CompoundStatement(IReadOnlyList<DumpToken> tokens)
{
    private const int DeepestBody = 200;

    private static readonly string[] s_listEnds = ["end", "else", "elseif", "when", "until"];
    private int _depth;

    /// <summary>Whether one statement fills all that is left from a place on, but for a semicolon at its end.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public bool Fills(int from)
    {
        int end = Statement(from);
        return end == tokens.Count || (end == tokens.Count - 1 && tokens[end].IsSymbol(';'));
    }

    private bool Is(int at, string word) => at < tokens.Count && tokens[at].Is(word);

    private static FormatException Unclear() => new("its body is not understood");

    private int Expect(int at, params string[] words)
    {
        foreach (string word in words)
            at = Is(at, word) ? at + 1 : throw Unclear();
        return at;
    }

    /// <summary>The place behind a statement: of its semicolon, or the end.</summary>
    private int Statement(int at)
    {
        if (++_depth > DeepestBody)
            throw Unclear();
        if (at + 1 < tokens.Count && tokens[at].Kind != DumpTokenKind.Symbol && tokens[at + 1].IsSymbol(':'))
            at += 2;
        int end = at < tokens.Count && tokens[at].Kind == DumpTokenKind.Word ? tokens[at].Value switch
        {
            "begin" => Label(Expect(List(Is(at + 1, "not") ? Expect(at + 1, "not", "atomic") : at + 1), "end")),
            "if" => If(at + 1),
            "case" => Case(at + 1),
            "loop" => Label(Expect(List(at + 1), "end", "loop")),
            "while" => Label(Expect(List(Find(at + 1, "do") + 1), "end", "while")),
            "for" => Label(Expect(List(Find(at + 1, "do") + 1), "end", "for")),
            "repeat" => Label(Expect(Find(Expect(List(at + 1), "until"), "end"), "end", "repeat")),
            "declare" when Is(at + 2, "handler") => Statement(Conditions(Expect(at + 3, "for"))),
            _ => Simple(at),
        } : Simple(at);
        _depth--;
        return end;
    }

    /// <summary>Statements, each with its semicolon, up to a word that no statement begins with.</summary>
    private int List(int at)
    {
        while (at < tokens.Count && !(tokens[at].Kind == DumpTokenKind.Word && s_listEnds.Contains(tokens[at].Value)))
        {
            at = Statement(at);
            at = at < tokens.Count && tokens[at].IsSymbol(';') ? at + 1 : throw Unclear();
        }

        return at;
    }

    private int If(int at)
    {
        at = List(Find(at, "then") + 1);
        while (Is(at, "elseif"))
            at = List(Find(at + 1, "then") + 1);
        if (Is(at, "else"))
            at = List(at + 1);
        return Expect(at, "end", "if");
    }

    private int Case(int at)
    {
        at = Find(at, "when");
        while (Is(at, "when"))
            at = List(Find(at + 1, "then") + 1);
        if (Is(at, "else"))
            at = List(at + 1);
        return Expect(at, "end", "case");
    }

    /// <summary>A word behind an expression, which may hold CASE … END with the same words.</summary>
    private int Find(int at, string word)
    {
        int cases = 0;
        for (; at < tokens.Count && !tokens[at].IsSymbol(';'); at++)
        {
            if (cases == 0 && tokens[at].Is(word))
                return at;
            cases += tokens[at].Is("case") ? 1 : tokens[at].Is("end") ? -1 : 0;
        }

        throw Unclear();
    }

    /// <summary>What a handler is for: the first token that is neither a condition nor a comma begins its statement.</summary>
    private int Conditions(int at)
    {
        while (true)
        {
            if (Is(at, "sqlstate"))
                at += Is(at + 1, "value") ? 3 : 2;
            else
                at += Is(at, "not") && Is(at + 1, "found") ? 2 : 1;
            if (at >= tokens.Count || !tokens[at].IsSymbol(','))
                return at;
            at++;
        }
    }

    private int Label(int at) => at < tokens.Count && tokens[at].Kind != DumpTokenKind.Symbol && !IsListEnd(at) ? at + 1 : at;

    private bool IsListEnd(int at) => tokens[at].Kind == DumpTokenKind.Word && s_listEnds.Contains(tokens[at].Value);

    private int Simple(int at)
    {
        while (at < tokens.Count && !tokens[at].IsSymbol(';'))
            at++;
        return at;
    }
}
