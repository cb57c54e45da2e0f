using Lifeboat.EngineTests.Sources.Postgres;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>Columns of a PostgreSQL database whose values are not captured, by the program itself.</summary>
public sealed class RedactPostgresTests : IAsyncLifetime
{
    private const string Schema = """
        CREATE EXTENSION citext;
        CREATE DOMAIN handle AS text CHECK (VALUE ~ '^[^ ]*$');
        CREATE TABLE users (id int PRIMARY KEY, "api.Key" text, email citext NOT NULL UNIQUE, phone varchar(20), code char(8), token text NOT NULL, amount numeric(8,2),
          nick handle, at timestamptz, upper_phone text GENERATED ALWAYS AS (upper(phone)) STORED, CHECK (length(phone) > 3));
        CREATE UNIQUE INDEX ON users (lower(email::text));
        CREATE INDEX ON users ((left(token, 4)));
        INSERT INTO users SELECT i, 'topsecret-key-' || i, 'Person' || i || '@secret.example', '+49 (30) 55-' || 1000 + i, 'Kode' || i, 'topsecret-token-' || i, i + 0.25,
          'nicksecret' || i, now() FROM generate_series(1, 500) i;
        UPDATE users SET "api.Key" = NULL, phone = NULL WHERE id % 7 = 0;
        UPDATE users SET phone = E'Größe\n\tA\\b 9' WHERE id = 1; UPDATE users SET phone = '-+/*(}{~' WHERE id = 2; UPDATE users SET phone = 'aZ''"09;,éß🛟x' WHERE id = 3;
        UPDATE users SET token = repeat('topsecret-large-', 100000) || md5('x') WHERE id = 4;
        CREATE TABLE log (day date NOT NULL, line text) PARTITION BY RANGE (day);
        CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
        CREATE TABLE log_2 PARTITION OF log DEFAULT;
        INSERT INTO log SELECT date '2026-01-01' + i, 'topsecret-line-' || i FROM generate_series(1, 365) i;
        CREATE TABLE person (name text); CREATE TABLE employee (salary int) INHERITS (person);
        INSERT INTO person VALUES ('topsecret-person'); INSERT INTO employee VALUES ('topsecret-employee', 1);
        CREATE TABLE fine (id int PRIMARY KEY, email citext REFERENCES users (email), other text, EXCLUDE USING btree (other WITH =));
        CREATE VIEW seen AS SELECT * FROM users;
        CREATE MATERIALIZED VIEW phones AS SELECT phone FROM users;
        """;

    private const string Redact = """
        {'public.users."api.Key"': null, public.users.phone: mask, public.users.code: mask, public.users.token: hash, public.users.nick: "constant:some'one",
        public.users.amount: "constant:7", public.users.at: "constant:2001-02-03 04:05:06+00", public.log.line: mask, public.person.name: hash}
        """;

    private readonly TemporaryFolder _folder = new();
    private readonly PostgresServer _server = new();

    public ValueTask InitializeAsync() => _server.InitializeAsync();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public void Redacted_values_are_nowhere_in_the_bundle_and_the_rest_comes_back_and_says_what_is_missing()
    {
        CreateDatabase();
        string[] secrets = ["topsecret", "nicksecret", "Kode12", "55-1012", "Größe", "-+/*(}{~"];
        string open = BackUp("{}", "open");
        Assert.Equal(secrets, SecretSearch.FoundIn(open, secrets)); // the search can find them

        string bundle = BackUp(Redact, "redacted");
        Assert.Empty(SecretSearch.FoundIn(bundle, secrets));
        Assert.NotEmpty(SecretSearch.FoundIn(bundle, "Person12@secret.example"));

        string shown = LifeboatProgram.Run(_folder.Path, "show", bundle).All;
        Assert.Contains("public.users.\"api.Key\"", shown);
        Assert.Matches("column +public.log.line +mask", shown);
        string instructions = LifeboatProgram.Shell(_folder.Path, $"7zz x -so '{bundle}' restore_instructions.md");
        Assert.Contains("- main: column `public.users.token` (a hash with a key that nobody has)", instructions);

        ProgramRun restore = LifeboatProgram.Run(_folder.Path, "restore", bundle, "--yes", "--trust", "--target", $"main={_server.SocketUrl("copy")}");
        Assert.True(restore.ExitStatus == 3, restore.All);
        Assert.Contains("LB8021 main: the snapshot does not have the values of column public.users.\"api.Key\" (null), column public.users.phone (mask)", restore.All);
        AssertRestored();
    }

    [Fact]
    public void What_is_misspelt_or_cannot_be_restored_stops_a_backup_before_it_begins_with_all_reasons()
    {
        CreateDatabase();
        WriteAppFile("""
            {public.users.api_kei: null, public.user.email: mask, public.seen.phone: mask, public.users.email: mask, public.users.id: hash, public.users.upper_phone: null,
            public.log.day: "constant:2026-01-01", public.fine.other: hash, public.fine.id: "constant:a", public.users.phone: "constant:0123456789012345678901",
            public.users.token: null}
            """);

        ProgramRun doctor = LifeboatProgram.Run(_folder.Path, "doctor"), backup = LifeboatProgram.Run(_folder.Path, "backup");

        foreach (string all in (string[])[doctor.All, backup.All])
        {
            Assert.Contains("redact names public.users.api_kei, but table public.users has no such column", all);
            Assert.Contains("redact names public.user.email, but there is no such table", all);
            Assert.Contains("did you mean `public.users.email`?", all);
            Assert.Contains("public.seen.phone", all);
            Assert.Contains("public.users.id cannot be redacted so: its type integer is not one of text", all);
            Assert.Contains("public.users.upper_phone cannot be redacted so: it is generated", all);
            Assert.Contains("public.log.day cannot be redacted so: its values decide in which partition", all);
            Assert.Contains("public.fine.id cannot be redacted so: invalid input syntax for type integer", all);
            Assert.Contains("public.users.phone cannot be redacted so: the constant does not fit", all);
            Assert.Contains("public.users.token cannot be redacted so: it is NOT NULL", all);
        }

        Assert.Equal(2, backup.ExitStatus);
        Assert.Empty(Directory.Exists(_folder["backups"]) ? Directory.GetFiles(_folder["backups"]) : []);
    }

    [Theory]
    [InlineData("public.users.email: mask", "unique index users_email_key would find the same value twice")]
    [InlineData("public.users.email: hash", "foreign key fine_email_fkey refers to the values")]
    [InlineData("public.fine.email: hash", "foreign key fine_email_fkey needs the values")]
    [InlineData("public.fine.other: hash", "exclusion constraint fine_other_excl is on the column")]
    [InlineData("public.users.phone: \"constant:a\"", "check constraint users_phone_check refuses the values")]
    [InlineData("public.users.nick: \"constant:a b\"", "violates check constraint \"handle_check\"")]
    public void What_would_not_come_back_is_refused_with_the_reason(string redact, string reason)
    {
        CreateDatabase();
        WriteAppFile($"{{{redact}}}");

        ProgramRun backup = LifeboatProgram.Run(_folder.Path, "backup");

        Assert.Equal(2, backup.ExitStatus);
        Assert.True(backup.All.Contains(reason, StringComparison.Ordinal), backup.All);
    }

    [Fact]
    public void Null_is_taken_where_a_foreign_key_or_a_unique_index_allows_it()
    {
        CreateDatabase();
        string bundle = BackUp("{public.fine.email: null}", "nulls");

        ProgramRun restore = LifeboatProgram.Run(_folder.Path, "restore", bundle, "--yes", "--trust", "--target", $"main={_server.SocketUrl("copy")}");

        Assert.True(restore.ExitStatus == 3, restore.All);
    }

    private void AssertRestored()
    {
        string Both(string sql) => _server.Sql("copy", sql).Trim();
        Assert.Equal(_server.Sql("shop", "SELECT id, email FROM users ORDER BY id"), _server.Sql("copy", "SELECT id, email FROM users ORDER BY id"));
        Assert.Equal("0", Both("SELECT count(\"api.Key\") FROM users"));
        Assert.Equal(_server.Sql("shop", "SELECT count(phone) FROM users"), _server.Sql("copy", "SELECT count(phone) FROM users"));
        Assert.Equal("+00 (00) 00-0000|XXX", Both("SELECT phone, 'XXX' FROM users WHERE id = 12"));
        Assert.Equal("Xxxxx\n\tX\\x 0", Both("SELECT phone FROM users WHERE id = 1"));
        Assert.Equal("xxxxxxxx", Both("SELECT phone FROM users WHERE id = 2"));
        Assert.Equal("xX'\"00;,xxxx", Both("SELECT phone FROM users WHERE id = 3"));
        Assert.Equal("Xxxx00  |8", Both("SELECT code, octet_length(code) FROM users WHERE id = 12"));
        Assert.Equal("500|32|32", Both("SELECT count(DISTINCT token), min(length(token)), max(length(token)) FROM users"));
        Assert.Equal("some'one|7.00|2001-02-03 04:05:06+00", Both("SET TimeZone = UTC; SELECT DISTINCT nick, amount, at FROM users"));
        Assert.Equal("+00 (00) 00-0000", Both("SELECT upper_phone FROM users WHERE id = 12"));
        Assert.Equal("365|0", Both("SELECT count(*), count(*) FILTER (WHERE line !~ '^x{9}-x{4}-0+$') FROM log"));
        Assert.Equal("2|32", Both("SELECT count(*), min(length(name)) FROM person"));
        Assert.Equal("0", Both("SELECT count(*) FROM phones WHERE phone LIKE '%55%'"));
    }

    private void CreateDatabase()
    {
        _server.CreateDatabase("shop");
        _server.Sql("shop", Schema);
    }

    private string BackUp(string redact, string name)
    {
        WriteAppFile(redact);
        string bundle = Path.Combine(Directory.CreateDirectory(_folder[name]).FullName, "bundle.zip");
        ProgramRun backup = LifeboatProgram.Run(_folder.Path, "backup", "--output", bundle);
        Assert.True(backup.ExitStatus == 3, backup.All); // for `encryption: none`
        return bundle;
    }

    private void WriteAppFile(string redact) => File.WriteAllText(_folder["lifeboat.yaml"], $$"""
        app: shop
        sources:
          main:
            type: postgres
            url: "{{_server.SocketUrl("shop")}}"
            {{(redact == "{}" ? "" : "redact: " + redact.ReplaceLineEndings(" "))}}
        stores:
          local: {path: backups}
        encryption: none
        """);
}
