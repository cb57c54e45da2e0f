using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Roles;

/// <summary>
/// What <c>globals.sql</c> of a bundle may hold: roles, their memberships, settings and rights, tablespaces, comments and labels, in the forms that pg_dumpall writes.
/// A statement of such a kind that is not known is left out with a warning; anything else is none of pg_dumpall's.
/// </summary>
internal static class GlobalsStatements
{
    private static readonly string[] s_known =
        ["create role", "create tablespace", "alter role", "alter tablespace", "comment on role", "comment on tablespace", "security label", "grant", "revoke"];

    /// <summary>Why a statement is none of <c>globals.sql</c>, without its text; null where it is one.</summary>
    public static string? Fault(SqlStatement statement)
    {
        IReadOnlyList<SqlToken> tokens = statement.Tokens;
        if (statement.IsMeta)
            return SqlKinds.IsGuard(statement) ? null : "it is a command for psql";
        if (tokens.Any(static token => token.IsSymbol('\\')))
            return "it has a backslash outside of quotes";
        bool fits = SqlKinds.Begins(tokens, 0, s_known) switch
        {
            "create role" => tokens.Count == 3 && tokens[2].IsName,
            "alter role" => tokens.Count > 4 && AltersRole(tokens),
            "create tablespace" => tokens.Count > 4 && tokens[^1].Kind == SqlTokenKind.Text,
            "grant" or "revoke" => tokens.Count > 3,
            null => IsOfTheSession(tokens),
            _ => true,
        };
        return fits ? null : $"it is of no kind that this file has: {SqlKinds.Beginning(tokens)}";
    }

    /// <summary>Attributes are words, and a password, a limit or a time; a setting is a name and values.</summary>
    private static bool AltersRole(IReadOnlyList<SqlToken> tokens) => tokens[2].IsName && tokens[3].Kind == SqlTokenKind.Word && tokens[3].Value switch
    {
        "with" => tokens.Skip(4).All(static token => token.Kind is SqlTokenKind.Word or SqlTokenKind.Text || IsNumber(token) || token.IsSymbol('-')),
        "set" or "in" => true,
        _ => false,
    };

    private static bool IsNumber(SqlToken token) => token.Kind == SqlTokenKind.Symbol && char.IsAsciiDigit(token.Value[0]);

    /// <summary>Settings and the grantor of what follows: they are read, and not run.</summary>
    private static bool IsOfTheSession(IReadOnlyList<SqlToken> tokens) => tokens[0].Kind == SqlTokenKind.Word && tokens[0].Value switch
    {
        "set" or "reset" => true,
        "select" => SqlKinds.EmptiesSearchPath(tokens),
        _ => false,
    };
}
