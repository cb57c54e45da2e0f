using System.Text.RegularExpressions;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Accounts;

/// <summary>Makes a snapshot's accounts on a server that lacks them.</summary>
internal sealed partial class AccountPlan
{
    private readonly List<Account> _made = [];

    /// <summary>Accounts that were made.</summary>
    public IReadOnlyList<Account> Made => _made;

    /// <summary>Whether a grant needs its table or routine to be there.</summary>
    public static bool IsLate(string grant) => AccountReader.Place(grant) is { Object: not "*" };

    /// <summary>MariaDB's SHOW GRANTS repeats the password's hash; it must not be shown.</summary>
    public static string WithoutPassword(string grant) => PasswordHash().Replace(grant, " IDENTIFIED …");

    /// <summary>Accounts first, then what they are granted on databases and the server, then their roles.</summary>
    public async Task ApplyAsync(MySqlSession session, IReadOnlyList<Account> accounts, string from, string to, CancellationToken cancellation)
    {
        foreach (Account account in accounts)
        {
            await session.ExecuteAsync(account.Create, cancellation);
            _made.Add(account);
        }

        foreach (string grant in accounts.SelectMany(static a => a.Grants).Where(static g => !IsLate(g))
            .OrderBy(static g => g.StartsWith("SET DEFAULT ROLE", StringComparison.Ordinal) || g.StartsWith("ALTER USER", StringComparison.Ordinal)))
            await session.ExecuteAsync(Placed(grant, from, to), cancellation);
    }

    /// <summary>Statements for grants on single tables and routines, for when those are there.</summary>
    public static IEnumerable<string> LateGrants(IReadOnlyList<Account> accounts, string from, string to) => accounts
        .SelectMany(static account => account.Grants).Where(grant => IsLate(grant) && AccountReader.Place(grant)!.Value.Database == from)
        .Select(grant => Placed(grant, from, to));

    private static string Placed(string grant, string from, string to) => from == to ? grant
        : grant.Replace($" {SqlText.Identifier(from)}.", $" {SqlText.Identifier(to)}.", StringComparison.Ordinal);

    [GeneratedRegex(@" IDENTIFIED (?:BY PASSWORD|VIA|WITH) .*$")]
    private static partial Regex PasswordHash();
}
