using System.Globalization;
using System.Text;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Processes;
using Lifeboat.Engine.Secrets;

namespace Lifeboat.Engine.Sources.MySql.Sessions;

/// <summary>
/// How to reach one database through the server's own client program. The password is the first line of the program's input, from where a small
/// shell makes it an option file behind a file descriptor: it is in no argument, no environment and no file, on either side of a <c>via:</c> prefix.
/// </summary>
public sealed record MySqlConnection
{
    // `read` takes a pipe's bytes one by one, so nothing of what follows is lost; what a here-document's variable holds is not expanded again.
    private const string PasswordShim = "IFS= read -r p; exec \"$@\" 3<<END\n[client]\n$p\nEND\n";

    /// <summary>Exact output for every byte (tab, line feed, NUL and backslash escaped), row by row, and an end at the first error.</summary>
    private static readonly string[] s_arguments =
    [
        "--batch", "--quick", "--unbuffered", "--binary-mode", "--skip-column-names", "--skip-auto-rehash", "--loose-skip-reconnect", "--loose-comments",
        "--default-character-set=binary", "--max-allowed-packet=1073741824", "--local-infile=0",
        // What option files may say beside how to connect.
        "--skip-force", "--skip-html", "--skip-xml", "--skip-vertical", "--skip-table", "--skip-raw", "--skip-show-warnings",
        "--skip-column-type-info", "--skip-named-commands", "--loose-skip-binary-as-hex", "--loose-skip-ignore-spaces", "--init-command=DO 0",
    ];

    private readonly MySqlUrl _url;

    private MySqlConnection(string source, MySqlUrl url, Secret? password, IReadOnlyList<string> via)
    {
        Source = source;
        _url = url;
        Password = password;
        Via = via;
    }

    /// <summary>The source's name, for messages.</summary>
    public string Source { get; }

    /// <summary>For how long nothing may come or go before it is asked whether the server still works; null for ever.</summary>
    public TimeSpan? StallLimit { get; init; }

    public Secret? Password { get; }

    /// <summary>Where MySQL's and MariaDB's clients look for their settings and plugins. Images of both have passwords in other variables of that prefix.</summary>
    private static readonly string[] s_inherited = ["MYSQL_HOME", "MYSQL_GROUP_SUFFIX", "MYSQL_HOST", "MYSQL_TCP_PORT", "MYSQL_UNIX_PORT", "MARIADB_HOME", "LIBMYSQL_*"];

    /// <summary>The command prefix that reaches the server's program; empty for none.</summary>
    public IReadOnlyList<string> Via { get; }

    public string Database => _url.Database;

    /// <summary>Whether the server is on another machine, as far as the URL tells.</summary>
    public bool IsRemote => _url.Host is not ("" or "localhost" or "127.0.0.1" or "::1");

    /// <summary>For messages: <c>database "shop" on db:3306</c>.</summary>
    public string Target
    {
        get
        {
            string host = _url.Host.Length > 0 ? _url.Host : _url.Option("socket") ?? "the local server";
            string port = _url.Port is { } number ? string.Create(CultureInfo.InvariantCulture, $":{number}") : "";
            return $"database \"{Database}\" on {host}{port}{(Via.Count == 0 ? "" : $" via {Via[0]}")}";
        }
    }

    /// <summary>Reads a source's settings; asks for its secrets.</summary>
    /// <exception cref="LifeboatException">The URL is none, or a secret is missing.</exception>
    public static async Task<MySqlConnection> FromAsync(MySqlSettings settings, ISecretResolver secrets, CancellationToken cancellation)
    {
        string text = settings.UrlSecret is null ? settings.Url ?? ""
            : (await secrets.ResolveAsync(settings.UrlSecret, cancellation)).Reveal().Trim();
        if (!MySqlUrl.TryCut(text, out MySqlUrl? url, out Apps.Keys.Fault? fault))
            throw new LifeboatException(ErrorCodes.MySqlUrlInvalid, $"the url is not a MySQL URL: {fault.Message}", fault.Hint, settings.Name);
        Secret? password = settings.Password is not null
            ? await secrets.ResolveAsync(settings.Password, cancellation)
            : url.HoldsPassword ? new Secret(url.Password!) : null;
        if (password?.Reveal().AsSpan().ContainsAny('\n', '\0') == true)
            throw new LifeboatException(
                ErrorCodes.MySqlUrlInvalid, "the password holds a line end, which no option file can", "take the line end out of the secret", settings.Name);
        return new MySqlConnection(settings.Name, url with { Password = null }, password, settings.Via) { StallLimit = settings.StallLimit };
    }

    /// <summary>The client program's start, and bytes that must be the first on its input. Never to be shown.</summary>
    /// <param name="program">A path, or behind <c>via:</c> a name.</param>
    internal (ProgramStart Start, ReadOnlyMemory<byte> InputPrefix) Command(string program)
    {
        string[] words = [program, .. Password is null ? (string[])[] : ["--defaults-file=/dev/fd/3"], .. s_arguments, .. Where()];
        Dictionary<string, string?> environment = new() { ["MYSQL_HISTFILE"] = null, ["MYSQL_PWD"] = null };
        if (Password is not null && Via.Count == 0 && OperatingSystem.IsWindows())
        {
            // There is no such shell; the program takes the password from its environment, which only the same user can see.
            return (new ProgramStart(program, [.. s_arguments, .. Where()]) { Inherits = s_inherited, Secrets = new Dictionary<string, Secret> { ["MYSQL_PWD"] = Password } }, default);
        }

        string[] all = Password is null ? [.. Via, .. words] : [.. Via, "sh", "-c", PasswordShim, "sh", .. words];
        return (
            new ProgramStart(all[0], all[1..]) { Environment = environment, Inherits = s_inherited },
            Password is null ? default : Encoding.UTF8.GetBytes($"password=\"{OptionValue(Password.Reveal())}\"\n"));
    }

    private static string OptionValue(string text) => text
        .Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
        .Replace("\t", "\\t", StringComparison.Ordinal).Replace("\r", "\\r", StringComparison.Ordinal);

    private IEnumerable<string> Where()
    {
        if (_url.Option("connect-timeout") is null)
            yield return "--connect-timeout=15";
        if (_url.Host.Length > 0)
            yield return $"--host={_url.Host}";
        if (_url.Port is { } port)
            yield return string.Create(CultureInfo.InvariantCulture, $"--port={port}");
        // The programs take `localhost` for the socket, whatever port is beside it.
        if (_url.Port is not null && _url.Host.Length > 0 && _url.Option("protocol") is null)
            yield return "--protocol=tcp";
        if (_url.User is { } user)
            yield return $"--user={user}";
        foreach ((string name, string value) in _url.Options)
            yield return value.Length == 0 ? $"--{name}" : $"--{name}={value}";
    }
}
