using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>Captured from one server and restored to another, whose settings differ; then both are compared by PostgreSQL's own programs.</summary>
public sealed class TruthTests(TwoServers servers) : IClassFixture<TwoServers>, IDisposable
{
    private readonly RestoreBench _bench = new();

    private PostgresServer Source => servers.Source;

    private PostgresServer Target => servers.Target;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task Every_kind_of_object_comes_back()
    {
        RestoreBench.CreateFixture(Source, "every-object-kind.sql", "every kind");
        await RoundTripAsync("every kind");

        Assert.Equal([], _bench.Host.Warnings.Where(static w => w.Code != ErrorCodes.PostgresDataLeftOut).Select(static w => w.ToString()));
        const string enabled = "SELECT subname FROM pg_subscription s, pg_database d WHERE d.oid = subdbid AND datname = 'every kind' AND subenabled";
        Assert.Equal(("taking", ""), (Source.Sql("every kind", enabled).Trim(), Target.Sql("every kind", enabled).Trim()));
        Assert.Equal(LargeObjects(Source), LargeObjects(Target));
        Assert.Equal(Source.Sql("every kind", "SELECT * FROM app.a_second"), Target.Sql("every kind", "SELECT * FROM app.a_second"));
    }

    [Fact]
    public async Task Every_value_comes_back_at_its_extremes()
    {
        RestoreBench.CreateFixture(Source, "data-extremes.sql", "data extremes");
        await RoundTripAsync("data extremes");
        Assert.Empty(_bench.Host.Warnings);
    }

    [Theory]
    [InlineData("UTF8", "")]
    [InlineData("LATIN1", "")]
    [InlineData("SQL_ASCII", "\\xfe\\xc3\\x28\\xff")]
    public async Task Databases_of_each_encoding_come_back(string encoding, string anyBytes)
    {
        string name = "encoded " + encoding;
        Source.CreateDatabase(name, $"ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0");
        Source.Sql(
            name,
            $"""
            SET client_encoding = '{(encoding == "SQL_ASCII" ? "SQL_ASCII" : "UTF8")}';
            CREATE SCHEMA "sché"; CREATE TYPE "sché"."énum" AS ENUM ('ä', 'ß');
            CREATE TABLE "sché"."täble" ("cölumn" text DEFAULT 'dé', e "sché"."énum"); COMMENT ON TABLE "sché"."täble" IS 'cömment';
            INSERT INTO "sché"."täble" VALUES ('é', 'ä'), (E'{anyBytes}', 'ß'), (E'\\x7f\\x01', NULL);
            CREATE FUNCTION "sché"."fünc"() RETURNS text LANGUAGE sql AS $f$ SELECT 'ü'::text $f$;
            CREATE INDEX "índex" ON "sché"."täble" (upper("cölumn")) WHERE "cölumn" <> 'ö';
            CREATE MATERIALIZED VIEW "sché"."vïew" AS SELECT 'ñ' || "cölumn" AS "ñ" FROM "sché"."täble";
            SELECT lo_from_bytea(1, 'é'::bytea); COMMENT ON LARGE OBJECT 1 IS 'großes';
            ALTER DATABASE "{name}" SET my.setting = 'sétting'; COMMENT ON DATABASE "{name}" IS 'dätabase';
            """);
        await RoundTripAsync(name);
    }

    [Fact]
    public async Task Settings_of_roles_and_databases_change_nothing_in_what_is_captured_or_restored()
    {
        string settings = string.Concat(
            ((string[])[
                "DateStyle = 'German, DMY'", "IntervalStyle = 'sql_standard'", "TimeZone = 'Asia/Kathmandu'", "bytea_output = 'escape'", "extra_float_digits = -15",
                $"lc_monetary = '{TwoServers.OtherCurrency}'", "search_path = 'nowhere'", "statement_timeout = '1s'", "lock_timeout = '1s'", "idle_in_transaction_session_timeout = '1s'",
                "idle_session_timeout = '20s'", "default_transaction_read_only = on", "default_transaction_isolation = 'serializable'",
                "default_transaction_deferrable = on", "row_security = off", "array_nulls = off", "quote_all_identifiers = on", "standard_conforming_strings = off",
                "backslash_quote = off", "client_encoding = 'LATIN1'", "xmlbinary = 'hex'", "xmloption = 'document'", "transform_null_equals = on",
                "check_function_bodies = on", "client_min_messages = 'notice'", "default_toast_compression = 'lz4'",
            ]).Select(static setting => $"ALTER ROLE set_up SET {setting}; ALTER DATABASE \"set up\" SET {setting};\n"));
        Source.CreateDatabase("set up");
        Source.Sql(
            "set up",
            """
            CREATE ROLE set_up SUPERUSER LOGIN;
            CREATE TABLE public.t (d date, ts timestamptz DEFAULT '2026-10-25 02:30:00+02', i interval DEFAULT '-1 mon +2 days -03:00', b bytea DEFAULT '\x00ff5c',
              f float8 DEFAULT 0.1, m money DEFAULT '1234.56', a text[] DEFAULT '{NULL,"NULL"}', s text DEFAULT E'back\\slash''quote', x xml, n text CHECK (n <> 'x''y'));
            INSERT INTO public.t (d, x, n) VALUES ('2026-02-03', 'content <a/>', NULL), ('2026-03-02', NULL, E'a\\b');
            INSERT INTO public.t SELECT '2026-01-02', '2026-01-02 03:04:05+00', '-1 year -2 mons +3 days -04:05:06', '\xdeadbeef', 1e-300, -5.43, '{"",NULL,a}', 'é';
            CREATE TABLE public.parted (at timestamptz) PARTITION BY RANGE (at);
            CREATE TABLE public.part PARTITION OF public.parted FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2026-07-01 00:00+00');
            CREATE VIEW public.v AS SELECT * FROM public.t WHERE ts > '2026-01-01 00:00+00' AND i <> '1 mon -1 day' AND b <> '\x01' AND m <> '5.00'::money AND n IS NOT NULL;
            CREATE MATERIALIZED VIEW public.slow AS SELECT 1 AS a FROM pg_sleep(0.001) WHERE current_setting('statement_timeout') = '0' OR true;
            SET client_min_messages = error;
            """ + settings);
        Target.Sql("postgres", "CREATE ROLE set_up SUPERUSER LOGIN; " + settings.Replace("ALTER DATABASE \"set up\" SET client_min", "--", StringComparison.Ordinal)
            .Replace("ALTER DATABASE \"set up\"", "ALTER ROLE set_up", StringComparison.Ordinal));

        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(Source, "set up", user: "set_up");
        await _bench.RestoreAsync(snapshot, Target, "set up", user: "set_up");

        RestoreBench.AssertSameDump(Source, "set up", Target, "set up");
        string[] dumped = [.. RestoreBench.Lines(Source.Dump("set up", "--create", "--schema-only")).Where(static l => l.StartsWith("ALTER ", StringComparison.Ordinal))];
        Assert.Contains("ALTER DATABASE \"set up\" SET array_nulls TO 'off';", dumped);
        Assert.Equal(
            dumped, RestoreBench.Lines(Target.Dump("set up", "--create", "--schema-only")).Where(static l => l.StartsWith("ALTER ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_database_with_the_longest_name_there_is_takes_the_place_of_the_live_one()
    {
        string name = new string('n', 59) + "🛟";
        Source.CreateDatabase(name);
        Source.Sql(name, "CREATE TABLE t AS SELECT 'captured' AS a");
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(Source, name);
        Source.Sql(name, "UPDATE t SET a = 'later'");

        RestorePlan plan = await _bench.RestoreAsync(snapshot, Source, name);

        Assert.Equal("captured", Source.Sql(name, "SELECT a FROM t").Trim());
        string kept = Assert.Single(RestoreBench.Databases(Source), one => one != name && one.StartsWith("nnn", StringComparison.Ordinal));
        Assert.Equal($"database {kept}", plan.KeptAs);
        Source.Sql("postgres", $"ALTER DATABASE \"{kept}\" ALLOW_CONNECTIONS true");
        Assert.Equal("later", Source.Sql(kept, "SELECT a FROM t").Trim());
    }

    [Fact]
    public async Task A_server_that_ends_slow_statements_and_idle_sessions_is_captured_and_restored_to()
    {
        await using PostgresServer impatient = await PostgresServer.StartAsync(
            "statement_timeout=1s", "lock_timeout=1s", "idle_in_transaction_session_timeout=1s", "idle_session_timeout=1s");
        impatient.CreateDatabase("slow");
        impatient.Sql(
            "slow",
            """
            SET statement_timeout = 0;
            CREATE FUNCTION slow(a int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.7); RETURN a; END $$;
            CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2), (3); CREATE INDEX ON t (slow(a));
            CREATE MATERIALIZED VIEW m AS SELECT pg_sleep(2) IS NULL AS a;
            """);

        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(impatient, "slow");
        await _bench.RestoreAsync(snapshot, impatient, "restored");

        RestoreBench.AssertSameDump(impatient, "slow", impatient, "restored");
    }

    [Fact]
    public async Task What_pg_dump_writes_in_another_way_after_a_restore_is_no_difference()
    {
        Source.CreateDatabase("explained");
        Source.Sql(
            "explained",
            """
            CREATE ROLE "z first"; CREATE ROLE "y second"; CREATE ROLE "x third";
            CREATE TABLE p (a int, z int); CREATE POLICY many ON p TO "z first", "y second", "x third" USING (a > 0) WITH CHECK (a > 1);
            CREATE TABLE numbered (a int GENERATED ALWAYS AS IDENTITY, b smallint GENERATED BY DEFAULT AS IDENTITY); CREATE TABLE likewise (LIKE numbered INCLUDING IDENTITY);
            CREATE TABLE child (c int) INHERITS (p); CREATE TABLE joined (z int, a int, j int); ALTER TABLE joined INHERIT p;
            ALTER TABLE p ADD COLUMN later text DEFAULT 'x';
            INSERT INTO p VALUES (1, 2, 'p'); INSERT INTO child (a, c, later) VALUES (3, 4, 'c'); INSERT INTO joined (a, z, j) VALUES (5, 6, 7);
            """);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(Source, "explained");

        await _bench.RestoreAsync(snapshot, Target, "explained");

        Problem warning = Assert.Single(_bench.Host.Warnings);
        Assert.Equal(ErrorCodes.PostgresColumnOrder, warning.Code);
        Assert.Contains("public.child, public.joined come", warning.Message);
        foreach (string query in (string[])["SELECT a, z, later, c FROM child", "SELECT a, z, j, later FROM joined", "SELECT tableoid::regclass, * FROM p ORDER BY a",
            "SELECT polname, (SELECT array_agg(rolname ORDER BY rolname) FROM pg_roles WHERE oid = ANY (polroles)) FROM pg_policy"])
            Assert.Equal(Source.Sql("explained", query), Target.Sql("explained", query));
    }

    [Theory]
    [InlineData("policies", "CREATE ROLE policy_a; CREATE ROLE policy_b; CREATE TABLE t (a int); CREATE POLICY p ON t TO policy_a, policy_b USING (true)", "ALTER POLICY p ON t TO policy_a")]
    [InlineData(
        "long ones", "CREATE FUNCTION f() RETURNS text LANGUAGE sql RETURN repeat('x', 10) || '" + FiveHundred + "' || 'end'",
        "CREATE OR REPLACE FUNCTION f() RETURNS text LANGUAGE sql RETURN repeat('x', 10) || '" + FiveHundred + "' || 'END'")]
    public async Task A_policy_for_another_role_and_the_end_of_a_long_statement_are_differences(string database, string sql, string damage)
    {
        Source.CreateDatabase(database);
        Source.Sql(database, sql);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(Source, database);
        await using IRestoration restoration = _bench.Restoration(snapshot, Target, database);
        await restoration.StageAsync(Cancellation);
        Target.Sql(database + "__staging_testid", damage);

        VerifyCheck failed = Assert.Single((await restoration.VerifyAsync(Cancellation)).Checks, static check => !check.Passed);

        Assert.Equal("schema", failed.Subject);
        await restoration.DiscardAsync(Cancellation);
    }

    [Fact]
    public async Task A_materialised_view_that_cannot_be_filled_is_left_empty_and_named()
    {
        Source.CreateDatabase("views");
        Source.Sql(
            "views",
            """
            CREATE ROLE poor; CREATE SCHEMA s; SET search_path = s; CREATE TABLE t AS SELECT 1 AS a;
            CREATE FUNCTION helper() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT a FROM t); END';
            CREATE MATERIALIZED VIEW by_path AS SELECT s.helper() AS a;
            CREATE MATERIALIZED VIEW poor_one AS SELECT * FROM t; CREATE MATERIALIZED VIEW on_it AS SELECT * FROM poor_one; CREATE MATERIALIZED VIEW fine AS SELECT * FROM t;
            ALTER MATERIALIZED VIEW poor_one OWNER TO poor; ALTER DATABASE views SET search_path = s, public;
            """);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(Source, "views");

        await _bench.RestoreAsync(snapshot, Target, "views");

        Problem[] warnings = [.. _bench.Host.Warnings];
        Assert.All(warnings, static w => Assert.Equal(ErrorCodes.PostgresViewNotFilled, w.Code));
        Assert.Equal(["s.poor_one", "s.on_it"], warnings.Select(static w => w.Message.Split(' ')[2].Replace("\"", "", StringComparison.Ordinal)));
        Assert.Contains("permission denied", warnings[0].Message);
        Assert.Equal("1|1", Target.Sql("views", "SELECT (SELECT a FROM s.by_path), (SELECT a FROM s.fine)").Trim());
        RestoreBench.AssertSameDump(Source, "views", Target, "views");
    }

    [Fact]
    public async Task A_restore_with_subscriptions_that_is_given_up_leaves_nothing()
    {
        Source.CreateDatabase("subscribed");
        Source.Sql(
            "subscribed",
            """
            CREATE TABLE t (a int); CREATE SUBSCRIPTION "s ""1" CONNECTION 'host=127.0.0.1 port=1 dbname=x' PUBLICATION p WITH (connect = false, slot_name = 'theirs');
            CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$; CREATE EVENT TRIGGER refuse ON ddl_command_start EXECUTE FUNCTION refuse();
            """);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(Source, "subscribed");
        await using IRestoration restoration = _bench.Restoration(snapshot, Target, "subscribed");
        await restoration.StageAsync(Cancellation);

        await restoration.DiscardAsync(Cancellation);

        Assert.DoesNotContain("subscribed__staging_testid", RestoreBench.Databases(Target));
        Assert.Equal("0", Target.Sql("postgres", "SELECT count(*) FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE datname LIKE 'subscribed%'").Trim());
    }

    [Fact]
    public async Task Collations_of_another_version_are_named_at_the_backup_and_at_the_restore()
    {
        Source.CreateDatabase("collated");
        Source.Sql(
            "collated",
            """
            CREATE COLLATION "of columns" (PROVIDER = icu, LOCALE = 'de-u-co-phonebk'); CREATE COLLATION of_indexes (PROVIDER = icu, LOCALE = 'sv'); CREATE COLLATION unused (PROVIDER = icu, LOCALE = 'fr');
            CREATE TABLE t (a text COLLATE "of columns", b text COLLATE "en-x-icu", c text); CREATE INDEX ON t (c COLLATE of_indexes); INSERT INTO t VALUES ('ä', 'b', 'c');
            UPDATE pg_collation SET collversion = '1' WHERE collname IN ('of columns', 'of_indexes', 'unused');
            """);

        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(Source, "collated");
        Problem said = Assert.Single(_bench.Host.Warnings);
        await _bench.RestoreAsync(snapshot, Target, "collated");

        Assert.Equal(ErrorCodes.PostgresCollationVersion, said.Code);
        Assert.Matches("""made with another version .*: "public"\."of columns" \(1, now [\d.]+\), "public"\."of_indexes" \(1, now [\d.]+\);""", said.Message);
        Problem[] warnings = [.. _bench.Host.Warnings];
        Assert.Equal([ErrorCodes.PostgresCollationVersion, ErrorCodes.PostgresCollationVersion], warnings.Select(static w => w.Code));
        Assert.Matches(
            """indexes use: "public"\."of columns" version 1 in the snapshot and [\d.]+ on this server, "public"\."of_indexes" version 1 in the snapshot and [\d.]+ on this server:""",
            warnings[1].Message);
        RestoreBench.AssertSameDump(Source, "collated", Target, "collated");
    }

    private async Task RoundTripAsync(string database)
    {
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(Source, database);
        await _bench.RestoreAsync(snapshot, Target, database);
        RestoreBench.AssertSameDump(Source, database, Target, database);
    }

    // Longer than what a difference is shown of.
    private const string FiveHundred = Fifty + Fifty + Fifty + Fifty + Fifty + Fifty + Fifty + Fifty + Fifty + Fifty;
    private const string Fifty = "12345678901234567890123456789012345678901234567890";

    private static string LargeObjects(PostgresServer server) => server.Sql(
        "every kind", "SELECT oid, pg_get_userbyid(lomowner), lomacl, md5(lo_get(oid)), obj_description(oid, 'pg_largeobject') FROM pg_largeobject_metadata ORDER BY oid");
}
