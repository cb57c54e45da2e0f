using System.Text.RegularExpressions;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Accounts;

/// <summary>Reads a server's accounts from what it itself says would make them again.</summary>
internal static partial class AccountReader
{
    private static readonly string[] s_ofCertificate = ["CIPHER", "ISSUER", "SUBJECT"];

    /// <summary>Accounts that every server makes for itself.</summary>
    private static bool IsSystem(string user, string host) =>
        user is "" or "root" or "PUBLIC" or "mysql.sys" or "mysql.session" or "mysql.infoschema" or "mariadb.sys" or "debian-sys-maint"
        || (user is "mysql" or "healthcheck" && host is "localhost" or "127.0.0.1" or "::1")
        || user.StartsWith(AccountChanges.KeeperPrefix, StringComparison.Ordinal);

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
            create = await QuotedAsync(session, user, host, (await session.ShowAsync($"SHOW CREATE USER {name}", cancellation))[0][0], cancellation);
            // A role must be there before it can be an account's default.
            Match defaults = DefaultRoles().Match(create);
            if (defaults.Success)
                grants.Add($"ALTER USER {name}{defaults.Value}");
            create = DefaultRoles().Replace(create, "", 1);
            create = $"CREATE USER IF NOT EXISTS{create["CREATE USER".Length..]}";
        }

        IEnumerable<string> shown = (await session.ShowAsync($"SHOW GRANTS FOR {name}", cancellation)).Select(static row => GrantText.Normal(row[0]));
        // Those of other roles are shown with a role's own.
        grants.InsertRange(0, shown.Where(grant => !role || grant.Contains($"TO {name}", StringComparison.Ordinal)));
        return new Account(user, role ? "" : host, role, create, grants);
    }

    /// <summary>Those with rights in the database, definers of its objects, and the roles and accounts that these stand for.</summary>
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
                // Roles of a wanted account and accounts that it stands for; accounts that have a wanted role or stand for a wanted account.
                .. all.Where(a => !wanted.Contains(a.Name)
                    && (all.Any(b => wanted.Contains(b.Name) && b.Grants.Any(g => GrantText.Links(g, a.Name)))
                        || a.Grants.Any(g => wanted.Any(other => GrantText.Links(g, other))))).Select(static a => a.Name),
            ];
            wanted.UnionWith(further);
            more = further.Length > 0;
        }

        return [.. all.Where(a => wanted.Contains(a.Name))];
    }

    /// <summary>What of the accounts the server does not tell, or belongs to none of them.</summary>
    public static async Task<IReadOnlyList<Problem>> LeftOutAsync(MySqlSession session, IReadOnlyList<Account> accounts, string database, CancellationToken cancellation)
    {
        List<Problem> left = [];
        if (session.Server.Family == "mysql")
        {
            HashSet<string> twice = [.. (await session.SelectAsync(
                ["User", "Host"], "FROM mysql.user WHERE JSON_CONTAINS_PATH(User_attributes, 'one', '$.additional_password')", cancellation))
                .Select(static row => SqlText.Account(row[0] ?? "", row[1] ?? ""))];
            left.AddRange(accounts.Where(account => twice.Contains(account.Name)).Select(static account => new Problem(
                ErrorCodes.MySqlAccountsLeftOut, $"account {account.Name} has a second password (RETAIN CURRENT PASSWORD), which is not in the snapshot",
                $"let everybody log in with the first one, then run ALTER USER {account.Name} DISCARD OLD PASSWORD")));
        }
        else if (await session.SelectOneAsync("COUNT(*)", "FROM mysql.user WHERE User = 'PUBLIC'", cancellation) != "0")
        {
            string[] grants = [.. (await session.ShowAsync("SHOW GRANTS FOR PUBLIC", cancellation)).Select(static row => row[0]).Where(grant => Concerns(grant, database))];
            if (grants.Length > 0)
                left.Add(new Problem(
                    ErrorCodes.MySqlAccountsLeftOut, $"what everybody may do is not in the snapshot: {string.Join("; ", grants)}",
                    "run these statements by hand after a restore on another server, or grant a role instead of PUBLIC"));
        }

        return left;
    }

    /// <summary>Authentication plugins that a CREATE USER names.</summary>
    public static IReadOnlyList<string> Plugins(string create) =>
        [.. Plugin().Matches(create).Select(static m => m.Groups[1].Value).Distinct(StringComparer.Ordinal)];

    /// <summary>MySQL prints what a certificate must have as it is, with the quotes in it: nothing that can be run.</summary>
    private static async Task<string> QuotedAsync(MySqlSession session, string user, string host, string create, CancellationToken cancellation)
    {
        if (!OfCertificate().IsMatch(create))
            return create;
        string?[] values = (await session.SelectAsync(
            ["ssl_cipher", "x509_issuer", "x509_subject"], $"FROM mysql.user WHERE User = {SqlText.Literal(user)} AND Host = {SqlText.Literal(host)}", cancellation))[0];
        foreach ((string word, string? value) in s_ofCertificate.Zip(values))
            create = create.Replace($" {word} '{value}'", $" {word} {SqlText.Literal(value ?? "")}", StringComparison.Ordinal);
        return create;
    }

    private static bool Concerns(string grant, string database) => GrantText.Place(grant) is { } place
        && (place.Database == "*" ? !grant.StartsWith("GRANT USAGE ", StringComparison.Ordinal) : GrantText.Covers(place.Database, database));

    [GeneratedRegex(" (?:SUBJECT|ISSUER|CIPHER) '")]
    private static partial Regex OfCertificate();

    [GeneratedRegex(@" DEFAULT ROLE `(?:[^`]|``)*`@`[^`]*`(?:,`(?:[^`]|``)*`@`[^`]*`)*")]
    private static partial Regex DefaultRoles();

    [GeneratedRegex(@"\bDEFINER=(`(?:[^`]|``)*`(?:@`[^`]*`)?)")]
    private static partial Regex Definer();

    [GeneratedRegex(@"\b(?:VIA|OR|WITH) '?([a-z][a-z0-9_]+)'?(?= USING| AS| BY| OR| REQUIRE| WITH| PASSWORD| ACCOUNT|$)")]
    private static partial Regex Plugin();
}
