using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>Tells which of a schema's statements others can need: what is left out here makes nothing that another definition names.</summary>
internal static class ReferenceStatements
{
    public static bool Hold(SqlStatement statement)
    {
        IReadOnlyList<SqlToken> tokens = statement.Tokens;
        return !statement.IsMeta && tokens.Count > 2 && tokens[0].Value switch
        {
            "create" => Creates(tokens),
            "alter" => Alters(tokens),
            "set" => tokens[1].Is("default_table_access_method"),
            _ => false, // comments, rights, labels, and settings that our session has already
        };
    }

    /// <summary>Subscriptions would be of a publisher's slots, and event triggers would watch all that follows.</summary>
    private static bool Creates(IReadOnlyList<SqlToken> tokens)
    {
        int kind = tokens[1].Is("or") ? 3 : tokens[1].Is("unique") || tokens[1].Is("constraint") ? 2 : 1;
        return !(tokens[kind].Is("index") || tokens[kind].Is("trigger") || tokens[kind].Is("event") || tokens[kind].Is("rule") || tokens[kind].Is("policy")
            || tokens[kind].Is("statistics") || tokens[kind].Is("subscription"));
    }

    private static bool Alters(IReadOnlyList<SqlToken> tokens)
    {
        if (tokens[1].Is("table") || (tokens[1].Is("foreign") && tokens[2].Is("table")))
            return !IsOfTheTableAlone(tokens);
        return !(tokens[1].Is("default") || tokens[1].Is("event") || tokens[1].Is("index") || tokens[1].Is("statistics") || tokens[1].Is("subscription")
            || tokens[1].Is("publication"));
    }

    /// <summary>Foreign keys, and the state of triggers, row security and the like.</summary>
    private static bool IsOfTheTableAlone(IReadOnlyList<SqlToken> tokens)
    {
        int after = tokens.TakeWhile(static token => !token.IsSymbol('.')).Count() + 2; // the action, behind the table's name with its schema
        if (after + 3 >= tokens.Count)
            return false;
        SqlToken action = tokens[after];
        return action.Is("enable") || action.Is("disable") || action.Is("force") || action.Is("replica") || action.Is("cluster")
            || (action.Is("add") && tokens[after + 3].Is("foreign"));
    }
}
