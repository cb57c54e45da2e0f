namespace Lifeboat.Engine.Sources.Postgres.Sql;

/// <summary>
/// Tells of a schema's statements which only a superuser may run, as pg_dump writes them (PostgreSQL manual, "SQL Commands", the notes on each). Extensions are
/// not among them: whether one is trusted is a matter of the server.
/// </summary>
internal static class SuperuserStatements
{
    public const string Subscriptions = "subscriptions";
    public const string OthersRights = "rights that others than the owner granted";

    /// <summary>The kind of what the statement makes, in the plural, and its name; null where others may make it too.</summary>
    public static (string Kind, string Name)? Of(SqlStatement statement)
    {
        IReadOnlyList<SqlToken> tokens = statement.Tokens;
        if (Begins(tokens, "set", "session", "authorization"))
            return Word(tokens, 3) == "default" ? null : (OthersRights, tokens[3].Value);
        if (Word(tokens, 0) is "grant" or "revoke")
            return OnSystem(tokens);
        if (Begins(tokens, "alter", "publication") && Has(tokens, 3, "schema"))
            return ("publications of schemas", Name(tokens, 2));
        if (Word(tokens, 0) != "create")
            return null;
        int at = Begins(tokens, "create", "or", "replace") ? 3 : 1;
        return (Word(tokens, at), Word(tokens, at + 1), Word(tokens, at + 2)) switch
        {
            ("event", "trigger", _) => ("event triggers", Name(tokens, at + 2)),
            ("publication", _, _) when Begins(tokens.Skip(at + 2), "for", "all", "tables") => ("publications of all tables", Name(tokens, at + 1)),
            ("subscription", _, _) => (Subscriptions, Name(tokens, at + 1)),
            ("type", _, _) when AfterName(tokens, at + 1) is var after && (after == tokens.Count || tokens[after].IsSymbol('(')) => ("base types", Name(tokens, at + 1)),
            ("operator", "class" or "family", _) => ("operator classes and families", Name(tokens, at + 2)),
            ("access", "method", _) => ("access methods", Name(tokens, at + 2)),
            ("text", "search", "template" or "parser") => ("text search templates and parsers", Name(tokens, at + 3)),
            ("foreign", "data", "wrapper") => ("foreign data wrappers", Name(tokens, at + 3)),
            ("trusted" or "procedural" or "language", _, _) => ("languages", Name(tokens, tokens.ToList().FindIndex(static token => token.Is("language")) + 1)),
            ("cast", _, _) when Has(tokens, at, "without") => ("casts without a function", string.Concat(tokens.Skip(at + 1).TakeWhile(static t => !t.Is("without")).Select(Text))),
            ("function" or "procedure", _, _) => Routine(tokens, at + 1),
            ("aggregate", _, _) when HasInternalState(tokens) => ("aggregates with an internal state", Name(tokens, at + 1)),
            _ => null,
        };
    }

    /// <summary>The language and the options of a routine stand between its arguments and its body.</summary>
    private static (string Kind, string Name)? Routine(IReadOnlyList<SqlToken> tokens, int at)
    {
        int depth = 0, language = -1;
        for (int i = at; i < tokens.Count && language < 0; i++)
        {
            depth += tokens[i].IsSymbol('(') ? 1 : tokens[i].IsSymbol(')') ? -1 : 0;
            if (depth == 0 && tokens[i].Is("language"))
                language = i;
        }

        if (language < 0)
            return null;
        SqlToken[] options = [.. tokens.Skip(language + 2).TakeWhile(static token => !(token.Is("as") || token.Is("begin") || token.Is("return")))];
        return tokens.Count > language + 1 && tokens[language + 1].Value is "c" or "internal" ? ("functions in C", Name(tokens, at))
            : options.Any(static token => token.Is("leakproof")) ? ("leakproof functions", Name(tokens, at))
            : options.Any(static token => token.Is("support")) ? ("functions with a support function", Name(tokens, at))
            : null;
    }

    /// <summary>Rights on what comes with the server, which belongs to its first superuser.</summary>
    private static (string Kind, string Name)? OnSystem(IReadOnlyList<SqlToken> tokens)
    {
        int on = tokens.ToList().FindIndex(static token => token.Is("on"));
        int name = tokens.ToList().FindIndex(Math.Max(on, 0), static token => token.Value is "pg_catalog" or "information_schema" && token.IsName);
        bool isSystem = on > 0 && name > 0 && (name == on + 1 || name == on + 2)
            && (Word(tokens, name - 1) == "schema" || (name + 1 < tokens.Count && tokens[name + 1].IsSymbol('.')));
        return isSystem ? ("rights on the server's own objects", Name(tokens, name)) : null;
    }

    private static bool HasInternalState(IReadOnlyList<SqlToken> tokens) => Enumerable.Range(0, Math.Max(tokens.Count - 2, 0))
        .Any(i => (tokens[i].Is("stype") || tokens[i].Is("mstype")) && tokens[i + 1].IsSymbol('=') && tokens[i + 2].Is("internal"));

    private static bool Begins(IEnumerable<SqlToken> tokens, params string[] words) =>
        tokens.Take(words.Length).Select(static token => token.Kind == SqlTokenKind.Word ? token.Value : "").SequenceEqual(words);

    private static bool Has(IReadOnlyList<SqlToken> tokens, int from, string word) => tokens.Skip(from).Any(token => token.Is(word));

    private static string Word(IReadOnlyList<SqlToken> tokens, int at) => at < tokens.Count && tokens[at].Kind == SqlTokenKind.Word ? tokens[at].Value : "";

    private static int AfterName(IReadOnlyList<SqlToken> tokens, int at) => at + 1 < tokens.Count && tokens[at + 1].IsSymbol('.') ? at + 3 : at + 1;

    private static string Name(IReadOnlyList<SqlToken> tokens, int at) =>
        string.Concat(tokens.Skip(at).Take(AfterName(tokens, at) - at).Select(static token => token.Value));

    private static string Text(SqlToken token) => token.Is("as") ? " AS " : token.Value;
}
