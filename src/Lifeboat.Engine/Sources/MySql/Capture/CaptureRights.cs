using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.MySql.Accounts;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Capture;

/// <summary>
/// What our account may do, from its own grants. A server hides what an account has no right to, so that a capture with too few rights would be
/// incomplete without an error: the rights must cover the whole database.
/// </summary>
internal sealed class CaptureRights
{
    private static readonly string[] s_needed = ["SELECT", "SHOW VIEW", "TRIGGER", "EVENT"];

    private readonly HashSet<string> _global = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _database = new(StringComparer.OrdinalIgnoreCase);

    private readonly HashSet<string> _proxies = [];

    private bool _mayReadRoutines;

    private CaptureRights()
    {
    }

    public bool MayLock => HasGlobal("RELOAD") || HasGlobal("FLUSH_TABLES");

    public bool MayReadAccounts { get; private init; }

    public static async Task<CaptureRights> ReadAsync(MySqlSession session, string database, CancellationToken cancellation)
    {
        IReadOnlyList<string[]> shown = await session.ShowAsync("SHOW GRANTS", cancellation);
        CaptureRights rights = new() { MayReadAccounts = shown.Any(static row => CoversAccounts(row[0])) };
        foreach (string grant in shown.Select(static row => row[0]))
        {
            if (GrantText.Proxied(grant) is { } proxied && grant.EndsWith(" WITH GRANT OPTION", StringComparison.Ordinal))
                rights._proxies.Add(proxied);
            if (GrantText.Place(grant) is { Database: "mysql", Object: "proc" })
                rights._mayReadRoutines |= grant.StartsWith("GRANT SELECT", StringComparison.Ordinal);
            if (GrantText.Place(grant) is not { Object: "*" } place || !grant.StartsWith("GRANT ", StringComparison.Ordinal))
                continue;
            HashSet<string>? held = place.Database == "*" ? rights._global : GrantText.IsOn(grant, database) ? rights._database : null;
            string list = grant["GRANT ".Length..grant.IndexOf(" ON ", StringComparison.Ordinal)];
            held?.UnionWith(list.Split(',', StringSplitOptions.TrimEntries));
        }

        return rights;
    }

    /// <summary>Whether the right is held for everything (where it is a server's), or for the database (where it is a database's).</summary>
    public bool Has(string right) =>
        _global.Contains(right) || _global.Contains("ALL PRIVILEGES") || _database.Contains(right) || _database.Contains("ALL PRIVILEGES");

    public bool HasGlobal(string right) => _global.Contains(right) || _global.Contains("ALL PRIVILEGES");

    /// <summary>Whether others may be let stand for an account.</summary>
    public bool MayGrantProxy(string account) => _proxies.Contains(account) || _proxies.Contains("``") || _proxies.Contains("``@`%`");

    /// <summary>Why a capture would not be complete.</summary>
    public IEnumerable<Problem> Blockers(MySqlSession session, string database)
    {
        string[] missing = [.. s_needed.Where(right => !Has(right))];
        if (!MaySeeRoutines(session.Server))
            yield return new Problem(
                ErrorCodes.MySqlPermissionDenied,
                $"{session.Server.Account} may not see routines of others, so that some may be hidden from it",
                session.Server.Family == "mariadb" ? "GRANT SELECT ON mysql.proc TO the account" : "GRANT SHOW_ROUTINE ON *.* TO the account",
                session.Connection.Source);
        if (missing.Length == 0)
            yield break;
        string list = string.Join(", ", missing);
        yield return new Problem(
            ErrorCodes.MySqlPermissionDenied,
            $"{session.Server.Account} has no right {list} on the whole database {database}, so something in it may be hidden from it",
            $"GRANT {list} ON {SqlText.Identifier(database)}.* TO the account", session.Connection.Source);
    }

    /// <summary>With EXECUTE a routine is seen, and its definition is found to be hidden; without any right it is not seen at all.</summary>
    private bool MaySeeRoutines(MySqlServer server) =>
        HasGlobal("SELECT") || HasGlobal("SHOW_ROUTINE") || Has("EXECUTE") || (server.Family == "mariadb" && (MayReadAccounts || _mayReadRoutines));

    private static bool CoversAccounts(string grant) =>
        GrantText.Place(grant) is { Object: "*", Database: "*" or "mysql" }
        && (grant.StartsWith("GRANT ALL PRIVILEGES ", StringComparison.Ordinal) || grant.StartsWith("GRANT SELECT", StringComparison.Ordinal));
}
