namespace Lifeboat.Engine.Sources.Postgres.Sql;

/// <summary>Tells kinds of statements apart by their words.</summary>
internal static class SqlKinds
{
    /// <summary>The one of some kinds, each of one word or more, that a statement names at a place; null for none. Longer kinds stand before shorter ones.</summary>
    public static string? Begins(IReadOnlyList<SqlToken> tokens, int at, IEnumerable<string> kinds) => kinds.FirstOrDefault(kind =>
    {
        string[] words = kind.Split(' ');
        return at + words.Length <= tokens.Count && Enumerable.Range(0, words.Length).All(i => tokens[at + i].Is(words[i]));
    });

    /// <summary>The first place of a key word outside of brackets, or -1.</summary>
    public static int TopLevel(IReadOnlyList<SqlToken> tokens, string word)
    {
        int depth = 0;
        for (int i = 0; i < tokens.Count; i++)
        {
            depth += tokens[i].IsSymbol('(') ? 1 : tokens[i].IsSymbol(')') ? -1 : 0;
            if (depth == 0 && tokens[i].Is(word))
                return i;
        }

        return -1;
    }

    /// <summary>Whether it is <c>SELECT pg_catalog.set_config('search_path', '', false)</c>, which every dump has.</summary>
    public static bool EmptiesSearchPath(IReadOnlyList<SqlToken> tokens) => tokens.Count == 11
        && tokens.Select(static token => token.Value).SequenceEqual(["select", "pg_catalog", ".", "set_config", "(", "search_path", ",", "", ",", "false", ")"])
        && tokens[5].Kind == SqlTokenKind.Text && tokens[7].Kind == SqlTokenKind.Text;

    /// <summary>Whether a command for psql is one of those that newer programs put around a dump, so that no other is run in it.</summary>
    public static bool IsGuard(SqlStatement statement) => statement.Text.StartsWith("\\restrict ", StringComparison.Ordinal)
        || statement.Text.StartsWith("\\unrestrict ", StringComparison.Ordinal);

    /// <summary>The first words of a statement, for a message: key words and names without quotes alone.</summary>
    public static string Beginning(IReadOnlyList<SqlToken> tokens) => string.Join(
        ' ', tokens.Take(4).TakeWhile(static token => token.Kind == SqlTokenKind.Word && token.Value.All(char.IsAsciiLetterOrDigit)).Select(static token => token.Value.ToUpperInvariant()))
        is { Length: > 0 } words ? words : "it does not begin with a key word";
}
