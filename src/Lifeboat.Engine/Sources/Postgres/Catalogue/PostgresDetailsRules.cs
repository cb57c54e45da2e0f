using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Catalogue;

/// <summary>
/// What <c>metadata.json</c> may say where it becomes part of a statement and is neither a name nor a literal there: one of a closed list, a number, or a condition
/// without calls.
/// </summary>
internal static class PostgresDetailsRules
{
    private static readonly string[] s_providers = ["libc", "icu", "builtin"];
    private static readonly string[] s_privileges = ["CREATE", "CONNECT", "TEMPORARY", "TEMP"];
    private static readonly string[] s_idTypes = ["regnamespace", "regclass", "regtype", "regrole"];

    /// <summary>What may stand before a bracket in an extension's condition: key words, and functions that only compute.</summary>
    private static readonly HashSet<string> s_beforeBracket =
    [
        "where", "and", "or", "not", "in", "any", "all", "between", "is", "like", "ilike", "substr", "substring", "position", "strpos", "left", "right", "lower", "upper",
        "length", "char_length", "octet_length", "coalesce", "starts_with", "abs", "concat",
    ];

    /// <exception cref="FormatException">It says something else.</exception>
    public static void Require(PostgresDetails details)
    {
        Within("database.locale_provider", details.Database.LocaleProvider, s_providers);
        Word("server_encoding", details.ServerEncoding);
        Word("database.encoding", details.Database.Encoding);
        foreach (PostgresGrant grant in details.Database.Acl ?? [])
            Within("database.acl", grant.Privilege, s_privileges);
        foreach (PostgresObjectId id in details.Extensions.SelectMany(static extension => extension.ObjectIds ?? []))
        {
            Within("extensions.object_ids", id.Type, s_idTypes);
            if (id.Id is null || id.Id.Length is 0 or > 10 || !id.Id.All(char.IsAsciiDigit))
                throw new FormatException("its extensions.object_ids has something that is no object id");
        }

        foreach (PostgresTable table in details.Tables.Where(static table => !string.IsNullOrEmpty(table.Where)))
            Condition(table.Where!);
    }

    private static void Within(string where, string value, string[] allowed)
    {
        if (!allowed.Contains(value))
            throw new FormatException($"its {where} is none of {string.Join(", ", allowed)}");
    }

    private static void Word(string where, string value)
    {
        if (string.IsNullOrEmpty(value) || value.Length is 0 or > 40 || !value.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
            throw new FormatException($"its {where} is no encoding's name");
    }

    /// <summary>An extension's condition for the rows that are data: <c>WHERE NOT standard</c>.</summary>
    private static void Condition(string text)
    {
        SqlStatement[] statements = [.. SqlStatements.Split(text)];
        bool fits = statements is [{ IsMeta: false } only] && only.Tokens[0].Is("where") && only.Text.Length == text.Trim().Length && IsPlain(only.Tokens);
        if (!fits)
            throw new FormatException("its tables.where has something that is no condition of an extension");
    }

    private static bool IsPlain(IReadOnlyList<SqlToken> tokens)
    {
        int depth = 0;
        for (int i = 0; i < tokens.Count; i++)
        {
            SqlToken token = tokens[i];
            if (token.IsSymbol('(') && tokens[i - 1].IsName && !s_beforeBracket.Contains(tokens[i - 1].Value))
                return false;
            if (token.IsSymbol('\\') || token.IsSymbol(';') || token.Is("select") || token.Is("union") || token.Is("from") || token.Is("with") || token.Is("operator"))
                return false;
            depth += token.IsSymbol('(') ? 1 : token.IsSymbol(')') ? -1 : 0;
            if (depth < 0)
                return false;
        }

        return depth == 0;
    }
}
