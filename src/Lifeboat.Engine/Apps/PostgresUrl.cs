using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Lifeboat.Engine.Apps.Keys;

namespace Lifeboat.Engine.Apps;

/// <summary>
/// A libpq connection URI, cut up as libpq does it (PostgreSQL manual, 34.1.1.2; <c>conninfo_uri_parse_options</c>). Only what libpq
/// would surely refuse is refused; parameters are left to it.
/// </summary>
internal sealed record PostgresUrl(
    string? User, string? Password, string Hosts, string Ports, string? Database, IReadOnlyList<KeyValuePair<string, string>> Parameters)
{
    private const string Example = "postgresql://user@host:5432/database";

    public bool HoldsPassword => !string.IsNullOrEmpty(Password) || Parameters.Any(static p => IsPassword(p.Key) && p.Value.Length > 0);

    public string? Parameter(string name) => Parameters.Where(p => p.Key == name).Select(static p => p.Value).LastOrDefault();

    /// <summary>Writes the URI again, percent-encoded where needed, without its password and without <paramref name="dropped"/> parameters.</summary>
    public string WithoutPassword(params IReadOnlyCollection<string> dropped)
    {
        StringBuilder url = new("postgresql://");
        if (!string.IsNullOrEmpty(User))
            url.Append(Uri.EscapeDataString(User)).Append('@');
        string[] hosts = Hosts.Split(',');
        string[] ports = Ports.Length == 0 ? [] : Ports.Split(',');
        for (int i = 0; i < hosts.Length; i++)
        {
            string host = hosts[i].Contains(':', StringComparison.Ordinal) ? $"[{hosts[i]}]" : Uri.EscapeDataString(hosts[i]);
            string port = i < ports.Length && ports[i].Length > 0 ? ":" + ports[i] : "";
            url.Append(i > 0 ? "," : "").Append(host).Append(port);
        }

        if (!string.IsNullOrEmpty(Database))
            url.Append('/').Append(Uri.EscapeDataString(Database));
        IEnumerable<string> kept = Parameters
            .Where(p => !IsPassword(p.Key) && !dropped.Contains(p.Key))
            .Select(static p => $"{Uri.EscapeDataString(p.Key)}={Uri.EscapeDataString(p.Value)}");
        string query = string.Join('&', kept);
        return url.Append(query.Length > 0 ? "?" : "").Append(query).ToString();
    }

    /// <summary>Reads a URI that stands in an app file: well-formed, names a database, holds no password.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out PostgresUrl? url, [NotNullWhen(false)] out Fault? fault)
    {
        if (!TryCut(text, out url, out fault))
            return false;
        if (url.HoldsPassword)
            fault = new Fault(
                "there is a password in the URL", "take it out and write `password: \"env:NAME\"` or another secret reference beside the `url`");
        else if (string.IsNullOrEmpty(url.Database) && string.IsNullOrEmpty(url.Parameter("dbname")) && string.IsNullOrEmpty(url.Parameter("service")))
            fault = new Fault("the URL names no database", $"write it after the host: `{Example}`");
        else
            fault = PortFault(url);
        return fault is null;
    }

    /// <summary>Cuts up any URI of libpq's, with or without a password; fails where it is malformed.</summary>
    public static bool TryCut(string text, [NotNullWhen(true)] out PostgresUrl? url, [NotNullWhen(false)] out Fault? fault)
    {
        url = null;
        fault = SchemeFault(text);
        if (fault is not null)
            return false;
        try
        {
            url = Cut(text[(text.IndexOf("://", StringComparison.Ordinal) + 3)..]);
            return true;
        }
        catch (FormatException e)
        {
            fault = new Fault(
                e.Message,
                $"write `{Example}`, without a password; inside a name `/`, `@`, `:`, `?`, `#`, `%` and blanks are written as %2F, %40, %3A, %3F, %23, %25 and %20");
            return false;
        }
    }

    private static PostgresUrl Cut(string rest)
    {
        string? user = null;
        string? password = null;
        int at = rest.AsSpan().IndexOfAny('@', '/');
        if (at >= 0 && rest[at] == '@')
        {
            string[] credentials = rest[..at].Split(':', 2);
            user = Decode(credentials[0]);
            password = credentials.Length == 2 ? Decode(credentials[1]) : null;
            rest = rest[(at + 1)..];
        }

        (string hosts, string ports, rest) = CutHosts(rest);
        if (hosts.Contains('@', StringComparison.Ordinal) || ports.Contains('@', StringComparison.Ordinal))
            throw new FormatException("there is more than one `@` before the host in the URL");
        string? database = null;
        if (rest.StartsWith('/'))
        {
            // libpq would take it as a part of the name; it is a password with a slash in it more often.
            int question = rest.IndexOf('?', StringComparison.Ordinal);
            if (rest.AsSpan(0, question < 0 ? rest.Length : question).Contains('@'))
                throw new FormatException("there is an `@` after the URL's first `/`");
            database = Decode(question < 0 ? rest[1..] : rest[1..question]);
            rest = question < 0 ? "" : rest[question..];
        }

        return new PostgresUrl(user, password, hosts, ports, database, rest.Length > 1 ? [.. rest[1..].Split('&').Select(CutParameter)] : []);
    }

    private static (string Hosts, string Ports, string Remainder) CutHosts(string rest)
    {
        List<string> hosts = [];
        List<string> ports = [];
        for (; ; )
        {
            int end;
            if (rest.StartsWith('['))
            {
                int close = rest.IndexOf(']', StringComparison.Ordinal);
                if (close <= 1)
                    throw new FormatException("an IPv6 address in the URL is empty, or its `]` is missing");
                hosts.Add(rest[1..close]);
                end = close + 1;
                if (end < rest.Length && rest[end] is not (':' or '/' or '?' or ','))
                    throw new FormatException("something other than a port or the database's name follows an IPv6 address in the URL");
            }
            else
            {
                end = EndOf(rest, 0, ":/?,");
                hosts.Add(Decode(rest[..end]));
            }

            int portEnd = end < rest.Length && rest[end] == ':' ? EndOf(rest, end + 1, "/?,") : end;
            ports.Add(portEnd > end ? Decode(rest[(end + 1)..portEnd]) : "");
            rest = rest[portEnd..];
            if (!rest.StartsWith(','))
                return (string.Join(',', hosts), ports.TrueForAll(static p => p.Length == 0) ? "" : string.Join(',', ports), rest);
            rest = rest[1..];
        }
    }

    private static KeyValuePair<string, string> CutParameter(string pair)
    {
        string[] parts = pair.Split('=');
        if (parts.Length != 2 || parts[0].Length == 0)
            throw new FormatException("a parameter after the URL's `?` is not `name=value`");
        return new KeyValuePair<string, string>(Decode(parts[0]), Decode(parts[1]));
    }

    private static int EndOf(string text, int from, ReadOnlySpan<char> any)
    {
        int found = text.AsSpan(from).IndexOfAny(any);
        return found < 0 ? text.Length : from + found;
    }

    private static Fault? PortFault(PostgresUrl url)
    {
        string[] ports = url.Ports.Split(',');
        bool good = ports.All(static port => port.Length == 0
            || int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is > 0 and <= 65535);
        return good
            ? null
            : new Fault(
                "a port in the URL is not a number from 1 to 65535",
                $"write `{Example}`; a password has no place in it, and `/` or `:` inside a name is written as %2F or %3A");
    }

    private static Fault? SchemeFault(string text)
    {
        if (text.StartsWith("postgresql://", StringComparison.Ordinal) || text.StartsWith("postgres://", StringComparison.Ordinal))
            return text.Any(static c => char.IsControl(c) || char.IsWhiteSpace(c))
                ? new Fault("there is a blank or control character in the URL", "percent-encode it: a blank is %20")
                : null;
        if (text.StartsWith("postgresql+", StringComparison.Ordinal) || text.StartsWith("postgres+", StringComparison.Ordinal))
            return new Fault("the URL's scheme names a driver of the application's", "begin it with `postgresql://`; leave `+driver` out");
        if (text.StartsWith("jdbc:", StringComparison.OrdinalIgnoreCase))
            return new Fault("this is a JDBC URL", $"write it without `jdbc:`, as `{Example}`");
        if (text.Contains("dbname=", StringComparison.Ordinal) || text.Contains("Database=", StringComparison.OrdinalIgnoreCase))
            return new Fault("this is a list of connection settings, not a URL", $"write it as `{Example}`");
        return text.StartsWith("mysql", StringComparison.OrdinalIgnoreCase) || text.StartsWith("mariadb", StringComparison.OrdinalIgnoreCase)
            ? new Fault("this is a MySQL URL", "write `type: mysql` for this source")
            : new Fault("this is neither a PostgreSQL URL nor a secret reference", $"write `{Example}`, or `env:NAME` where the variable holds the whole URL");
    }

    private static bool IsPassword(string parameter) => parameter is "password" or "sslpassword" or "oauth_client_secret";

    private static string Decode(string text)
    {
        if (!text.Contains('%', StringComparison.Ordinal))
            return text;
        for (int at = text.IndexOf('%', StringComparison.Ordinal); at >= 0; at = text.IndexOf('%', at + 1))
            if (at + 2 >= text.Length || !char.IsAsciiHexDigit(text[at + 1]) || !char.IsAsciiHexDigit(text[at + 2]) || text.AsSpan(at + 1, 2) is "00")
                throw new FormatException("a `%` in the URL is not followed by two hexadecimal digits");
        return Uri.UnescapeDataString(text);
    }
}
