using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources;

namespace Lifeboat.EngineTests.Sources.Postgres.Parts;

/// <summary>Rows that are missing are added, and none that is there is changed.</summary>
public sealed class PartMergeTests(PostgresServer server) : IClassFixture<PostgresServer>
{
    private const string Sql =
        """
        CREATE TABLE a (id int PRIMARY KEY, b int, name text UNIQUE, len int GENERATED ALWAYS AS (length(name)) STORED);
        CREATE TABLE b (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int CONSTRAINT b_of_a REFERENCES a ON DELETE CASCADE, n numeric);
        ALTER TABLE a ADD CONSTRAINT a_of_b FOREIGN KEY (b) REFERENCES b DEFERRABLE;
        CREATE TABLE bag (j json, p point, x xml, t text);
        CREATE TABLE keyed (k1 text COLLATE "C" NOT NULL, "k 2" int NOT NULL, j json, UNIQUE ("k 2", k1));
        CREATE TABLE late (id int PRIMARY KEY, u int UNIQUE DEFERRABLE);
        CREATE TABLE log (what text);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN INSERT INTO public.log VALUES (TG_OP); RETURN NULL; END; $f$;
        CREATE TRIGGER note BEFORE INSERT OR DELETE ON b FOR EACH ROW EXECUTE FUNCTION note();
        CREATE RULE note AS ON UPDATE TO late DO ALSO INSERT INTO log VALUES ('updated');
        CREATE TABLE gone (id serial PRIMARY KEY, a int REFERENCES a); CREATE INDEX ON gone (a);
        ALTER TABLE b DISABLE TRIGGER USER;
        INSERT INTO a (id, name) SELECT i, 'name ' || i FROM generate_series(1, 10) i;
        INSERT INTO b (a, n) SELECT i, i FROM generate_series(1, 10) i; UPDATE a SET b = id;
        ALTER TABLE b ENABLE TRIGGER USER;
        INSERT INTO bag VALUES ('{"a": 1}', '(1,2)', '<x/>', 'one'), ('{"a": 1}', '(1,2)', '<x/>', 'one'), ('{"a":1}', '(1,2)', '<x/>', 'one'), (NULL, NULL, NULL, NULL), (NULL, NULL, NULL, ''), (NULL, NULL, NULL, '');
        INSERT INTO keyed VALUES ('a', 1, '{}'), ('b', 2, '{}'), ('c', 3, '{}');
        INSERT INTO late VALUES (1, 1), (2, 2); INSERT INTO gone (a) VALUES (3), (7);
        """;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_missing_is_added_counted_and_taken_away_again()
    {
        await using PartBench bench = new(server, "merged");
        await bench.CreateAsync(Sql);
        bench.Sql(
            """
            ALTER TABLE b DISABLE TRIGGER USER; DROP TABLE gone;
            UPDATE a SET b = NULL WHERE id IN (3, 4); DELETE FROM b WHERE a IN (3, 4); DELETE FROM a WHERE id IN (3, 4);
            UPDATE a SET name = 'changed' WHERE id = 5; UPDATE b SET n = 0.50 WHERE id = 6; ALTER TABLE b ENABLE TRIGGER USER;
            DELETE FROM keyed WHERE k1 = 'a'; UPDATE keyed SET j = '{ }' WHERE k1 = 'b'; INSERT INTO keyed VALUES ('own', 9, NULL);
            DELETE FROM bag; INSERT INTO bag VALUES ('{"a": 1}', '(1,2)', '<x/>', 'one'), (NULL, NULL, NULL, ''), ('{}', NULL, NULL, 'own');
            DELETE FROM late WHERE id = 2; DELETE FROM log;
            """);
        string damaged = bench.Look();

        (RestorePlan plan, ISwitch done, IReadOnlyList<MergeCount> merged) = await bench.RestoreAsync("m1", RestoreMode.Merge);

        Assert.False(plan.Replaces);
        Assert.Contains("add to public.a what is missing of 10 rows, and change none that is there", plan.Steps);
        Assert.Equal(
            ["a +2 =7 !1 (5)", "b +2 =7 !1 (6)", "bag +4 =2 !0 ", "gone +2 =0 !0 ", "keyed +1 =1 !1 (2,b)", "late +1 =1 !0 ", "log +0 =0 !0 "],
            merged.OrderBy(static one => one.Subject, StringComparer.Ordinal)
                .Select(static one => $"{one.Subject["table public.".Length..]} +{one.Added} ={one.Equal} !{one.Different} {string.Join(", ", one.Examples)}"));
        Assert.Equal("3,4", bench.Sql("SELECT string_agg(a.id::text, ',' ORDER BY a.id) FROM a JOIN b ON b.a = a.id AND a.b = b.id WHERE len = 6 AND a.id IN (3, 4)"));
        Assert.Equal("changed|0.50|0", bench.Sql("SELECT (SELECT name FROM a WHERE id = 5), (SELECT n FROM b WHERE id = 6), (SELECT count(*) FROM log)"));
        Assert.Equal("7|2|1", bench.Sql("SELECT count(*), count(*) FILTER (WHERE j::text = '{\"a\": 1}'), count(*) FILTER (WHERE t = 'own') FROM bag"));
        Assert.Equal("O", bench.Sql("SELECT tgenabled FROM pg_trigger WHERE tgname = 'note'"));
        string whole = bench.Look();

        ISwitch undo = await bench.UndoAsync(done, "u1");
        Assert.Equal(damaged, bench.Look());
        done = await bench.UndoAsync(undo, "u2");
        Assert.Equal(whole, bench.Look());

        // Changed since, a row is not taken away, nor anything else.
        bench.Sql("UPDATE b SET n = 77 WHERE id = 3");
        LifeboatException refused = await Assert.ThrowsAsync<LifeboatException>(() => bench.UndoAsync(done, "u3"));
        Assert.Equal(ErrorCodes.PartDoesNotFit, refused.Code);
        Assert.Contains("public.b", refused.Message, StringComparison.Ordinal);
        bench.Sql("UPDATE b SET n = 3 WHERE id = 3");
        Assert.Equal(whole, bench.Look());

        // Nor where somebody needs it, or has written into the table that was made.
        bench.Sql("CREATE TABLE needs (a int REFERENCES a ON DELETE CASCADE); INSERT INTO needs VALUES (4)");
        refused = await Assert.ThrowsAsync<LifeboatException>(() => bench.UndoAsync(done, "u4"));
        Assert.Contains("needs_a_fkey", refused.Message, StringComparison.Ordinal);
        bench.Sql("DROP TABLE needs; INSERT INTO gone (a) VALUES (1)");
        refused = await Assert.ThrowsAsync<LifeboatException>(() => bench.UndoAsync(done, "u5"));
        Assert.Contains("public.gone", refused.Message, StringComparison.Ordinal);
        bench.Sql("DELETE FROM gone WHERE a = 1; DELETE FROM keyed WHERE k1 = 'a'");
        await (await bench.UndoAsync(done, "u6")).DropOutgoingAsync(Cancellation);
        Assert.Equal(damaged, bench.Look());
        bench.AssertNothingLeft();
    }

    [Fact]
    public async Task What_collides_is_left_out_and_what_would_dangle_stops_all()
    {
        await using PartBench bench = new(server, "collides");
        await bench.CreateAsync(Sql);
        bench.Sql("ALTER TABLE b DISABLE TRIGGER USER; UPDATE a SET b = NULL; DELETE FROM b; DELETE FROM gone; DELETE FROM a WHERE id IN (8, 9); INSERT INTO a (id, name) VALUES (99, 'name 8'); ALTER TABLE b ENABLE TRIGGER USER; DELETE FROM log");
        string before = bench.Look();

        // Order 8's customer cannot come back: somebody else has its name.
        await using (IRestoration dangling = bench.Part("m1", RestoreMode.Merge, "public.a", "public.b"))
        {
            await PartBench.StageAsync(dangling);
            LifeboatException refused = await Assert.ThrowsAsync<LifeboatException>(() => dangling.Switch.ForwardAsync(Cancellation));
            Assert.Equal(ErrorCodes.PartDoesNotFit, refused.Code);
            Assert.Contains("b_of_a", refused.Message, StringComparison.Ordinal);
            await dangling.Switch.BackAsync(Cancellation);
            await dangling.Switch.DropIncomingAsync(Cancellation);
        }

        Assert.Equal(before, bench.Look());
        bench.Sql("ALTER TABLE b DISABLE TRIGGER USER; INSERT INTO b (id, a, n) OVERRIDING SYSTEM VALUE SELECT i, NULL, i FROM generate_series(1, 10) i; ALTER TABLE b ENABLE TRIGGER USER");
        (_, ISwitch done, IReadOnlyList<MergeCount> merged) = await bench.RestoreAsync("m2", RestoreMode.Merge, "public.a");
        MergeCount count = Assert.Single(merged);
        Assert.Equal((1, 0, 9), (count.Added, count.Equal, count.Different));
        Assert.Equal(5, count.Examples.Count);

        // Taken back before its end by another process, what was changed meanwhile stays, and is told of.
        ISwitch other = bench.Source().Resume(done.Record, new RestoreRun("m2"));
        bench.Sql("UPDATE a SET name = 'mine' WHERE id = 9");
        await other.BackAsync(Cancellation);
        Assert.Equal("mine", bench.Sql("SELECT name FROM a WHERE id = 9"));
        await other.DropIncomingAsync(Cancellation);
        bench.AssertNothingLeft();
    }

    [Fact]
    public async Task Into_every_kind_of_table_nothing_is_added_where_nothing_is_missing()
    {
        await using PostgresServer own = await PostgresServer.StartAsync();
        await using PartBench bench = new(own, "every kind");
        string before = await bench.CreateEveryKindAsync();

        (_, ISwitch done, IReadOnlyList<MergeCount> merged) = await bench.RestoreAsync("m1", RestoreMode.Merge);

        Assert.Equal([], merged.Where(static one => one.Added + one.Different > 0).Select(static one => $"{one.Subject} +{one.Added} !{one.Different}"));
        Assert.True(merged.Count >= 20 && merged.Sum(static one => one.Equal) > 50);
        Assert.Equal(before, bench.Look());
        await done.DropOutgoingAsync(Cancellation);
        bench.AssertNothingLeft();
    }
}
