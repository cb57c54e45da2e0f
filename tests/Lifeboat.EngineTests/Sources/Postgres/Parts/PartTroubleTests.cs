using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources;
using Npgsql;

namespace Lifeboat.EngineTests.Sources.Postgres.Parts;

/// <summary>Parts of databases that others use, own or have taken to pieces.</summary>
public sealed class PartTroubleTests(PostgresServer server) : IClassFixture<PostgresServer>
{
    private const string MeasurementsSql =
        """
        CREATE TABLE place (id int PRIMARY KEY);
        CREATE TABLE m (at date NOT NULL, place int NOT NULL REFERENCES place, v numeric, PRIMARY KEY (at, place)) PARTITION BY RANGE (at);
        CREATE TABLE m_1 PARTITION OF m FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
        CREATE TABLE m_2 PARTITION OF m FOR VALUES FROM ('2026-02-01') TO ('2026-03-01') PARTITION BY HASH (place);
        CREATE TABLE "m 2 0" PARTITION OF m_2 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE "m 2 1" PARTITION OF m_2 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        CREATE TABLE m_rest PARTITION OF m DEFAULT;
        CREATE INDEX by_v ON m (v); CREATE INDEX own ON m_1 (v, at);
        CREATE TABLE of_m (at date, place int, FOREIGN KEY (at, place) REFERENCES m ON DELETE CASCADE);
        CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RAISE 'a trigger was run'; END; $f$;
        CREATE TRIGGER t AFTER INSERT OR DELETE ON m FOR EACH ROW EXECUTE FUNCTION nothing(); ALTER TABLE m DISABLE TRIGGER t;
        INSERT INTO place SELECT generate_series(1, 20);
        INSERT INTO m SELECT date '2026-01-01' + i, 1 + i % 20, i FROM generate_series(0, 99) i;
        INSERT INTO of_m SELECT at, place FROM m WHERE v < 70;
        ALTER TABLE m ENABLE TRIGGER t; ALTER TABLE m_1 ENABLE ALWAYS TRIGGER t;
        """;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_partitioned_table_takes_its_partitions_with_it_dropped_ones_too()
    {
        await using PartBench bench = new(server, "partitions");
        await bench.CreateAsync(MeasurementsSql);
        string before = bench.Look();
        foreach (string damage in new[]
        {
            "ALTER TABLE of_m DISABLE TRIGGER ALL; DELETE FROM of_m; ALTER TABLE of_m ENABLE TRIGGER ALL; ALTER TABLE m DETACH PARTITION m_1; DROP TABLE m_1",
            "DELETE FROM of_m; ALTER TABLE m DETACH PARTITION m_2; DROP TABLE m_2",
            "DROP TABLE m CASCADE",
        })
        {
            bench.Sql(damage);
            string damaged = bench.Look();
            (_, ISwitch done, _) = await bench.RestoreAsync("r1", RestoreMode.Replace, "public.m", "public.of_m");
            Assert.Equal(before, bench.Look());
            ISwitch undo = await bench.UndoAsync(done, "u1");
            Assert.Equal(damaged, bench.Look());
            undo = await bench.UndoAsync(undo, "u2");
            Assert.Equal(before, bench.Look());
            await undo.DropOutgoingAsync(Cancellation);
        }

        // One partition alone.
        bench.Sql("ALTER TABLE m DISABLE TRIGGER t; ALTER TABLE of_m DISABLE TRIGGER ALL; DELETE FROM m_1 WHERE v > 25; ALTER TABLE of_m ENABLE TRIGGER ALL; ALTER TABLE m ENABLE TRIGGER t; ALTER TABLE m_1 ENABLE ALWAYS TRIGGER t");
        bench.Sql("INSERT INTO of_m SELECT * FROM of_m WHERE false");
        (_, ISwitch one, _) = await bench.RestoreAsync("r2", RestoreMode.Replace, "public.m_1", "public.of_m");
        Assert.Equal(before, bench.Look());
        await one.DropOutgoingAsync(Cancellation);
        bench.AssertNothingLeft();
    }

    [Fact]
    public async Task Every_table_that_does_not_fit_is_named_with_its_own_reason()
    {
        await using PartBench bench = new(server, "unfits");
        await bench.CreateAsync(
            """
            CREATE TYPE mood AS ENUM ('low', 'high'); CREATE TYPE size AS ENUM ('s', 'l');
            CREATE TABLE a (id int PRIMARY KEY, m mood); CREATE TABLE b (id int PRIMARY KEY, s size); CREATE TABLE c (id int, v text); CREATE TABLE d (id int, v text);
            """);
        bench.Sql("DROP TABLE a, b; DROP TYPE mood, size; ALTER TABLE c DROP COLUMN v; ALTER TABLE d ADD COLUMN more int");

        string[] blockers = await bench.BlockersAsync(RestoreMode.Replace, "public.a", "public.b", "public.c", "public.d");

        Assert.Equal(4, blockers.Length);
        Assert.Single(blockers, static one => one.Contains("public.a: type \"public.mood\" does not exist", StringComparison.Ordinal));
        Assert.Single(blockers, static one => one.Contains("public.b: type \"public.size\" does not exist", StringComparison.Ordinal));
        Assert.Single(blockers, static one => one.Contains("the columns of public.c are not those", StringComparison.Ordinal));
        Assert.Single(blockers, static one => one.Contains("the columns of public.d are not those", StringComparison.Ordinal));
        Assert.All(blockers, static one => Assert.StartsWith("LB8025", one, StringComparison.Ordinal));
        bench.AssertNothingLeft();
    }

    [Fact]
    public async Task Heirs_come_with_their_parent_and_staged_rows_never_show_in_it()
    {
        await using PartBench bench = new(server, "heirs");
        await bench.CreateAsync(
            """
            CREATE TABLE parent (a int, b text); CREATE TABLE child (c int) INHERITS (parent); CREATE TABLE grandchild (d int) INHERITS (child);
            ALTER TABLE parent ADD COLUMN later int; CREATE TABLE nothing ();
            INSERT INTO parent VALUES (1, 'p'); INSERT INTO child VALUES (2, 'c', 3, 4); INSERT INTO grandchild VALUES (5, 'g', 6, 7, 8);  INSERT INTO nothing DEFAULT VALUES;
            """);
        bench.Sql("DELETE FROM parent; DROP TABLE grandchild; INSERT INTO nothing DEFAULT VALUES");
        await using IRestoration restoration = bench.Part("r1", RestoreMode.Replace, "public.parent", "public.nothing");
        await PartBench.StageAsync(restoration);
        Assert.Equal("0", bench.Sql("SELECT count(*) FROM parent"));
        await restoration.Switch.ForwardAsync(Cancellation);
        Assert.Equal("1|p|\n2|c|4\n5|g|8", bench.Sql("SELECT a, b, later FROM parent ORDER BY a"));
        Assert.Equal("1", bench.Sql("SELECT count(*) FROM nothing"));
        await restoration.Switch.DropOutgoingAsync(Cancellation);
        bench.AssertNothingLeft();
    }

    [Fact]
    public async Task A_table_owner_who_is_no_superuser_can_restore_what_is_his()
    {
        server.Sql("postgres", "CREATE ROLE plain LOGIN; CREATE ROLE other LOGIN");
        server.CreateDatabase("owned", "OWNER plain");
        server.Sql("owned", "ALTER SCHEMA public OWNER TO plain");
        server.Sql("owned", MeasurementsSql.Replace("ALTER TABLE of_m DISABLE TRIGGER ALL;", "", StringComparison.Ordinal), "plain");
        server.Sql("owned", "ALTER TABLE of_m ENABLE ROW LEVEL SECURITY; ALTER TABLE of_m FORCE ROW LEVEL SECURITY; CREATE POLICY none ON of_m USING (false)", "plain");
        server.Sql("owned", "CREATE TABLE strange (a int); ALTER TABLE strange OWNER TO other");
        await using PartBench bench = new(server, "owned", "plain");
        await bench.CaptureAsync();
        string before = bench.Look();
        bench.Sql("DELETE FROM of_m; ALTER TABLE m DETACH PARTITION m_2; DROP TABLE m_2; ALTER TABLE m_1 DISABLE TRIGGER t; DELETE FROM m_1 WHERE v < 9; ALTER TABLE m_1 ENABLE ALWAYS TRIGGER t");

        (_, ISwitch done, _) = await bench.RestoreAsync("r1", RestoreMode.Replace, "public.m", "public.of_m");

        Assert.Equal(before, bench.Look());
        await done.DropOutgoingAsync(Cancellation);
        bench.AssertNothingLeft();
        string blocker = Assert.Single(await bench.BlockersAsync(RestoreMode.Replace, "public.strange"));
        Assert.Contains("GRANT \"other\" TO \"plain\"", blocker, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_writes_during_the_switch_waits_and_goes_on()
    {
        await using PartBench bench = new(server, "writers");
        await bench.CreateAsync(
            """
            CREATE TABLE account (id int PRIMARY KEY, v int); CREATE TABLE entry (id serial PRIMARY KEY, account int NOT NULL REFERENCES account, v int);
            INSERT INTO account SELECT i, 0 FROM generate_series(1, 20) i; INSERT INTO entry (account, v) SELECT 1 + i % 20, i FROM generate_series(1, 2000) i;
            """);
        using CancellationTokenSource stop = new();
        int written = 0;
        Task[] writers = [.. Enumerable.Range(0, 3).Select(one => Task.Run(async () =>
        {
            await using NpgsqlConnection connection = new($"Host={server.SocketFolder};Port={server.Port};Username=postgres;Database=writers;Pooling=false");
            await connection.OpenAsync(Cancellation);
            for (int i = 0; !stop.IsCancellationRequested; i++)
            {
                // In either order, as applications do.
                string first = $"INSERT INTO entry (account, v) VALUES ({1 + (i % 20)}, {i});", second = $"UPDATE account SET v = v + 1 WHERE id = {1 + one};";
                await using NpgsqlCommand command = new($"BEGIN; {(i % 2 == 0 ? first + second : second + first)} COMMIT", connection);
                await command.ExecuteNonQueryAsync(Cancellation);
                Interlocked.Increment(ref written);
            }
        }, Cancellation))];
        ISwitch? done = null;
        for (int round = 0; round < 3; round++)
        {
            int before = Volatile.Read(ref written);
            while (Volatile.Read(ref written) < before + 20)
                await Task.Delay(10, Cancellation);
            done = (await bench.RestoreAsync($"r{round}", RestoreMode.Replace, "public.*")).Switch;
            await (await bench.UndoAsync(done, $"u{round}")).DropOutgoingAsync(Cancellation);
        }

        await stop.CancelAsync();
        await Task.WhenAll(writers);
        bench.AssertNothingLeft();
    }

    [Fact]
    public async Task Beside_the_live_tables_they_stand_for_people_to_look_at()
    {
        await using PartBench bench = new(server, "beside");
        await bench.CreateAsync(
            """
            CREATE SCHEMA s; CREATE TABLE t (id serial PRIMARY KEY, "a b" text, len int GENERATED ALWAYS AS (length("a b")) STORED); CREATE TABLE s.t (x json); CREATE TABLE u (p point);
            INSERT INTO t ("a b") VALUES ('one'), (NULL); INSERT INTO s.t VALUES ('{"a": 1}'); INSERT INTO u VALUES ('(1,2)');
            """);
        bench.Sql("DROP TABLE t; ALTER TABLE u ADD COLUMN later int");
        string before = bench.Look();

        (RestorePlan plan, ISwitch done, _) = await bench.RestoreAsync("r1", RestoreMode.Beside, "*");

        Assert.Contains("restore public.u as restored_r1.u: 1 row", plan.Steps);
        Assert.False(plan.Replaces);
        Assert.Equal("public.t\ns.t\nu", bench.Sql("SELECT relname FROM pg_class WHERE relnamespace = 'restored_r1'::regnamespace AND relkind = 'r' ORDER BY relname COLLATE \"C\""));
        Assert.Equal("1|one|3\n2||", bench.Sql("SELECT * FROM restored_r1.\"public.t\" ORDER BY id"));
        Assert.Null(await done.KeptAsync(Cancellation));
        await done.DropOutgoingAsync(Cancellation);
        Assert.Equal("(1,2)", bench.Sql("SELECT p FROM restored_r1.u"));
        ISwitch undo = await bench.UndoAsync(done, "u1");
        Assert.Equal(before, bench.Look());
        ISwitch again = await bench.UndoAsync(undo, "u2");
        Assert.Equal("(1,2)", bench.Sql("SELECT p FROM restored_r1.u"));
        await (await bench.UndoAsync(again, "u3")).DropOutgoingAsync(Cancellation);
        Assert.Equal(before, bench.Look());
        bench.AssertNothingLeft();
    }

    [Fact]
    public async Task What_somebody_holds_for_long_is_not_waited_for_without_end_and_nothing_is_changed()
    {
        await using PartBench bench = new(server, "held") { Patience = TimeSpan.FromSeconds(1) };
        await bench.CreateAsync("CREATE TABLE a (id int); INSERT INTO a VALUES (1)");
        bench.Sql("INSERT INTO a VALUES (2)");
        string before = bench.Look();
        await using NpgsqlConnection holder = new($"Host={server.SocketFolder};Port={server.Port};Username=postgres;Database=held;Pooling=false");
        await holder.OpenAsync(Cancellation);
        await new NpgsqlCommand("BEGIN; LOCK TABLE a IN ACCESS SHARE MODE", holder).ExecuteNonQueryAsync(Cancellation);
        await using IRestoration restoration = bench.Part("r1", RestoreMode.Replace, "public.a");
        await PartBench.StageAsync(restoration);

        LifeboatException refused = await Assert.ThrowsAsync<LifeboatException>(() => restoration.Switch.ForwardAsync(Cancellation));

        Assert.Equal(ErrorCodes.PostgresLockTimeout, refused.Code);
        await new NpgsqlCommand("ROLLBACK", holder).ExecuteNonQueryAsync(Cancellation);
        await restoration.Switch.BackAsync(Cancellation);
        await restoration.Switch.DropIncomingAsync(Cancellation);
        Assert.Equal(before, bench.Look());
        bench.AssertNothingLeft();
    }
}
