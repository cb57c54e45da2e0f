using Lifeboat.EngineTests.Sources.Postgres;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>An application with every kind of source, in a folder of its own.</summary>
public sealed class SampleApp(string directory, PostgresServer? server)
{
    public const string OwnerPassword = "the owner's p@ss: 'quoted' \"too\" \\ 🔑";
    public const string ReaderPassword = "reader-secret";

    public string Directory => directory;

    public string Store => Path.Combine(directory, "backups");

    public string Database { get; } = "shop";

    public string SqliteFile => Path.Combine(directory, "state.db");

    public string Files => Path.Combine(directory, "filestore");

    public string AppFile => Path.Combine(directory, "lifeboat.yaml");

    /// <summary>The bundles in the store, oldest first.</summary>
    public IReadOnlyList<string> Bundles => System.IO.Directory.Exists(Store) ? [.. System.IO.Directory.GetFiles(Store, "*.zip").Order(StringComparer.Ordinal)] : [];

    /// <summary>Makes the sources and the app file.</summary>
    public void Create(bool pagila, int files = 50, string encryption = """{password: "file:passphrase"}""", string extra = "")
    {
        System.IO.Directory.CreateDirectory(directory);
        if (server is not null)
            CreateDatabase(pagila);
        CreateSqlite();
        CreateFiles(files);
        File.WriteAllText(Path.Combine(directory, ".env"), "SHOP_MODE=live\nSHOP_KEY='quoted $value'\n");
        File.WriteAllText(Path.Combine(directory, "passphrase"), "quite-a-long-passphrase-7x2k9\n");
        LifeboatProgram.Shell(directory, "chmod 600 passphrase");
        string postgres = server is null ? "" : $"""  main: {"{"}type: postgres, url: "{server.SocketUrl(Database)}"{"}"}""" + "\n";
        File.WriteAllText(AppFile, $$"""
            app: shop
            sources:
            {{postgres}}  state: {type: sqlite, path: state.db}
              filestore: {type: files, path: filestore}
              settings: {type: settings, files: [.env]}
            stores:
              local: {path: backups}
            encryption: {{encryption}}
            {{extra}}
            """);
    }

    private void CreateDatabase(bool pagila)
    {
        string password = OwnerPassword.Replace("'", "''", StringComparison.Ordinal).Replace("\\", "\\\\", StringComparison.Ordinal);
        server!.Sql("postgres", $"CREATE ROLE shop_owner LOGIN PASSWORD E'{password}'; CREATE ROLE shop_reader LOGIN PASSWORD '{ReaderPassword}' CONNECTION LIMIT 7;");
        server.Sql("postgres", "ALTER ROLE shop_reader SET statement_timeout = '30s'");
        server.CreateDatabase(Database, "OWNER shop_owner");
        if (pagila)
            server.SqlFile(Database, TestData.Path("pagila.sql"), "shop_owner");
        else
            server.Sql(Database, "SET ROLE shop_owner; CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL); INSERT INTO item SELECT i, 'item ' || i FROM generate_series(1, 5000) i;");
        server.Sql(Database, """
            SET ROLE shop_owner;
            CREATE TABLE activity (id bigserial PRIMARY KEY, account int NOT NULL, amount int NOT NULL);
            RESET ROLE;
            GRANT USAGE ON SCHEMA public TO shop_reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO shop_reader;
            ALTER DATABASE shop SET work_mem = '8MB'; ALTER ROLE shop_owner IN DATABASE shop SET search_path = public, pg_catalog;
            """);
    }

    private void CreateSqlite() => LifeboatProgram.Shell(directory, """
        sqlite3 state.db <<'SQL' >/dev/null
        PRAGMA journal_mode=WAL;
        CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
        INSERT INTO account VALUES (1, 500000), (2, 500000);
        CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT, blob BLOB, real REAL);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
          INSERT INTO note SELECT i, 'note ' || i || char(10) || '🛟', randomblob(20), i / 7.0 FROM n;
        CREATE VIRTUAL TABLE search USING fts5(body);
        INSERT INTO search SELECT body FROM note;
        SQL
        """);

    /// <summary>Files with every kind of name that a Unix allows, links, modes, owners and times.</summary>
    private void CreateFiles(int count) => LifeboatProgram.Shell(directory, $$"""
        mkdir -p filestore/empty 'filestore/sub dir/deeper'; cd filestore
        for ((i = 0; i < {{count}}; i++)); do
          case $((i % 10)) in
            0) n="plain-$i.txt" ;; 1) n="with space $i" ;; 2) n="quote'\"$i" ;; 3) n=$'new\nline'$i ;; 4) n='back\slash'$i ;;
            5) n="emoji-🛟-$i" ;; 6) n=$'bytes-\xff\xfe-'$i ;; 7) n="-dash$i" ;; 8) n="percent%41-$i" ;; 9) n="sub dir/deeper/ends with dot$i." ;;
          esac
          printf 'content of %s\n' "$i" > "./$n"
          touch -d "@$((1600000000 + i)).$((i * 7919 % 1000000000))" "./$n"
        done
        ln -s plain-0.txt link; ln -s /nowhere/at/all dangling; ln plain-0.txt hard; : > zero
        chmod 751 'sub dir'; chmod 4755 plain-0.txt; chmod 600 zero
        if [ "$(id -u)" = 0 ]; then chown 1234:4321 zero; chown -h 1234:4321 link; fi
        truncate -s 5M sparse; printf end >> sparse
        touch -d @1500000000 empty; touch -h -d @1500000001 link
        """);
}
