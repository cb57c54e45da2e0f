using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Processes;
using Lifeboat.Engine.Secrets;

namespace Lifeboat.Demo;

/// <summary>A PostgreSQL server of the demo's own, reached by a socket in its folder alone. Disposing stops it.</summary>
internal sealed class DemoServer : IAsyncDisposable
{
    private const int LongestSocketPath = 107; // sun_path of sockaddr_un on Linux, without its final zero

    private static readonly string[] Needed = ["initdb", "pg_ctl", "psql", "pg_dump", "pg_dumpall"];

    private readonly string _programs;
    private readonly string _folder;
    private readonly bool _asRoot;

    private DemoServer(string programs, string folder)
    {
        _programs = programs;
        _folder = folder;
        _asRoot = Environment.IsPrivilegedProcess;
    }

    /// <summary>The folder of the client programs that match the server.</summary>
    public string Programs => _programs;

    public string Url(string database) => $"postgresql://postgres@/{database}?host={_folder}/run";

    /// <summary>The folder of the newest installed server's programs; null where there is none.</summary>
    public static string? FindPrograms(string? path)
    {
        if (OperatingSystem.IsWindows())
            return null; // no socket that only this user reaches
        IEnumerable<string> versions = ((string[])["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"])
            .Where(Directory.Exists)
            .SelectMany(Directory.EnumerateDirectories)
            .Select(static folder => Path.Combine(folder, "bin"))
            .OrderByDescending(static folder => Version(folder));
        string[] onPath = path?.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries) ?? [];
        return versions
            .Concat(["/usr/pgsql-18/bin", "/usr/pgsql-17/bin", "/usr/pgsql-16/bin", "/usr/pgsql-15/bin", .. onPath])
            .FirstOrDefault(static folder => Needed.All(program => File.Exists(Path.Combine(folder, program))));
    }

    public static bool Fits(string folder) => Path.Combine(folder, "run", ".s.PGSQL.5432").Length <= LongestSocketPath;

    /// <summary>Makes a cluster in <paramref name="folder"/> (which must not exist) and starts it.</summary>
    public static async Task<DemoServer> StartAsync(string programs, string folder, CancellationToken cancellation)
    {
        DemoServer server = new(programs, folder);
        Directory.CreateDirectory(Path.Combine(folder, "run"));
        if (server._asRoot)
            await ProgramRunner.RequireAsync(new ProgramStart("chown", ["-R", "postgres", folder]), cancellation);
        string data = Path.Combine(folder, "data");
        await server.RunAsync(
            "initdb", ["-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"], cancellation);
        // People must log in with their password, so that the restored passwords can be proven.
        await File.WriteAllTextAsync(Path.Combine(data, "pg_hba.conf"), "local all postgres trust\nlocal all all scram-sha-256\n",
            cancellation);
        await server.RunAsync(
            "pg_ctl",
            [
                "-D", data, "-w", "-l", Path.Combine(folder, "server.log"),
                "-o", $"-k {folder}/run -c listen_addresses='' -c fsync=off -c unix_socket_permissions=0700", "start",
            ],
            cancellation);
        return server;
    }

    /// <summary>Runs SQL as the superuser; gives what it printed.</summary>
    public async Task<string> SqlAsync(string database, string sql, CancellationToken cancellation) =>
        (await ProgramRunner.RequireAsync(Psql(database, "postgres", null), cancellation, System.Text.Encoding.UTF8.GetBytes(sql))).Text;

    /// <summary>Logs in as <paramref name="role"/> and runs SQL; null where that is refused.</summary>
    public async Task<string?> TrySqlAsync(string database, string role, Secret password, string sql, CancellationToken cancellation)
    {
        ProgramResult result = await ProgramRunner.RunAsync(Psql(database, role, password), cancellation,
            System.Text.Encoding.UTF8.GetBytes(sql));
        return result.ExitStatus == 0 ? result.Text : null;
    }

    /// <summary>What <c>pg_dump</c> or <c>pg_dumpall</c> writes.</summary>
    public async Task<string> DumpAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellation) =>
        (await ProgramRunner.RequireAsync(
            new ProgramStart(Path.Combine(_programs, program), ["-h", $"{_folder}/run", "-U", "postgres", .. arguments]),
            cancellation)).Text;

    public async ValueTask DisposeAsync()
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(20));
        try
        {
            await RunAsync("pg_ctl", ["-D", Path.Combine(_folder, "data"), "-m", "immediate", "-w", "stop"], limit.Token);
        }
        catch (Exception e) when (e is LifeboatException or OperationCanceledException)
        {
            // It did not run any more, or it does not want to end; its folder goes away either way, and it with it.
        }
    }

    private static Version Version(string folder) =>
        System.Version.TryParse(Path.GetFileName(Path.GetDirectoryName(folder))!.Split('@')[^1] + ".0", out Version? version)
            ? version
            : new Version(0, 0);

    private ProgramStart Psql(string database, string role, Secret? password) => new(
        Path.Combine(_programs, "psql"),
        ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", $"{_folder}/run", "-U", role, "-d", database])
    {
        Secrets = password is null ? new Dictionary<string, Secret>() : new Dictionary<string, Secret> { ["PGPASSWORD"] = password },
    };

    /// <summary>PostgreSQL refuses to run as root: then the user that its package makes runs it.</summary>
    private async Task RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        string path = Path.Combine(_programs, program);
        ProgramStart start = _asRoot
            ? new ProgramStart("runuser", ["-u", "postgres", "--", path, .. arguments])
            : new ProgramStart(path, arguments);
        await ProgramRunner.RequireAsync(start with { WorkingDirectory = "/" }, cancellation);
    }
}
