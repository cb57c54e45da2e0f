using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Bundles;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Restore.Journal;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sql;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Roles;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;
using Lifeboat.Engine.Sources.Trees;
using Lifeboat.Tests.Shared;

namespace Lifeboat.Tests.Fuzz;

/// <summary>
/// Whatever bytes a reader is given, it reads them or says what is wrong with them, in its own way and soon. A short share of it runs always, each reader for a minute among what takes
/// long. An input that was found goes into the seeds of its reader.
/// </summary>
public sealed class ReaderFuzzTests : IDisposable
{
    private const int ShortShare = 300;
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_longShare = TimeSpan.FromMinutes(1);
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Readers =>
        ["zip", "metadata", "checksums", "details of postgres", "details of mysql", "mtree", "sql of postgres", "globals", "sql of mysql", "statement file", "copy text", "rows of mysql", "journal", "yaml"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Readers))]
    public async Task A_reader_reads_or_explains(string reader)
    {
        Mutation mutation = new(1, await SeedsAsync(reader), Words(reader));
        foreach (byte[] seed in await SeedsAsync(reader))
            await CheckAsync(reader, seed);
        for (int i = 0; i < ShortShare; i++)
            await CheckAsync(reader, mutation.Next());
    }

    [Theory]
    [Trait("Time", "long")]
    [MemberData(nameof(Readers))]
    public async Task A_reader_reads_or_explains_for_a_minute(string reader)
    {
        int seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        Mutation mutation = new(seed, await SeedsAsync(reader), Words(reader));
        for (long begun = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begun) < s_longShare;)
            await CheckAsync(reader, mutation.Next());
    }

    private async Task CheckAsync(string reader, byte[] input)
    {
        long begun = Stopwatch.GetTimestamp();
        try
        {
            await ReadAsync(reader, input);
        }
        catch (Exception e) when (e is LifeboatException || (e is FormatException or JsonException && reader is not ("zip" or "metadata" or "checksums" or "mtree" or "journal" or "yaml")))
        {
            Assert.NotEmpty(e.Message);
        }
        catch (Exception e)
        {
            Assert.Fail($"{reader}: {e}\n--- input ---\n{Convert.ToBase64String(input)}");
        }

        Assert.True(Stopwatch.GetElapsedTime(begun) < s_longest, $"{reader} took too long for\n{Convert.ToBase64String(input)}");
    }

    private async Task ReadAsync(string reader, byte[] input)
    {
        string text = Encoding.Latin1.GetString(input);
        switch (reader)
        {
            case "zip":
                await ReadBundleAsync(input);
                break;
            case "metadata":
                await VerifiedSnapshot.ReadMetadataAsync(new MemoryStream(input), CancellationToken.None);
                break;
            case "checksums":
                await Checksums.ReadAsync(new MemoryStream(input), CancellationToken.None);
                break;
            case "details of postgres":
                PostgresDetailsRules.Require(PostgresDetails.From(JsonDocument.Parse(input).RootElement));
                break;
            case "details of mysql":
                MySqlDetails.From(JsonDocument.Parse(input).RootElement);
                break;
            case "mtree":
                _ = new MtreeReader(new MemoryStream(input), "files/x.mtree").Entries(CancellationToken.None).Count();
                break;
            case "sql of postgres":
                _ = PsqlText.Of(text);
                foreach (SqlStatement statement in SqlStatements.Split(text))
                    _ = (SchemaStatements.Fault(statement), GlobalsStatements.Fault(statement));
                break;
            case "globals":
                foreach (SqlStatement statement in SqlStatements.Split(text))
                    if (GlobalsStatements.Fault(statement) is { } fault)
                        throw new FormatException(fault);
                _ = Globals.Parse(text, hasPasswords: true);
                break;
            case "sql of mysql":
                DumpStatements.RequireObject(["SET character_set_client = utf8mb4, collation_connection = utf8mb4_bin, sql_mode = ''", text], dollarQuotes: input.Length % 2 == 0, trusted: false);
                break;
            case "statement file":
                _ = StatementFile.Read(input);
                break;
            case "copy text":
                _ = CopyText.ParseRows(input, Encoding.UTF8);
                _ = Escapes.ParseRows(input, Encoding.UTF8);
                break;
            case "rows of mysql":
                _ = new InsertStatements("INSERT INTO t VALUES ", [ValueForm.Plain, ValueForm.Bytes, ValueForm.Utf8, ValueForm.Number], jsonDecimals: true).Read(new MemoryStream(input), static _ => { }).Count();
                break;
            case "journal":
                await File.WriteAllBytesAsync(Path.Combine(Directory.CreateDirectory(_folder["state"]).FullName, "x.journal"), input);
                foreach (RestoreJournal journal in RestoreJournal.OpenAll(_folder["state"], new TestHost(_folder.Path).Context, onlyRead: true))
                    journal.Dispose();
                break;
            default:
                _ = AppFile.Parse(input, "/srv/shop/lifeboat.yaml");
                break;
        }
    }

    private async Task ReadBundleAsync(byte[] input)
    {
        string path = _folder["fuzzed.zip"];
        await File.WriteAllBytesAsync(path, input);
        await using BundleReader bundle = await BundleReader.OpenAsync(path, BundleFixture.Password, CancellationToken.None);
        await bundle.AuthenticateAsync(CancellationToken.None);
        await using VerifiedSnapshot snapshot = await VerifiedSnapshot.OpenAsync(bundle, CancellationToken.None);
        foreach (string file in snapshot.Sha256.Keys)
        {
            await using Stream content = snapshot.Open(file);
            await content.CopyToAsync(Stream.Null);
        }
    }

    private static byte[][] Words(string reader) =>
    [
        .. (reader switch
        {
            "zip" => (string[])["PK\u0001\u0002", "PK\u0003\u0004", "PK\u0005\u0006", "PK\u0006\u0006", "\u00ff\u00ff\u00ff\u00ff", "\u0001\u0099\u0007\0", "../", "\0\0\0\0"],
            "metadata" or "details of postgres" or "details of mysql" or "journal" =>
                ["null", "{", "}", "[", "]", "\"", ":", ",", "-1", "1e999", "99999999999999999999", "\\ud800", "\"2026-01-01T00:00:00Z\"", "\n", "true", "{\"a\":", "\u00ff"],
            "mtree" => ["type=dir", "type=link", " link=..", "./a/..", "\\057", "\\000", "size=-1", "size=99999999999999999999", "\n", " ", "#mtree\n", "mode=7777", "time=1.999999999"],
            _ => ["'", "\"", "$$", "$a$", "\\", "/*", "*/", "--", "\n", "\r", "\t", "\0", ";", "(", ")", "E'", "U&'", "begin", " atomic ", " case ", " end ", "`", "/*!99999 ", "\\N", "é", ": ", "- ", "&a", "*a", "CREATE ", "ALTER ROLE ", "\u00a0"],
        }).Select(Encoding.Latin1.GetBytes),
    ];

    private static async Task<byte[][]> SeedsAsync(string reader) => reader switch
    {
        "zip" => await BundlesAsync(),
        "metadata" => [BundleFixture.Metadata(), Json("""{"backup_version":"1.0.0","app":"\ud800"}""")],
        "checksums" => [Json($"{new string('a', 64)}  metadata.json\n{new string('b', 64)}  files/a b\n")],
        "details of postgres" => [Json(PostgresDetailsText)],
        "details of mysql" => [Json("""{"server_version":"10.11","family":"mariadb","lower_case_table_names":0,"database":"d","database_options":"","tables":[{"name":"t","engine":"InnoDB","columns":[{"name":"a","form":"Plain"}],"versioned":false}],"sequences":[],"objects":[],"collations":[],"longest_row":1}""")],
        "mtree" => [Json("#mtree\n. type=dir mode=0755 uid=0 gid=0 time=1.000000000\n./a type=file mode=0644 uid=0 gid=0 time=1.000000000 size=0 sha256digest=" + new string('0', 64) + "\n./b type=link mode=0777 uid=0 gid=0 time=1.000000000 link=a\n")],
        "sql of postgres" or "globals" => [Json("CREATE ROLE a; ALTER ROLE a WITH LOGIN PASSWORD 'x'; GRANT a TO b GRANTED BY c; CREATE TABLESPACE t LOCATION '/x'; GRANT SET ON PARAMETER x TO a; SECURITY LABEL FOR p ON ROLE a IS 'y';"),
            Json("CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END; COMMENT ON TABLE t IS E'a\\'b'; /* a /* b */ c */ SELECT $x$ y $x$, U&'z', 1e5 -- c\n;")],
        "sql of mysql" => [Json("CREATE DEFINER=`a`@`b` PROCEDURE `p`(a int) COMMENT 'x' BEGIN DECLARE EXIT HANDLER FOR NOT FOUND BEGIN END; IF a THEN CASE a WHEN 1 THEN SELECT 'x'; END CASE; ELSE REPEAT SET a = 1; UNTIL a END REPEAT; END IF; END"),
            Json("CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY DO DELETE FROM t /*! x */ -- y\n")],
        "statement file" => [StatementFile.Write("c", ["SELECT 1", "SELECT ';;'"])],
        "copy text" => [Json("a\t\\N\tb\\\\c\\n\n\n1\t2\t3\n")],
        "rows of mysql" => [Json("1\ta\\\\b\t{\"a\":1.10}\t7\n\\N\t\\N\t\\N\t\\N\n")],
        "journal" => [Json("""
            {"step":"Restore","at":"2026-12-01T00:00:00+00:00","header":{"version":1,"id":"aaaaaaaaaa","app":"shop","snapshot":"s","lifeboat_version":"0.1.0","undoes":null,"sources":[{"name":"main","type":"postgres","target":"x"}]}}
            {"step":"Record","at":"2026-12-01T00:00:01+00:00","source":"main","record":{"live":"shop"}}
            {"step":"Committed","at":"2026-12-01T00:00:02+00:00"}

            """)],
        _ => [Json("app: shop\nsources:\n  main: {type: postgres, url: \"postgresql://a@b/c\"}\n  f: {type: files, path: x, exclude: [\"*.tmp\"]}\nstores:\n  local: {path: b}\nencryption: none\n")],
    };

    private static byte[] Json(string text) => Encoding.UTF8.GetBytes(text);

    private static async Task<byte[][]> BundlesAsync()
    {
        List<byte[]> bundles = [];
        foreach ((Compression compression, bool encrypted) in new[] { (Compression.Zstd, false), (Compression.Deflate, false), (Compression.Zstd, true) })
        {
            using BundleFixture fixture = new();
            await fixture.WriteSnapshotAsync(fixture.Options(compression, encrypted), ("files/a", BundleFixture.Text(1, 2000)), ("files/empty", []));
            bundles.Add(await File.ReadAllBytesAsync(fixture.Path));
        }

        return [.. bundles];
    }

    private const string PostgresDetailsText = """
        {"server_version":"15.1","server_version_number":150001,"server_encoding":"UTF8","lsn":"0/1","schema_digest":"x","role_passwords":true,"roles":[{"name":"a","login":true,"superuser":false}],
        "extensions":[{"name":"age","version":"1","schema":"s","configuration_tables":[],"object_ids":[{"id":"1","type":"regnamespace","name":"g"}]}],
        "tables":[{"schema":"s","name":"t","columns":["a"],"kind":"extension","unlogged":false,"where":"WHERE NOT (a IN (1, 2))"}],"sequences":[],"materialized_views":[],
        "large_objects":{"count":0,"rows":0,"digest":"","paths":[]},
        "database":{"name":"d","owner":"o","encoding":"UTF8","collate":"C","ctype":"C","locale_provider":"libc","tablespace":"pg_default","connection_limit":-1,"is_template":false,
        "acl":[{"grantor":"a","grantee":null,"privilege":"CONNECT","grantable":false}],"security_labels":[],"settings":[]}}
        """;
}
