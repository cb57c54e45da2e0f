using System.Text.RegularExpressions;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Accounts;

/// <summary>An account or role, how it is created, and what it is granted; passwords are in it as their hashes.</summary>
internal sealed record Account(string User, string Host, bool Role, string Create, IReadOnlyList<string> Grants)
{
    public string Name => SqlText.Account(User, Host);

    public string Drop => $"DROP {(Role && Host.Length == 0 ? "ROLE" : "USER")} IF EXISTS {Name}";

    public MySqlAccount Described => new(User, Host, Role, 1 + Grants.Count, AccountReader.Plugins(Create));
}

/// <summary>Reads a server's accounts from what it itself says would make them again.</summary>
internal static partial class AccountReader
{
    /// <summary>Accounts that every server makes for itself.</summary>
    private static bool IsSystem(string user, string host) =>
        user is "" or "root" or "PUBLIC" or "mysql.sys" or "mysql.session" or "mysql.infoschema" or "mariadb.sys" or "debian-sys-maint"
        || (user is "mysql" or "healthcheck" && host is "localhost" or "127.0.0.1" or "::1");

    /// <summary>All accounts but the system's.</summary>
    public static async Task<IReadOnlyList<Account>> ReadAsync(MySqlSession session, CancellationToken cancellation)
    {
        bool roles = await session.SelectOneAsync(
            "COUNT(*)", "FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'mysql' AND TABLE_NAME = 'user' AND COLUMN_NAME = 'is_role'", cancellation) == "1";
        List<Account> accounts = [];
        foreach (string?[] row in await session.SelectAsync(
            ["User", "Host", roles ? "is_role" : "'N'"], "FROM mysql.user ORDER BY User, Host", cancellation))
        {
            if (!IsSystem(row[0] ?? "", row[1] ?? ""))
                accounts.Add(await ReadAsync(session, row[0]!, row[1] ?? "", row[2] == "Y", cancellation));
        }

        return accounts;
    }

    /// <summary>One account that is there.</summary>
    public static async Task<Account> ReadAsync(MySqlSession session, string user, string host, bool role, CancellationToken cancellation)
    {
        string name = SqlText.Account(user, role ? "" : host);
        List<string> grants = [];
        string create = $"CREATE ROLE IF NOT EXISTS {name}";
        if (!role)
        {
            create = (await session.ShowAsync($"SHOW CREATE USER {name}", cancellation))[0][0];
            // A role must be there before it can be an account's default.
            Match defaults = DefaultRoles().Match(create);
            if (defaults.Success)
                grants.Add($"ALTER USER {name}{defaults.Value}");
            create = DefaultRoles().Replace(create, "", 1);
            create = $"CREATE USER IF NOT EXISTS{create["CREATE USER".Length..]}";
        }

        IEnumerable<string> shown = (await session.ShowAsync($"SHOW GRANTS FOR {name}", cancellation)).Select(static row => InOrder(row[0]));
        // Those of other roles are shown with a role's own.
        grants.InsertRange(0, shown.Where(grant => !role || grant.Contains($"TO {name}", StringComparison.Ordinal)));
        return new Account(user, role ? "" : host, role, create, grants);
    }

    /// <summary>Those with rights in a database, definers of its objects, and the roles and accounts that these stand for.</summary>
    public static IReadOnlyList<Account> Related(IReadOnlyList<Account> all, string database, IEnumerable<string> definitions)
    {
        HashSet<string> definers = [.. definitions.SelectMany(static text => Definer().Matches(text)).Select(static m => m.Groups[1].Value)];
        HashSet<string> wanted =
        [
            .. all.Where(a => definers.Contains(Definitions.Latin1(a.Name)) || a.Grants.Any(grant => Concerns(grant, database))).Select(static a => a.Name),
        ];
        for (bool more = true; more;)
        {
            string[] further =
            [
                // Roles of a wanted account, and accounts that have a wanted role.
                .. all.Where(a => !wanted.Contains(a.Name)
                    && (all.Any(b => wanted.Contains(b.Name) && b.Grants.Any(g => RoleGranted(g, a.Name)))
                        || a.Grants.Any(g => wanted.Any(role => RoleGranted(g, role))))).Select(static a => a.Name),
            ];
            wanted.UnionWith(further);
            more = further.Length > 0;
        }

        return [.. all.Where(a => wanted.Contains(a.Name))];
    }

    /// <summary>Authentication plugins that a CREATE USER names.</summary>
    public static IReadOnlyList<string> Plugins(string create) =>
        [.. Plugin().Matches(create).Select(static m => m.Groups[1].Value).Distinct(StringComparer.Ordinal)];

    /// <summary>The database and the object that a grant is on; null for a grant of a role.</summary>
    public static (string Database, string Object)? Place(string grant)
    {
        Match match = On().Match(grant);
        return match.Success ? (Name(match.Groups[1].Value), Name(match.Groups[2].Value)) : null;
    }

    private static bool Concerns(string grant, string database)
    {
        if (Place(grant) is not { } place)
            return false;
        if (place.Database == "*")
            return !grant.StartsWith("GRANT USAGE ", StringComparison.Ordinal);
        string pattern = Regex.Escape(place.Database).Replace("\\\\_", "\u0001", StringComparison.Ordinal).Replace("\\\\%", "\u0002", StringComparison.Ordinal)
            .Replace("_", ".", StringComparison.Ordinal).Replace("%", ".*", StringComparison.Ordinal)
            .Replace('\u0001', '_').Replace('\u0002', '%');
        return Regex.IsMatch(database, $"^{pattern}$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);
    }

    /// <summary>MariaDB prints the columns of a right in no order that lasts.</summary>
    private static string InOrder(string grant) => Columns().Replace(
        grant, static list => $" ({string.Join(", ", list.Groups[1].Value.Split(", ").Order(StringComparer.Ordinal))})");

    private static bool RoleGranted(string grant, string role) =>
        Place(grant) is null && grant.StartsWith("GRANT ", StringComparison.Ordinal)
        && $",{grant["GRANT ".Length..grant.IndexOf(" TO ", StringComparison.Ordinal)]},".Contains($",{role},", StringComparison.Ordinal);

    private static string Name(string written) =>
        written.StartsWith('`') ? written[1..^1].Replace("``", "`", StringComparison.Ordinal) : written;

    [GeneratedRegex(@" DEFAULT ROLE `(?:[^`]|``)*`@`[^`]*`(?:,`(?:[^`]|``)*`@`[^`]*`)*")]
    private static partial Regex DefaultRoles();

    [GeneratedRegex(@" \((`[^`]*`(?:, `[^`]*`)+)\)(?=,| ON )")]
    private static partial Regex Columns();

    [GeneratedRegex(@"\bDEFINER=(`(?:[^`]|``)*`(?:@`[^`]*`)?)")]
    private static partial Regex Definer();

    [GeneratedRegex(@"\b(?:VIA|OR|WITH) '?([a-z][a-z0-9_]+)'?(?= USING| AS| BY| OR| REQUIRE| WITH| PASSWORD| ACCOUNT|$)")]
    private static partial Regex Plugin();

    [GeneratedRegex(@" ON (?:TABLE |FUNCTION |PROCEDURE |LIBRARY |PACKAGE |PACKAGE BODY )?(\*|`(?:[^`]|``)+`)\.(\*|`(?:[^`]|``)+`) (?:TO|FROM) ")]
    private static partial Regex On();
}
