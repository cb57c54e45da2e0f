using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>Security labels, by a provider that takes any (tests/label-provider), on servers that load it at their start.</summary>
public sealed class SecurityLabelTests : IAsyncLifetime
{
    private readonly RestoreBench _bench = new();
    private readonly PostgresServer _source = new() { ServerSettings = [$"shared_preload_libraries={Library}"] };

    private static string Library { get; } = Path.Combine(
        Environment.GetEnvironmentVariable("LIFEBOAT_TEST_LABELS") is { Length: > 0 } named ? named : "/var/cache/lifeboat-test/label-provider", "label_provider.so");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Needs.File(Library);
        await _source.InitializeAsync();
        _source.CreateDatabase("labelled");
        _source.Sql(
            "labelled",
            """
            CREATE ROLE labelled; CREATE SCHEMA s; CREATE TABLE s.t ("a b" int, c text); CREATE VIEW s.v AS SELECT c FROM s.t; CREATE SEQUENCE s.q; CREATE TYPE s.e AS ENUM ('a');
            CREATE DOMAIN s.d AS text; CREATE FUNCTION s.f(int) RETURNS int LANGUAGE sql AS 'SELECT $1'; CREATE PROCEDURE s.p() LANGUAGE sql AS 'SELECT 1';
            CREATE AGGREGATE s.g(int) (SFUNC = int4pl, STYPE = int); CREATE MATERIALIZED VIEW s.m AS SELECT 1 AS a; CREATE PUBLICATION pub;
            CREATE FUNCTION s.t() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER ev ON ddl_command_end EXECUTE FUNCTION s.t();
            SELECT lo_from_bytea(4711, 'large');
            DO $$
            DECLARE object text;
            BEGIN
                FOREACH object IN ARRAY ARRAY['ROLE labelled', 'SCHEMA s', 'TABLE s.t', 'COLUMN s.t."a b"', 'VIEW s.v', 'COLUMN s.v.c', 'SEQUENCE s.q', 'TYPE s.e', 'DOMAIN s.d',
                    'FUNCTION s.f(int)', 'PROCEDURE s.p()', 'AGGREGATE s.g(int)', 'MATERIALIZED VIEW s.m', 'PUBLICATION pub', 'EVENT TRIGGER ev',
                    'LARGE OBJECT 4711', 'DATABASE labelled']
                LOOP
                    EXECUTE format('SECURITY LABEL FOR "tests'' labels" ON %s IS %L', object, E'it''s \\ ' || object);
                END LOOP;
            END $$;
            """);
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        _bench.Dispose();
    }

    [Fact]
    public async Task Labels_come_back_on_every_kind_of_object()
    {
        const string labels =
            """
            SELECT objtype, objname, label FROM pg_seclabels WHERE objtype <> 'large object' UNION ALL
            SELECT 'large object', objoid::text, label FROM pg_seclabel WHERE classoid = 'pg_largeobject'::regclass ORDER BY 1, 2
            """;
        await using PostgresServer target = await PostgresServer.StartAsync($"shared_preload_libraries={Library}");
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "labelled");

        await _bench.RestoreAsync(snapshot, target, "labelled");

        string captured = _source.Sql("labelled", labels);
        Assert.Equal(17, captured.TrimEnd('\n').Split('\n').Length);
        Assert.Equal(captured, target.Sql("labelled", labels));
        RestoreBench.AssertSameDump(_source, "labelled", target, "labelled");
        RestoreBench.AssertSameRoles(_source, target);
        Assert.Contains("SECURITY LABEL FOR \"tests' labels\" ON DATABASE", target.Dump("labelled", "--create", "--schema-only"));
    }

    [Fact]
    public async Task A_provider_that_the_server_has_not_loaded_is_told_before_anything_is_written()
    {
        await using PostgresServer bare = await PostgresServer.StartAsync();
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "labelled");

        await using IRestoration restoration = _bench.Restoration(snapshot, bare, "labelled");
        RestorePlan plan = await restoration.PlanAsync(Cancellation);

        Problem blocker = Assert.Single(plan.Blockers);
        Assert.Equal(ErrorCodes.PostgresExtensionMissing, blocker.Code);
        Assert.Contains("provider tests' labels", blocker.Message);
        Assert.Equal(["postgres"], RestoreBench.Databases(bare));
    }
}
