using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Lifeboat.Engine.Apps.Keys;

namespace Lifeboat.Engine.Apps;

/// <summary>A MySQL or MariaDB URL: <c>mysql://user@host:port/database?socket=/path</c>, names percent-encoded.</summary>
/// <param name="Host">Empty for the local server, as the client program finds it.</param>
/// <param name="Options">Options of the client program, by their long names: <c>socket</c>, <c>ssl-ca</c>, …</param>
internal sealed record MySqlUrl(
    string? User, string? Password, string Host, int? Port, string Database, IReadOnlyList<KeyValuePair<string, string>> Options)
{
    private const string Example = "mysql://user@host:3306/database";

    /// <summary>What may stand behind the <c>?</c>: how the client program connects, and nothing that changes what it prints.</summary>
    private static readonly string[] s_options =
    [
        "socket", "protocol", "plugin-dir", "default-auth", "connect-timeout", "ssl", "ssl-ca", "ssl-capath", "ssl-cert", "ssl-key", "ssl-cipher", "ssl-crl",
        "ssl-mode", "ssl-verify-server-cert", "tls-version", "server-public-key-path", "get-server-public-key",
    ];

    public bool HoldsPassword => !string.IsNullOrEmpty(Password);

    public string? Option(string name) => Options.Where(o => o.Key == name).Select(static o => o.Value).LastOrDefault();

    /// <summary>Reads a URL that stands in an app file: well-formed, names a database, holds no password.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out MySqlUrl? url, [NotNullWhen(false)] out Fault? fault)
    {
        if (!TryCut(text, out url, out fault))
            return false;
        if (url.HoldsPassword)
            fault = new Fault(
                "there is a password in the URL", "take it out and write `password: \"env:NAME\"` or another secret reference beside the `url`");
        return fault is null;
    }

    /// <summary>Cuts up a URL with or without a password; fails where it is malformed.</summary>
    public static bool TryCut(string text, [NotNullWhen(true)] out MySqlUrl? url, [NotNullWhen(false)] out Fault? fault)
    {
        url = null;
        fault = null;
        int scheme = text.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0 || text[..scheme] is not ("mysql" or "mariadb"))
        {
            fault = text.StartsWith("postgres", StringComparison.Ordinal)
                ? new Fault("this is a PostgreSQL URL", "write `type: postgres` for this source")
                : text.StartsWith("mysql+", StringComparison.Ordinal) || text.StartsWith("mariadb+", StringComparison.Ordinal)
                    ? new Fault("the URL's scheme names a driver of the application's", "begin it with `mysql://`; leave `+driver` out")
                    : new Fault("this is neither a MySQL URL nor a secret reference", $"write `{Example}`, or `env:NAME` where the variable holds the whole URL");
            return false;
        }

        try
        {
            url = Cut(text[(scheme + 3)..]);
            return true;
        }
        catch (FormatException e)
        {
            fault = new Fault(
                e.Message, $"write `{Example}`, without a password; inside a name `/`, `@`, `:`, `?`, `%` and blanks are written as %2F, %40, %3A, %3F, %25 and %20");
            return false;
        }
    }

    /// <summary>The URL without its password.</summary>
    public string WithoutPassword()
    {
        string user = string.IsNullOrEmpty(User) ? "" : Uri.EscapeDataString(User) + "@";
        string host = Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Uri.EscapeDataString(Host);
        string port = Port is { } number ? string.Create(CultureInfo.InvariantCulture, $":{number}") : "";
        string query = string.Join('&', Options.Select(static o => $"{o.Key}={Uri.EscapeDataString(o.Value)}"));
        return $"mysql://{user}{host}{port}/{Uri.EscapeDataString(Database)}{(query.Length > 0 ? "?" : "")}{query}";
    }

    private static MySqlUrl Cut(string rest)
    {
        if (rest.Any(static c => char.IsControl(c) || char.IsWhiteSpace(c)))
            throw new FormatException("there is a blank or control character in the URL");
        (rest, string query) = Halves(rest, '?');
        int slash = rest.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || slash == rest.Length - 1)
            throw new FormatException("the URL names no database");
        (string authority, string database) = (rest[..slash], rest[(slash + 1)..]);
        if (database.AsSpan().ContainsAny('/', '@'))
            throw new FormatException("there is a `/` or an `@` in the database's name");
        int at = authority.LastIndexOf('@');
        (string user, string password) = at < 0 ? ("", "") : Halves(authority[..at], ':');
        (string host, string port) = HostAndPort(authority[(at + 1)..]);
        int? number = null;
        if (port.Length > 0)
            number = int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out int parsed) && parsed is > 0 and <= 65535
                ? parsed : throw new FormatException("the port in the URL is not a number from 1 to 65535");
        return new MySqlUrl(
            user.Length == 0 ? null : Decode(user), password.Length == 0 ? null : Decode(password), Decode(host), number, Decode(database),
            query.Length == 0 ? [] : [.. query.Split('&').Select(CutOption)]);
    }

    private static (string Host, string Port) HostAndPort(string text)
    {
        if (!text.StartsWith('['))
            return Halves(text, ':');
        int close = text.IndexOf(']', StringComparison.Ordinal);
        if (close < 0)
            throw new FormatException("an IPv6 address in the URL lacks its `]`");
        return (text[1..close], text[(close + 1)..].TrimStart(':'));
    }

    private static KeyValuePair<string, string> CutOption(string pair)
    {
        (string name, string value) = Halves(pair, '=');
        name = Decode(name).Replace('_', '-');
        if (!s_options.Contains(name))
            throw new FormatException($"an option after the URL's `?` is none of {string.Join(", ", s_options)}");
        return new KeyValuePair<string, string>(name, Decode(value));
    }

    private static (string Before, string After) Halves(string text, char separator)
    {
        int found = text.IndexOf(separator, StringComparison.Ordinal);
        return found < 0 ? (text, "") : (text[..found], text[(found + 1)..]);
    }

    private static string Decode(string text)
    {
        for (int at = text.IndexOf('%', StringComparison.Ordinal); at >= 0; at = text.IndexOf('%', at + 1))
        {
            if (at + 2 >= text.Length || !char.IsAsciiHexDigit(text[at + 1]) || !char.IsAsciiHexDigit(text[at + 2]))
                throw new FormatException("a `%` in the URL is not followed by two hexadecimal digits");
        }

        string decoded = Uri.UnescapeDataString(text);
        return decoded.Any(char.IsControl) ? throw new FormatException("there is a control character in the URL") : decoded;
    }
}
