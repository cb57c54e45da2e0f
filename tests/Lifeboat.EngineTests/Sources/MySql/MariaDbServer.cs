using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>
/// A real MariaDB server of a test's own, reached as <c>root</c> without a password by its socket, and by a free loopback port. As a class fixture it
/// is started once per class.
/// </summary>
public class MariaDbServer : IAsyncLifetime
{
    private static int s_nextPort = 12000 + (Environment.ProcessId % 4000);
    private string _folder = "";
    private Process? _process;

    /// <summary>The server's program.</summary>
    protected virtual string Daemon => "/usr/sbin/mariadbd";

    /// <summary>The folder that the server takes for the file system's root; empty for the root itself.</summary>
    protected virtual string Root => "";

    /// <summary>The dump program.</summary>
    protected virtual string DumpProgram => "mariadb-dump";

    /// <summary>Options that this kind of server always has.</summary>
    protected virtual string[] Usual => ["--log-bin=bin"];

    /// <summary>Options without which the dump program does not work with this server.</summary>
    protected virtual string[] DumpOptions => [];

    /// <summary>The time zone that the server takes for the machine's; null for the real one.</summary>
    public string? TimeZone { get; init; }

    /// <summary>The server's folder, as it sees it itself.</summary>
    protected string Within => _folder[Root.Length..];

    /// <summary>Server options beside the usual ones; set before <see cref="InitializeAsync"/>.</summary>
    public IReadOnlyList<string> Options { get; init; } = [];

    public int Port { get; private set; }

    public string Socket => Path.Combine(_folder, "s");

    /// <summary>A directory beside the server's own, in which it may write; as it sees it itself.</summary>
    public string ExtraDirectory
    {
        get
        {
            Directory.CreateDirectory(Path.Combine(_folder, "extra"));
            if (Environment.UserName == "root")
                Run("chown", ["--reference", _folder, Path.Combine(_folder, "extra")]);
            return Within + "/extra";
        }
    }

    public int ProcessId => _process!.Id;

    /// <summary>Starts a server with its usual settings.</summary>
    public static async Task<MariaDbServer> StartAsync(params string[] options)
    {
        MariaDbServer server = new() { Options = options };
        await server.InitializeAsync();
        return server;
    }

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Root + Daemon))
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", $"there is no {Root + Daemon}");
            Assert.Skip($"there is no {Root + Daemon}");
        }

        _folder = Path.Combine(Root + "/tmp", $"lbmy-{Guid.NewGuid():N}"[..13]);
        Directory.CreateDirectory(_folder);
        Install();
        await StartAsync();
    }

    /// <summary>Starts it (again), and waits until it answers.</summary>
    public async Task StartAsync()
    {
        for (int attempt = 0; attempt < 5; attempt++)
        {
            Port = FreePort();
            string[] command =
            [
                .. Inside(Daemon), "--no-defaults", .. User, $"--datadir={Within}/data", $"--socket={Within}/s", $"--port={Port}", "--bind-address=127.0.0.1",
                "--server-id=1", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M", "--event-scheduler=ON", $"--tmpdir={Within}",
                $"--log-error={Within}/log", .. Usual, .. Options,
            ];
            ProcessStartInfo info = new(command[0], command[1..]);
            if (TimeZone is not null)
                info.Environment["TZ"] = TimeZone;
            _process = Process.Start(info)!;
            while (!_process.HasExited)
            {
                if (await AnswersAsync())
                    return;
                await Task.Delay(50);
            }
        }

        Assert.Fail($"the server does not start: {await File.ReadAllTextAsync(Path.Combine(_folder, "log"))}");
    }

    /// <summary>Ends it as a crash does.</summary>
    public void Crash()
    {
        _process!.Kill();
        _process.WaitForExit();
    }

    /// <summary>Ends it in order.</summary>
    public void ShutDown()
    {
        Sql("SHUTDOWN");
        _process!.WaitForExit();
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_process is { HasExited: false })
            Crash();
        _process?.Dispose();
        if (_folder.Length > 0)
            Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>The URL by the unix socket.</summary>
    public string Url(string database, string user = "root") =>
        $"mysql://{user}@/{Uri.EscapeDataString(database)}?socket={Uri.EscapeDataString(Socket)}";

    public MySqlSettings Settings(string database, string user = "root", string source = "shop", params string[] via) =>
        new(source, Url(database, user), null, null, via);

    /// <summary>Settings of a source by the socket, through the client program that belongs to the server.</summary>
    public virtual MySqlSettings Own(string database, string source = "shop") => Settings(database, source: source);

    /// <summary>The statement that makes a role an account's default.</summary>
    public virtual string DefaultRole(string role, string account) => $"SET DEFAULT ROLE {role} FOR {account}";

    /// <summary>Settings by TCP with a password that the given secrets know as <c>PW</c>.</summary>
    public MySqlSettings PasswordSettings(string database, string user) =>
        new("shop", $"mysql://{user}@127.0.0.1:{Port}/{database}", null, new SecretReference(SecretScheme.Env, "PW"), []);

    /// <summary>Runs SQL through the stock client, independent of what is tested; gives what it printed.</summary>
    public string Sql(string sql, string database = "mysql", params string[] options) =>
        Run("mariadb", ["--no-defaults", $"--socket={Socket}", "-uroot", "--batch", "--skip-column-names", "--default-character-set=utf8mb4", "--comments", .. options, database], sql);

    /// <summary>Runs a program of the client's in a folder.</summary>
    public string Shell(string folder, string command) => Run("sh", ["-ec", command], null, folder);

    /// <summary>Copies a table as people do with the stock programs: dumped with its usual options, and loaded.</summary>
    public void CopyByStockPrograms(string database, string table, string target)
    {
        string[] dump = [.. Inside(DumpProgram), "--no-defaults", $"--socket={Within}/s", "-uroot", "--skip-triggers", .. DumpOptions, database, table];
        string[] load = ["mariadb", "--no-defaults", $"--socket={Socket}", "-uroot", target];
        Run("bash", ["-eo", "pipefail", "-c", $"{string.Join(' ', dump.Select(ShellQuote.Of))} | {string.Join(' ', load.Select(ShellQuote.Of))}"]);
    }

    /// <summary>Ids of sessions by their database and what they run.</summary>
    public IReadOnlyList<string> Sessions(Predicate<string> database, Predicate<string>? statement = null) =>
    [
        .. Sql("SHOW FULL PROCESSLIST").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => line.Split('\t'))
            .Where(columns => columns.Length > 7 && database(columns[3]) && (statement is null || statement(columns[7]))).Select(static columns => columns[0]),
    ];

    /// <summary>mariadb-dump's text, one row a line, without what differs from run to run.</summary>
    public string Dump(string database, params string[] options)
    {
        string[] program = Inside(DumpProgram);
        string text = Run(
            program[0],
            [
                .. program[1..], "--no-defaults", $"--socket={Within}/s", "-uroot", "--routines", "--triggers", "--events", "--hex-blob", "--skip-extended-insert", "--skip-dump-date",
                "--skip-comments", "--order-by-primary", .. DumpOptions, .. options, database,
            ]);
        // A trigger's text is as it was typed; a restored one is not qualified by the database, so that it could be staged in another.
        return text.Replace($"`{database}`.", "`DB`.", StringComparison.Ordinal).Replace($"`{database}` ", "`DB` ", StringComparison.Ordinal)
            .Replace($"TRIGGER {database}.", "TRIGGER ", StringComparison.Ordinal).Replace($" ON {database}.", " ON ", StringComparison.Ordinal);
    }

    /// <summary>All accounts and roles, with their password hashes and grants; root's too.</summary>
    public string Accounts()
    {
        string[] Names(string role, string name) => Sql($"SELECT {name} FROM mysql.user WHERE is_role = '{role}' ORDER BY 1").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string[] users = Names("N", "CONCAT(QUOTE(User), '@', QUOTE(Host))");
        string shown = Sql(string.Join(
            '\n', [.. users.Select(static u => $"SHOW CREATE USER {u};"), .. users.Concat(Names("Y", "QUOTE(User)")).Select(static u => $"SHOW GRANTS FOR {u};")]));
        // Columns come in any order.
        shown = Regex.Replace(shown, @"\((`[^)]*`)\)", static columns => $"({string.Join(", ", columns.Groups[1].Value.Split(", ").Order(StringComparer.Ordinal))})");
        return string.Join('\n', shown.Split('\n').Order(StringComparer.Ordinal));
    }

    /// <summary>What makes these accounts and roles again, and all that they are granted, as the server prints it.</summary>
    public string Shown(params IEnumerable<string> accounts) => string.Join('\n', accounts.SelectMany(account => new[]
    {
        // A limit of MySQL's that was taken away is printed as one of nothing.
        IsPlainRole(account) ? "" : Sql($"SHOW CREATE USER {account}", "mysql", InitialSettings).Replace(" MAX_USER_CONNECTIONS 0", "", StringComparison.Ordinal)
            .Replace(" WITH PASSWORD", " PASSWORD", StringComparison.Ordinal),
        Regex.Replace(
            string.Join('\n', Sql($"SHOW GRANTS FOR {account}").Split('\n').Order(StringComparer.Ordinal)),
            @"\((`[^)]*`)\)", static columns => $"({string.Join(", ", columns.Groups[1].Value.Split(", ").Order(StringComparer.Ordinal))})"),
    }));

    /// <summary>Names of all accounts and roles but root.</summary>
    public IReadOnlyList<string> AccountNames() => Sql("SELECT CONCAT(User, '@', Host) FROM mysql.user WHERE User <> 'root' ORDER BY 1").Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Runs what the instructions of a snapshot's folder say, all blocks in one shell, with the option file that they ask for.</summary>
    public void ByHand(string folder, string instructions)
    {
        string place = Path.Combine(_folder, $"by-hand-{Guid.NewGuid():N}");
        Run("cp", ["-r", folder, place]);
        File.WriteAllText(Path.Combine(place, ".my.cnf"), $"[client]\nsocket={Within}/s\nuser=root\n");
        string home = place[Root.Length..];
        string[] shell = Inside("env", $"HOME={home}", "sh", "-ec", $"cd {home}\n{Instructions.Commands(instructions)}");
        Run(shell[0], shell[1..]);
    }

    /// <summary>Whether an account logs in by TCP.</summary>
    public string Login(string user, string password, string sql, string database) => Run(
        "mariadb", ["--no-defaults", "--protocol=tcp", "--host=127.0.0.1", $"--port={Port}", $"--user={user}", $"--password={password}", "-N", "-B", database], sql);

    protected virtual string InitialSettings => "--init-command=SET @x = 1";

    /// <summary>Whether it is a role without a host, as MariaDB has them.</summary>
    protected virtual bool IsPlainRole(string account) => !account.Contains('@', StringComparison.Ordinal);

    /// <summary>Makes the server's own tables.</summary>
    protected virtual void Install()
    {
        if (Environment.UserName == "root")
            Run("chown", ["mysql", _folder]);
        Run(
            "mariadb-install-db",
            ["--no-defaults", .. User, $"--datadir={Within}/data", "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve", $"--tmpdir={Within}"]);
    }

    /// <summary>A command that runs a program where the server is.</summary>
    protected string[] Inside(params string[] command) => Root.Length == 0 ? command : ["chroot", Root, .. command];

    protected static string[] User => Environment.UserName == "root" ? ["--user=mysql"] : [];

    private static int FreePort()
    {
        while (true)
        {
            int port = 12000 + (Interlocked.Increment(ref s_nextPort) % 7000);
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

    private async Task<bool> AnswersAsync()
    {
        if (!File.Exists(Socket))
            return false;
        try
        {
            await Task.Run(() => Sql("SELECT 1"));
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    protected static string Run(string program, string[] arguments, string? input = null, string? directory = null)
    {
        ProcessStartInfo info = new(program, arguments)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = directory ?? "",
            StandardInputEncoding = new UTF8Encoding(false), StandardOutputEncoding = new UTF8Encoding(false),
        };
        using Process process = Process.Start(info)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        Task writing = Task.Run(() =>
        {
            process.StandardInput.Write(input ?? "");
            process.StandardInput.Close();
        });
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        writing.ContinueWith(static _ => { }, TaskScheduler.Default).Wait();
        return process.ExitCode == 0 ? output
            : throw new InvalidOperationException($"{program} ended with status {process.ExitCode}: {errors.Result}");
    }
}
