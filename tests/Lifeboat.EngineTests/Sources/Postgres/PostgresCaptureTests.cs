using System.Diagnostics;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Postgres;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Postgres;

public sealed class PostgresCaptureTests(PostgresServer server) : IClassFixture<PostgresServer>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private TestHost Host => field ??= new TestHost(Directory.CreateDirectory(_folder["tmp"]).FullName);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Every_awkward_kind_of_table_is_restored_by_hand_from_the_files_alone()
    {
        server.CreateDatabase("awkward");
        server.Sql("awkward", AwkwardSql);
        SourceMetadata captured = await CaptureAsync(server.Settings("awkward"));
        AssertRestoresByHand("awkward", captured);
        Assert.Contains(captured.Tables!, static t => t.Name == "public.\"Odd \"\"name'\\\n\\! :x 🛟\"" && t.Rows == 2);
        Assert.Equal(3, captured.Tables!.Single(static t => t.Name == "public.no_columns").Rows);
        Assert.Equal(0, captured.Tables!.Single(static t => t.Name == "public.empty").Rows);
        Assert.Equal(1, captured.Tables!.Single(static t => t.Name == "public.parent").Rows);
        Assert.Equal(2, captured.Tables!.Single(static t => t.Name == "public.child").Rows);
        Assert.DoesNotContain(captured.Tables!, static t => t.Name == "public.events");
        PostgresDetails details = PostgresDetails.From(captured.Details!.Value);
        Assert.Equal(["b_first", "a_second", "unpopulated"], details.MaterializedViews.Select(static v => v.Name));
        Assert.Equal(2, details.LargeObjects.Count);
        Assert.Equal(captured.Files, Directory.EnumerateFiles(_folder["tree"], "*", SearchOption.AllDirectories).LongCount());
    }

    [Fact]
    public async Task Parts_add_up_to_the_same_digest_as_the_whole_and_cover_every_row_once()
    {
        server.CreateDatabase("parts");
        server.Sql("parts", "CREATE TABLE t (a int PRIMARY KEY, b text); "
            + "INSERT INTO t SELECT i, repeat('x', i % 300) FROM generate_series(1, 20000) i; "
            + "DELETE FROM t WHERE a % 7 = 0; CREATE TABLE \"t.0002\" (a int)");
        SourceMetadata whole = await CaptureAsync(server.Settings("parts"));
        SourceMetadata parts = await CaptureAsync(server.Settings("parts"), blocksPerPart: 64, tree: "parts");
        TableMetadata one = whole.Tables!.Single(static t => t.Name == "public.t");
        TableMetadata many = parts.Tables!.Single(static t => t.Name == "public.t");
        Assert.Single(one.Paths);
        Assert.True(many.Paths.Count > 3, $"{many.Paths.Count} parts");
        Assert.Equal((one.Rows, one.Bytes, one.Digest), (many.Rows, many.Bytes, many.Digest));
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(_folder["tree"], one.Paths[0])), many.Paths
                .SelectMany(p => File.ReadAllBytes(Path.Combine(_folder["parts"], p))));
        Assert.Equal("17143", server.Sql("parts", "SELECT count(*) FROM t").Trim());
        Assert.Equal(17143, many.Rows);
        SourceMetadata again = await CaptureAsync(server.Settings("parts"), blocksPerPart: 64, tree: "again");
        AssertRestoresByHand("parts", again, tree: "again");
    }

    [Fact]
    public async Task A_range_of_pages_that_is_not_written_to_is_the_same_file_in_the_next_backup()
    {
        server.CreateDatabase("ranges");
        server.Sql("ranges", "CREATE TABLE t (a int PRIMARY KEY, b text) WITH (fillfactor = 80); INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 60000) i; VACUUM t");
        SourceMetadata first = await CaptureAsync(server.Settings("ranges"), blocksPerPart: 64, tree: "first");
        // The third range gets a change within its page, the fifth loses a row, and new rows come after the last one.
        server.Sql(
            "ranges",
            """
            UPDATE t SET b = 'changed' WHERE ctid = '(130,1)'; DELETE FROM t WHERE ctid = '(300,2)';
            INSERT INTO t SELECT i, repeat('y', 100) FROM generate_series(70000, 90000) i;
            """);
        SourceMetadata second = await CaptureAsync(server.Settings("ranges"), blocksPerPart: 64, tree: "second");

        IReadOnlyList<string> before = first.Tables!.Single().Paths, after = second.Tables!.Single().Paths;
        Assert.True(before.Count > 10 && after.Count > before.Count, $"{before.Count} parts, then {after.Count}");
        Assert.Equal(before, after.Take(before.Count));
        Assert.Equal(
            [2, 4, before.Count - 1],
            Enumerable.Range(0, before.Count).Where(i => !File.ReadAllBytes(Path.Combine(_folder["first"], before[i])).AsSpan()
                .SequenceEqual(File.ReadAllBytes(Path.Combine(_folder["second"], after[i])))));
    }

    [Fact]
    public async Task Pagila_is_captured_as_of_one_moment_while_it_is_written_to()
    {
        string file = TestData.Path("pagila.sql");
        server.CreateDatabase("pagila");
        server.SqlFile("pagila", file);
        server.Sql("pagila", "CREATE TABLE public.account (id serial, amount int, filler text)");
        using CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task writing = Task.Run(() => WriteTransfers("pagila", enough.Token), Cancellation);
        while (server.Sql("pagila", "SELECT count(*) > 10 FROM public.account").Trim() != "t")
            await Task.Delay(20, Cancellation);
        SourceMetadata captured = await CaptureAsync(server.Settings("pagila"), blocksPerPart: 8);
        await enough.CancelAsync();
        await writing;
        server.CreateDatabase("pagila restored");
        server.SqlFile("pagila restored", Path.Combine(_folder["tree"], "databases/main/restore.sql"));
        Assert.Equal("0", server.Sql("pagila restored", "SELECT sum(amount) FROM public.account").Trim());
        Assert.Equal(16044, captured.Tables!.Single(static t => t.Name == "public.rental").Rows);
        foreach (TableMetadata table in captured.Tables!)
            Assert.Equal(table.Rows.ToString(), server.Sql("pagila restored", $"SELECT count(*) FROM ONLY {table.Name}").Trim());
        server.Sql("pagila", "DROP TABLE account");
        server.Sql("pagila restored", "DROP TABLE public.account");
        AssertSameDump("pagila", "pagila restored");
    }

    [Fact]
    public async Task A_table_that_may_not_be_read_is_named()
    {
        server.CreateDatabase("rights");
        server.Sql("rights",
            "CREATE ROLE reader LOGIN; CREATE TABLE mine (a int); CREATE TABLE \"Theirs\" (a int); "
            + "GRANT SELECT ON mine TO reader; GRANT pg_monitor TO reader");
        LifeboatException refused = await Assert.ThrowsAsync<LifeboatException>(() => CaptureAsync(server.Settings("rights", "reader")));
        Assert.Equal(ErrorCodes.PostgresPermissionDenied, refused.Code);
        Assert.Contains("public.\"Theirs\"", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("public.mine", refused.Message, StringComparison.Ordinal);
        IReadOnlyList<Problem> problems = await Source(server.Settings("rights", "reader")).CheckAsync(Cancellation);
        Assert.Equal([ErrorCodes.PostgresPermissionDenied, ErrorCodes.PostgresRolePasswordsLeftOut], problems.Select(static p => p.Code));
    }

    [Fact]
    public async Task Without_the_right_to_read_passwords_everything_else_is_captured_and_a_warning_says_so()
    {
        server.CreateDatabase("modest");
        server.Sql("modest",
            "CREATE ROLE modest LOGIN PASSWORD 'x'; CREATE ROLE reads LOGIN; GRANT pg_read_all_data TO reads; "
            + "CREATE TABLE t (a int); GRANT SELECT ON t TO modest; INSERT INTO t VALUES (1); "
            + "SELECT lo_from_bytea(4711, repeat('abc', 3000)::bytea); GRANT SELECT ON LARGE OBJECT 4711 TO modest");
        SourceMetadata captured = await CaptureAsync(server.Settings("modest", "modest"));
        Assert.Contains(Host.Warnings, static w => w.Code == ErrorCodes.PostgresRolePasswordsLeftOut);
        Assert.DoesNotContain("SCRAM", File.ReadAllText(Path.Combine(_folder["tree"], "databases/main/globals.sql")),
            StringComparison.Ordinal);
        SourceMetadata full = await CaptureAsync(server.Settings("modest", "reads"), tree: "full");
        Assert.Contains("SCRAM", File.ReadAllText(Path.Combine(_folder["full"], "databases/main/globals.sql")), StringComparison.Ordinal);
        PostgresDetails modest = PostgresDetails.From(captured.Details!.Value);
        Assert.Equal(PostgresDetails.From(full.Details!.Value).LargeObjects.Digest, modest.LargeObjects.Digest);
        Assert.Equal(5, modest.LargeObjects.Rows);
        Assert.False(modest.RolePasswords);
    }

    [Fact]
    public async Task Row_security_that_hides_rows_is_an_error()
    {
        server.CreateDatabase("hidden");
        server.Sql("hidden",
            "CREATE ROLE seesome LOGIN; GRANT pg_read_all_data TO seesome; "
            + "CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY");
        LifeboatException refused = await Assert.ThrowsAsync<LifeboatException>(() => CaptureAsync(server.Settings("hidden", "seesome")));
        Assert.Equal(ErrorCodes.PostgresPermissionDenied, refused.Code);
        Assert.Contains("row security may hide rows of table public.t", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_that_is_dropped_during_the_backup_is_still_captured()
    {
        server.CreateDatabase("dropped");
        server.Sql("dropped", "CREATE TABLE t AS SELECT i FROM generate_series(1, 1000) i");
        await using ICapture capture = await Source(server.Settings("dropped")).OpenAsync(Cancellation);
        Task dropping = Task.Run(() => server.Sql("dropped", "DROP TABLE t"), Cancellation);
        await WaitForLockAsync("dropped");
        SourceMetadata captured = await capture.WriteAsync(new FolderSnapshot(_folder["tree"]), Cancellation);
        Assert.Equal(1000, captured.Tables!.Single().Rows);
        Assert.False(dropping.IsCompleted);
        await capture.DisposeAsync();
        await dropping.WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
    }

    [Fact]
    public async Task A_table_that_is_emptied_between_the_snapshot_and_the_lock_is_not_captured_as_empty()
    {
        server.CreateDatabase("emptied");
        server.Sql("emptied", "CREATE TABLE t AS SELECT i FROM generate_series(1, 1000) i");
        await using PsqlSession other = await server.SessionAsync(Host.Context, "emptied");
        await other.ExecuteAsync("BEGIN; TRUNCATE public.t; INSERT INTO public.t SELECT i FROM generate_series(1, 500) i", Cancellation);
        Task<ICapture> opening = new PostgresSource(server.Settings("emptied"), server.Bin, Host.Context, new NoSecrets()).OpenAsync(Cancellation);
        await WaitForLockAsync("emptied");
        await other.ExecuteAsync("COMMIT", Cancellation);
        await using ICapture capture = await opening;
        SourceMetadata captured = await capture.WriteAsync(new FolderSnapshot(_folder["tree"]), Cancellation);
        Assert.Equal(500, captured.Tables!.Single().Rows);
    }

    [Fact]
    public async Task Someone_who_wants_a_table_for_himself_during_the_backup_makes_no_deadlock()
    {
        server.CreateDatabase("exclusive");
        server.Sql("exclusive", "CREATE TABLE t AS SELECT i, repeat('x', 200) FROM generate_series(1, 20000) i");
        await using ICapture capture = await Source(server.Settings("exclusive"), blocksPerPart: 64).OpenAsync(Cancellation);
        Task wanting = Task.Run(() => server.Sql("exclusive", "ALTER TABLE t ADD COLUMN c int DEFAULT 1"), Cancellation);
        await WaitForLockAsync("exclusive");
        SourceMetadata captured = await capture.WriteAsync(new FolderSnapshot(_folder["tree"]),
            Cancellation).WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
        Assert.Equal(20000, captured.Tables!.Single().Rows);
        Assert.Contains(Host.Events, static e => e is Noted { Text: var text } && text.Contains("exclusively", StringComparison.Ordinal));
        await capture.DisposeAsync();
        await wanting.WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
    }

    [Fact]
    public async Task A_page_that_cannot_be_read_is_an_error_and_no_shorter_table()
    {
        server.CreateDatabase("damaged");
        server.Sql("damaged", "CREATE TABLE t AS SELECT i, repeat('x', 500) AS filler FROM generate_series(1, 20000) i; CHECKPOINT");
        string file = Path.Combine(server.Data, server.Sql("damaged", "SELECT pg_relation_filepath('t')").Trim());
        server.Stop("fast");
        await using (FileStream pages = File.OpenWrite(file))
        {
            pages.Position = 700 * 8192;
            pages.Write([.. Enumerable.Repeat((byte)0xA5, 8192)]);
        }

        server.Start();

        LifeboatException refused = await Assert.ThrowsAsync<LifeboatException>(() => CaptureAsync(server.Settings("damaged")));

        Assert.Contains("reading public.t: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains("invalid page in block 700", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_that_is_ended_half_way_is_a_clear_error()
    {
        server.CreateDatabase("ended");
        server.Sql("ended", "CREATE TABLE t AS SELECT i, repeat('x', 2000) FROM generate_series(1, 20000) i");
        await using ICapture capture = await Source(server.Settings("ended")).OpenAsync(Cancellation);
        LifeboatException lost = await Assert.ThrowsAsync<LifeboatException>(() => capture.WriteAsync(
            new MeddlingWriter(path => path.EndsWith("public.t.copy", StringComparison.Ordinal), () => server.Sql(
                "postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'ended' AND query LIKE '%COPY%'")),
            Cancellation).WaitAsync(TimeSpan.FromSeconds(30), Cancellation));
        Assert.Equal(ErrorCodes.PostgresConnectionLost, lost.Code);
    }

    [Fact]
    public async Task A_table_that_stays_locked_is_named_with_who_has_it()
    {
        server.CreateDatabase("locked");
        server.Sql("locked", "CREATE TABLE t (a int)");
        await using PsqlSession other = await server.SessionAsync(Host.Context, "locked");
        await other.ExecuteAsync("BEGIN; LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE", Cancellation);
        Task<ICapture> opening = Source(server.Settings("locked")).OpenAsync(Cancellation);
        LifeboatException locked = await Assert.ThrowsAsync<LifeboatException>(() => opening);
        Assert.Contains("LB3006", locked.Message, StringComparison.Ordinal);
        Assert.Contains("public.t", locked.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_of_any_bytes_and_one_in_LATIN1_are_restored_by_hand()
    {
        foreach ((string name, string encoding, string sql) in ((string, string, string)[])[
            ("anybytes", "SQL_ASCII",
                "SET client_encoding TO 'SQL_ASCII'; CREATE TABLE \"t\u00ffx\" (\"c\u0080\" text); "
                + "INSERT INTO \"t\u00ffx\" VALUES (E'\\xfe\\xc3('), (E'\\xff')"),
            ("latin1", "LATIN1",
                "SET client_encoding TO 'UTF8'; CREATE TABLE \"tä\" (\"cß\" text); INSERT INTO \"tä\" VALUES ('é\u0080')")])
        {
            server.CreateDatabase(name, $"ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0");
            server.Sql(name, sql);
            SourceMetadata captured = await CaptureAsync(server.Settings(name), tree: name);
            server.CreateDatabase(name + "2", $"ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0");
            server.SqlFile(name + "2", Path.Combine(_folder[name], "databases/main/restore.sql"));
            AssertSameDump(name, name + "2");
            Assert.True(captured.Tables!.Single().Rows > 0);
        }

        Assert.Equal([0xFE, 0xC3, (byte)'(', (byte)'\n', 0xFF, (byte)'\n'],
            File.ReadAllBytes(Directory.GetFiles(_folder["anybytes"], "*.copy", SearchOption.AllDirectories).Single()));
    }

    [Fact]
    public async Task One_huge_value_needs_little_memory()
    {
        server.CreateDatabase("huge");
        server.Sql("huge", "CREATE TABLE t (a int, b text); INSERT INTO t SELECT 1, repeat('0123456789', 20000000)");
        await using ICapture capture = await Source(server.Settings("huge")).OpenAsync(Cancellation);
        long before = GC.GetTotalAllocatedBytes();
        SourceMetadata captured = await capture.WriteAsync(new MeddlingWriter(static _ => false, static () => { }), Cancellation);
        Assert.Equal(200_000_003, captured.Tables!.Single().Bytes);
        Assert.True(GC.GetTotalAllocatedBytes() - before < 50_000_000, $"{GC.GetTotalAllocatedBytes() - before} bytes allocated");
    }

    [Fact]
    public async Task The_whole_works_through_a_prefix_with_a_password()
    {
        server.CreateDatabase("far");
        server.Sql("far", "CREATE TABLE t AS SELECT i FROM generate_series(1, 10) i");
        string[] via = Environment.UserName == "root" ? ["runuser", "-u", "postgres", "--"] : ["env"];
        PostgresSettings settings = new("far", server.Url("far"), null, new SecretReference(SecretScheme.Env, "PW"), via);
        PostgresSource source = new(settings, server.Bin, Host.Context, new GivenSecrets(("PW", PostgresServer.Password)));
        await using ICapture capture = await source.OpenAsync(Cancellation);
        SourceMetadata captured = await capture.WriteAsync(new FolderSnapshot(_folder["tree"]), Cancellation);
        Assert.Equal(10, captured.Tables!.Single().Rows);
    }

    [Fact]
    public async Task The_instructions_restore_everything_on_an_empty_server_when_pasted()
    {
        const string database = "it's \"my\" dätabase";
        server.CreateDatabase(database);
        server.Sql(
            database,
            """
            CREATE ROLE "o'wner" LOGIN PASSWORD 'pw'; CREATE ROLE readers; CREATE ROLE anna LOGIN PASSWORD 'pw2' IN ROLE readers;
            ALTER DATABASE THIS OWNER TO "o'wner"; REVOKE CONNECT ON DATABASE THIS FROM PUBLIC;
            GRANT CONNECT ON DATABASE THIS TO readers WITH GRANT OPTION; COMMENT ON DATABASE THIS IS 'c';
            ALTER DATABASE THIS SET search_path TO "$user", public, "o""dd, schema"; ALTER DATABASE THIS SET work_mem TO '5MB';
            ALTER ROLE anna IN DATABASE THIS SET "my.setting" TO 'a''b'; ALTER DATABASE THIS CONNECTION LIMIT 7;
            SET ROLE "o'wner"; CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 1 AS a;
            GRANT USAGE ON SCHEMA s TO readers; GRANT SELECT ON s.t TO readers;
            """.Replace("THIS", SqlText.Identifier(database), StringComparison.Ordinal));
        await using ICapture capture = await Source(server.Settings(database)).OpenAsync(Cancellation);
        await capture.WriteAsync(new FolderSnapshot(_folder["tree"]), Cancellation);
        await using PostgresServer empty = await PostgresServer.StartAsync();
        ProcessStartInfo shell = new("sh", ["-e"]) { RedirectStandardInput = true, WorkingDirectory = _folder["tree"] };
        shell.Environment["PATH"] = server.Bin + ":" + Environment.GetEnvironmentVariable("PATH");
        using Process running = Process.Start(shell)!;
        await running.StandardInput.WriteAsync(
            Instructions.Commands(capture.Instructions).Choose("PGHOST", empty.SocketFolder).Choose("PGPORT", $"{empty.Port}"));
        running.StandardInput.Close();
        await running.WaitForExitAsync(Cancellation);
        Assert.Equal(0, running.ExitCode);
        Assert.Equal(Sorted(server.Dump(database, "--create")), Sorted(empty.Dump(database, "--create")));
        Assert.Equal("1", empty.Sql(database, "SELECT a FROM s.t", "anna").Trim());
        Assert.Equal(
            server.Sql("postgres", "SELECT rolpassword FROM pg_authid WHERE rolname IN ('anna', 'o''wner') ORDER BY rolname"),
            empty.Sql("postgres", "SELECT rolpassword FROM pg_authid WHERE rolname IN ('anna', 'o''wner') ORDER BY rolname"));
    }

    [Fact]
    public async Task Of_extensions_only_configuration_rows_are_captured()
    {
        server.CreateDatabase("extended");
        server.Sql(
            "extended",
            """
            CREATE EXTENSION hstore; CREATE TABLE config (a int); CREATE TABLE internal (a int);
            INSERT INTO config SELECT generate_series(1, 10); INSERT INTO internal VALUES (1);
            ALTER EXTENSION hstore ADD TABLE config; ALTER EXTENSION hstore ADD TABLE internal;
            UPDATE pg_extension SET extconfig = ARRAY['config'::regclass::oid], extcondition = ARRAY['WHERE a > 7'] WHERE extname =
                'hstore';
            """);
        SourceMetadata captured = await CaptureAsync(server.Settings("extended"));
        Assert.Equal(("public.config", 3L), captured.Tables!.Select(static t => (t.Name, t.Rows)).Single());
        PostgresDetails details = PostgresDetails.From(captured.Details!.Value);
        Assert.Equal(("extension", "hstore", "WHERE a > 7"), details.Tables.Select(static t => (t.Kind, t.Extension, t.Where)).Single());
        Assert.Equal(["public.config"], details.Extensions.Single(static e => e.Name == "hstore").ConfigurationTables);
    }

    [Fact]
    public async Task A_server_that_crashes_or_is_down_is_a_clear_error()
    {
        await using PostgresServer own = await PostgresServer.StartAsync();
        own.Sql("postgres", "CREATE TABLE t AS SELECT i, repeat('x', 2000) FROM generate_series(1, 20000) i");
        PostgresSource source = new(own.Settings("postgres"), own.Bin, Host.Context, new NoSecrets());
        await using ICapture capture = await source.OpenAsync(Cancellation);
        LifeboatException lost = await Assert.ThrowsAsync<LifeboatException>(() => capture.WriteAsync(
            new MeddlingWriter(static path => path.EndsWith("public.t.copy", StringComparison.Ordinal), () => own.Stop()), Cancellation)
            .WaitAsync(TimeSpan.FromSeconds(30), Cancellation));
        // A worker or program that connects only now finds no server at all.
        Assert.True(lost.Code == ErrorCodes.PostgresConnectionLost || lost.Code == ErrorCodes.PostgresUnreachable, lost.ToString());
        LifeboatException down = await Assert.ThrowsAsync<LifeboatException>(() => source.OpenAsync(Cancellation));
        Assert.Equal(ErrorCodes.PostgresUnreachable, down.Code);
        Assert.Equal([ErrorCodes.PostgresUnreachable], (await source.CheckAsync(Cancellation)).Select(static p => p.Code));
    }

    [Fact]
    public async Task Cancelling_stops_a_capture_and_leaves_nothing_behind()
    {
        server.CreateDatabase("cancelled");
        server.Sql("cancelled", "CREATE TABLE t AS SELECT i, repeat('x', 2000) FROM generate_series(1, 20000) i");
        using CancellationTokenSource cancel = new();
        await using ICapture capture = await Source(server.Settings("cancelled")).OpenAsync(Cancellation);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => capture.WriteAsync(
            new MeddlingWriter(static path => path.EndsWith("public.t.copy", StringComparison.Ordinal), cancel.Cancel), cancel.Token)
            .WaitAsync(TimeSpan.FromSeconds(30), Cancellation));
        await capture.DisposeAsync();
        Assert.Empty(Directory.GetFiles(_folder["tmp"]));
        await Task.Delay(500, Cancellation);
        Assert.Equal("0", server.Sql("postgres", "SELECT count(*) FROM pg_stat_activity WHERE datname = 'cancelled'").Trim());
    }

    private async Task<SourceMetadata> CaptureAsync(PostgresSettings settings, int blocksPerPart = 8192, string tree = "tree")
    {
        await using ICapture capture = await Source(settings, blocksPerPart).OpenAsync(Cancellation);
        SourceMetadata captured = await capture.WriteAsync(new FolderSnapshot(_folder[tree]), Cancellation);
        Assert.Contains("restore.sql", capture.Instructions, StringComparison.Ordinal);
        await capture.DisposeAsync();
        Assert.Empty(Directory.GetFiles(_folder["tmp"]));
        return captured;
    }

    private PostgresSource Source(PostgresSettings settings, int blocksPerPart = 8192) =>
        new(settings, server.Bin, Host.Context, new NoSecrets()) { BlocksPerPart = blocksPerPart, LockTimeout = TimeSpan.FromSeconds(2) };

    private void AssertRestoresByHand(string database, SourceMetadata captured, string tree = "tree")
    {
        string restored = database + " restored";
        server.CreateDatabase(restored);
        server.SqlFile(restored, Path.Combine(_folder[tree], $"databases/{captured.Name}/restore.sql"));
        AssertSameDump(database, restored);
    }

    private void AssertSameDump(string database, string restored)
    {
        string[] expected = Sorted(server.Dump(database));
        Assert.True(expected.Length > 20);
        Assert.Equal(expected, Sorted(server.Dump(restored)));
    }

    private static string[] Sorted(string dump) =>
        [.. dump.Split('\n').Where(static l => !l.StartsWith("\\restrict", StringComparison.Ordinal)
            && !l.StartsWith("\\unrestrict", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    private async Task WaitForLockAsync(string database)
    {
        while (server.Sql("postgres",
            $"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND wait_event_type = 'Lock'").Trim() == "0")
            await Task.Delay(50, Cancellation);
    }

    /// <summary>Transfers that always sum up to nothing: a capture that is not of one moment shows another sum.</summary>
    private void WriteTransfers(string database, CancellationToken enough)
    {
        for (int i = 1; !enough.IsCancellationRequested; i++)
            server.Sql(database,
                $"BEGIN; INSERT INTO public.account (amount, filler) VALUES ({i}, repeat('x', 3000)); "
                + $"INSERT INTO public.account (amount, filler) SELECT -{i}, repeat('y', 3000); COMMIT");
    }

    private const string AwkwardSql =
        """
        CREATE TABLE "Odd ""name'\
        \! :x 🛟" ("col""umn'\
        \. 🛟" text, id int GENERATED ALWAYS AS IDENTITY);
        INSERT INTO "Odd ""name'\
        \! :x 🛟" ("col""umn'\
        \. 🛟") VALUES (E'\\.'), (E'tab\tline\nback\\slash\r\b\f\v');
        CREATE TABLE no_columns ();
        INSERT INTO no_columns DEFAULT VALUES; INSERT INTO no_columns DEFAULT VALUES; INSERT INTO no_columns DEFAULT VALUES;
        CREATE TABLE empty (a int, b text);
        CREATE TABLE generated (a int, b int GENERATED ALWAYS AS (a * 2) STORED, gone int, c money, d timestamptz, e interval, f float8);
        ALTER TABLE generated DROP COLUMN gone;
        INSERT INTO generated VALUES (1, DEFAULT, 12.34, '2024-02-29 12:34:56.789+05', '1 mon -2 days', 'NaN'), (2, DEFAULT, NULL,
            'infinity', NULL, 0.1);
        CREATE TABLE parent (a int); CREATE TABLE child (b int) INHERITS (parent);
        INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 2), (3, 3);
        CREATE TABLE events (at date, what text) PARTITION BY RANGE (at);
        CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        CREATE TABLE events_rest PARTITION OF events DEFAULT;
        INSERT INTO events VALUES ('2024-05-01', 'a'), ('2030-01-01', 'b'), (NULL, 'c');
        CREATE UNLOGGED TABLE unlogged (a int); INSERT INTO unlogged VALUES (1);
        CREATE TABLE "case" (a int); CREATE TABLE "CASE" (a int); INSERT INTO "case" VALUES (1); INSERT INTO "CASE" VALUES (2);
        CREATE SCHEMA "a.b"; CREATE SCHEMA a; CREATE TABLE "a.b".c (a int); CREATE TABLE a."b.c" (a int); INSERT INTO a."b.c" VALUES (3);
        CREATE SEQUENCE started START 10; SELECT nextval('started'); CREATE SEQUENCE unstarted START 5; SELECT setval('unstarted', 7,
            false);
        CREATE SEQUENCE down INCREMENT -1; SELECT nextval('down');
        CREATE VIEW between_them AS SELECT sum(a) AS a FROM parent;
        CREATE MATERIALIZED VIEW b_first AS SELECT a FROM between_them;
        CREATE MATERIALIZED VIEW a_second AS SELECT a + 1 AS a FROM b_first;
        CREATE MATERIALIZED VIEW unpopulated AS SELECT a FROM a_second WITH NO DATA;
        CREATE TABLE referenced (id int PRIMARY KEY); CREATE TABLE referring (id int REFERENCES referenced);
        INSERT INTO referenced VALUES (1); INSERT INTO referring VALUES (1);
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
        INSERT INTO empty VALUES (1, 'x'); DELETE FROM empty;
        CREATE TRIGGER refuses BEFORE INSERT ON generated FOR EACH ROW EXECUTE FUNCTION refuse();
        DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'Lo "owner') THEN CREATE ROLE "Lo ""owner"; END IF; END $$;
        SELECT lo_from_bytea(1234567, decode(repeat('00ff5c0a', 2000), 'hex')); SELECT lo_create(1234568);
        ALTER LARGE OBJECT 1234567 OWNER TO "Lo ""owner"; GRANT SELECT ON LARGE OBJECT 1234567 TO PUBLIC; COMMENT ON LARGE OBJECT 1234568
            IS 'it''s empty';
        CREATE EXTENSION hstore; CREATE TABLE h (h hstore); INSERT INTO h VALUES ('a=>1');
        """;
}

/// <summary>A writer that keeps nothing, and does something when the first bytes of a certain file arrive.</summary>
public sealed class MeddlingWriter(Func<string, bool> isMeant, Action meddle) : ISnapshotWriter
{
    public async Task<EntryReceipt> AddAsync(EntryHeader header, Func<Stream, CancellationToken, Task> body, CancellationToken cancellation)
    {
        await using MeddlingStream stream = new(isMeant(header.Path) ? meddle : null);
        await body(stream, cancellation);
        return new EntryReceipt(header.Path, stream.Position, "");
    }

    private sealed class MeddlingStream(Action? meddle) : MemoryStream
    {
        private long _length;
        private bool _done;

        public override long Position { get => _length; set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            _length += buffer.Length;
            if (!_done)
                meddle?.Invoke();
            _done = true;
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Write(buffer.Span);
            return ValueTask.CompletedTask;
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        {
            Write(buffer.AsSpan(offset, count));
            return Task.CompletedTask;
        }
    }
}
