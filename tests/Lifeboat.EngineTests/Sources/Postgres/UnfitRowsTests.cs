using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>Rows that break a key, an index or a check of theirs are restored all the same; what they break is left not valid or out, told, and all else is as it was.</summary>
public sealed class UnfitRowsTests(TwoServers servers) : IClassFixture<TwoServers>, IDisposable
{
    private readonly RestoreBench _bench = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private PostgresServer Source => servers.Source;

    private PostgresServer Target => servers.Target;

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task What_rows_break_is_left_not_valid_or_out_and_named()
    {
        const string name = "unfit";
        Source.CreateDatabase(name);
        Source.Sql(name, UnfitSql);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(Source, name);

        await _bench.RestoreAsync(snapshot, Target, name);

        Assert.Equal(
            Rows(Source.Dump(name, "--data-only", "--inserts", "--rows-per-insert=1")), Rows(Target.Dump(name, "--data-only", "--inserts", "--rows-per-insert=1")));
        string[] before = Statements(Source.Dump(name, "--schema-only")), after = Statements(Target.Dump(name, "--schema-only"));
        string[] lost = [.. before.Except(after)], come = [.. after.Except(before)];
        Assert.Equal(
            [
                "ALTER TABLE ONLY s.c ADD CONSTRAINT c_p_fkey FOREIGN KEY (p) REFERENCES s.p(id) ON DELETE CASCADE NOT VALID",
                "ALTER TABLE s.checked ADD CONSTRAINT checked_a_check CHECK (s.fits(a)) NOT VALID",
                "ALTER TABLE s.parent ADD CONSTRAINT parent_check CHECK (s.fits(a)) NOT VALID",
                "CREATE TABLE s.checked ( id integer NOT NULL, a integer, CONSTRAINT fine CHECK ((id > 0)) )",
                "CREATE TABLE s.part_1 ( a integer, b integer )",
                "CREATE TABLE s.parent ( a integer, b integer ) PARTITION BY LIST (b)",
                "ALTER DOMAIN s.small ADD CONSTRAINT small_check CHECK (s.fits(VALUE)) NOT VALID",
                "CREATE DOMAIN s.small AS integer",
            ],
            come, Unordered);
        Assert.Contains("CREATE UNIQUE INDEX twice_a_key ON s.twice USING btree (a)", lost);
        Assert.Contains("ALTER TABLE ONLY s.twice_pk ADD CONSTRAINT twice_pk_pkey PRIMARY KEY (a)", lost);
        Assert.Contains("ALTER TABLE ONLY s.to_twice ADD CONSTRAINT to_twice_a_fkey FOREIGN KEY (a) REFERENCES s.twice_pk(a)", lost);
        Assert.Contains("ALTER TABLE s.many ADD CONSTRAINT many_p_fkey FOREIGN KEY (p) REFERENCES s.p(id)", lost);
        Assert.Contains("COMMENT ON INDEX s.twice_a_key IS 'unique'", lost);
        Assert.Contains("COMMENT ON CONSTRAINT many_p_fkey ON s.many IS 'to p'", lost);
        Assert.Equal(["1"], lost.Where(static one => one.Contains("REPLICA IDENTITY", StringComparison.Ordinal)).Select(static _ => "1"));
        Problem[] warnings = [.. _bench.Host.Warnings.Where(static one => one.Code == ErrorCodes.PostgresRowsUnfit)];
        void told(string words) => Assert.Contains(warnings, one => one.Message.Contains(words, StringComparison.Ordinal));
        told("foreign key c_p_fkey of s.c is restored NOT VALID: 2 rows of s.c refer to rows that are not there: (p)=(99), (p)=(98)");
        told("check checked_a_check of s.checked is restored NOT VALID: 1 rows of s.checked do not pass it: (id)=(2)");
        told("check parent_check of s.parent is restored NOT VALID");
        told("check small_check of domain s.small is restored NOT VALID");
        told("index twice_a_key of s.twice is left out: could not create unique index \"twice_a_key\": Key (a)=(1) is duplicated.");
        told("foreign key to_twice_a_fkey of s.to_twice is left out: s.twice_pk lacks the unique key");
        told("foreign key many_p_fkey of s.many is left out");
        Assert.Equal(8, warnings.Length);
        Assert.Equal("t", Target.Sql(name, "SELECT bool_and(convalidated) FROM pg_constraint WHERE conname IN ('good_p_fkey', 'later_check', 'fine')").Trim());
    }

    [Fact]
    public async Task A_check_that_reads_what_is_loaded_later_is_valid_in_the_end()
    {
        const string name = "readslater";
        Source.CreateDatabase(name);
        Source.Sql(
            name,
            """
            CREATE TABLE zz (id int PRIMARY KEY);
            CREATE FUNCTION known(a int) RETURNS boolean LANGUAGE sql AS 'SELECT EXISTS (SELECT FROM zz WHERE id = a)';
            CREATE FUNCTION insists(a int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN IF NOT EXISTS (SELECT FROM public.zz WHERE id = a) THEN RAISE 'not there'; END IF; RETURN true; END $$;
            INSERT INTO zz VALUES (1), (2);
            CREATE TABLE a (id int CHECK (known(id))); CREATE TABLE b (id int CHECK (insists(id)), big text);
            INSERT INTO a VALUES (1), (2); INSERT INTO b SELECT 1 + i % 2, repeat('x', 1000) FROM generate_series(1, 5000) i;
            COMMENT ON CONSTRAINT a_id_check ON a IS 'known'
            """);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(Source, name);

        await _bench.RestoreAsync(snapshot, Target, name);

        RestoreBench.AssertSameDump(Source, name, Target, name);
        Assert.DoesNotContain(_bench.Host.Warnings, static one => one.Code == ErrorCodes.PostgresRowsUnfit);
    }

    [Theory]
    [InlineData("ALTER TABLE s.good DROP CONSTRAINT good_p_fkey")]
    [InlineData("ALTER TABLE s.c DROP CONSTRAINT c_p_fkey")]
    [InlineData("DROP INDEX s.good_a_idx")]
    [InlineData("ALTER TABLE s.checked DROP CONSTRAINT checked_a_check")]
    [InlineData("ALTER TABLE s.checked DROP CONSTRAINT fine")]
    [InlineData("ALTER TABLE s.good DROP CONSTRAINT good_p_fkey; ALTER TABLE s.good ADD CONSTRAINT good_p_fkey FOREIGN KEY (p) REFERENCES s.p NOT VALID")]
    public async Task Whatever_else_differs_is_told_all_the_same(string damage)
    {
        string name = "damaged" + Math.Abs(damage.GetHashCode(StringComparison.Ordinal) % 100000).ToString(System.Globalization.CultureInfo.InvariantCulture);
        Source.CreateDatabase(name);
        Source.Sql(name, UnfitSql);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(Source, name);
        await using IRestoration restoration = _bench.Restoration(snapshot, Target, name);
        await restoration.StageAsync(Cancellation);
        RestoreBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        Target.Sql(name + "__staging_testid", damage);

        VerifyReport report = await restoration.VerifyAsync(Cancellation);

        Assert.Contains(report.Checks, static check => check.Subject == "schema" && !check.Passed);
        await restoration.DiscardAsync(Cancellation);
    }

    private const string UnfitSql =
        """
        CREATE SCHEMA s; SET search_path = s;
        CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);
        CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE);
        CREATE TABLE good (a int, p int REFERENCES p); CREATE INDEX ON good (a); INSERT INTO good VALUES (1, 1), (2, NULL);
        CREATE TABLE many (a int, p int CONSTRAINT many_p_fkey REFERENCES p) PARTITION BY LIST (a); CREATE TABLE many_1 PARTITION OF many FOR VALUES IN (1, 2);
        COMMENT ON CONSTRAINT many_p_fkey ON many IS 'to p';
        SET session_replication_role = replica; INSERT INTO c VALUES (1, 1), (2, 99), (3, 98), (4, NULL); INSERT INTO many VALUES (1, 1), (2, 77); RESET session_replication_role;
        CREATE FUNCTION fits(a int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
        CREATE DOMAIN small AS int CHECK (fits(VALUE));
        CREATE TABLE checked (id int PRIMARY KEY, a int, CHECK (fits(a)), CONSTRAINT fine CHECK (id > 0)); INSERT INTO checked VALUES (1, 1), (2, 100);
        CREATE TABLE later (a int); INSERT INTO later VALUES (100); ALTER TABLE later ADD CONSTRAINT later_check CHECK (NOT fits(a)) NOT VALID; DELETE FROM later;
        ALTER TABLE later VALIDATE CONSTRAINT later_check;
        CREATE TABLE of_domain (a small); INSERT INTO of_domain VALUES (100);
        CREATE TABLE parent (a int CONSTRAINT parent_check CHECK (fits(a)), b int) PARTITION BY LIST (b); CREATE TABLE part_1 PARTITION OF parent FOR VALUES IN (1); INSERT INTO parent VALUES (100, 1);
        CREATE OR REPLACE FUNCTION fits(a int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT a < 10';
        CREATE TABLE twice (a int NOT NULL, b int); INSERT INTO twice VALUES (1, 1), (2, 2);
        CREATE UNIQUE INDEX twice_a_key ON twice (a); COMMENT ON INDEX twice_a_key IS 'unique'; ALTER TABLE twice REPLICA IDENTITY USING INDEX twice_a_key;
        CREATE TABLE twice_pk (a int PRIMARY KEY); INSERT INTO twice_pk VALUES (1), (2); CREATE TABLE to_twice (a int REFERENCES twice_pk); INSERT INTO to_twice VALUES (1);
        -- As a change of the C library's collations does: the index does not find what is there.
        UPDATE pg_index SET indisready = false, indislive = false WHERE indexrelid IN ('twice_a_key'::regclass, 'twice_pk_pkey'::regclass);
        INSERT INTO twice VALUES (1, 3); INSERT INTO twice_pk VALUES (1);
        UPDATE pg_index SET indisready = true, indislive = true WHERE indexrelid IN ('twice_a_key'::regclass, 'twice_pk_pkey'::regclass);
        """;

    private static IEqualityComparer<IEnumerable<string>> Unordered { get; } = EqualityComparer<IEnumerable<string>>.Create(
        static (a, b) => a!.Order(StringComparer.Ordinal).SequenceEqual(b!.Order(StringComparer.Ordinal)), static _ => 0);

    private static string[] Rows(string dump) => [.. RestoreBench.Lines(dump).Where(static line => line.StartsWith("INSERT", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    private static string[] Statements(string dump) =>
    [
        .. string.Join('\n', RestoreBench.Lines(dump).Where(static line => !line.StartsWith("--", StringComparison.Ordinal))).Split(";\n", StringSplitOptions.TrimEntries)
            .Select(static one => string.Join(' ', one.Split([' ', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries))),
    ];
}
