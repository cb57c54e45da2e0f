using Lifeboat.Engine.Errors;

namespace Lifeboat.Demo;

/// <summary>The sample app: all its stores, its app file and its passphrase, in one temporary folder.</summary>
internal sealed class DemoApp : IAsyncDisposable
{
    private readonly ProgramHost _host;
    private readonly DemoLedger _ledger;
    private readonly DemoFiles _files;
    private DemoDatabase? _database;

    private DemoApp(ProgramHost host, string root)
    {
        _host = host;
        Root = root;
        Folder = Path.Combine(root, "shop");
        _ledger = new DemoLedger(Path.Combine(Folder, "data", "ledger.db"));
        _files = new DemoFiles(Folder);
    }

    /// <summary>The temporary folder around everything.</summary>
    public string Root { get; }

    /// <summary>The app's own folder, with lifeboat.yaml.</summary>
    public string Folder { get; }

    public string AppFile => Path.Combine(Folder, "lifeboat.yaml");

    /// <summary>Why there is no PostgreSQL in it; null where there is.</summary>
    public string? WithoutPostgres { get; private set; }

    /// <summary>What it consists of, a line each.</summary>
    public IReadOnlyList<string> Parts { get; private set; } = [];

    public static DemoApp Prepare(ProgramHost host)
    {
        string root = Path.Combine(host.Environment.TempDirectory, "lifeboat-demo-" + host.Environment.NewId());
        Directory.CreateDirectory(root);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(root, (UnixFileMode)0b111_001_001); // 0711: the server's user must get through to its own folder
        return new DemoApp(host, root);
    }

    public async Task CreateAsync(CancellationToken cancellation)
    {
        Directory.CreateDirectory(Folder);
        DemoServer? server = await StartServerAsync(cancellation);
        if (server is not null)
        {
            _database = new DemoDatabase(server);
            await _database.CreateAsync(cancellation);
        }

        _ledger.Create();
        _files.Create();
        await WriteAppFileAsync(server, cancellation);
        Parts =
        [
            .. _database is null ? [] : (string[])[await _database.DescribeAsync(cancellation)],
            "SQLite: data/ledger.db in WAL mode, in use, with 20,002 rows, some of them in the log alone",
            _files.Describe(),
            "Settings: app_settings.json and .env",
        ];
    }

    /// <summary>Loses everything but the backups: what Lifeboat is for.</summary>
    public async Task<IReadOnlyList<string>> DestroyAsync(CancellationToken cancellation)
    {
        if (_database is not null)
            await _database.DestroyAsync(cancellation);
        _ledger.Destroy();
        _files.Destroy();
        return
        [
            .. _database is null ? [] : (string[])["DROP DATABASE shop; DROP ROLE shop_owner, shop_reader"],
            "rm -rf data/ledger.db* filestore app_settings.json .env",
        ];
    }

    /// <summary>Everything that must be the same before and after.</summary>
    public async Task<IReadOnlyList<(string What, string Value)>> FingerprintAsync(CancellationToken cancellation) =>
    [
        .. _database is null ? [] : await _database.FingerprintAsync(cancellation),
        .. _ledger.Fingerprint(),
        .. await _files.FingerprintAsync(cancellation),
    ];

    /// <summary>Stops what runs. The folder stays until <see cref="Delete"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        _ledger.Dispose();
        if (_database is not null)
            await _database.Server.DisposeAsync();
    }

    public void Delete() => Directory.Delete(Root, recursive: true);

    private async Task<DemoServer?> StartServerAsync(CancellationToken cancellation)
    {
        string folder = Path.Combine(Root, "pg");
        string? programs = DemoServer.FindPrograms(_host.Variable("PATH"));
        if (programs is null)
        {
            WithoutPostgres = OperatingSystem.IsWindows()
                ? "PostgreSQL is left out: the demo starts a server of its own only on Linux and macOS"
                : "PostgreSQL is left out: no server is installed here (on Debian: apt-get install postgresql)";
            return null;
        }

        if (!DemoServer.Fits(folder))
        {
            WithoutPostgres = $"PostgreSQL is left out: {Root} is too long a path for its socket (set TMPDIR=/tmp)";
            return null;
        }

        try
        {
            return await DemoServer.StartAsync(programs, folder, cancellation);
        }
        catch (LifeboatException e)
        {
            WithoutPostgres = $"PostgreSQL is left out: its server in {programs} could not be started: {e.Problems[0].Message}";
            return null;
        }
    }

    private async Task WriteAppFileAsync(DemoServer? server, CancellationToken cancellation)
    {
        string postgres = server is null ? "" : $$"""
              main:      {type: postgres, url: "{{server.Url(DemoDatabase.Name)}}"}

            """;
        string tools = server is null ? "" : $"tools: {{postgres: {server.Programs}}}\n";
        await File.WriteAllTextAsync(
            AppFile,
            $$"""
            app: shop
            sources:
            {{postgres}}  ledger:    {type: sqlite, path: data/ledger.db}
              filestore: {type: files, path: filestore}
              settings:  {type: settings, files: [app_settings.json, .env]}
            stores:
              local: {path: ../backups}
            encryption: {password: "file:lifeboat.passphrase"}
            {{tools}}
            """,
            cancellation);
        byte[] key = new byte[16];
        _host.Environment.FillRandom(key);
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using StreamWriter passphrase = new(Path.Combine(Folder, "lifeboat.passphrase"), options);
        await passphrase.WriteLineAsync(Convert.ToHexStringLower(key));
    }
}
