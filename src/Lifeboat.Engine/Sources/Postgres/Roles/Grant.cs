using System.Text.Json.Serialization;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Roles;

/// <summary>What a role was given beside its attributes: the membership in another one, or a right on a server parameter.</summary>
[JsonDerivedType(typeof(Membership), "membership")]
[JsonDerivedType(typeof(ParameterGrant), "parameter")]
internal abstract record Grant
{
    /// <summary>Stands for every role.</summary>
    public const string Public = "public";

    /// <summary>What is given, and to which role; one may have it from several grantors.</summary>
    public abstract (string On, string To) Pair { get; }

    /// <summary>Who gave it; <c>""</c> for the server's own right, null for whoever gives it on the target.</summary>
    public abstract string? By { get; }

    /// <summary>Whether the role may give it to others.</summary>
    public abstract bool PassesOn { get; }

    /// <summary>The roles that must be there.</summary>
    public abstract IReadOnlyList<string> Roles { get; }

    /// <summary>What the role is by it: <c>a member of staff</c>.</summary>
    public abstract string Words { get; }

    /// <summary>How it was given: by whom, with which options.</summary>
    public abstract string Way { get; }

    public abstract string Sql();

    public abstract string RevokeSql();

    /// <summary>Whether <paramref name="found"/> gives the same; what one side's server does not know is not compared.</summary>
    public abstract bool SameAs(Grant found);

    public abstract Grant WithoutGrantor();

    /// <summary>This and another one that are given as one.</summary>
    public abstract Grant And(Grant other);
}

/// <summary>One <c>GRANT role TO member</c>.</summary>
/// <param name="Inherit">Null where the server that wrote it did not know the option (before 16).</param>
/// <param name="Set">Likewise.</param>
internal sealed record Membership(string Role, string Member, bool Admin, bool? Inherit, bool? Set, string? Grantor) : Grant
{
    public override (string On, string To) Pair => (Role, Member);

    public override string? By => Grantor;

    public override bool PassesOn => Admin;

    public override IReadOnlyList<string> Roles => [Role, Member];

    public override string Words => $"a member of {Role}";

    public override string Way => $"by {Grantor ?? "anybody"}{Options}";

    private string Options
    {
        get
        {
            List<string> options = [];
            if (Admin)
                options.Add("ADMIN OPTION");
            if (Inherit is { } inherit)
                options.Add(inherit ? "INHERIT TRUE" : "INHERIT FALSE");
            if (Set is { } set)
                options.Add(set ? "SET TRUE" : "SET FALSE");
            return options.Count > 0 ? $" WITH {string.Join(", ", options)}" : "";
        }
    }

    private string GrantedBy => Grantor is null ? "" : $" GRANTED BY {SqlText.Identifier(Grantor)}";

    public override string Sql() => $"GRANT {SqlText.Identifier(Role)} TO {SqlText.Identifier(Member)}{Options}{GrantedBy}";

    public override string RevokeSql() => $"REVOKE {SqlText.Identifier(Role)} FROM {SqlText.Identifier(Member)}{GrantedBy} CASCADE";

    public override bool SameAs(Grant found) => found is Membership there && Pair == there.Pair && Admin == there.Admin && (Grantor is null || Grantor == there.Grantor)
        && (Inherit is null || there.Inherit is null || Inherit == there.Inherit) && (Set is null || there.Set is null || Set == there.Set);

    public override Grant WithoutGrantor() => this with { Grantor = null };

    public override Grant And(Grant other) => other is Membership more
        ? this with { Admin = Admin || more.Admin, Inherit = Inherit | more.Inherit, Set = Set | more.Set } : this;

    public static Membership From(IReadOnlyList<SqlToken> tokens)
    {
        int granted = GlobalStatement.IndexOf(tokens, "granted", from: 4);
        string? grantor = granted > 0 && granted + 2 < tokens.Count ? tokens[granted + 2].Value : null;
        // From 16 on pg_dumpall writes INHERIT always, SET only where it is false.
        bool? inherit = Option(tokens, "inherit");
        return new Membership(tokens[1].Value, tokens[3].Value, Option(tokens, "admin") ?? false, inherit, Option(tokens, "set") ?? (inherit is null ? null : true), grantor);
    }

    private static bool? Option(IReadOnlyList<SqlToken> tokens, string word)
    {
        int at = GlobalStatement.IndexOf(tokens, word, from: 4);
        return at < 0 || at + 1 >= tokens.Count ? null : !tokens[at + 1].Is("false");
    }
}

/// <summary>One right of <c>GRANT … ON PARAMETER … TO role</c>.</summary>
/// <param name="Privilege"><c>SET</c> or <c>ALTER SYSTEM</c>.</param>
/// <param name="Grantee">A role, or <see cref="Grant.Public"/>.</param>
/// <param name="Grantable">Whether it was given <c>WITH GRANT OPTION</c>.</param>
internal sealed record ParameterGrant(string Parameter, string Privilege, string Grantee, bool Grantable, string? Grantor) : Grant
{
    private static readonly string[] s_privileges = ["SET", "ALTER SYSTEM"];

    /// <summary>Whether the privilege is one that there is: it is put into statements as it stands.</summary>
    public bool IsKnown => s_privileges.Contains(Privilege);

    public override (string On, string To) Pair => ($"{Privilege} {Parameter}", Grantee);

    public override string? By => Grantor;

    public override bool PassesOn => Grantable;

    public override IReadOnlyList<string> Roles => Grantee == Public ? [] : [Grantee];

    public override string Words => $"allowed to {Privilege} parameter {Parameter}";

    public override string Way => $"by {(Grantor is { Length: > 0 } ? Grantor : "a superuser")}{(Grantable ? " WITH GRANT OPTION" : "")}";

    private string Subject => $"{Privilege} ON PARAMETER {SqlText.Identifier(Parameter)}";

    private string Role => Grantee == Public ? "PUBLIC" : SqlText.Identifier(Grantee);

    public override string Sql() => AsGrantor($"GRANT {Subject} TO {Role}{(Grantable ? " WITH GRANT OPTION" : "")}");

    public override string RevokeSql() => AsGrantor($"REVOKE {Subject} FROM {Role} CASCADE");

    public override bool SameAs(Grant found) =>
        found is ParameterGrant there && Pair == there.Pair && Grantable == there.Grantable && (Grantor is null || Grantor == there.Grantor);

    public override Grant WithoutGrantor() => this with { Grantor = null };

    public override Grant And(Grant other) => this with { Grantable = Grantable || other.PassesOn };

    /// <summary>What a statement of <c>globals.sql</c> gives: <c>GRANT SET,ALTER SYSTEM ON PARAMETER work_mem TO app WITH GRANT OPTION</c>, <c>GRANT ALL …</c>.</summary>
    public static IEnumerable<ParameterGrant> From(GlobalStatement statement)
    {
        IReadOnlyList<SqlToken> tokens = statement.Tokens;
        int on = GlobalStatement.IndexOf(tokens, "parameter"), to = GlobalStatement.IndexOf(tokens, "to", on);
        string parameter = string.Concat(tokens.Skip(on + 1).Take(to - on - 1).Select(static token => token.Value));
        bool all = tokens[1].Is("all"), grantable = GlobalStatement.IndexOf(tokens, "option", to + 2) > 0;
        return s_privileges.Where(privilege => all || tokens.Take(on).Any(token => token.Is(privilege.Split(' ')[0].ToLowerInvariant())))
            .Select(privilege => new ParameterGrant(parameter, privilege, statement.Subject, grantable, statement.RunAs ?? ""));
    }

    private string AsGrantor(string sql) =>
        Grantor is { Length: > 0 } ? $"SET LOCAL SESSION AUTHORIZATION {SqlText.Identifier(Grantor)}; {sql}; RESET SESSION AUTHORIZATION" : sql;
}
