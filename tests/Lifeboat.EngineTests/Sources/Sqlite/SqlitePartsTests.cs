using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Sqlite;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Sqlite;

public sealed class SqlitePartsTests
{
    private const string Schema =
        """"
        CREATE TABLE customer (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, "odd ""col" BLOB, twice INT GENERATED ALWAYS AS (id * 2));
        CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INT REFERENCES customer, note TEXT, price REAL);
        CREATE INDEX by_note ON orders (note);
        CREATE TABLE audit (what TEXT);
        CREATE TRIGGER logged AFTER INSERT ON orders BEGIN INSERT INTO audit VALUES ('order ' || new.id); END;
        CREATE TABLE "it's ""odd""" (a, b, PRIMARY KEY (b, a)) WITHOUT ROWID;
        CREATE TABLE loose (v, w);
        CREATE VIRTUAL TABLE search USING fts5(note, content='orders', content_rowid='id');
        INSERT INTO customer (name, "odd ""col") VALUES ('a', x'00ff'), ('b', NULL), ('c', 'text');
        INSERT INTO orders VALUES (1, 1, 'first', 1.5), (2, 2, 'second', 1e300), (3, 3, 'third', -0.1), (9, 1, NULL, NULL);
        DELETE FROM audit;
        INSERT INTO "it's ""odd""" VALUES (1, 'x'), (2, 'x'), (x'00', 1.5);
        INSERT INTO loose VALUES (1, 'a'), (1, 'a'), (1.0, 'a'), (NULL, NULL), (NULL, NULL), ('A', 'x');
        INSERT INTO search (search) VALUES ('rebuild');
        """";

    /// <summary>All rows with their types, ids and definitions.</summary>
    private const string Look =
        """"
        .mode quote
        SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2; SELECT * FROM sqlite_sequence;
        SELECT * FROM customer ORDER BY id; SELECT * FROM orders ORDER BY id; SELECT * FROM audit; SELECT * FROM "it's ""odd""";
        SELECT rowid, v, w FROM loose ORDER BY rowid; SELECT rowid FROM search WHERE search MATCH 'first OR changed'; PRAGMA journal_mode;
        """";

    [Theory]
    [InlineData("wal")]
    [InlineData("delete")]
    public async Task A_table_is_replaced_and_all_else_stays(string journal)
    {
        using SqliteBench bench = new();
        VerifiedSnapshot snapshot = await CaptureAsync(bench, journal);
        string captured = await SqliteBench.SqlAsync(bench.Live, "SELECT * FROM orders ORDER BY id; SELECT rowid, * FROM loose;");
        await SqliteBench.SqlAsync(bench.Live, "UPDATE orders SET note = 'changed'; INSERT INTO orders VALUES (20, 2, 'mine', 0); DELETE FROM orders WHERE id = 2; UPDATE customer SET name = name || '!'; DELETE FROM loose WHERE rowid > 2; INSERT INTO loose VALUES (7, 7);");
        await Shell.RunAsync("chmod 640 live/*; touch -d 2020-01-01 live/*", bench.Folder);
        string old = await SqliteBench.SqlAsync(bench.Live, Look);

        IRestoration restoration = Prepare(bench, snapshot, RestoreMode.Replace, "r1", "orders", "lo?se");
        await FinishAsync(restoration);
        Assert.Equal(captured, await SqliteBench.SqlAsync(bench.Live, "SELECT * FROM orders ORDER BY id; SELECT rowid, * FROM loose;"));
        Assert.Equal("a!,b!,c!|ok|0", (await SqliteBench.SqlAsync(bench.Live, "SELECT group_concat(name) || '|' || (SELECT * FROM pragma_integrity_check) || '|' || (SELECT count(*) FROM pragma_foreign_key_check) FROM customer;")).Trim());
        Assert.Equal("4|order 20\n", await SqliteBench.SqlAsync(bench.Live, "SELECT count(*), (SELECT group_concat(what) FROM audit) FROM orders;"));
        Assert.Equal("1\n", await SqliteBench.SqlAsync(bench.Live, "SELECT rowid FROM search WHERE search MATCH 'first OR changed';"));
        Assert.Equal(journal + "\n", await SqliteBench.SqlAsync(bench.Live, "PRAGMA journal_mode;"));
        Assert.Equal("640\n", await Shell.RunAsync("stat -c %a live/it*sqlite", bench.Folder));

        ISwitch undo = bench.Source(bench.Live).Resume(await restoration.Switch.InverseAsync("u1", CancellationToken.None), new RestoreRun("u1"));
        await undo.ForwardAsync(CancellationToken.None);
        await undo.FinishAsync(CancellationToken.None);
        Assert.Equal(old, await SqliteBench.SqlAsync(bench.Live, Look));
        await undo.DropOutgoingAsync(CancellationToken.None);
        Assert.Equal([Path.GetFileName(bench.Live)], LiveNames(bench));
    }

    [Theory]
    [InlineData("wal")]
    [InlineData("delete")]
    public async Task A_merge_adds_rows_by_their_keys_and_counts_exactly(string journal)
    {
        using SqliteBench bench = new();
        VerifiedSnapshot snapshot = await CaptureAsync(bench, journal);
        await SqliteBench.SqlAsync(bench.Live, """"
            DELETE FROM orders WHERE id IN (2, 9); UPDATE orders SET price = 7 WHERE id = 3; INSERT INTO orders VALUES (4, 1, 'mine', 1);
            DELETE FROM customer WHERE id = 1; INSERT INTO customer (name) VALUES ('a'); -- its name is unique, so the captured row cannot come back
            UPDATE orders SET customer = 4 WHERE customer = 1;
            DELETE FROM "it's ""odd""" WHERE a = 2; DELETE FROM loose WHERE rowid IN (2, 3, 4); INSERT INTO loose VALUES ('mine', 1); DELETE FROM audit;
            """");
        IRestoration merge = Prepare(bench, snapshot, RestoreMode.Merge, "m1", "loose", "it*", "audit");
        await FinishAsync(merge);
        Assert.Equal(
            ["""table audit 0 0 0""", """table it's "odd" 1 2 0""", """table loose 3 3 0"""],
            merge.Merged.Select(static one => $"{one.Subject} {one.Added} {one.Equal} {one.Different}"));
        Assert.Equal("1|a;1|a;1.0|a;A|x;mine|1;|;|", (await SqliteBench.SqlAsync(bench.Live, "SELECT group_concat(coalesce(v, '') || '|' || coalesce(w, ''), ';') FROM (SELECT * FROM loose ORDER BY v IS NULL, typeof(v) <> 'integer', v, w);")).Trim());

        // Order 9 is customer 1's, who cannot come back: nothing is done.
        LifeboatException e = await Assert.ThrowsAsync<LifeboatException>(() => FinishAsync(Prepare(bench, snapshot, RestoreMode.Merge, "m2")));
        Assert.Equal(ErrorCodes.PartDoesNotFit, e.Code);
        Assert.Contains("orders to customer", e.Message, StringComparison.Ordinal);
        await SqliteBench.SqlAsync(bench.Live, "INSERT INTO orders VALUES (9, 2, 'kept', 0);");
        IRestoration all = Prepare(bench, snapshot, RestoreMode.Merge, "m3");
        RestorePlan plan = await all.PlanAsync(CancellationToken.None);
        Assert.Contains(plan.Steps, static step => step.StartsWith("leave search as it is", StringComparison.Ordinal));
        await FinishAsync(all, isPlanned: true);
        Assert.Equal(
            ["table audit 0 0 0", "table customer 0 2 1", "table it's \"odd\" 0 3 0", "table loose 0 6 0", "table orders 1 0 3"],
            all.Merged.Select(static one => $"{one.Subject} {one.Added} {one.Equal} {one.Different}"));
        Assert.Equal(["id=1"], all.Merged[1].Examples);
        Assert.Equal(["id=1", "id=3", "id=9"], all.Merged[4].Examples);
        Assert.Equal("1|2|3|4|9|7.0|0", (await SqliteBench.SqlAsync(bench.Live, "SELECT group_concat(id, '|'), (SELECT price FROM orders WHERE id = 3), (SELECT count(*) FROM audit WHERE what = 'order 2') FROM (SELECT id FROM orders ORDER BY id);")).Trim());
    }

    [Fact]
    public async Task A_table_that_is_missing_is_created_with_its_indexes_and_triggers()
    {
        using SqliteBench bench = new();
        VerifiedSnapshot snapshot = await CaptureAsync(bench, "delete");
        string captured = await SqliteBench.SqlAsync(bench.Live, Look);
        await SqliteBench.SqlAsync(bench.Live, "DROP TABLE orders; DROP TABLE loose; DELETE FROM customer WHERE id > 3;");
        await FinishAsync(Prepare(bench, snapshot, RestoreMode.Replace, "r1", "orders"));
        IRestoration merge = Prepare(bench, snapshot, RestoreMode.Merge, "r2", "loose");
        await FinishAsync(merge);
        Assert.Equal((6, 0, 0), (merge.Merged[0].Added, merge.Merged[0].Equal, merge.Merged[0].Different));
        Assert.Equal(captured, await SqliteBench.SqlAsync(bench.Live, Look));
        await SqliteBench.SqlAsync(bench.Live, "INSERT INTO orders VALUES (10, 1, 'x', 1);");
        Assert.Equal("order 10\n", await SqliteBench.SqlAsync(bench.Live, "SELECT * FROM audit;"));
    }

    [Fact]
    public async Task Tables_alone_become_a_database_where_there_is_none()
    {
        using SqliteBench bench = new();
        VerifiedSnapshot snapshot = await CaptureAsync(bench, "wal");
        await SqliteBench.SqlAsync(bench.Live, "PRAGMA user_version;");
        IRestoration restoration = Prepare(bench, snapshot, RestoreMode.Replace, "r1", "customer", "it*");
        IRestoration elsewhere = new SqliteSource(new SqliteSettings("app", bench.Target), bench.Host.Context)
            .PreparePart(snapshot, snapshot.Metadata.Sources[0], new RestoreScope(["customer", "it*"], RestoreMode.Replace), new RestoreRun("r2"));
        await restoration.DisposeAsync();
        await FinishAsync(elsewhere);
        Assert.Equal("customer,it's \"odd\"|wal|3\n", await SqliteBench.SqlAsync(bench.Target, "SELECT (SELECT group_concat(name) FROM (SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name)), journal_mode, (SELECT seq FROM sqlite_sequence) FROM pragma_journal_mode;"));
    }

    [Theory]
    [InlineData("wal")]
    [InlineData("delete")]
    public async Task What_is_written_after_the_copy_was_made_stops_the_switch_and_is_not_lost(string journal)
    {
        using SqliteBench bench = new();
        VerifiedSnapshot snapshot = await CaptureAsync(bench, journal);
        foreach (bool writes in (bool[])[true, false])
        {
            IRestoration restoration = Prepare(bench, snapshot, RestoreMode.Replace, $"r{writes}", "orders");
            Assert.Empty((await restoration.PlanAsync(CancellationToken.None)).Blockers);
            await restoration.StageAsync(CancellationToken.None);
            Assert.True((await restoration.VerifyAsync(CancellationToken.None)).Passed);
            await SqliteBench.SqlAsync(bench.Live, writes ? "INSERT INTO loose VALUES ('late', 1);" : "SELECT count(*) FROM loose;");
            if (writes)
            {
                LifeboatException e = await Assert.ThrowsAsync<LifeboatException>(() => restoration.CommitAsync(CancellationToken.None));
                Assert.Contains("was written to after its copy was made", e.Message, StringComparison.Ordinal);
                await restoration.DiscardAsync(CancellationToken.None);
            }
            else
            {
                await restoration.CommitAsync(CancellationToken.None);
                await restoration.Switch.DropOutgoingAsync(CancellationToken.None);
            }

            await restoration.DisposeAsync();
            Assert.Equal("1\n", await SqliteBench.SqlAsync(bench.Live, "SELECT count(*) FROM loose WHERE v = 'late';"));
            Assert.Equal([Path.GetFileName(bench.Live)], LiveNames(bench));
        }
    }

    [Fact]
    public async Task What_does_not_fit_is_told_before_anything_is_done()
    {
        using SqliteBench bench = new();
        VerifiedSnapshot snapshot = await CaptureAsync(bench, "delete");
        await SqliteBench.SqlAsync(bench.Live, "ALTER TABLE orders ADD COLUMN extra TEXT; ALTER TABLE loose RENAME COLUMN w TO x;");
        IRestoration restoration = Prepare(bench, snapshot, RestoreMode.Replace, "r1", "orders", "loose", "search", "search_data", "custommer");
        string[] blockers = [.. (await restoration.PlanAsync(CancellationToken.None)).Blockers.Select(static problem => $"{problem.Code.Id} {problem.Message}")];
        await restoration.DisposeAsync();
        Assert.Equal(5, blockers.Length);
        Assert.Contains("matches custommer", blockers[0], StringComparison.Ordinal);
        Assert.All(blockers.Skip(1), static blocker => Assert.StartsWith("LB8025", blocker, StringComparison.Ordinal));
        Assert.Contains(blockers, static blocker => blocker.Contains("it has extra TEXT", StringComparison.Ordinal));
        Assert.Contains(blockers, static blocker => blocker.Contains("the live table does not have w; it has x", StringComparison.Ordinal));
        Assert.Equal(2, blockers.Count(static blocker => blocker.Contains("a virtual table", StringComparison.Ordinal)));
        Assert.Empty(Directory.EnumerateFileSystemEntries(bench.Host.Context.Host.TempDirectory));
        Assert.Equal(ErrorCodes.PartsUnsupported, Assert.Throws<LifeboatException>(() => Prepare(bench, snapshot, RestoreMode.Beside, "r2", "orders")).Code);

        // Rows that others need cannot go.
        await SqliteBench.SqlAsync(bench.Live, "INSERT INTO customer (id, name) VALUES (77, 'new'); INSERT INTO orders (id, customer) VALUES (77, 77);");
        LifeboatException e = await Assert.ThrowsAsync<LifeboatException>(() => FinishAsync(Prepare(bench, snapshot, RestoreMode.Replace, "r3", "customer")));
        Assert.Equal(ErrorCodes.PartDoesNotFit, e.Code);
        Assert.Equal("1\n", await SqliteBench.SqlAsync(bench.Live, "SELECT count(*) FROM customer WHERE id = 77;"));
    }

    private static async Task<VerifiedSnapshot> CaptureAsync(SqliteBench bench, string journal)
    {
        await SqliteBench.SqlAsync(bench.Live, $"PRAGMA journal_mode = {journal};\n{Schema}");
        return await bench.CaptureAsync();
    }

    private static IRestoration Prepare(SqliteBench bench, VerifiedSnapshot snapshot, RestoreMode mode, string id, params string[] parts) =>
        bench.Source(bench.Live).PreparePart(snapshot, snapshot.Metadata.Sources[0], new RestoreScope(parts, mode), new RestoreRun(id));

    private static async Task FinishAsync(IRestoration restoration, bool isPlanned = false)
    {
        try
        {
            if (!isPlanned)
                Assert.Empty((await restoration.PlanAsync(CancellationToken.None)).Blockers);
            await restoration.StageAsync(CancellationToken.None);
            VerifyReport report = await restoration.VerifyAsync(CancellationToken.None);
            Assert.True(report.Passed, string.Join('\n', report.Checks.Where(static check => !check.Passed)));
            await restoration.CommitAsync(CancellationToken.None);
            await restoration.Switch.FinishAsync(CancellationToken.None);
        }
        catch (LifeboatException)
        {
            await restoration.DiscardAsync(CancellationToken.None);
            throw;
        }
        finally
        {
            await restoration.DisposeAsync();
        }
    }

    private static string[] LiveNames(SqliteBench bench) =>
        [.. Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(bench.Live)!).Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
}
