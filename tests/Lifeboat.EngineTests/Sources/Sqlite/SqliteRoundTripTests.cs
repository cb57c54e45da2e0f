using System.Diagnostics;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Processes;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Sqlite;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Sqlite;

public sealed class SqliteRoundTripTests
{
    private const string Everything =
        """
        PRAGMA journal_mode=WAL; PRAGMA user_version=7; PRAGMA application_id=1234;
        CREATE TABLE plain(id INTEGER PRIMARY KEY, a TEXT, b REAL, c BLOB, d);
        INSERT INTO plain VALUES(1,'one',1.5,x'00ff','x'),(2,CAST(x'fffe41' AS TEXT),-0.0,zeroblob(1000),NULL),
          (-3,'nul'||char(0)||'inside',9e999,'',9223372036854775807);
        CREATE TABLE wr(k TEXT PRIMARY KEY, v INT) WITHOUT ROWID; INSERT INTO wr VALUES('a',1),('b',2);
        CREATE TABLE "quo""ted 'name"("sel""ect" TEXT, "from" INT); INSERT INTO "quo""ted 'name" VALUES('x',1);
        CREATE TABLE gen(a INT, b INT GENERATED ALWAYS AS (a*2) VIRTUAL, c INT GENERATED ALWAYS AS (a+1) STORED, d TEXT);
        INSERT INTO gen(a,d) VALUES(5,'g');
        CREATE TABLE auto(id INTEGER PRIMARY KEY AUTOINCREMENT, t); INSERT INTO auto(t) VALUES(1),(2); DELETE FROM auto;
        CREATE VIRTUAL TABLE docs USING fts5(title, body); INSERT INTO docs VALUES('boat','a lifeboat floats'),('sea','deep water');
        CREATE VIRTUAL TABLE old USING fts4(body); INSERT INTO old VALUES('old lifeboat');
        CREATE VIRTUAL TABLE box USING rtree(id,x0,x1); INSERT INTO box VALUES(1,0,1);
        CREATE VIEW v AS SELECT a FROM plain; CREATE TRIGGER tr AFTER INSERT ON wr BEGIN DELETE FROM auto; END;
        CREATE INDEX ix ON plain(a COLLATE NOCASE);
        """;

    [Fact]
    public async Task Every_kind_of_table_and_value_comes_back()
    {
        using SqliteBench bench = new();
        await SqliteBench.SqlAsync(bench.Live, Everything);
        await Shell.RunAsync("chmod 640 *; touch -d '2020-02-02 02:02:02.020202020' *", Path.GetDirectoryName(bench.Live)!);
        string dump = await SqliteBench.SqlAsync(bench.Live, ".dump");

        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        SourceMetadata captured = snapshot.Metadata.Sources[0];
        SqliteDetails details = SqliteDetails.From(captured);
        Assert.Equal(("wal", 7L, 1234L, "ok"), (details.JournalMode, details.UserVersion, details.ApplicationId, details.Integrity));
        Assert.Equal(3, captured.Tables!.Single(static table => table.Name == "plain").Rows);
        Assert.Contains(captured.Tables!, static table => table.Name == "\"quo\"\"ted 'name\"");
        Assert.Contains(captured.Tables!, static table => table.Name == "docs_data" && table.Rows > 0);
        Assert.DoesNotContain(captured.Tables!, static table => table.Name == "docs");
        await bench.RestoreAsync(snapshot, bench.Target);

        Assert.Equal(
            "640 1580608922.020202020", (await Shell.RunAsync("stat -c '%a %.9Y' app.db", Path.GetDirectoryName(bench.Target)!)).Trim());
        Assert.Equal(dump, await SqliteBench.SqlAsync(bench.Target, ".dump"));
        Assert.Equal("wal\n", await SqliteBench.SqlAsync(bench.Target, "PRAGMA journal_mode"));
        Assert.Equal("boat\n", await SqliteBench.SqlAsync(bench.Target, "SELECT title FROM docs WHERE docs MATCH 'lifeboat'"));
        Assert.Equal(
            ["app.db"], Directory.EnumerateFiles(Path.GetDirectoryName(bench.Target)!).Select(static path => Path.GetFileName(path)));
    }

    [Fact]
    public async Task What_only_the_application_knows_how_to_compare_or_compute_is_captured_all_the_same()
    {
        using SqliteBench bench = new();
        using (SqliteDatabase app = SqliteBench.OpenAsApplication(bench.Live))
        {
            app.ExecuteAll("""
                CREATE TABLE tags (tag TEXT COLLATE unicase NOT NULL, "it's" INT COLLATE nocase, PRIMARY KEY (tag, "it's")) WITHOUT ROWID;
                INSERT INTO tags VALUES ('b', 1), ('A', 2), ('c', 3), ('B', 4);
                CREATE TABLE "od'd ""t" (k TEXT PRIMARY KEY COLLATE unicase, n INT UNIQUE) WITHOUT ROWID; INSERT INTO "od'd ""t" VALUES ('x', 1);
                CREATE TABLE notes (id INTEGER PRIMARY KEY, v TEXT COLLATE unicase UNIQUE, g TEXT AS (turned(v)) STORED, h TEXT AS (turned(v)), CHECK (turned(v) <> 'q'));
                INSERT INTO notes (v) VALUES ('abc'), ('Z'); CREATE INDEX by_turned ON notes (turned(v)); CREATE INDEX some ON notes (id) WHERE turned(v) > 'a';
                CREATE VIEW turned_notes AS SELECT turned(v) FROM notes; CREATE TRIGGER t AFTER INSERT ON notes BEGIN SELECT turned(new.v); END;
                PRAGMA writable_schema = ON; INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql) VALUES ('table', 'vt', 'vt', 0, 'CREATE VIRTUAL TABLE vt USING nosuch(a)');
                """);
        }

        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        Assert.Equal(
            [("\"od'd \"\"t\"", 1L), ("notes", 2L), ("tags", 4L)], snapshot.Metadata.Sources[0].Tables!.Select(static table => (table.Name, table.Rows)).Order());
        Problem warning = Assert.Single(bench.Host.Warnings);
        Assert.Contains("is not checked: ", warning.Message, StringComparison.Ordinal);
        await bench.RestoreAsync(snapshot, bench.Target);
        // All pages but for the counters in the header, which the copying itself changes.
        Assert.Equal((await File.ReadAllBytesAsync(bench.Live, TestContext.Current.CancellationToken))[100..], (await File.ReadAllBytesAsync(bench.Target, TestContext.Current.CancellationToken))[100..]);
        using SqliteDatabase restored = SqliteBench.OpenAsApplication(bench.Target);
        Assert.Equal(3, restored.Number("SELECT count(*) FROM tags WHERE tag = 'B' OR tag = 'C'"));
    }

    [Fact]
    public async Task Capturing_changes_and_leaves_nothing_beside_the_database()
    {
        using SqliteBench bench = new();
        await SqliteBench.SqlAsync(bench.Live, "PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES(1);");
        string folder = Path.GetDirectoryName(bench.Live)!;
        const string look = "for f in *; do stat -c '%n %Y %Z %i %s' \"$f\"; sha256sum < \"$f\"; done";
        string before = await Shell.RunAsync(look, folder);
        Assert.Empty(await bench.Source(bench.Live).CheckAsync(CancellationToken.None));
        await bench.CaptureAsync();
        Assert.Equal(before, await Shell.RunAsync(look, folder));
    }

    [Theory]
    [InlineData("WAL")]
    [InlineData("DELETE")]
    public async Task A_database_under_writes_is_captured_at_one_moment(string mode)
    {
        using SqliteBench bench = new();
        await SqliteBench.SqlAsync(
            bench.Live,
            $"""
            PRAGMA journal_mode={mode}; CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT, pad TEXT);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<5000) INSERT INTO account SELECT i, 100, printf('%.200c','x') FROM n;
            """);
        Random random = new(4);
        string transfers = string.Concat(Enumerable.Range(0, 500).Select(_ =>
            $"BEGIN IMMEDIATE; UPDATE account SET balance=balance-7 WHERE id={random.Next(1, 5001)}; "
            + $"UPDATE account SET balance=balance+7 WHERE id={random.Next(1, 5001)}; COMMIT;\n"));
        string path = Path.Combine(bench.Folder, "transfer.sql");
        await File.WriteAllTextAsync(
            path, ".timeout 20000\n" + transfers, TestContext.Current.CancellationToken);
        await using RunningProgram writer = RunningProgram.Launch(
            new ProgramStart("bash", ["-c", "while :; do sqlite3 \"$0\" < \"$1\"; done", bench.Live, path]));
        await Task.Delay(300, TestContext.Current.CancellationToken);
        for (int round = 0; round < 5; round++)
        {
            VerifiedSnapshot snapshot = await bench.CaptureAsync();
            string copy = Path.Combine(bench.Snapshot, "databases/app/app.sqlite");
            Assert.Equal(
                "500000|5000\n", await SqliteBench.SqlAsync($"file:{copy}?immutable=1", "SELECT sum(balance), count(*) FROM account"));
            Assert.Equal(mode == "WAL" ? "wal" : "rollback", SqliteDetails.From(snapshot.Metadata.Sources[0]).JournalMode);
            Directory.Delete(bench.Snapshot, recursive: true);
            Directory.CreateDirectory(bench.Snapshot);
        }

        Assert.False(writer.HasExited);
    }

    [Fact]
    public async Task A_log_of_a_killed_writer_is_captured_too()
    {
        using SqliteBench bench = new();
        await SqliteBench.SqlAsync(bench.Live, "PRAGMA journal_mode=WAL; CREATE TABLE t(a);");
        string path = Path.Combine(bench.Folder, "w.sql");
        await File.WriteAllTextAsync(
            path,
            "PRAGMA wal_autocheckpoint=0; INSERT INTO t VALUES('in the log');\n.shell kill -9 $PPID\n",
            TestContext.Current.CancellationToken);
        await Shell.RunAsync($"sqlite3 \"$(ls)\" < '{path}' || true", Path.GetDirectoryName(bench.Live)!);
        Assert.True(new FileInfo(bench.Live + "-wal").Length > 0);
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        Assert.Equal(1, snapshot.Metadata.Sources[0].Tables!.Single().Rows);
    }

    [Fact]
    public async Task The_instructions_restore_the_database_with_stock_tools()
    {
        using SqliteBench bench = new();
        await SqliteBench.SqlAsync(bench.Live, "PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES('by hand');");
        await bench.CaptureAsync();
        string said = await Shell.RunAsync(bench.ShellBlocks(), bench.Snapshot);
        Assert.Contains("app.sqlite: OK\nok\n", said, StringComparison.Ordinal);
        Assert.Equal(
            "by hand\n",
            await SqliteBench.SqlAsync(Path.Combine(bench.Snapshot, "restored/app", Path.GetFileName(bench.Live)), "SELECT a FROM t"));
    }

    [Fact]
    public async Task A_commit_leaves_no_log_of_the_old_database_beside_the_new_one_and_reverts()
    {
        using SqliteBench bench = new();
        await SqliteBench.SqlAsync(bench.Live, "PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES('captured');");
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        string path = Path.Combine(bench.Folder, "w.sql");
        await File.WriteAllTextAsync(
            path, "PRAGMA wal_autocheckpoint=0; UPDATE t SET a='newer';\n.shell kill -9 $PPID\n", TestContext.Current.CancellationToken);
        await Shell.RunAsync($"sqlite3 \"$(ls)\" < '{path}' || true", Path.GetDirectoryName(bench.Live)!);
        Assert.True(new FileInfo(bench.Live + "-wal").Length > 0);

        await using IRestoration restoration = bench.Source(bench.Live).PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("r1"));
        await restoration.StageAsync(CancellationToken.None);
        Assert.True((await restoration.VerifyAsync(CancellationToken.None)).Passed);
        await restoration.CommitAsync(CancellationToken.None);
        Assert.False(File.Exists(bench.Live + "-wal"));
        Assert.Equal("captured\n", await SqliteBench.SqlAsync(bench.Live, "SELECT a FROM t"));
        Assert.Equal("newer\n", await SqliteBench.SqlAsync(bench.Live + "__before_r1", "SELECT a FROM t"));

        await restoration.RevertAsync(CancellationToken.None);
        Assert.Equal("newer\n", await SqliteBench.SqlAsync(bench.Live, "SELECT a FROM t"));
        Assert.Single(Directory.EnumerateFiles(Path.GetDirectoryName(bench.Live)!));
    }

    [Fact]
    public async Task A_damaged_live_database_with_leftovers_can_be_replaced()
    {
        using SqliteBench bench = new();
        await SqliteBench.SqlAsync(bench.Live, "CREATE TABLE t(a); INSERT INTO t VALUES('good');");
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        File.WriteAllText(bench.Live, "garbage that is no database at all, far from it");
        File.WriteAllText(bench.Live + "-journal", "old journal");
        File.WriteAllText(bench.Live + "-wal", "old log");
        await bench.RestoreAsync(snapshot, bench.Live);
        Assert.Equal("good\n", await SqliteBench.SqlAsync(bench.Live, "SELECT a FROM t"));
        Assert.Equal("old journal", File.ReadAllText(bench.Live + "__before_r1-journal"));
        Assert.Equal("old log", File.ReadAllText(bench.Live + "__before_r1-wal"));
    }

    [Fact]
    public async Task A_database_that_another_process_has_open_is_not_switched()
    {
        using SqliteBench bench = new();
        await SqliteBench.SqlAsync(bench.Live, "PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES('live');");
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        await using RunningProgram holder = RunningProgram.Launch(new ProgramStart("sqlite3", [bench.Live]));
        await holder.Input.WriteAsync("SELECT * FROM t;\n"u8.ToArray(), TestContext.Current.CancellationToken);
        await holder.Input.FlushAsync(TestContext.Current.CancellationToken);
        Assert.Equal(5, await holder.Output.ReadAtLeastAsync(new byte[5], 5, cancellationToken: TestContext.Current.CancellationToken));

        await using IRestoration restoration = bench.Source(bench.Live).PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("r1"));
        RestorePlan plan = await restoration.PlanAsync(CancellationToken.None);
        Assert.Contains(
            plan.Warnings,
            problem => problem.Code == ErrorCodes.SqliteInUse
                && problem.Message.Contains($"process {holder.Id}", StringComparison.Ordinal));
        await restoration.StageAsync(CancellationToken.None);
        LifeboatException e = await Assert.ThrowsAsync<LifeboatException>(() => restoration.CommitAsync(CancellationToken.None));
        Assert.Equal(ErrorCodes.SqliteInUse, e.Code);
        await restoration.DiscardAsync(CancellationToken.None);
        await holder.Input.WriteAsync("INSERT INTO t VALUES('still');\n.quit\n"u8.ToArray(), TestContext.Current.CancellationToken);
        holder.Input.Close();
        Assert.Equal(0, await holder.WaitAsync(TestContext.Current.CancellationToken));
        Assert.Equal("live\nstill\n", await SqliteBench.SqlAsync(bench.Live, "SELECT * FROM t"));
        Assert.Single(Directory.EnumerateFiles(Path.GetDirectoryName(bench.Live)!));
    }

    [Fact]
    public async Task One_changed_byte_of_one_value_fails_the_verification()
    {
        using SqliteBench bench = new();
        await SqliteBench.SqlAsync(bench.Live, "CREATE TABLE t(a); INSERT INTO t VALUES('precious value');");
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        SourceMetadata captured = snapshot.Metadata.Sources[0];
        string copy = Path.Combine(bench.Snapshot, "databases/app/app.sqlite");
        await Shell.RunAsync($"sed -i 's/precious value/precious volue/' '{copy}'", bench.Snapshot);
        VerifiedSnapshot damaged = await new FolderSnapshot(bench.Snapshot).FinishAsync(captured);

        await using IRestoration restoration = bench.Source(bench.Target).PrepareRestore(damaged, captured, new RestoreRun("r1"));
        await restoration.StageAsync(CancellationToken.None);
        VerifyReport report = await restoration.VerifyAsync(CancellationToken.None);
        Assert.Equal("table t", Assert.Single(report.Checks, static check => !check.Passed).Subject);
        await restoration.DiscardAsync(CancellationToken.None);
        Assert.False(Directory.Exists(Path.GetDirectoryName(bench.Target)));
    }

    [Fact]
    public async Task What_cannot_be_captured_is_a_clear_error()
    {
        using SqliteBench bench = new();
        Assert.Equal(ErrorCodes.SqliteMissing, await CodeAsync(bench));
        Assert.False(File.Exists(bench.Live));
        File.WriteAllBytes(bench.Live, [.. Enumerable.Range(0, 8192).Select(static i => (byte)(i * 7))]);
        Assert.Equal(ErrorCodes.SqliteNotADatabase, await CodeAsync(bench));
        File.Delete(bench.Live);
        await SqliteBench.SqlAsync(
            bench.Live,
            """
            PRAGMA page_size=512; CREATE TABLE t(a);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<500) INSERT INTO t SELECT printf('%.200c','x') FROM n;
            """);
        string path = Path.Combine(bench.Folder, "hot.sql");
        await File.WriteAllTextAsync(
            path, "PRAGMA cache_size=1; BEGIN; UPDATE t SET a='y'||a;\n.shell kill -9 $PPID\n", TestContext.Current.CancellationToken);
        await Shell.RunAsync($"sqlite3 \"$(ls)\" < '{path}' || true", Path.GetDirectoryName(bench.Live)!);
        Assert.True(File.Exists(bench.Live + "-journal"));
        Assert.Equal(ErrorCodes.SqliteUnreadable, await CodeAsync(bench));
    }

    [Fact]
    public async Task An_empty_file_is_an_empty_database()
    {
        using SqliteBench bench = new();
        File.WriteAllBytes(bench.Live, []);
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        Assert.Empty(snapshot.Metadata.Sources[0].Tables!);
        await bench.RestoreAsync(snapshot, bench.Target);
        await bench.RestoreAsync(snapshot, bench.Live);
    }

    [Fact]
    public async Task A_hundred_thousand_rows_are_captured_quickly()
    {
        using SqliteBench bench = new();
        await SqliteBench.SqlAsync(
            bench.Live,
            """
            PRAGMA journal_mode=WAL; CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b REAL, c INT, d TEXT);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<100000)
            INSERT INTO t SELECT i, 'name '||i, i*1.5, i%17, printf('%.80c','x') FROM n;
            CREATE INDEX ix ON t(a);
            """);
        Stopwatch time = Stopwatch.StartNew();
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        Assert.True(time.Elapsed < TimeSpan.FromSeconds(5), $"it took {time.Elapsed}");
        TestContext.Current.TestOutputHelper?.WriteLine(time.Elapsed.ToString());
        Assert.Equal(100_000, snapshot.Metadata.Sources[0].Tables!.Single().Rows);
    }

    [Fact]
    public async Task A_database_on_a_read_only_file_system_is_captured_unless_it_needs_its_log()
    {
        Needs.Root();
        using SqliteBench bench = new();
        string folder = Path.GetDirectoryName(bench.Live)!;
        await Shell.RunAsync($"mount -t tmpfs tmpfs '{folder}'", bench.Folder);
        try
        {
            await SqliteBench.SqlAsync(bench.Live, "PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES(1);");
            await Shell.RunAsync("mount -o remount,ro .", folder);
            VerifiedSnapshot snapshot = await bench.CaptureAsync();
            Assert.Equal(1, snapshot.Metadata.Sources[0].Tables!.Single().Rows);

            string path = Path.Combine(bench.Folder, "w.sql");
            await File.WriteAllTextAsync(
                path, "PRAGMA wal_autocheckpoint=0; INSERT INTO t VALUES(2);\n.shell kill -9 $PPID\n", TestContext.Current.CancellationToken);
            await Shell.RunAsync($"mount -o remount,rw .; sqlite3 \"$(ls)\" < '{path}' || true; rm -f *-shm; mount -o remount,ro .", folder);
            Assert.Equal(ErrorCodes.SqliteUnreadable, await CodeAsync(bench));
        }
        finally
        {
            await Shell.RunAsync($"umount '{folder}'", bench.Folder);
        }
    }

    [Fact]
    public async Task A_full_disk_while_staging_is_an_error_and_leaves_the_live_database()
    {
        Needs.Root();
        using SqliteBench bench = new();
        await SqliteBench.SqlAsync(bench.Live, "CREATE TABLE t(a); INSERT INTO t VALUES(randomblob(300000));");
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        string folder = Path.Combine(bench.Folder, "small");
        Directory.CreateDirectory(folder);
        await Shell.RunAsync($"mount -t tmpfs -o size=64k tmpfs '{folder}'; echo live > '{folder}/app.db'", bench.Folder);
        try
        {
            await using IRestoration restoration =
                bench.Source(Path.Combine(folder, "app.db")).PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("r1"));
            LifeboatException e = await Assert.ThrowsAsync<LifeboatException>(() => restoration.StageAsync(CancellationToken.None));
            Assert.Equal(ErrorCodes.DiskFull, e.Code);
            await restoration.DiscardAsync(CancellationToken.None);
            Assert.Equal("app.db\nlive\n", await Shell.RunAsync("ls; cat app.db", folder));
        }
        finally
        {
            await Shell.RunAsync($"umount '{folder}'", bench.Folder);
        }
    }

    private static async Task<ErrorCode> CodeAsync(SqliteBench bench)
    {
        IReadOnlyList<Problem> problems = await bench.Source(bench.Live).CheckAsync(CancellationToken.None);
        LifeboatException e = await Assert.ThrowsAsync<LifeboatException>(() => bench.Source(bench.Live).OpenAsync(CancellationToken.None));
        Assert.Equal(e.Code, Assert.Single(problems).Code);
        return e.Code;
    }
}
