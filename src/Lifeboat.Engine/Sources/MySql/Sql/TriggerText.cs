namespace Lifeboat.Engine.Sources.MySql.Sql;

/// <summary>A CREATE TRIGGER as it was typed, which is how the servers keep it.</summary>
internal static class TriggerText
{
    /// <summary>The same trigger, without the database that it names before its own name and its table's: so it can be made in another one.</summary>
    /// <param name="mode">The <c>sql_mode</c> that it was typed in.</param>
    public static string Unqualified(string create, string mode)
    {
        IReadOnlyList<SqlToken> tokens = SqlTokens.Read(create, mode);
        int name = After(tokens, 0, "TRIGGER");
        if (name + 3 < tokens.Count && tokens[name].IsWord("IF") && tokens[name + 1].IsWord("NOT") && tokens[name + 2].IsWord("EXISTS"))
            name += 3;
        int table = After(tokens, name, "ON");
        // The later one first: what is before it stays where it is.
        return WithoutDatabase(WithoutDatabase(create, tokens, table), tokens, name);
    }

    private static int After(IReadOnlyList<SqlToken> tokens, int start, string word)
    {
        int at = start;
        while (at < tokens.Count && !tokens[at].IsWord(word))
            at++;
        return at + 1;
    }

    private static string WithoutDatabase(string create, IReadOnlyList<SqlToken> tokens, int at) =>
        at + 2 < tokens.Count && tokens[at + 1].IsSign('.') ? create.Remove(tokens[at].Start, tokens[at + 2].Start - tokens[at].Start) : create;
}
