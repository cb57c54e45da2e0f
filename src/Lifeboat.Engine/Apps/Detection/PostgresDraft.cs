using System.Globalization;

namespace Lifeboat.Engine.Apps.Detection;

/// <summary>Builds PostgreSQL sources out of what settings files say; none gets a password.</summary>
internal static class PostgresDraft
{
    // Parameters of other libraries (Prisma, SQLAlchemy, Django), at which libpq stops.
    private static readonly string[] ForeignParameters =
    [
        "schema", "connection_limit", "pool_timeout", "pgbouncer", "sslaccept", "socket_timeout", "statement_cache_size", "pool_size", "max_overflow",
        "conn_max_age", "charset", "encoding", "serverVersion", "prepared_statements", "prepared_statement_cache_size", "command_timeout",
    ];

    public static bool HasForeignParameters(PostgresUrl url) => url.Parameters.Any(static p => ForeignParameters.Contains(p.Key));

    /// <summary>The URL without its password and without what libpq does not know.</summary>
    public static string Written(PostgresUrl url) => url.WithoutPassword(ForeignParameters);

    /// <summary>Makes a URL out of single settings; empty host for a socket.</summary>
    public static PostgresUrl UrlOf(string? user, string? host, string? port, string database)
    {
        bool isSocket = host is not null && host.StartsWith('/');
        KeyValuePair<string, string>[] parameters = isSocket ? [new("host", host!)] : [];
        bool hasPort = int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is > 0 and <= 65535 && number != 5432;
        if (hasPort && (isSocket || string.IsNullOrEmpty(host)))
            parameters = [.. parameters, new("port", port!)];
        return new PostgresUrl(
            string.IsNullOrEmpty(user) ? null : user, null, isSocket ? "" : host ?? "", hasPort && parameters.Length == 0 ? port! : "", database, parameters);
    }

    /// <summary>One source; null where its URL would be refused.</summary>
    public static SourceFinding? Finding(
        string reason, PostgresUrl url, DraftField connection, string? password, IReadOnlyList<string> comments)
    {
        string? database = url.Database ?? url.Parameter("dbname");
        if (string.IsNullOrEmpty(database) || !PostgresUrl.TryParse(Written(url), out _, out _))
            return null;
        List<DraftField> fields = [connection];
        if (password is not null)
            fields.Add(DraftField.Of("password", password));
        return new SourceFinding(
            reason,
            new SourceDraft(DraftNames.Of(database, "main"), "postgres", IdentityOf(url, database), fields, [.. comments, .. RoleComments, .. ContainerComments(url, database)]));
    }

    /// <summary>What a role of the application's own cannot do.</summary>
    private static readonly string[] RoleComments =
    [
        "this is the application's own role: it may not read roles' passwords, so every backup ends with a warning, and cannot restore the database.",
        "Make one for Lifeboat, once, as a superuser, and name it and its password here instead:",
        "  CREATE ROLE lifeboat LOGIN SUPERUSER PASSWORD '…';",
        "Where nobody may be a superuser, docs/postgres.md says which rights do.",
    ];

    private static string IdentityOf(PostgresUrl url, string database)
    {
        string host = url.Hosts.Length > 0 ? url.Hosts : url.Parameter("host") ?? "";
        bool isLocal = host is "" or "localhost" or "127.0.0.1" or "::1" || host.StartsWith('/');
        string port = url.Ports.Length > 0 ? url.Ports : url.Parameter("port") ?? "5432";
        return $"postgres:{(isLocal ? "" : host)}:{port}/{database}";
    }

    // A host name of one word is most often a container's, which only other containers can reach.
    private static string[] ContainerComments(PostgresUrl url, string database)
    {
        string host = url.Hosts;
        if (host.Length == 0 || host is "localhost" || host.Any(static c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')))
            return [];
        string inside = new PostgresUrl(url.User, null, "", "", database, []).WithoutPassword();
        return [$"if {host} is a container, reach it so: url: \"{inside}\", via: [docker, exec, -i, {host}]"];
    }
}
