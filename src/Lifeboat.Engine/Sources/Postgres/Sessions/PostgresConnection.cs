using System.Text;
using System.Text.RegularExpressions;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Processes;
using Lifeboat.Engine.Secrets;

namespace Lifeboat.Engine.Sources.Postgres.Sessions;

/// <summary>
/// How to reach one database through the server's own client programs. The URI is passed on as it is; the password travels in the
/// child's environment, or, behind a <c>via:</c> prefix that no environment crosses, as the first line of its input.
/// </summary>
public sealed partial record PostgresConnection
{
    // Reads the password before the program starts; `read` takes a pipe's bytes one by one, so nothing of what follows is lost.
    private const string PasswordShim = "IFS= read -r PGPASSWORD; export PGPASSWORD; exec \"$@\"";

    private PostgresConnection(string source, PostgresUri address, Secret? password, IReadOnlyList<string> via)
    {
        Source = source;
        Address = address;
        Password = password;
        Via = via;
    }

    /// <summary>The source's name, for messages.</summary>
    public string Source { get; }

    /// <summary>libpq's own variables (PostgreSQL manual, 34.15).</summary>
    private static readonly string[] s_inherited = ["PG*"];

    /// <summary>For how long nothing may come or go before it is asked whether the server still works; null for ever.</summary>
    public TimeSpan? StallLimit { get; private init; }

    public Secret? Password { get; private init; }

    /// <summary>The command prefix that reaches the server's programs; empty for none.</summary>
    public IReadOnlyList<string> Via { get; }

    /// <summary>The URI without the password.</summary>
    public string Uri => Address.With("options", string.Join(' ', new[] { Address.Parameter("options") ?? "", StartOptions, MoreOptions }.Where(static part => part.Length > 0)))
        .ToString();

    /// <summary>The database that the URI names; null where it is left to the service file, the environment or the user's name.</summary>
    public string? Database => Address.Database;

    /// <summary>For messages: <c>database "shop" on db:5432</c>.</summary>
    public string Target
    {
        get
        {
            string host = Address.Hosts.Length > 0 ? System.Uri.UnescapeDataString(Address.Hosts) : Address.Parameter("host") ?? "";
            string place = Address.Parameter("service") is { } service ? $"service {service}" : host.Length == 0 ? "the local server" : host;
            if (Address.Parameter("port") is { } port)
                place += $":{port}";
            return (Database is null ? "the default database" : $"database \"{Database}\"") + $" on {place}"
                + (Via.Count == 0 ? "" : $" via {Via[0]}");
        }
    }

    private PostgresUri Address { get; init; }

    /// <summary>What each session begins with, before the server has read anything else that is set for the role or the database.</summary>
    private string StartOptions { get; init; } = SessionSettings.StartOptions;

    private string MoreOptions { get; init; } = "";

    /// <summary>Whether the app file itself says as which role to act.</summary>
    internal bool ChoosesRole => RoleOption().IsMatch(Address.Parameter("options") ?? "");

    /// <summary>Reads a source's settings; asks for its secrets.</summary>
    /// <exception cref="LifeboatException">The URI is none, or a secret is missing.</exception>
    public static async Task<PostgresConnection> FromAsync(PostgresSettings settings, ISecretResolver secrets,
        CancellationToken cancellation)
    {
        string text = settings.UrlSecret is null ? settings.Url ?? ""
            : (await secrets.ResolveAsync(settings.UrlSecret, cancellation)).Reveal().Trim();
        PostgresUri uri = PostgresUri.Parse(text) ?? throw new LifeboatException(
            ErrorCodes.PostgresUrlInvalid,
            "the url is not a PostgreSQL URI",
            "write postgresql://USER@HOST:PORT/DATABASE, or postgresql://USER@/DATABASE for the local socket",
            settings.Name);
        if (uri.Parameter("sslpassword") is not null)
            throw new LifeboatException(
                ErrorCodes.PostgresUrlInvalid,
                "the url holds an sslpassword, which would be visible in the client programs' arguments",
                "remove the passphrase from the client's key file, or name a service file entry that holds it (?service=NAME)",
                settings.Name);
        Secret? password = settings.Password is not null
            ? await secrets.ResolveAsync(settings.Password, cancellation)
            : uri.Password is null ? null : new Secret(uri.Password);
        return new PostgresConnection(settings.Name, WithDefaults(uri with { Password = null }), password, settings.Via) { StallLimit = settings.StallLimit };
    }

    /// <summary>The same server and user, another database.</summary>
    public PostgresConnection WithDatabase(string name) => this with { Address = Address with { Database = name } };

    /// <summary>The same with another limit of silence.</summary>
    public PostgresConnection WithStallLimit(TimeSpan? limit) => this with { StallLimit = limit };

    /// <summary>The same under another <c>application_name</c>, by which the server's views tell it from others.</summary>
    public PostgresConnection WithApplicationName(string name) => this with { Address = Address.With("application_name", name) };

    /// <summary>The same for another user, who may not make all of the settings that another one made from the start.</summary>
    public PostgresConnection WithLogin(string user, Secret password) =>
        this with { Address = Address.WithUser(user), Password = password, StartOptions = SessionSettings.StartOptions, MoreOptions = "" };

    /// <summary>Whether the url names a socket, or an address of this machine.</summary>
    public bool IsLocal => (Address.Hosts.Length > 0 ? System.Uri.UnescapeDataString(Address.Hosts) : Address.Parameter("host") ?? "") is var host
        && (host is "" or "localhost" or "127.0.0.1" or "::1" or "[::1]" || host.StartsWith('/')) && Address.Parameter("service") is null;

    /// <summary>The same on the server's own machine, by TCP.</summary>
    public PostgresConnection ByLoopback(string port) => this with { Address = Address.WithHost($"127.0.0.1:{port}") };

    /// <summary>The same with one more setting from the start of each session on.</summary>
    public PostgresConnection WithStartSetting(string setting, string value) =>
        this with { MoreOptions = $"{MoreOptions} {SessionSettings.StartOption(setting, value)}".TrimStart() };

    /// <summary>
    /// The same with the search path that a server has without any setting, for a database in which definitions are run. Sessions of ours and client programs begin with another one all the
    /// same; but the script of an extension may take the one that a session would go back to for the database's (PostGIS's topology does), and find no type of another extension by ours.
    /// </summary>
    public PostgresConnection WithUsualPath() => WithStartSetting("search_path", "\"$user\", public");

    /// <summary>The same with all settings that the server knows and the user may make from the start of each session on.</summary>
    /// <param name="session">A session with this server, of this user.</param>
    public PostgresConnection WithSettingsOf(PsqlSession session) => this with { StartOptions = session.StartOptions };

    /// <summary>
    /// What a client program's <c>--database</c> takes for a name. A bare name that has an equals sign or begins as a URI does would be read as a connection string.
    /// </summary>
    public static string DatabaseArgument(string name) =>
        $"dbname='{name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";

    /// <summary>The major version from which on <see cref="WithoutEventTriggers"/> is known.</summary>
    public const int EventTriggersOption = 17;

    /// <summary>The same, where no event trigger fires, those at login among them. Only for a superuser, and for servers of <see cref="EventTriggersOption"/> and later.</summary>
    public PostgresConnection WithoutEventTriggers() => WithStartSetting("event_triggers", "off");

    /// <summary>
    /// A client program's start. Write <see cref="PostgresCommand.InputPrefix"/> to its input before anything else.
    /// </summary>
    /// <param name="program">A path, or behind <c>via:</c> a name.</param>
    /// <param name="connect">Whether the program connects, and so is given <c>-d URI</c>, <c>-w</c> and the password.</param>
    public PostgresCommand Command(string program, IEnumerable<string> arguments, bool connect = true)
    {
        string[] words = connect ? [program, "-w", "-d", Uri, .. arguments] : [program, .. arguments];
        Dictionary<string, string?> environment = new()
        {
            // The messages that we judge come in English; LC_ALL would override that.
            ["LC_ALL"] = null, ["LC_MESSAGES"] = "C", ["LANGUAGE"] = null,
        };
        if (Via.Count == 0)
        {
            ProgramStart start = new(words[0], words[1..]) { Environment = environment, Inherits = s_inherited };
            return new PostgresCommand(
                connect && Password is not null ? start with { Secrets = new Dictionary<string, Secret> { ["PGPASSWORD"] = Password } }
                    : start, default);
        }

        bool shim = connect && Password is not null;
        string[] all = shim ? [.. Via, "sh", "-c", PasswordShim, "sh", .. words] : [.. Via, .. words];
        return new PostgresCommand(
            new ProgramStart(all[0], all[1..]) { Environment = environment, Inherits = s_inherited },
            shim ? Encoding.UTF8.GetBytes(Password!.Reveal() + "\n") : default);
    }

    [GeneratedRegex(@"(?:^|\s)(?:-c\s*|--)role=", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex RoleOption();

    /// <summary>Settings that must hold on either side of a <c>via:</c> prefix, so they go into the URI; the app file's own win.</summary>
    private static PostgresUri WithDefaults(PostgresUri uri) => uri
        .WithDefault("application_name", "lifeboat")
        .WithDefault("connect_timeout", "15")
        // A server whose machine vanished is noticed after about a minute and a half, not after two hours.
        .WithDefault("keepalives_idle", "30")
        .WithDefault("keepalives_interval", "15")
        .WithDefault("keepalives_count", "4")
        // The same where it vanished while we were sending.
        .WithDefault("tcp_user_timeout", "90000")
        // Of its own in the start packet, where PGCLIENTENCODING would come too.
        .With("client_encoding", "UTF8");
}

/// <param name="InputPrefix">Bytes that must be the first on the program's input: a password's line, or nothing. Never to be shown.</param>
public sealed record PostgresCommand(ProgramStart Start, ReadOnlyMemory<byte> InputPrefix);
