using System.Text.RegularExpressions;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Accounts;

/// <summary>An account or role, how it is created, and what it is granted; passwords are in it as their hashes.</summary>
/// <param name="Create">Of the form <c>CREATE … IF NOT EXISTS</c>.</param>
internal sealed partial record Account(string User, string Host, bool Role, string Create, IReadOnlyList<string> Grants)
{
    public string Name => SqlText.Account(User, Host);

    public string Drop => $"DROP {(IsPlainRole ? "ROLE" : "USER")} IF EXISTS {Name}";

    /// <summary>The statement that fails where the account exists.</summary>
    public string CreateNew => Conditional().Replace(Create, "", 1);

    /// <summary>A role of MariaDB's, which has neither host nor password; MySQL's are accounts.</summary>
    public bool IsPlainRole => Role && Host.Length == 0;

    /// <summary>How it proves itself: the part of its CREATE USER that may hold a password's hash. Empty for a role, and for no password on MariaDB.</summary>
    public string Identified => IsPlainRole ? "" : Parts().Match(Create).Groups["identified"].Value;

    /// <summary>TLS requirements, limits, expiry, lock and comment, as the server prints them; no secret.</summary>
    public string Options => IsPlainRole ? ""
        : NoLimits().Replace(NoLimit().Replace(Parts().Match(Create).Groups["options"].Value, ""), "").Replace(" ATTRIBUTE '{}'", "", StringComparison.Ordinal);

    /// <summary>The same account, with its rights in one database in another.</summary>
    public Account Placed(string from, string to) => this with { Grants = [.. Grants.Select(grant => GrantText.Placed(grant, from, to))] };

    /// <summary>Grants that are given with a database: all but those on tables and routines of others.</summary>
    public IReadOnlyList<string> GrantsFor(string database) => [.. Grants.Where(grant => !GrantText.IsElsewhere(grant, database))];

    /// <summary>What is different of an account that exists, in words that give no secret away.</summary>
    /// <param name="database">The one that is restored.</param>
    public IEnumerable<string> DifferencesOf(Account there, string database)
    {
        if (there.Identified != Identified)
            yield return "another password or authentication plugin";
        if (there.Options != Options)
            yield return $"its options are{there.Options}, and were{Options}";
        foreach (string grant in GrantsFor(database).Except(there.Grants))
            yield return $"it lacks {grant}";
        foreach (string grant in there.GrantsFor(database).Except(Grants).Where(grant => !GrantText.IsOnAnother(grant, database)))
            yield return $"it has {grant} besides";
    }

    public MySqlAccount Described(string database)
    {
        int late = Grants.Count(grant => GrantText.IsLate(grant) && !GrantText.IsElsewhere(grant, database));
        int elsewhere = Grants.Count(grant => GrantText.IsElsewhere(grant, database));
        return new MySqlAccount(User, Host, Role, 1 + Grants.Count - late - elsewhere, AccountReader.Plugins(Create)) { LateGrants = late, GrantsElsewhere = elsewhere };
    }

    [GeneratedRegex(
        @"^CREATE USER IF NOT EXISTS `(?:[^`]|``)*`@`[^`]*`(?<identified> IDENTIFIED (?:'(?:[^'\\]|\\.|'')*'|[^'])*?)?(?<options>(?: REQUIRE | WITH MAX_| ACCOUNT | PASSWORD EXPIRE).*)?$",
        RegexOptions.Singleline)]
    private static partial Regex Parts();

    [GeneratedRegex(" IF NOT EXISTS")]
    private static partial Regex Conditional();

    // What was set to nothing is printed as nothing by some, and left out by others.
    [GeneratedRegex(@" MAX_[A-Z_]+ 0(?:\.0+)?(?= |$)")]
    private static partial Regex NoLimit();

    [GeneratedRegex(@" WITH(?= PASSWORD | ACCOUNT |$)")]
    private static partial Regex NoLimits();
}
