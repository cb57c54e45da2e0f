using System.Text;

namespace Lifeboat.Engine.Sources.Postgres.Sessions;

/// <summary>
/// A libpq connection URI in its parts, each as it was written, percent signs and all (PostgreSQL 15 manual, 34.1.1.2). Where libpq's
/// reading differs from RFC 3986, libpq's is followed: several hosts, empty hosts, a user without a host.
/// </summary>
internal sealed record PostgresUri
{
    /// <summary>User name; null where the URI has none.</summary>
    public string? User { get; init; }

    /// <summary>The password, decoded.</summary>
    public string? Password { get; init; }

    /// <summary>Hosts and ports: <c>h1:5432,h2</c>; may be empty.</summary>
    public required string Hosts { get; init; }

    /// <summary>The database, decoded; null where the URI has none.</summary>
    public string? Database { get; init; }

    /// <summary>Parameters, as written, in order.</summary>
    public required IReadOnlyList<KeyValuePair<string, string>> Parameters { get; init; }

    /// <summary>Reads a URI; null where it is not one. <c>postgresql+driver://</c>, as Python programs write it, is accepted.</summary>
    public static PostgresUri? Parse(string text)
    {
        int scheme = text.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0 || text[..scheme].Split('+')[0] is not ("postgresql" or "postgres"))
            return null;
        string rest = text[(scheme + 3)..];
        (string? user, string? password) = (null, null);
        int end = rest.AsSpan().IndexOfAny('@', '/');
        if (end >= 0 && rest[end] == '@')
        {
            string[] login = rest[..end].Split(':', 2);
            user = login[0].Length == 0 ? null : login[0];
            password = login.Length == 2 && login[1].Length > 0 ? Uri.UnescapeDataString(login[1]) : null;
            rest = rest[(end + 1)..];
        }

        int question = rest.IndexOf('?', StringComparison.Ordinal);
        string path = question < 0 ? rest : rest[..question];
        int slash = path.IndexOf('/', StringComparison.Ordinal);
        string? database = slash < 0 || slash == path.Length - 1 ? null : Uri.UnescapeDataString(path[(slash + 1)..]);
        List<KeyValuePair<string, string>>? parameters = question < 0 ? [] : ParseParameters(rest[(question + 1)..]);
        return parameters is null ? null : Tidied(new PostgresUri
        {
            User = user, Password = password, Hosts = slash < 0 ? path : path[..slash], Database = database, Parameters = parameters,
        });
    }

    /// <summary>The value of a parameter, decoded; null where it is not there.</summary>
    public string? Parameter(string name) =>
        Parameters.Where(p => p.Key == name).Select(static p => Uri.UnescapeDataString(p.Value)).LastOrDefault();

    /// <summary>Adds a parameter unless it is there.</summary>
    public PostgresUri WithDefault(string name, string value) =>
        Parameter(name) is null ? this with { Parameters = [.. Parameters, new(name, Uri.EscapeDataString(value))] } : this;

    /// <summary>Sets a parameter, in place of what it was.</summary>
    public PostgresUri With(string name, string value) =>
        this with { Parameters = [.. Parameters.Where(p => p.Key != name), new(name, Uri.EscapeDataString(value))] };

    /// <summary>The same for another user.</summary>
    public PostgresUri WithUser(string user) =>
        this with { User = Uri.EscapeDataString(user), Parameters = [.. Parameters.Where(static p => p.Key is not ("user" or "passfile"))] };

    /// <summary>The same by another host.</summary>
    /// <param name="host">With its port.</param>
    public PostgresUri WithHost(string host) =>
        this with { Hosts = host, Parameters = [.. Parameters.Where(static p => p.Key is not ("host" or "hostaddr" or "port" or "service"))] };

    /// <summary>The URI without its password.</summary>
    public override string ToString()
    {
        StringBuilder text = new("postgresql://");
        if (User is not null)
            text.Append(User).Append('@');
        text.Append(Hosts);
        if (Database is not null)
            text.Append('/').Append(Uri.EscapeDataString(Database));
        else if (Parameters.Count > 0)
            text.Append('/');
        for (int i = 0; i < Parameters.Count; i++)
            text.Append(i == 0 ? '?' : '&').Append(Parameters[i].Key).Append('=').Append(Parameters[i].Value);
        return text.ToString();
    }

    private static List<KeyValuePair<string, string>>? ParseParameters(string text)
    {
        List<KeyValuePair<string, string>> parameters = [];
        foreach (string part in text.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
                return null;
            parameters.Add(new(Uri.UnescapeDataString(part[..equals]), part[(equals + 1)..]));
        }

        return parameters;
    }

    /// <summary>Takes the database and the password out of the parameters, where libpq accepts them too (and prefers them).</summary>
    private static PostgresUri Tidied(PostgresUri uri) => uri with
    {
        Database = uri.Parameter("dbname") ?? uri.Database,
        Password = uri.Parameter("password") ?? uri.Password,
        Parameters = [.. uri.Parameters.Where(static p => p.Key is not ("dbname" or "password"))],
    };
}
