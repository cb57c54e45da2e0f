using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>
/// A real PostgreSQL server of a test's own: unix socket (trust) and a free loopback port (scram-sha-256), both as superuser
/// <c>postgres</c>. As a class fixture it is started once per class. PostgreSQL refuses root, so root starts it as user postgres.
/// </summary>
public sealed class PostgresServer : IAsyncLifetime
{
    public const string Password = "s3cret of postgres";

    private static readonly ConcurrentDictionary<string, Lazy<string>> s_clusters = new();
    private static int s_nextPort = 20000 + (Environment.ProcessId % 5000);
    private string _folder = "";

    /// <summary>The chroot that the server and its programs live in (tests/chroots/build makes them); "" for this machine.</summary>
    public string Root { get; init; } = "";

    /// <summary>Arguments for initdb beside the usual ones; set before <see cref="InitializeAsync"/>.</summary>
    public IReadOnlyList<string> InitArguments { get; init; } = ["-E", "UTF8", "--locale=C.UTF-8"];

    /// <summary>The server that this one is a streaming standby of; null for a server of its own.</summary>
    public PostgresServer? StandbyOf { get; init; }

    /// <summary>Server settings beside the usual ones.</summary>
    public IReadOnlyList<string> ServerSettings { get; init; } = [];

    /// <summary>Environment variables of the server.</summary>
    public Dictionary<string, string>? Variables { get; init; }

    /// <summary>The folder of the server's programs.</summary>
    public string Bin { get; init; } = "/usr/lib/postgresql/15/bin";

    /// <summary>As the server and its own clients see it.</summary>
    public string SocketFolder => _folder[Root.Length..];

    public int Port { get; private set; }

    public string LogFile => Path.Combine(_folder, "log");

    /// <summary>The prefix that reaches its programs; empty on this machine.</summary>
    public string[] Via => Root.Length == 0 ? [] : ["chroot", Root];

    /// <summary>A server in one of the chroots: Debian suite and major version.</summary>
    public static PostgresServer InChroot(string suite, int major, params string[] serverSettings)
    {
        string folder = Environment.GetEnvironmentVariable("LIFEBOAT_TEST_CHROOTS") is { Length: > 0 } named ? named : "/var/cache/lifeboat-test";
        return new PostgresServer { Root = Path.Combine(folder, suite), Bin = $"/usr/lib/postgresql/{major}/bin", ServerSettings = serverSettings };
    }

    /// <summary>Starts a server with its usual settings.</summary>
    public static async Task<PostgresServer> StartAsync(params string[] serverSettings)
    {
        PostgresServer server = new() { ServerSettings = serverSettings };
        await server.InitializeAsync();
        return server;
    }

    public ValueTask InitializeAsync()
    {
        Needs.File(Root + Path.Combine(Bin, "initdb"));
        if (Root.Length > 0)
            Needs.Root();
        _folder = MakeFolder("lbpg-");
        if (IsRoot)
            RunProgram("chown", ["postgres", SocketFolder]);
        if (StandbyOf is not null)
        {
            RunServerProgram("pg_basebackup", ["-D", Data, "-R", "-c", "fast", "--no-sync", "-d", StandbyOf.SocketUrl("postgres")]);
        }
        else
        {
            string cluster = s_clusters.GetOrAdd(string.Join('\n', [Root, Bin, .. InitArguments]), _ => new Lazy<string>(InitializeCluster)).Value;
            RunProgram("cp", ["-a", cluster, Data]);
        }

        Start();
        return ValueTask.CompletedTask;
    }

    /// <summary>Makes what every server of this kind begins as: initdb takes seconds of a processor, and its copy does as well.</summary>
    private string InitializeCluster()
    {
        string folder = MakeFolder("lbpg-init-"), inside = folder[Root.Length..];
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        File.WriteAllText(Path.Combine(folder, "pw"), Password);
        if (IsRoot)
            RunProgram("chown", ["-R", "postgres", inside]);
        string data = Path.Combine(inside, "data");
        RunServerProgram(
            "initdb",
            ["-D", data, "-U", "postgres", "--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile", Path.Combine(inside, "pw"),
                "--no-sync", .. InitArguments]);
        return data;
    }

    /// <summary>A new folder where the server's temporary ones are; its path as this machine sees it.</summary>
    private string MakeFolder(string prefix) => Root.Length == 0
        ? Directory.CreateTempSubdirectory(prefix).FullName
        : Directory.CreateDirectory($"{Root}/tmp/{prefix}{Guid.NewGuid():N}").FullName;

    /// <summary>Starts it (again).</summary>
    public void Start()
    {
        for (int attempt = 0; ; attempt++)
        {
            if (Port == 0 || attempt > 0)
                Port = FreePort();
            string[] settings =
            [
                $"unix_socket_directories={SocketFolder}", $"port={Port}", "listen_addresses=127.0.0.1", "fsync=off", "full_page_writes=off",
                "max_connections=60", "shared_buffers=64MB", "autovacuum=off", .. ServerSettings,
            ];
            string options = string.Join(' ', settings.Select(static s => $"-c '{s.Replace("'", "'\\''", StringComparison.Ordinal)}'"));
            try
            {
                RunServerProgram("pg_ctl", ["start", "-w", "-s", "-D", Data, "-l", LogFile[Root.Length..], "-o", options]);
                return;
            }
            catch (InvalidOperationException) when (attempt < 5)
            {
                // The port was taken meanwhile.
            }
        }
    }

    /// <summary>Stops it; <c>immediate</c> is as a crash, <c>fast</c> in order.</summary>
    public void Stop(string mode = "immediate") => RunServerProgram("pg_ctl", ["stop", "-w", "-s", "-m", mode, "-D", Data]);

    public ValueTask DisposeAsync()
    {
        if (_folder.Length == 0)
            return ValueTask.CompletedTask;
        try
        {
            Stop();
        }
        catch (InvalidOperationException)
        {
            // A test stopped it already.
        }

        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>The URI by TCP, which wants a password.</summary>
    public string Url(string database, string user = "postgres") =>
        $"postgresql://{Uri.EscapeDataString(user)}@127.0.0.1:{Port}/{Uri.EscapeDataString(database)}";

    /// <summary>The URI by the unix socket, which wants none.</summary>
    public string SocketUrl(string database, string user = "postgres") =>
        $"postgresql://{Uri.EscapeDataString(user)}@/{Uri.EscapeDataString(database)}?host={Uri.EscapeDataString(SocketFolder)}&port={Port}";

    /// <summary>Settings of a source by the unix socket.</summary>
    public PostgresSettings Settings(string database, string user = "postgres", string source = "main", params string[] via) =>
        new(source, SocketUrl(database, user), null, null, via.Length == 0 ? Via : via);

    /// <summary>Opens a session by the unix socket, as the engine does.</summary>
    public async Task<PsqlSession> SessionAsync(RunContext context, string database, string user = "postgres")
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        PostgresConnection connection = await PostgresConnection.FromAsync(Settings(database, user), new NoSecrets(), cancellation);
        IReadOnlyList<PostgresTools> tools = await PostgresTools.FindAsync(context, Bin, Via, cancellation);
        return await PsqlSession.OpenAsync(tools[0], connection, cancellation);
    }

    /// <summary>Runs SQL through psql, independent of what is tested; gives what it printed (unaligned, tuples only).</summary>
    public string Sql(string database, string sql, string user = "postgres") =>
        RunProgram(Path.Combine(Bin, "psql"), ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", SocketUrl(database, user)], sql);

    /// <summary>Runs a file through psql, from the folder that holds it.</summary>
    public string SqlFile(string database, string file, string user = "postgres") => RunProgram(
        Path.Combine(Bin, "psql"), ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", SocketUrl(database, user), "-f", file], null,
            Path.GetDirectoryName(file));

    /// <summary>Creates an empty database.</summary>
    public void CreateDatabase(string name, string options = "") =>
        Sql("postgres", $"CREATE DATABASE {SqlText.Identifier(name)} {options}");

    /// <summary>pg_dump's text, a character for each byte, and the same whatever the server's time zone and currency are.</summary>
    public string Dump(string database, params string[] options) => DumpFrom(this, database, options);

    /// <summary>The same of another server's database, which is reached by TCP.</summary>
    public string DumpFrom(PostgresServer other, string database, params string[] options) => RunProgram(
        Path.Combine(Bin, "pg_dump"), [.. options, "-d", other.Url(database)], encoding: Encoding.Latin1,
        environment: new()
        {
            ["PGTZ"] = "UTC", ["PGOPTIONS"] = "-c lc_monetary=C -c IntervalStyle=postgres -c bytea_output=hex -c quote_all_identifiers=off",
            ["PGPASSWORD"] = Password,
        });

    /// <summary>Runs one of PostgreSQL's programs.</summary>
    public string RunClient(string program, params string[] arguments) =>
        RunProgram(Path.Combine(Bin, program), arguments, environment: new() { ["PGTZ"] = "UTC", ["PGPASSWORD"] = Password });

    private static bool IsRoot => Environment.UserName == "root";

    /// <summary>The data directory, as the server sees it.</summary>
    public string Data => Path.Combine(SocketFolder, "data");

    private static int FreePort()
    {
        while (true)
        {
            int port = 20000 + (Interlocked.Increment(ref s_nextPort) % 12000);
            try
            {
                using TcpListener listener = new(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken: try the next.
            }
        }
    }

    private void RunServerProgram(string program, string[] arguments)
    {
        string path = Path.Combine(Bin, program);
        if (Root.Length > 0)
            Run("chroot", ["--userspec=postgres:postgres", Root, path, .. arguments], directory: "/");
        else if (IsRoot)
            RunProgram("runuser", ["-u", "postgres", "--", path, .. arguments], directory: "/", environment: Variables);
        else
            RunProgram(path, arguments, environment: Variables);
    }

    private string RunProgram(
        string program, IEnumerable<string> arguments, string? input = null, string? directory = null, Encoding? encoding = null,
        Dictionary<string, string>? environment = null)
    {
        string[] words = [.. Via, program, .. arguments];
        return Run(words[0], words[1..], input, directory, encoding, environment);
    }

    private static string Run(
        string program, string[] arguments, string? input = null, string? directory = null, Encoding? encoding = null, Dictionary<string, string>? environment = null)
    {
        // The server that pg_ctl starts keeps its error stream open, so its output goes to its log and nothing is waited for here.
        bool detached = arguments.Contains("start");
        ProcessStartInfo info = new(program, arguments)
        {
            RedirectStandardInput = true, RedirectStandardOutput = !detached, RedirectStandardError = !detached,
                WorkingDirectory = directory ?? "",
            StandardInputEncoding = new UTF8Encoding(false), StandardOutputEncoding = detached ? null : encoding,
        };
        foreach ((string name, string value) in environment ?? [])
            info.Environment[name] = value;
        using Process process = Process.Start(info)!;
        Task<string> errors = detached ? Task.FromResult("") : process.StandardError.ReadToEndAsync();
        Task writing = Task.Run(() =>
        {
            process.StandardInput.Write(input ?? "");
            process.StandardInput.Close();
        });
        string output = detached ? "" : process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        writing.ContinueWith(static _ => { }, TaskScheduler.Default).Wait();
        return process.ExitCode == 0 ? output
            : throw new InvalidOperationException($"{program} ended with status {process.ExitCode}: {errors.Result}");
    }
}

/// <summary>For sources without secrets.</summary>
public sealed class NoSecrets : ISecretResolver
{
    public Task<Secret> ResolveAsync(SecretReference reference, CancellationToken cancellation) =>
        throw new InvalidOperationException($"no secret {reference}");
}

/// <summary>Secrets by locator.</summary>
public sealed class GivenSecrets(params (string Locator, string Value)[] secrets) : ISecretResolver
{
    public Task<Secret> ResolveAsync(SecretReference reference, CancellationToken cancellation) =>
        Task.FromResult(new Secret(secrets.Single(s => s.Locator == reference.Locator).Value));
}
