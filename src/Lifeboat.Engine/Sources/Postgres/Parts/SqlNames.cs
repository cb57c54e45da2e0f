using System.Text;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Parts;

/// <summary>Finds names with their schema among a statement's tokens.</summary>
internal static class SqlNames
{
    /// <summary>The name that begins at a token: a schema, a dot, a name; null where none does.</summary>
    public static RelationName? At(IReadOnlyList<SqlToken> tokens, int at) =>
        at >= 0 && at + 2 < tokens.Count && tokens[at].IsName && tokens[at + 1].IsSymbol('.') && tokens[at + 2].IsName
            ? new RelationName(tokens[at].Value, tokens[at + 2].Value)
            : null;

    /// <summary>The first place of a word outside brackets; -1 for none.</summary>
    public static int Find(IReadOnlyList<SqlToken> tokens, string word, int from = 1, bool anyDepth = false)
    {
        int depth = 0;
        for (int i = 0; i < tokens.Count; i++)
        {
            depth += tokens[i].IsSymbol('(') ? 1 : tokens[i].IsSymbol(')') ? -1 : 0;
            if (i >= from && (depth == 0 || anyDepth) && tokens[i].Is(word))
                return i;
        }

        return -1;
    }

    /// <summary>The name behind the first place of a word that one follows, with or without ONLY between.</summary>
    public static RelationName? AfterWord(IReadOnlyList<SqlToken> tokens, string word, bool anyDepth = false)
    {
        for (int i = Find(tokens, word, anyDepth: anyDepth); i >= 0; i = Find(tokens, word, i + 1, anyDepth))
        {
            int at = i + 1 < tokens.Count && tokens[i + 1].Is("only") ? i + 2 : i + 1;
            if (At(tokens, at) is { } name)
                return name;
        }

        return null;
    }

    /// <summary>A statement's text with other names in some places.</summary>
    /// <param name="places">Of the names' first tokens, in order.</param>
    public static string Replace(SqlStatement statement, IReadOnlyList<int> places, Func<RelationName, RelationName> rename)
    {
        StringBuilder text = new();
        int start = statement.Tokens[0].Start, copied = 0;
        foreach (int place in places)
        {
            SqlToken first = statement.Tokens[place], last = statement.Tokens[place + 2];
            text.Append(statement.Text, copied, first.Start - start - copied).Append(rename(At(statement.Tokens, place)!.Value).Quoted);
            copied = last.Start + last.Length - start;
        }

        return text.Append(statement.Text, copied, statement.Text.Length - copied).ToString();
    }
}

/// <summary>The settings of the session that reads a dump, as far as what stands below them depends on them.</summary>
internal sealed class SessionLines
{
    private string _tablespace = "";
    private string _access = "";
    private string _user = "";

    /// <summary>Takes a statement that sets something.</summary>
    /// <returns>Whether it is one.</returns>
    public bool Take(SqlStatement statement)
    {
        IReadOnlyList<SqlToken> tokens = statement.Tokens;
        if (tokens[0].Is("reset"))
        {
            _user = "";
            return true;
        }

        if (!tokens[0].Is("set") || tokens.Count < 4)
            return tokens[0].Is("set");
        if (tokens[1].Is("default_tablespace"))
            _tablespace = tokens[^1].Value.Length == 0 ? "" : statement.Text;
        else if (tokens[1].Is("default_table_access_method"))
            _access = tokens[^1].Is("heap") ? "" : statement.Text;
        else if (tokens[1].Is("session") && tokens[2].Is("authorization"))
            _user = tokens[^1].Is("default") ? "" : statement.Text;
        return true;
    }

    /// <summary>A statement between what it depends on and what takes that back.</summary>
    public string Around(string sql)
    {
        string before = string.Concat(new[] { _tablespace, _access, _user }.Where(static s => s.Length > 0).Select(static s => s + ";\n"));
        string after = (_tablespace.Length > 0 ? ";\nRESET default_tablespace" : "") + (_access.Length > 0 ? ";\nRESET default_table_access_method" : "")
            + (_user.Length > 0 ? ";\nRESET SESSION AUTHORIZATION" : "");
        return before + sql + after;
    }
}
