namespace Lifeboat.Samples;

/// <summary>
/// A chat application with everything that such a one has: two PostgreSQL databases (conversations, a graph), a shop in MariaDB, vectors in Chroma, a SQLite
/// database, a file store that rows refer to, and settings. The same seed and size make the same content; only password hashes have salts of their own.
/// </summary>
/// <param name="folder">Where the app's files, its app file and its backups are.</param>
/// <param name="servers">Where its databases are made; there must be none of these names.</param>
public sealed class ChatApp(string folder, ChatServers servers, ChatSize size, int seed = 1)
{
    public const string ChatOwnerPassword = "the owner's p@ss: \"quoted\" 🔑";
    public const string ChatReaderPassword = "reader-secret";
    public const string MemoryOwnerPassword = "remember me";
    public const string ShopPassword = """p"a's\s w#ö""";
    public const string ShopReportPassword = "report";

    private const int SeedsApart = 1000; // each part takes a few

    public string Folder => folder;

    public string AppFile => Path.Combine(folder, "lifeboat.yaml");

    /// <summary>The SQLite database.</summary>
    public string State => Path.Combine(folder, "data", "state.db");

    public string Files => Path.Combine(folder, "filestore");

    /// <summary>Chroma's persist directory.</summary>
    public string Vectors => Path.Combine(folder, "chroma_data");

    /// <summary>Where its backups go.</summary>
    public string Store => Path.Combine(folder, "backups");

    /// <summary>The settings files, by their names in the folder.</summary>
    public static IReadOnlyList<string> Settings { get; } = ["app_settings.json", "tenant_settings.json", ".env"];

    /// <summary>Makes all of it.</summary>
    public void Create()
    {
        Directory.CreateDirectory(folder);
        int first = seed * 10 * SeedsApart;
        new ChatDatabase(servers, size, new FileStore(Files, size, first), first + SeedsApart).Create();
        new MemoryGraph(servers, size, first + (2 * SeedsApart)).Create();
        new Shop(servers, size, first + (3 * SeedsApart)).Create();
        new LocalState(State, size, first + (4 * SeedsApart)).Create();
        if (servers.ChromaUrl is not null)
            new Vectors(servers.ChromaUrl, size, first + (6 * SeedsApart)).Create();
        WriteSettings(new SampleText(first + (5 * SeedsApart)));
        WriteAppFile();
    }

    private void WriteSettings(SampleText chance)
    {
        File.WriteAllText(Path.Combine(folder, "app_settings.json"), $"{{\n  \"model\": \"{chance.Word()}\",\n  \"temperature\": 0.7\n}}\n");
        File.WriteAllText(Path.Combine(folder, "tenant_settings.json"), "{\"tenants\": [\"Größe\", \"日本\"]}");
        WritePrivate(".env", $"MODE=live\nAPI_KEY='{Convert.ToHexStringLower(chance.Bytes(16))}'\nQUOTED=\"a $value\"\n");
    }

    private void WriteAppFile()
    {
        WritePrivate("lifeboat.passphrase", Convert.ToHexStringLower(new SampleText(seed).Bytes(16)) + "\n");
        string vectors = servers.ChromaUrl is null ? "" : "  vectors:   {type: chroma, path: chroma_data}\n";
        // SQLite is the last: whoever holds it shows what a failure at the end of a restore leaves.
        File.WriteAllText(AppFile, $$"""
            app: chat
            sources:
              chat:      {type: postgres, url: "{{servers.PostgresUrl("chat")}}"}
              memory:    {type: postgres, url: "{{servers.PostgresUrl("memory")}}"}
              shop:      {type: mysql, url: "{{servers.MySqlUrl("shop")}}"}
              filestore: {type: files, path: filestore}
              settings:  {type: settings, files: [{{string.Join(", ", Settings)}}]}
            {{vectors}}  state:     {type: sqlite, path: data/state.db}
            stores:
              local: {path: backups}
            encryption: {password: "file:lifeboat.passphrase"}

            """);
    }

    private void WritePrivate(string name, string text)
    {
        string path = Path.Combine(folder, name);
        File.WriteAllText(path, text);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
