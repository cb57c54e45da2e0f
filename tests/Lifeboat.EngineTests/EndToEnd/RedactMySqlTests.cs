using Lifeboat.Engine.Apps;
using Lifeboat.EngineTests.Sources.MySql;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>Columns of a MySQL or MariaDB database whose values are not captured, by the program itself, on both servers.</summary>
public sealed class RedactMySqlTests : IDisposable
{
    private const string Schema = """
        CREATE DATABASE shop DEFAULT CHARACTER SET utf8mb4; USE shop;
        CREATE TABLE users (id INT PRIMARY KEY, api_key VARCHAR(100), email VARCHAR(100) NOT NULL, phone VARCHAR(40) CHARACTER SET latin1, code CHAR(12), token TEXT NOT NULL,
            nick VARCHAR(20) CHARACTER SET ucs2, amount DECIMAL(8,2) NULL, up VARCHAR(40) AS (UPPER(phone)) STORED, UNIQUE KEY by_email (email), UNIQUE KEY by_prefix (token(8)),
            CONSTRAINT longer CHECK (CHAR_LENGTH(phone) > 3));
        INSERT INTO users (id, api_key, email, phone, code, token, nick, amount) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
            SELECT i, CONCAT('topsecret-key-', i), CONCAT('Person', i, '@secret.example'), CONCAT('+49 (30) 55-', 1000 + i), CONCAT('Kode', i), CONCAT(SHA2(i, 256), 'topsecret-token'),
            CONCAT('nicksecret', i), i FROM n;
        UPDATE users SET api_key = NULL, phone = NULL WHERE id % 7 = 0;
        UPDATE users SET phone = 'Größe\n\tA\\b 9' WHERE id = 1; UPDATE users SET phone = '-+/*(}[~' WHERE id = 2; UPDATE users SET code = 'a''"Z;,éß🛟0' WHERE id = 3;
        CREATE TABLE parent (name VARCHAR(50) PRIMARY KEY); INSERT INTO parent VALUES ('topsecret-parent');
        CREATE TABLE child (name VARCHAR(50), amount INT, FOREIGN KEY child_name (name) REFERENCES parent (name)); INSERT INTO child VALUES ('topsecret-parent', 1);
        """;

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Servers => ["MariaDB", "MySQL"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task Redacted_values_are_nowhere_in_the_bundle_and_the_rest_comes_back(string kind)
    {
        await using MariaDbServer server = await StartAsync(kind);
        string[] secrets = ["topsecret", "Kode12", "55-1012", "-+/*(}[~", "nicksecret"];
        string open = BackUp(server, "{}", "open");
        Assert.Equal(secrets[..^1], SecretSearch.FoundIn(open, secrets)); // the last one is captured in UCS-2

        string bundle = BackUp(
            server,
            "{users.api_key: null, users.phone: mask, users.code: mask, users.token: hash, users.nick: mask, users.email: hash, users.amount: null, child.name: null, parent.name: \"constant:it's\"}",
            "redacted", refuses: "foreign key");
        Assert.Equal("", bundle);
        bundle = BackUp(
            server,
            "{users.api_key: null, users.phone: mask, users.code: mask, users.token: hash, users.nick: mask, users.email: hash, users.amount: null, child.name: null}", "redacted");
        Assert.Empty(SecretSearch.FoundIn(bundle, [.. secrets[1..], "topsecret-key", "topsecret-token", "@secret", "n\0i\0c\0k\0s", "\0n\0i\0c\0k"]));
        Assert.NotEmpty(SecretSearch.FoundIn(bundle, "topsecret-parent"));

        ProgramRun restore = LifeboatProgram.Run(_folder.Path, "restore", bundle, "--yes", "--trust", "--target", $"shop={Url(server, "copy")}");
        Assert.True(restore.ExitStatus == 3, restore.All);
        Assert.Contains("LB8021 shop: the snapshot does not have the values of column users.api_key (null)", restore.All);
        string Copy(string sql) => server.Sql(sql, "copy").Trim();
        Assert.Equal("500\t0\t0", Copy("SELECT COUNT(*), COUNT(api_key), COUNT(amount) FROM users"));
        Assert.Equal("+00 (00) 00-0000\t+00 (00) 00-0000\tXxxx00\txxxxxxxxxx00", Copy("SELECT phone, up, code, nick FROM users WHERE id = 12"));
        Assert.Equal("Xxxxx\\n\\tX\\\\x 0", Copy("SELECT phone FROM users WHERE id = 1"));
        Assert.Equal("xxxxxxxx", Copy("SELECT phone FROM users WHERE id = 2"));
        Assert.Equal("x'\"X;,xxx0", Copy("SELECT code FROM users WHERE id = 3"));
        Assert.Equal("500\t500\t32", Copy("SELECT COUNT(DISTINCT email), COUNT(DISTINCT token), MAX(LENGTH(token)) FROM users"));
        Assert.Equal("71", Copy("SELECT COUNT(*) FROM users WHERE phone IS NULL"));
        Assert.Equal("NULL\t1", Copy("SELECT name, amount FROM child"));
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task What_is_misspelt_or_would_not_come_back_stops_a_backup_with_every_reason(string kind)
    {
        await using MariaDbServer server = await StartAsync(kind);
        BackUp(server, "{users.api_kei: null, user.email: mask, users.id: hash, users.up: null, users.token: null, users.code: hash, users.nick: \"constant:123456789012345678901\"}", "first", refuses:
        [
            "redact names users.api_kei, but table users has no such column", "redact names user.email, but there is no such table", "did you mean `users.email`?",
            "users.id cannot be redacted so: its type int is not one of text", "users.up cannot be redacted so: it is generated", "users.token cannot be redacted so: it is NOT NULL",
            "users.code cannot be redacted so: a hash has 32 characters", "users.nick cannot be redacted so: the constant does not fit",
        ]);
        BackUp(server, "{users.email: mask, users.phone: \"constant:ab\", users.token: \"constant:same\"}", "second", refuses:
        ["unique index by_email would find the same value twice", "check constraint longer refuses the values", "unique index by_prefix would find the same value twice"]);
        BackUp(server, "{parent.name: hash}", "third", refuses: "refers to the values");
        BackUp(server, "{child.name: hash}", "fourth", refuses: "needs the values");
    }

    private static async Task<MariaDbServer> StartAsync(string kind)
    {
        MariaDbServer server = kind == "MySQL" ? await OracleMySqlServer.StartAnotherAsync() : await MariaDbServer.StartAsync();
        server.Sql(Schema);
        return server;
    }

    private static MySqlSettings Settings(MariaDbServer server, string database) =>
        server is OracleMySqlServer oracle ? oracle.InsideSettings(database) : server.Settings(database);

    private static string Url(MariaDbServer server, string database) => Settings(server, database).Url!;

    /// <summary>Gives the bundle; "" where the backup is to be refused, with these words.</summary>
    private string BackUp(MariaDbServer server, string redact, string name, params string[] refuses)
    {
        MySqlSettings settings = Settings(server, "shop");
        File.WriteAllText(_folder["lifeboat.yaml"], $$"""
            app: shop
            sources:
              shop:
                type: mysql
                url: "{{settings.Url}}"
                {{(settings.Via.Count == 0 ? "" : $"via: [{string.Join(", ", settings.Via)}]")}}
                {{(redact == "{}" ? "" : "redact: " + redact)}}
            stores:
              local: {path: backups}
            encryption: none
            """);
        string bundle = Path.Combine(Directory.CreateDirectory(_folder[name]).FullName, "bundle.zip");
        ProgramRun backup = LifeboatProgram.Run(_folder.Path, "backup", "--output", bundle);
        Assert.True(backup.ExitStatus == (refuses.Length > 0 ? 2 : 3), backup.All);
        foreach (string reason in refuses)
            Assert.True(backup.All.Contains(reason, StringComparison.Ordinal), $"{reason}\nis not in\n{backup.All}");
        Assert.Equal(refuses.Length == 0, File.Exists(bundle));
        return refuses.Length == 0 ? bundle : "";
    }
}
