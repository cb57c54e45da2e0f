using System.Text.RegularExpressions;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Accounts;

/// <summary>From where a client logs in, by the names that the server may know it by.</summary>
internal sealed record LoginClient(string Name, IReadOnlyList<string> Names);

/// <param name="Account">The account that is meant.</param>
/// <param name="Reached">The one that the server takes.</param>
internal sealed record Login(string Account, string User, LoginClient From, string Reached);

/// <summary>
/// Which account a server takes a login for. It looks by the client's host first: the account with the most particular host whose user is the one that was
/// given, or none. So an anonymous account of one host keeps a named account of any host from being reached from there.
/// </summary>
/// <param name="accounts">All of a server, but for roles.</param>
internal sealed class LoginOrder(IEnumerable<(string User, string Host)> accounts)
{
    private static readonly LoginClient[] s_local =
        [new("localhost", ["localhost"]), new("127.0.0.1", ["127.0.0.1", "localhost"]), new("::1", ["::1", "localhost"])];

    private readonly (string User, string Host)[] _accounts =
        [.. accounts.OrderByDescending(static one => Particular(one.Host)).ThenByDescending(static one => one.User.Length > 0)];

    public static async Task<IReadOnlyList<(string User, string Host)>> ReadAsync(MySqlSession session, CancellationToken cancellation) =>
    [
        .. (await session.SelectAsync(["User", "Host"], "FROM mysql.user WHERE Host <> ''", cancellation)).Select(static row => (row[0] ?? "", row[1] ?? "")),
    ];

    /// <summary>Every login that an account is for, as far as hosts can be told apart on this server.</summary>
    public IEnumerable<Login> LoginsOf(string user, string host) =>
        from client in Clients(host)
        where client.Names.Any(name => Matches(host, name))
        select new Login(SqlText.Account(user, host), user, client, Reached(user, client));

    /// <summary>The account that a login reaches; empty for none.</summary>
    public string Reached(string user, LoginClient from) => _accounts
        .Where(one => (one.User == user || one.User.Length == 0) && from.Names.Any(name => Matches(one.Host, name)))
        .Select(static one => SqlText.Account(one.User, one.Host)).FirstOrDefault() ?? "";

    /// <summary>What is said of logins that do not reach the account that they are meant for.</summary>
    public static IEnumerable<Problem> Shadowed(IEnumerable<Login> logins) => logins.GroupBy(static login => (login.Account, login.User, login.Reached))
        .Select(static one => new Problem(
            ErrorCodes.MySqlLoginShadowed,
            $"a login as {one.Key.User} from {string.Join(", ", one.Select(static login => login.From.Name))} reaches the account {one.Key.Reached}, not {one.Key.Account}",
            one.Key.Reached.StartsWith("``@", StringComparison.Ordinal)
                ? $"if nobody logs in without a name, run DROP USER {one.Key.Reached}, as mariadb-secure-installation and mysql_secure_installation do"
                : $"give {one.Key.Reached} the password and the rights that the application needs, or drop it"));

    private IEnumerable<LoginClient> Clients(string host) => s_local
        .Concat(_accounts.Select(static one => one.Host).Append(host).Select(Sample).Select(static name => new LoginClient(name, [name])))
        .DistinctBy(static client => client.Name);

    /// <summary>A host that a pattern stands for.</summary>
    private static string Sample(string pattern) => pattern switch
    {
        "%" => "another host",
        _ => pattern.Replace("%", "1", StringComparison.Ordinal).Replace("_", "1", StringComparison.Ordinal),
    };

    private static bool Matches(string pattern, string name) => Regex.IsMatch(
        name, $"^{Regex.Escape(pattern).Replace("%", ".*", StringComparison.Ordinal).Replace("_", ".", StringComparison.Ordinal)}\\z",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.Singleline);

    /// <summary>A host without a wildcard before all others; of those the one whose wildcard comes latest.</summary>
    private static int Particular(string host) => host.IndexOfAny(['%', '_']) is >= 0 and int wildcard ? wildcard : int.MaxValue;
}
