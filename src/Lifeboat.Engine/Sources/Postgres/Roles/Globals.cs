using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Roles;

/// <summary>One role of <c>globals.sql</c>.</summary>
/// <param name="Statements">Everything about it but memberships, in order. May hold a password's hash: never for a message.</param>
internal sealed record GlobalRole(string Name, RoleAttributes Attributes, IReadOnlyList<GlobalStatement> Statements)
{
    /// <summary>The statements after the role's name of all its settings for every database, in a stable order.</summary>
    public IReadOnlyList<string> Settings { get; } =
        [.. Statements.Where(static s => s.Kind == GlobalKind.RoleSetting).Select(static s => AfterName(s, 3)).Order(StringComparer.Ordinal)];

    public IReadOnlyList<string> Remarks { get; } =
        [.. Statements.Where(static s => s.Kind == GlobalKind.RoleRemark).Select(static s => s.Sql).Order(StringComparer.Ordinal)];

    /// <summary>What makes it. Settings for one database come with that database.</summary>
    public IEnumerable<GlobalStatement> Creation => Statements.Where(static s => s.Kind != GlobalKind.RoleSetting || !s.Tokens[3].Is("in"));

    /// <summary>What differs from the role of the same name on the target, in words that give no secret away.</summary>
    public IEnumerable<string> DifferencesTo(GlobalRole target, bool comparePasswords)
    {
        foreach (string difference in Attributes.DifferencesTo(target.Attributes, comparePasswords))
            yield return difference;
        if (!Settings.SequenceEqual(target.Settings))
            yield return "other settings (ALTER ROLE … SET)";
        if (!Remarks.SequenceEqual(target.Remarks))
            yield return "another comment or security label";
    }

    private static string AfterName(GlobalStatement statement, int at) => statement.Sql[(statement.Tokens[at].Start - statement.Tokens[0].Start)..];
}

/// <summary>One tablespace of <c>globals.sql</c>.</summary>
/// <param name="Location">Its directory on the server.</param>
/// <param name="Statements">What creates it and gives it its owner, options, grants and comment.</param>
internal sealed record GlobalTablespace(string Name, string Location, IReadOnlyList<GlobalStatement> Statements)
{
    /// <summary>The same in another directory.</summary>
    public GlobalTablespace At(string directory) => this with
    {
        Location = directory,
        Statements = [.. Statements.Select(s => s.Kind != GlobalKind.CreateTablespace ? s
            : s with { Sql = s.Sql[..(s.Tokens.Last(static t => t.Kind == SqlTokenKind.Text).Start - s.Tokens[0].Start)] + SqlText.Literal(directory) })],
    };
}

/// <summary><c>globals.sql</c>, or what pg_dumpall says of the target: roles, what they were given, tablespaces.</summary>
internal sealed record Globals(
    IReadOnlyDictionary<string, GlobalRole> Roles,
    IReadOnlyList<Grant> Grants,
    IReadOnlyDictionary<string, GlobalTablespace> Tablespaces,
    IReadOnlyList<GlobalStatement> Unknown)
{
    /// <summary>Whether the text came with the passwords of the roles that have one: without the right to read them pg_dumpall leaves them all out.</summary>
    public required bool HasPasswords { get; init; }

    /// <param name="hasPasswords">Whether whoever made the text could read passwords.</param>
    /// <exception cref="FormatException">A quote or comment is never closed.</exception>
    public static Globals Parse(string sql, bool hasPasswords)
    {
        List<GlobalStatement> all = [.. Statements(sql)];
        Dictionary<string, GlobalRole> roles = [];
        ILookup<string, GlobalStatement> byRole = all
            .Where(static s => s.Kind is GlobalKind.CreateRole or GlobalKind.RoleAttributes or GlobalKind.RoleSetting or GlobalKind.RoleRemark)
            .ToLookup(static s => s.Subject);
        // Each once: a text that names one many times must not cost the square of that.
        foreach (GlobalStatement create in all.Where(static s => s.Kind == GlobalKind.CreateRole).DistinctBy(static s => s.Subject))
        {
            GlobalStatement[] own = [.. byRole[create.Subject]];
            GlobalStatement? attributes = own.FirstOrDefault(static s => s.Kind == GlobalKind.RoleAttributes);
            roles[create.Subject] = new GlobalRole(create.Subject, attributes is null ? RoleAttributes.None : RoleAttributes.From(attributes.Tokens), own);
        }

        return new Globals(
            roles,
            [
                .. all.Where(static s => s.Kind == GlobalKind.Membership).Select(static s => Membership.From(s.Tokens)),
                .. all.Where(static s => s.Kind == GlobalKind.ParameterGrant && s.Tokens[0].Is("grant")).SelectMany(ParameterGrant.From),
            ],
            Spaces(all),
            [.. all.Where(static s => s.Kind == GlobalKind.Other)]) { HasPasswords = hasPasswords };
    }

    private static Dictionary<string, GlobalTablespace> Spaces(List<GlobalStatement> all)
    {
        Dictionary<string, GlobalTablespace> spaces = [];
        ILookup<string, GlobalStatement> bySpace = all
            .Where(static s => s.Kind is GlobalKind.CreateTablespace or GlobalKind.TablespaceDetail).ToLookup(static s => s.Subject);
        foreach (GlobalStatement create in all.Where(static s => s.Kind == GlobalKind.CreateTablespace).DistinctBy(static s => s.Subject))
        {
            string directory = create.Tokens.LastOrDefault(static token => token.Kind == SqlTokenKind.Text).Value ?? "";
            spaces[create.Subject] = new GlobalTablespace(create.Subject, directory, [.. bySpace[create.Subject]]);
        }

        return spaces;
    }

    private static IEnumerable<GlobalStatement> Statements(string sql)
    {
        string? runAs = null;
        foreach (SqlStatement statement in SqlStatements.Split(sql))
        {
            IReadOnlyList<SqlToken> tokens = statement.Tokens;
            if (tokens.Count > 2 && tokens[1].Is("session") && tokens[2].Is("authorization"))
                runAs = tokens[0].Is("set") && tokens.Count > 3 ? tokens[3].Value : null;
            else
                yield return GlobalStatement.From(statement) with { RunAs = runAs };
        }
    }
}
