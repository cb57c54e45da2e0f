using System.Globalization;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Roles;

/// <summary>What a statement of <c>globals.sql</c> is about.</summary>
internal enum GlobalKind
{
    CreateRole,

    /// <summary><c>ALTER ROLE x WITH …</c>: attributes, and the password's hash.</summary>
    RoleAttributes,

    /// <summary><c>ALTER ROLE x [IN DATABASE d] SET …</c>.</summary>
    RoleSetting,

    /// <summary><c>COMMENT ON ROLE</c>, <c>SECURITY LABEL … ON ROLE</c>.</summary>
    RoleRemark,

    /// <summary><c>GRANT a TO b</c>.</summary>
    Membership,

    /// <summary><c>GRANT … ON PARAMETER … TO r</c>.</summary>
    ParameterGrant,

    CreateTablespace,

    /// <summary>Anything else about a tablespace: options, owner, grants, comment.</summary>
    TablespaceDetail,

    /// <summary><c>SET</c>, <c>SELECT pg_catalog.set_config</c>, psql's own commands: of no lasting effect.</summary>
    Session,

    /// <summary>Not known to this program.</summary>
    Other,
}

/// <param name="Subject">The role or tablespace that it is about; for <see cref="GlobalKind.Membership"/> the group, for a parameter grant the grantee.</param>
/// <param name="Sql">Without the semicolon. May hold a password's hash: never for a message.</param>
/// <param name="RunAs">The role that <c>SET SESSION AUTHORIZATION</c> before it names: the grantor of a privilege; null for the session's own.</param>
internal sealed record GlobalStatement(GlobalKind Kind, string Subject, string Sql, int Line, IReadOnlyList<SqlToken> Tokens, string? RunAs = null)
{
    /// <summary>For messages, so without the SQL.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Kind} {Subject} (line {Line})");

    /// <summary>The SQL, run as the role that granted it.</summary>
    public string AsItsGrantor() =>
        RunAs is null ? Sql : $"SET LOCAL SESSION AUTHORIZATION {SqlText.Identifier(RunAs)}; {Sql}; RESET SESSION AUTHORIZATION";

    /// <summary>Sorts a statement into its kind by its first words.</summary>
    public static GlobalStatement From(SqlStatement statement)
    {
        (GlobalKind kind, string subject) = statement.IsMeta ? (GlobalKind.Session, "") : Classify(statement.Tokens);
        return new GlobalStatement(kind, subject, statement.Text, statement.Line, statement.Tokens);
    }

    private static (GlobalKind Kind, string Subject) Classify(IReadOnlyList<SqlToken> tokens)
    {
        string first = Word(tokens, 0), second = Word(tokens, 1), third = Word(tokens, 2);
        return (first, second, third) switch
        {
            ("set" or "reset" or "select", _, _) => (GlobalKind.Session, ""),
            ("create", "role", _) => (GlobalKind.CreateRole, Value(tokens, 2)),
            ("alter", "role", _) when Word(tokens, 3) == "with" => (GlobalKind.RoleAttributes, Value(tokens, 2)),
            ("alter", "role", _) when Word(tokens, 3) is "set" or "in" => (GlobalKind.RoleSetting, Value(tokens, 2)),
            ("comment", "on", "role") => (GlobalKind.RoleRemark, Value(tokens, 3)),
            ("security", "label", _) => SecurityLabel(tokens),
            ("create", "tablespace", _) or ("alter", "tablespace", _) =>
                (first == "create" ? GlobalKind.CreateTablespace : GlobalKind.TablespaceDetail, Value(tokens, 2)),
            ("comment", "on", "tablespace") => (GlobalKind.TablespaceDetail, Value(tokens, 3)),
            ("grant" or "revoke", _, _) => Grant(tokens, granted: first == "grant"),
            _ => (GlobalKind.Other, ""),
        };
    }

    private static (GlobalKind Kind, string Subject) SecurityLabel(IReadOnlyList<SqlToken> tokens)
    {
        int on = IndexOf(tokens, "on");
        return Word(tokens, on + 1) switch
        {
            "role" => (GlobalKind.RoleRemark, Value(tokens, on + 2)),
            "tablespace" => (GlobalKind.TablespaceDetail, Value(tokens, on + 2)),
            _ => (GlobalKind.Other, ""),
        };
    }

    private static (GlobalKind Kind, string Subject) Grant(IReadOnlyList<SqlToken> tokens, bool granted)
    {
        int on = IndexOf(tokens, "on");
        if (on < 0)
            return granted && Word(tokens, 2) == "to" ? (GlobalKind.Membership, Value(tokens, 1)) : (GlobalKind.Other, "");
        return Word(tokens, on + 1) switch
        {
            "tablespace" => (GlobalKind.TablespaceDetail, Value(tokens, on + 2)),
            "parameter" => (GlobalKind.ParameterGrant, Value(tokens, IndexOf(tokens, granted ? "to" : "from") + 1)),
            _ => (GlobalKind.Other, ""),
        };
    }

    /// <summary>The first place of a key word, or -1. Quoted names are never key words; an unquoted name may be one that is not reserved.</summary>
    public static int IndexOf(IReadOnlyList<SqlToken> tokens, string word, int from = 0)
    {
        for (int i = from; i < tokens.Count; i++)
        {
            if (tokens[i].Is(word))
                return i;
        }

        return -1;
    }

    private static string Word(IReadOnlyList<SqlToken> tokens, int at) =>
        at >= 0 && at < tokens.Count && tokens[at].Kind == SqlTokenKind.Word ? tokens[at].Value : "";

    private static string Value(IReadOnlyList<SqlToken> tokens, int at) => at >= 0 && at < tokens.Count ? tokens[at].Value : "";
}
