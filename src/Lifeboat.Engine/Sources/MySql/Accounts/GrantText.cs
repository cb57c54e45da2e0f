using System.Text.RegularExpressions;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Accounts;

/// <summary>Reads and rewrites statements as SHOW GRANTS prints them.</summary>
internal static partial class GrantText
{
    /// <summary>The mode in which every grant can be run.</summary>
    public const string Mode = "SET sql_mode = 'ANSI_QUOTES,ORACLE'";

    /// <summary>The form in which two servers' statements are compared: columns in one order, and without the password and the options that CREATE USER says too.</summary>
    public static string Normal(string grant)
    {
        // MariaDB prints the columns of a right in no order that lasts.
        string ordered = Columns().Replace(grant, static list => $" ({string.Join(", ", list.Groups[1].Value.Split(", ").Order(StringComparer.Ordinal))})");
        return Options().Replace(
            ordered, static one => one.Groups[1].Value + (Quoted().Replace(one.Groups[2].Value, "").Contains(" GRANT OPTION", StringComparison.Ordinal) ? " WITH GRANT OPTION" : ""), 1);
    }

    /// <summary>The database (a pattern, where the object is <c>*</c>) and the object that a grant is on; null for a grant of a role.</summary>
    public static (string Database, string Object)? Place(string grant)
    {
        Match match = On().Match(grant);
        return match.Success ? (Name(match.Groups[1].Value), Name(match.Groups[2].Value)) : null;
    }

    /// <summary>Whether a grant needs its table or routine to be there.</summary>
    public static bool IsLate(string grant) => Place(grant) is { Object: not "*" };

    /// <summary>Whether a grant is on a table or routine of another database, so that it is none of this one's business.</summary>
    public static bool IsElsewhere(string grant, string database) => Place(grant) is { Object: not "*" } place && place.Database != database;

    /// <summary>Whether a grant is on another database as a whole, and not on this one too: another application's, or a copy's.</summary>
    public static bool IsOnAnother(string grant, string database) =>
        Place(grant) is { Object: "*", Database: not "*" } place && !Covers(place.Database, database);

    /// <summary>Whether a grant is on one database alone, which it may name with its wildcards escaped.</summary>
    public static bool IsOn(string grant, string database) =>
        Place(grant) is { } place && (place.Object == "*" ? Literally(place.Database) : place.Database) == database;

    /// <summary>The same grant on another database, where it is on this one.</summary>
    public static string Placed(string grant, string from, string to)
    {
        if (from == to || !IsOn(grant, from))
            return grant;
        Match on = On().Match(grant);
        // What is granted on a whole database names it by a pattern; what is revoked of a global right does not.
        bool pattern = on.Groups[2].Value == "*" && grant.StartsWith("GRANT ", StringComparison.Ordinal);
        string name = pattern ? to.Replace("_", "\\_", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal) : to;
        return grant[..on.Groups[1].Index] + SqlText.Identifier(name) + grant[(on.Groups[1].Index + on.Groups[1].Length)..];
    }

    /// <summary>Whether the database is one that a pattern stands for.</summary>
    public static bool Covers(string pattern, string database)
    {
        string expression = Regex.Escape(pattern).Replace("\\\\_", "\u0001", StringComparison.Ordinal).Replace("\\\\%", "\u0002", StringComparison.Ordinal)
            .Replace("_", ".", StringComparison.Ordinal).Replace("%", ".*", StringComparison.Ordinal)
            .Replace('\u0001', '_').Replace('\u0002', '%');
        return Regex.IsMatch(database, $"^{expression}$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);
    }

    /// <summary>The account that a grant is to.</summary>
    public static string Grantee(string grant) => To().Match(grant).Groups[1].Value;

    /// <summary>Whether it gives the account or role of that name to another, as a role or to stand for.</summary>
    public static bool Links(string grant, string name) => grant.StartsWith("GRANT PROXY ON ", StringComparison.Ordinal)
        ? Proxied(grant) == name
        : Place(grant) is null && grant.StartsWith("GRANT ", StringComparison.Ordinal)
            && $",{grant["GRANT ".Length..grant.IndexOf(" TO ", StringComparison.Ordinal)]},".Contains($",{name},", StringComparison.Ordinal);

    /// <summary>The account that another may stand for by this grant; null for other grants.</summary>
    public static string? Proxied(string grant)
    {
        Match match = Proxy().Match(grant);
        return match.Success ? SqlText.Account(Name(match.Groups[1].Value), Name(match.Groups[2].Value)) : null;
    }

    /// <summary>What runs a grant or its inverse, and leaves the session as it was: MariaDB takes those on packages in one mode only, in which it prints names otherwise.</summary>
    public static IReadOnlyList<string> Statements(string grant) =>
        grant.Contains(" ON PACKAGE ", StringComparison.Ordinal) ? [Mode, grant, Definitions.Reset] : [grant];

    /// <summary>Statements that take back what another one gave.</summary>
    public static IEnumerable<string> Inverse(string grant)
    {
        string account = Grantee(grant);
        if (grant.StartsWith("SET DEFAULT ROLE ", StringComparison.Ordinal))
            return [$"SET DEFAULT ROLE NONE FOR {account}"];
        if (grant.StartsWith("ALTER USER ", StringComparison.Ordinal))
            return [$"ALTER USER {account} DEFAULT ROLE NONE"];
        Match match = To().Match(grant);
        string what = grant[..match.Index];
        if (what.StartsWith("REVOKE ", StringComparison.Ordinal))
            return [$"GRANT {what["REVOKE ".Length..]} TO {account}"];
        what = what["GRANT ".Length..];
        List<string> revokes = [];
        if (!what.StartsWith("USAGE ON ", StringComparison.Ordinal))
            revokes.Add($"REVOKE {what} FROM {account}");
        if (Place(grant) is not null && grant.EndsWith(" WITH GRANT OPTION", StringComparison.Ordinal))
            revokes.Add($"REVOKE GRANT OPTION {what[what.IndexOf(" ON ", StringComparison.Ordinal)..].TrimStart()} FROM {account}");
        return revokes;
    }

    /// <summary>Statements that lead from the grants that an account has to those that it shall have.</summary>
    public static IEnumerable<string> Changes(IReadOnlyList<string> there, IReadOnlyList<string> wanted)
    {
        string[] surplus = [.. there.Where(grant => !wanted.Contains(grant)).Reverse()];
        // Rights in one place, and roles, overlap: what is taken away may be part of another line.
        HashSet<(string, string)?> touched = [.. surplus.Select(Place)];
        List<string> given = [.. wanted.Where(grant => !there.Contains(grant) || touched.Contains(Place(grant)))];
        // A right on the whole server that is given anew is without its exceptions.
        if (given.Exists(static grant => Place(grant) is { Database: "*" }))
            given = [.. given.Union(wanted.Where(static grant => grant.StartsWith("REVOKE ", StringComparison.Ordinal)))];
        return surplus.SelectMany(Inverse).Concat(given);
    }

    private static string Literally(string pattern) =>
        pattern.Replace("\\_", "_", StringComparison.Ordinal).Replace("\\%", "%", StringComparison.Ordinal);

    private static string Name(string written) => written switch
    {
        ['`', .., '`'] => written[1..^1].Replace("``", "`", StringComparison.Ordinal),
        ['\'', .., '\''] => written[1..^1].Replace("''", "'", StringComparison.Ordinal),
        _ => written,
    };

    [GeneratedRegex(@" \((`[^`]*`(?:, `[^`]*`)+)\)(?=,| ON )")]
    private static partial Regex Columns();

    [GeneratedRegex(@"^(GRANT .* ON \*\.\* TO `(?:[^`]|``)*`(?:@`[^`]*`)?)( (?:IDENTIFIED|REQUIRE|WITH) .*)$", RegexOptions.Singleline)]
    private static partial Regex Options();

    [GeneratedRegex(@"'(?:[^'\\]|\\.|'')*'", RegexOptions.Singleline)]
    private static partial Regex Quoted();

    [GeneratedRegex(@" ON (?:TABLE |FUNCTION |PROCEDURE |LIBRARY |PACKAGE |PACKAGE BODY )?(\*|`(?:[^`]|``)+`)\.(\*|`(?:[^`]|``)+`) (?:TO|FROM) ")]
    private static partial Regex On();

    [GeneratedRegex(@"^GRANT PROXY ON ([`'].*[`'])@([`'].*[`']) TO ")]
    private static partial Regex Proxy();

    [GeneratedRegex(@"(?: TO | FROM | FOR |(?<=^ALTER) USER )((?:`(?:[^`]|``)*`|'(?:[^']|'')*')(?:@[`'][^`']*[`'])?)(?= WITH | DEFAULT ROLE |$)")]
    private static partial Regex To();
}
