using System.Globalization;
using Lifeboat.Engine.Apps.Yaml;

namespace Lifeboat.Engine.Apps.Validation;

/// <summary>Makes the app out of a tree in which no mistake was found.</summary>
internal sealed class AppBuilder(string file)
{
    private readonly string _directory = Path.GetDirectoryName(file)!;

    public App Build(MapNode root) => new()
    {
        Name = root.Text("app")!,
        File = file,
        Directory = _directory,
        Sources = [.. Entries(root, "sources").Select(static e => (e.Key, Map: (MapNode)e.Value)).Select(e => Source(e.Key, e.Map))],
        Stores = [.. Entries(root, "stores").Select(e => new StoreSettings(e.Key, Resolve(((MapNode)e.Value).Text("path")!)))],
        Password = root.Value("encryption") is MapNode encryption ? Secret(encryption.Text("password")) : null,
        Host = root.Text("host"),
        Compression = root.Text("compression") == "deflate" ? Compression.Deflate : Compression.Zstd,
        Workers = root.Text("workers") is { } workers ? int.Parse(workers, CultureInfo.InvariantCulture) : null,
        KeepPrevious = root.Text("keep_previous") is { } period && Period.TryParse(period, out TimeSpan keep) ? keep : null,
        References = root.Value("references") is ListNode references
            ? [.. references.Items.Cast<MapNode>().Select(static map => FileReference.Of(map.Text("column")!, map.Text("files")!))] : [],
        Hooks = root.Value("hooks") is MapNode hooks ? HooksOf(hooks) : new Hooks(),
        PassEnvironment = Texts(root, "pass_environment"),
        RestoreCheck = root.Value("restore_check") is MapNode check
            ? new RestoreCheckSettings(
                check.Text("when") == "always" ? RestoreCheckTime.Always : RestoreCheckTime.Changed, TextsByName(check, "targets"))
            : null,
        Tools = Entries(root, "tools").ToDictionary(static e => e.Key, e => Resolve(((TextNode)e.Value).Text)),
    };

    private static Hooks HooksOf(MapNode map) => new()
    {
        BeforeBackup = Commands(map, "before_backup"),
        AfterBackup = Commands(map, "after_backup"),
        BeforeCommit = Commands(map, "before_commit"),
        AfterCommit = Commands(map, "after_commit"),
        AfterRollback = Commands(map, "after_rollback"),
    };

    private static IReadOnlyList<string>[] Commands(MapNode map, string key) =>
        [.. Texts(map, key).Select(static text => CommandWords.TrySplit(text, out IReadOnlyList<string>? words, out _) ? words : [])];

    private SourceSettings Source(string name, MapNode map) => map.Text("type") switch
    {
        "postgres" => Postgres(name, map),
        "mysql" => MySql(name, map),
        "sqlite" => new SqliteSettings(name, Resolve(map.Text("path")!)) { Redact = Columns(map), Neutralize = Texts(map, "neutralize") },
        "chroma" => new ChromaSettings(name, Resolve(map.Text("path")!)),
        "files" => new FilesSettings(name, Resolve(map.Text("path")!), Texts(map, "exclude"))
        {
            IgnoresAttributes = map.Text("attributes") == "ignore", Redact = Texts(map, "redact"),
        },
        "settings" => new SettingsSettings(name, _directory, [.. Texts(map, "files").Select(Resolve)], Texts(map, "environment"))
        {
            Redact = Texts(map, "redact"), NeutralValues = TextsByName(map, "neutralize"),
        },
        _ => throw new InvalidOperationException("the table of keys has a source type that the builder lacks"),
    };

    private static PostgresSettings Postgres(string name, MapNode map)
    {
        string url = map.Text("url")!;
        bool isSecret = SecretReference.IsMeant(url);
        return new PostgresSettings(name, isSecret ? null : url, isSecret ? Secret(url) : null, Secret(map.Text("password")), Texts(map, "via"))
        {
            StallLimit = StallLimit(map),
            Tablespaces = TextsByName(map, "tablespaces"),
            Redact = Columns(map),
            Neutralize = Texts(map, "neutralize"),
        };
    }

    private static MySqlSettings MySql(string name, MapNode map)
    {
        string url = map.Text("url")!;
        bool isSecret = SecretReference.IsMeant(url);
        return new MySqlSettings(
            name, isSecret ? null : url, isSecret ? Secret(url) : null, Secret(map.Text("password")), Texts(map, "via"), map.Text("accounts") == "all")
        {
            Redact = Columns(map), Neutralize = Texts(map, "neutralize"), StallLimit = StallLimit(map),
        };
    }

    private static TimeSpan StallLimit(MapNode map) =>
        map.Text("stall_limit") is { } text && Period.TryParse(text, out TimeSpan limit) ? limit : SourceSettings.DefaultStallLimit;

    private static SecretReference? Secret(string? text) =>
        text is not null && SecretReference.TryParse(text, out SecretReference? reference) ? reference : null;

    private static IReadOnlyList<MapEntry> Entries(MapNode root, string key) => root.Value(key) is MapNode map ? map.Entries : [];

    private static Dictionary<string, string> TextsByName(MapNode map, string key) =>
        Entries(map, key).ToDictionary(static e => e.Key, static e => ((TextNode)e.Value).Text);

    private static ColumnRedaction[] Columns(MapNode map) =>
        [.. Entries(map, "redact").Select(static e => (e.Key, Value: (TextNode)e.Value)).Select(static e => ColumnRedaction.Of(e.Key, e.Value.IsNothing ? "null" : e.Value.Text))];

    private static string[] Texts(MapNode map, string key) =>
        map.Value(key) is ListNode list ? [.. list.Items.Cast<TextNode>().Select(static item => item.Text)] : [];

    private string Resolve(string path) => AppPaths.Resolve(_directory, path);
}
