using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>Values of SQLite databases, settings and files that are not captured, by the program itself.</summary>
public sealed class RedactLocalTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("wal")]
    [InlineData("delete")]
    public void Redacted_values_of_a_SQLite_database_are_in_no_page_of_the_copy(string journal)
    {
        CreateDatabase(journal);
        string[] secrets = ["topsecret", "Kode12", "Größe", "-+/*(}[~", "wordsecret"];
        string open = BackUp("db", "{}", "open");
        Assert.Equal(secrets, SecretSearch.FoundIn(open, secrets));

        string bundle = BackUp("db", "{users.api_key: null, users.phone: mask, users.TOKEN: hash, owner.token: hash, users.nick: \"constant:it's\", note.body: mask}", "redacted");
        Assert.Empty(SecretSearch.FoundIn(bundle, [.. secrets, "topsecr", "wordsec"]));
        ProgramRun restore = LifeboatProgram.Run(_folder.Path, "restore", bundle, "--yes", "--trust", "--target", $"db={_folder["copy.db"]}");

        Assert.True(restore.ExitStatus == 3, restore.All);
        Assert.Contains("LB8021 db: the snapshot does not have the values of column users.api_key (null)", restore.All);
        string Copy(string sql) => LifeboatProgram.Tool(_folder.Path, "sqlite3", "copy.db", sql).Output.Trim();
        Assert.Equal(journal, Copy("PRAGMA journal_mode"));
        Assert.Equal("2000|0|1715|2000|2000", Copy("SELECT count(*), count(api_key), count(phone), count(DISTINCT token), sum(nick = 'it''s') FROM users"));
        Assert.Equal("+00 (00) 00-00", Copy("SELECT phone FROM users WHERE id = 12"));
        Assert.Equal("Xxxxx\n\tX\\x 0", Copy("SELECT phone FROM users WHERE id = 1"));
        Assert.Equal("xxxxxxxx", Copy("SELECT phone FROM users WHERE id = 2"));
        Assert.Equal("xX'\"00;,xxxx", Copy("SELECT phone FROM users WHERE id = 3"));
        Assert.Equal("3,5,2000", Copy("SELECT group_concat(rowid) FROM (SELECT rowid FROM loose ORDER BY rowid)"));
        Assert.Equal("100", Copy("SELECT count(*) FROM search WHERE search MATCH 'xxxxxxxxxx'"));
        Assert.Equal("7|42", Copy("SELECT user_version, application_id FROM pragma_user_version, pragma_application_id"));
        Assert.Equal("0", Copy("SELECT count(*) FROM audit"));
    }

    [Fact]
    public void What_a_SQLite_database_would_not_take_is_refused_before_the_first_byte()
    {
        CreateDatabase("wal");
        foreach ((string redact, string reason) in ((string, string)[])
        [
            ("{users.api_kei: null, user.phone: mask, search.body: mask, loose.g: null, users.id: null}", "redact names users.api_kei, but table users has no such column"),
            ("{user.phone: mask}", "redact names user.phone, but there is no such table"),
            ("{search.body: mask}", "this is a virtual table"),
            ("{search_data.block: null}", "holds what the virtual table search has"),
            ("{loose.g: null}", "loose.g cannot be redacted so: it is generated"),
            ("{users.token: mask}", "users.token cannot be redacted so: UNIQUE constraint failed: users.token"),
            ("{users.token: null}", "users.token cannot be redacted so: NOT NULL constraint failed"),
            ("{users.phone: \"constant:a\"}", "users.phone cannot be redacted so: CHECK constraint failed"),
            ("{loose.v: mask}", "loose.v cannot be redacted so: it has values that are not text"),
            ("{owner.token: \"constant:x\"}", "foreign keys refer to the values, or need them"),
        ])
        {
            ProgramRun backup = Run("db", redact, "refused");
            Assert.True(backup.ExitStatus == 2 && backup.All.Contains(reason, StringComparison.Ordinal), $"{reason}\nis not in\n{backup.All}");
        }

        Assert.Contains("has no such column", LifeboatProgram.Run(WriteAppFile("db", "{users.nowhere: null}"), "doctor").All);
        Assert.False(File.Exists(Path.Combine(_folder["refused"], "bundle.zip")));
    }

    [Fact]
    public void Settings_and_variables_are_captured_without_their_values_and_every_other_byte_as_it_is()
    {
        WriteSettings();
        Dictionary<string, string> variables = new() { ["GEMINI_API_KEY"] = "topsecret-gemini", ["MODE"] = "live" };
        string open = BackUp("settings", "{}", "open", variables);
        Assert.NotEmpty(SecretSearch.FoundIn(open, "topsecret"));

        string bundle = BackUp("settings", "[SECRET_KEY, GEMINI_API_KEY, admin_passwd, NOT_SET]", "redacted", variables);

        Assert.Empty(SecretSearch.FoundIn(bundle, "topsecret", "continues", "deeper"));
        ProgramRun restore = LifeboatProgram.Run(_folder.Path, "restore", bundle, "--yes", "--trust", "--target", $"settings={_folder["copy"]}");
        Assert.True(restore.ExitStatus == 3, restore.All);
        Assert.Contains("variable GEMINI_API_KEY (null)", restore.All);
        Assert.Contains("setting .env: SECRET_KEY (null)", restore.All);
        Assert.Equal("# a comment\r\nMODE=live\r\nexport SECRET_KEY=\r\nAFTER='kept'\r\n#SECRET_KEY=\r\n", File.ReadAllText(_folder["copy/.env"]));
        Assert.Equal("[options]\nadmin_passwd = \n\ndb_user = odoo\n; admin_passwd: \n[other]\nAdmin_Passwd=\n", File.ReadAllText(_folder["copy/odoo.conf"]));
        Assert.Equal("{\"a\": 1.50, // kept\n \"SECRET_KEY\": null, \"in\": [{\"SECRET_KEY\" : null, \"b\": \"ü\"}],}", File.ReadAllText(_folder["copy/app.json"]));
        Assert.Equal("# GEMINI_API_KEY is not in the snapshot: enter it again\n# NOT_SET is not in the snapshot: enter it again\nMODE='live'\n", File.ReadAllText(_folder["copy/environment.settings.env"]));
    }

    [Fact]
    public void A_setting_that_is_nowhere_or_whose_value_stands_elsewhere_too_stops_a_backup()
    {
        WriteSettings();
        Dictionary<string, string> variables = new() { ["GEMINI_API_KEY"] = "topsecret-gemini", ["MODE"] = "live" };
        ProgramRun unknown = Run("settings", "[SECRET_KEI, GEMINI_API_KEI]", "refused", variables);
        Assert.Equal(2, unknown.ExitStatus);
        Assert.Contains("redact names SECRET_KEI, but neither a settings file nor", unknown.All);
        Assert.Contains("did you mean `GEMINI_API_KEY`?", unknown.All);

        File.AppendAllText(_folder["odoo.conf"], "url = https://x:topsecret-gemini@example.com/\n");
        ProgramRun elsewhere = Run("settings", "[GEMINI_API_KEY]", "refused", variables);
        Assert.Equal(1, elsewhere.ExitStatus);
        Assert.Contains("LB1203 settings: the value of GEMINI_API_KEY also stands in " + _folder["odoo.conf"], elsewhere.All);

        File.WriteAllText(_folder["odoo.conf"], "[options]\n");
        File.WriteAllText(_folder["app.json"], "settings: {SECRET_KEY: x}");
        Assert.Contains("app.json is not JSON", Run("settings", "[SECRET_KEY]", "refused", variables).All);
        File.Move(_folder["app.json"], _folder["app.yaml"]);
        ProgramRun yaml = Run("settings", "[SECRET_KEY]", "refused", variables, "app.yaml");
        Assert.Equal(2, yaml.ExitStatus);
        Assert.Contains("app.yaml, and where its value ends is known of .env, INI and JSON files alone", yaml.All);
        Assert.False(File.Exists(Path.Combine(_folder["refused"], "bundle.zip")));
    }

    [Fact]
    public void Redacted_files_come_back_empty_with_their_modes_and_times()
    {
        WriteFiles();
        string bundle = BackUp("files", "[\"secrets/**\", \"**/*.pem\", keys]", "redacted");

        Assert.Empty(SecretSearch.FoundIn(bundle, "topsecret"));
        Assert.NotEmpty(SecretSearch.FoundIn(bundle, "plain words"));
        ProgramRun restore = LifeboatProgram.Run(_folder.Path, "restore", bundle, "--yes", "--trust", "--target", $"files={_folder["copy"]}");
        Assert.True(restore.ExitStatus == 3, restore.All);
        Assert.Contains("file deep/down/x.pem (empty)", restore.All);
        Assert.Equal(
            """
            600 0 1500000000 ./deep/down/x.pem
            600 0 1500000000 ./keys/inside/k
            600 0 1500000000 ./secrets/a b
            640 0 1500000000 ./secrets/one
            640 0 1500000000 ./secrets/two
            644 12 1500000000 ./open.txt
            """.ReplaceLineEndings("\n"),
            LifeboatProgram.Shell(_folder["copy"], "find . -type f -printf '%m %s %Ts %p\\n' | LC_ALL=C sort").Trim());
        Assert.Contains("LB1201 files: sources.files.redact names secret/**, but no file in the tree matches", Run("files", "[\"secret/**\"]", "refused").All);
        ProgramRun linked = Run("files", "[secrets/one]", "refused");
        Assert.Equal(1, linked.ExitStatus);
        Assert.Contains("LB1203", linked.All);
        Assert.False(File.Exists(Path.Combine(_folder["refused"], "bundle.zip")));
    }

    private void CreateDatabase(string journal) => LifeboatProgram.Shell(_folder.Path, $$"""
        sqlite3 app.db <<'SQL' >/dev/null
        PRAGMA journal_mode={{journal}}; PRAGMA user_version=7; PRAGMA application_id=42;
        CREATE TABLE users (id INTEGER PRIMARY KEY, api_key TEXT, phone TEXT CHECK (length(phone) > 3), token TEXT NOT NULL UNIQUE, nick TEXT);
        CREATE INDEX by_phone ON users (phone); CREATE INDEX by_key ON users (lower(api_key));
        CREATE TABLE audit (old TEXT); CREATE TRIGGER log AFTER UPDATE ON users BEGIN INSERT INTO audit VALUES (OLD.api_key); END;
        CREATE TABLE loose (v, g AS (v) STORED); INSERT INTO loose (rowid, v) VALUES (3, 1), (5, 'a'), (2000, x'00');
        CREATE TABLE owner (token TEXT REFERENCES users (token));
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
          INSERT INTO users SELECT i, 'topsecret-key-' || i || CASE WHEN i % 50 = 0 THEN replace(hex(zeroblob(9000)), '00', 'topsecret') ELSE '' END,
            CASE WHEN i % 7 THEN '+49 (30) 55-' || (i + 10) END, 'Kode' || i || 'topsecret-token', 'topsecret-nick' FROM n;
        UPDATE users SET phone = 'Größe' || char(10, 9) || 'A\b 9' WHERE id = 1; UPDATE users SET phone = '-+/*(}[~' WHERE id = 2;
        UPDATE users SET phone = 'aZ''"09;,éß🛟x' WHERE id = 3; UPDATE users SET phone = '+49 (30) 55-22' WHERE id = 12;
        DELETE FROM audit; DELETE FROM users WHERE id > 2000;
        INSERT INTO owner VALUES ('Kode5topsecret-token');
        CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) INSERT INTO note SELECT i, 'wordsecret ' || i FROM n;
        CREATE VIRTUAL TABLE search USING fts5(body, content='note', content_rowid='id'); INSERT INTO search(search) VALUES ('rebuild');
        DELETE FROM owner; ANALYZE;
        CREATE TABLE trash AS SELECT api_key FROM users; DROP TABLE trash;
        INSERT INTO owner VALUES ('Kode5topsecret-token');
        SQL
        sqlite3 app.db "PRAGMA foreign_keys=OFF; {{(journal == "wal" ? "PRAGMA wal_autocheckpoint=0; " : "")}}UPDATE users SET nick = 'topsecret-nick2' WHERE id = 5; DELETE FROM audit;"
        """);

    private void WriteSettings()
    {
        File.WriteAllText(_folder[".env"], "# a comment\r\nMODE=live\r\nexport SECRET_KEY=\"topsecret \\\" with # two\r\nlines continues\" # topsecret\r\nAFTER='kept'\r\n#SECRET_KEY=topsecret-old\r\n");
        File.WriteAllText(_folder["odoo.conf"], "[options]\nadmin_passwd = topsecret one\n  deeper topsecret\n\n  deeper again\n\ndb_user = odoo\n; admin_passwd: topsecret\n[other]\nAdmin_Passwd=topsecret=x\n");
        File.WriteAllText(_folder["app.json"], "{\"a\": 1.50, // kept\n \"SECRET_KEY\": \"top\\u0073ecret \\\" x\", \"in\": [{\"SECRET_KEY\" : [1, {\"topsecret\": 2}], \"b\": \"ü\"}],}");
    }

    private void WriteFiles() => LifeboatProgram.Shell(_folder.Path, """
        mkdir -p tree/secrets tree/deep/down tree/keys/inside; cd tree
        echo 'plain words' > open.txt; echo topsecret > secrets/one; ln secrets/one secrets/two; echo topsecret > 'secrets/a b'; echo topsecret > deep/down/x.pem; echo topsecret > keys/inside/k
        chmod 644 open.txt; chmod 640 secrets/one; chmod 600 'secrets/a b' deep/down/x.pem keys/inside/k; find . -type f -exec touch -d @1500000000 {} +
        """);

    private string BackUp(string source, string redact, string name, Dictionary<string, string>? variables = null)
    {
        ProgramRun backup = Run(source, redact, name, variables);
        Assert.True(backup.ExitStatus == 3, backup.All); // for `encryption: none`
        return Path.Combine(_folder[name], "bundle.zip");
    }

    private ProgramRun Run(string source, string redact, string name, Dictionary<string, string>? variables = null, string file = "app.json")
    {
        Dictionary<string, string> all = new(variables ?? []) { ["TMPDIR"] = Directory.CreateDirectory(_folder["tmp"]).FullName };
        ProgramRun run = LifeboatProgram.Run(
            WriteAppFile(source, redact, file), all, "backup", "--output", Path.Combine(Directory.CreateDirectory(_folder[name]).FullName, "bundle.zip"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder["tmp"]));
        return run;
    }

    private string WriteAppFile(string source, string redact, string file = "app.json")
    {
        string settings = source switch
        {
            "db" => "type: sqlite, path: app.db",
            "files" => "type: files, path: tree",
            _ => $"type: settings, files: [.env, odoo.conf, {file}], environment: [GEMINI_API_KEY, {(redact.Contains("NOT_SET", StringComparison.Ordinal) ? "NOT_SET, " : "")}MODE]",
        };
        File.WriteAllText(_folder["lifeboat.yaml"], $$"""
            app: shop
            sources:
              {{source}}: { {{settings}}{{(redact == "{}" ? "" : $", redact: {redact}")}} }
            stores:
              local: {path: backups}
            encryption: none
            """);
        return _folder.Path;
    }
}
