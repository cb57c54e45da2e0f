using Lifeboat.Engine.Sources.Postgres.Parts;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>
/// Writes captured statements as pg_dump writes them when some of their constraints are not valid: a check leaves the definition of its table or domain and gets a
/// statement of its own, a foreign key gets two more words.
/// </summary>
/// <param name="notValid">Of a constraint that is not valid, by its table or domain and its name: whether it is that one's own; null for one that is valid.</param>
/// <param name="decode">Gives what the lexer read as text.</param>
internal sealed class NotValidForm(Func<RelationName, string, bool?> notValid, Func<string, string> decode)
{
    private const string Suffix = " NOT VALID";

    public IEnumerable<SqlStatement> Of(SqlStatement captured)
    {
        IReadOnlyList<SqlToken> tokens = captured.Tokens;
        PostDataStatement known = PostDataStatement.Of(captured, decode);
        if (known.Kind is PostDataKind.ForeignKey or PostDataKind.Check)
            return notValid(known.On, known.Name) is not null && !known.IsNotValid ? [Read(captured.Text + Suffix)] : [captured];
        int name = tokens.Count > 4 && tokens[0].Is("create") ? IsTable(tokens) : -1;
        if (name < 0 || name + 2 >= tokens.Count || !tokens[name + 1].IsSymbol('.'))
            return [captured];
        return Separated(captured, name);
    }

    /// <summary>Where the name of the table or domain is that a statement creates.</summary>
    private static int IsTable(IReadOnlyList<SqlToken> tokens)
    {
        int at = tokens.Take(4).TakeWhile(static token => !token.Is("table") && !token.Is("domain")).Count();
        return at < 4 ? at + 1 : -1;
    }

    private IEnumerable<SqlStatement> Separated(SqlStatement captured, int name)
    {
        IReadOnlyList<SqlToken> tokens = captured.Tokens;
        RelationName on = new(decode(tokens[name].Value), decode(tokens[name + 2].Value));
        bool isDomain = tokens[name - 1].Is("domain");
        string alter = $"ALTER {(isDomain ? "DOMAIN" : "TABLE")} {Between(captured, tokens[name].Start, End(tokens[name + 2]))}";
        List<(int From, int To)> cut = [];
        List<string> separate = [];
        for (int i = 0; i + 3 < tokens.Count; i++)
        {
            if (!tokens[i].Is("constraint") || !tokens[i + 1].IsName || !tokens[i + 2].Is("check")
                || notValid(on, decode(tokens[i + 1].Value)) is not { } own)
                continue;
            int end = EndOf(tokens, i + 3);
            bool afterComma = i > 0 && tokens[i - 1].IsSymbol(','), beforeComma = end + 1 < tokens.Count && tokens[end + 1].IsSymbol(',');
            int from = afterComma ? tokens[i - 1].Start : isDomain && i > 0 ? End(tokens[i - 1]) : tokens[i].Start;
            int to = !afterComma && beforeComma ? End(tokens[end + 1]) : End(tokens[end]);
            cut.Add((from, to));
            if (own)
                separate.Add($"{alter}\n    ADD {Between(captured, tokens[i].Start, End(tokens[end]))}{Suffix}");
            i = end;
        }

        if (cut.Count == 0)
            return [captured];
        int start = tokens[0].Start;
        string text = captured.Text;
        foreach ((int from, int to) in Enumerable.Reverse(cut))
            text = text.Remove(from - start, to - from);
        return [Read(text), .. separate.Select(Read)];
    }

    /// <summary>The last token of what follows CHECK: the brackets, and NO INHERIT.</summary>
    private static int EndOf(IReadOnlyList<SqlToken> tokens, int open)
    {
        int depth = 0, at = open;
        do
        {
            depth += tokens[at].IsSymbol('(') ? 1 : tokens[at].IsSymbol(')') ? -1 : 0;
            at++;
        }
        while (depth > 0 && at < tokens.Count);

        return at + 1 < tokens.Count && tokens[at].Is("no") && tokens[at + 1].Is("inherit") ? at + 1 : at - 1;
    }

    private static int End(SqlToken token) => token.Start + token.Length;

    private static string Between(SqlStatement statement, int from, int to) => statement.Text[(from - statement.Tokens[0].Start)..(to - statement.Tokens[0].Start)];

    private static SqlStatement Read(string sql) => SqlStatements.Split(sql).Single();
}
