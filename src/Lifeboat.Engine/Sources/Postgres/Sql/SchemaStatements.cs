namespace Lifeboat.Engine.Sources.Postgres.Sql;

/// <summary>
/// What a schema dump consists of: definitions, as pg_dump writes them, and the settings above them. A bundle's schema may hold nothing else, because it is run with
/// the rights of whoever restores: nothing that reads or writes files, runs at once what it holds, or reaches beyond the database.
/// </summary>
internal static class SchemaStatements
{
    // The first words after CREATE and ALTER, longest first where one is the beginning of another.
    private static readonly string[] s_created =
    [
        "access method", "aggregate", "cast", "collation", "constraint trigger", "conversion", "default conversion", "domain", "event trigger", "extension",
        "foreign data wrapper", "foreign table", "function", "index", "language", "materialized view", "operator class", "operator family", "operator", "policy",
        "procedural language", "procedure", "property graph", "publication", "recursive view", "rule", "schema", "sequence", "server", "statistics", "subscription",
        "table", "text search configuration", "text search dictionary", "text search parser", "text search template", "transform", "trigger",
        "trusted language", "trusted procedural language", "type", "unique index", "unlogged sequence", "unlogged table", "user mapping", "view",
    ];

    private static readonly string[] s_altered =
    [
        "aggregate", "collation", "conversion", "default privileges", "domain", "event trigger", "extension", "foreign data wrapper", "foreign table", "function",
        "index", "language", "large object", "materialized view", "operator class", "operator family", "operator", "policy", "procedural language", "procedure",
        "property graph", "publication", "routine", "rule", "schema", "sequence", "server", "statistics", "subscription", "table", "text search", "trigger", "type",
        "user mapping", "view",
    ];

    /// <summary>What belongs to the whole server: its roles and databases are not the schema's.</summary>
    private static readonly string[] s_ofTheServer = ["database", "role", "tablespace", "parameter"];

    /// <summary>What pg_dump and pg_restore set above definitions.</summary>
    private static readonly Dictionary<string, string[]?> s_settings = new(StringComparer.Ordinal)
    {
        ["statement_timeout"] = ["0"], ["lock_timeout"] = ["0"], ["idle_in_transaction_session_timeout"] = ["0"], ["transaction_timeout"] = ["0"],
        ["client_encoding"] = ["UTF8", "SQL_ASCII"], ["standard_conforming_strings"] = ["on"], ["check_function_bodies"] = ["false", "off"],
        ["xmloption"] = ["content"], ["client_min_messages"] = ["warning"], ["row_security"] = ["off"], ["default_with_oids"] = ["false", "off"],
        ["default_tablespace"] = null, ["default_table_access_method"] = null,
    };

    /// <summary>Why a statement is none of a schema dump's, without its text; null where it is one.</summary>
    public static string? Fault(SqlStatement statement)
    {
        IReadOnlyList<SqlToken> tokens = statement.Tokens;
        if (tokens.Any(static token => token.IsSymbol('\\')))
            return "it has a backslash outside of quotes";
        bool fits = tokens[0].Kind == SqlTokenKind.Word && tokens[0].Value switch
        {
            "create" => Creates(tokens),
            "alter" => Alters(tokens),
            "comment" => IsAt(tokens, 1, "on") && !IsOfTheServer(tokens, 2),
            "security" => IsAt(tokens, 1, "label") && SqlKinds.TopLevel(tokens, "on") is var on and > 0 && !IsOfTheServer(tokens, on + 1),
            "grant" or "revoke" => SqlKinds.TopLevel(tokens, "on") is var on and > 0 && !IsOfTheServer(tokens, on + 1),
            "set" => Sets(tokens),
            "reset" => tokens.Count == 3 && IsAt(tokens, 1, "session") && IsAt(tokens, 2, "authorization"),
            "select" => SqlKinds.EmptiesSearchPath(tokens),
            _ => false,
        };
        return fits ? null : $"it is no definition: {SqlKinds.Beginning(tokens)}";
    }

    /// <exception cref="FormatException">A statement is none of a schema dump's, or a quote or comment is never closed.</exception>
    public static void Require(SqlStatement statement)
    {
        // The comment and the keys that newer programs put around a dump for psql are not run.
        if (statement.IsMeta ? !SqlKinds.IsGuard(statement) : Fault(statement) is not null)
            throw new FormatException($"the statement in line {statement.Line} is not one of a schema: {(statement.IsMeta ? "it is a command for psql" : Fault(statement))}");
    }

    private static bool Creates(IReadOnlyList<SqlToken> tokens)
    {
        int at = IsAt(tokens, 1, "or") && IsAt(tokens, 2, "replace") ? 3 : 1;
        return SqlKinds.Begins(tokens, at, s_created) switch
        {
            "table" or "unlogged table" or "foreign table" => SqlKinds.TopLevel(tokens, "as") < 0 && SqlKinds.TopLevel(tokens, "execute") < 0,
            "materialized view" => tokens.Count > 3 && tokens[^3].Is("with") && tokens[^2].Is("no") && tokens[^1].Is("data"),
            "schema" => tokens.Count == 3 || (tokens.Count == 5 && IsAt(tokens, 3, "authorization")),
            // One that connects would do so at once, with whatever server its text names.
            "subscription" => Enumerable.Range(0, tokens.Count - 2).Any(i => tokens[i].Is("connect") && tokens[i + 1].IsSymbol('=') && tokens[i + 2].Value == "false"),
            null => false,
            _ => true,
        };
    }

    private static bool Alters(IReadOnlyList<SqlToken> tokens) => SqlKinds.Begins(tokens, 1, s_altered) switch
    {
        "subscription" => tokens.Count == 6 && IsAt(tokens, 3, "owner"),
        null => false,
        _ => true,
    };

    private static bool Sets(IReadOnlyList<SqlToken> tokens)
    {
        if (IsAt(tokens, 1, "session"))
            return tokens.Count == 4 && IsAt(tokens, 2, "authorization");
        return tokens.Count == 4 && (tokens[2].IsSymbol('=') || tokens[2].Is("to")) && s_settings.TryGetValue(tokens[1].Value, out string[]? values)
            && (values is null ? tokens[3].Kind is SqlTokenKind.Text or SqlTokenKind.Name or SqlTokenKind.Word : values.Contains(tokens[3].Value));
    }

    private static bool IsOfTheServer(IReadOnlyList<SqlToken> tokens, int at) =>
        at >= tokens.Count || (tokens[at].Kind == SqlTokenKind.Word && s_ofTheServer.Contains(tokens[at].Value));

    private static bool IsAt(IReadOnlyList<SqlToken> tokens, int at, string word) => at < tokens.Count && tokens[at].Is(word);
}
