using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>pgvector and TimescaleDB on PostgreSQL 17, in a chroot; what is restored lies beside the original, on the same server.</summary>
public sealed class NewerExtensionTests : IDisposable
{
    private readonly RestoreBench _bench = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task Vectors_come_back_with_their_indexes()
    {
        await using PostgresServer server = PostgresServer.InChroot("trixie", 17);
        await server.InitializeAsync();
        server.CreateDatabase("vectors");
        server.Sql("vectors", VectorSql);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(server, "vectors");

        await _bench.RestoreAsync(snapshot, server, "restored");

        RestoreBench.AssertSameDump(server, "vectors", server, "restored");
        const string nearest = "SET enable_seqscan = off; SET hnsw.ef_search = 200; SELECT embedding <-> '[3,1,2]' FROM items ORDER BY embedding <-> '[3,1,2]' LIMIT 5";
        Assert.Contains("items_hnsw", server.Sql("restored", nearest.Replace("SELECT", "EXPLAIN SELECT", StringComparison.Ordinal)));
        Assert.Equal(server.Sql("vectors", nearest), server.Sql("restored", nearest));
    }

    [Fact]
    public async Task Hypertables_come_back_and_go_on()
    {
        await using PostgresServer server = PostgresServer.InChroot("trixie", 17, "shared_preload_libraries=timescaledb", "timescaledb.telemetry_level=off");
        await server.InitializeAsync();
        server.CreateDatabase("metrics");
        server.Sql("metrics", HypertableSql);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(server, "metrics");

        await _bench.RestoreAsync(snapshot, server, "restored");

        RestoreBench.AssertSameDump(server, "metrics", server, "restored");
        string chunks = "SELECT hypertable_name, chunk_name, range_start, range_end FROM timescaledb_information.chunks ORDER BY 1, 2";
        Assert.Equal(server.Sql("metrics", chunks), server.Sql("restored", chunks));
        Assert.Equal(server.Sql("metrics", "SELECT count(*), sum(value) FROM metrics"), server.Sql("restored", "SELECT count(*), sum(value) FROM metrics"));
        Assert.Equal("off", server.Sql("restored", "SHOW timescaledb.restoring").Trim());
        // Rows find their chunk, an old one or a new one, and chunks can be dropped.
        server.Sql("restored", "INSERT INTO metrics VALUES ('2026-01-02 00:30', 'd1', 1), ('2027-06-01', 'd9', 2)");
        Assert.NotEqual(server.Sql("metrics", chunks), server.Sql("restored", chunks));
        server.Sql("restored", "SELECT drop_chunks('metrics', older_than => timestamptz '2026-01-03'); SELECT create_hypertable('plain', 'a', chunk_time_interval => 10, migrate_data => true)");
        Assert.Equal("1", server.Sql("restored", "SELECT count(*) FROM plain").Trim());
    }

    [Fact]
    public async Task Jobs_of_an_extension_wait_until_the_database_is_live_and_a_kept_one_has_none()
    {
        await using PostgresServer server = PostgresServer.InChroot("trixie", 17, "shared_preload_libraries=timescaledb", "timescaledb.telemetry_level=off");
        await server.InitializeAsync();
        server.CreateDatabase("metrics");
        server.Sql("metrics", HypertableSql);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(server, "metrics");

        await using IRestoration restoration = _bench.Restoration(snapshot, server, "metrics");
        await restoration.PlanAsync(Cancellation);
        await restoration.StageAsync(Cancellation);
        RestoreBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        const string schedulers = "SELECT datname FROM pg_stat_activity WHERE backend_type LIKE 'TimescaleDB%Scheduler' AND datname IS NOT NULL ORDER BY 1";
        Assert.DoesNotContain("metrics__staging", server.Sql("postgres", schedulers));
        await restoration.CommitAsync(Cancellation);
        await restoration.Switch.FinishAsync(Cancellation);

        while (server.Sql("postgres", schedulers).Trim() != "metrics")
            await Task.Delay(100, Cancellation);
        Assert.DoesNotContain("restoring", server.Sql("postgres", "SELECT setconfig FROM pg_db_role_setting"));
        Assert.Equal("metrics|t\nmetrics__before_testid|f", server.Sql("postgres", "SELECT datname, datallowconn FROM pg_database WHERE datname LIKE 'metrics%' ORDER BY 1").Trim());
    }

    [Fact]
    public async Task A_server_without_the_extension_is_told_which_package_brings_it()
    {
        await using PostgresServer server = PostgresServer.InChroot("trixie", 17);
        await server.InitializeAsync();
        await using PostgresServer eighteen = PostgresServer.InChroot("sid", 18);
        await eighteen.InitializeAsync();
        server.CreateDatabase("vectors");
        server.Sql("vectors", VectorSql);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(server, "vectors");

        await using IRestoration restoration = _bench.Restoration(snapshot, eighteen, "vectors");
        RestorePlan plan = await restoration.PlanAsync(Cancellation);

        Problem blocker = Assert.Single(plan.Blockers);
        Assert.Equal(ErrorCodes.PostgresExtensionMissing, blocker.Code);
        Assert.Contains("extension vector 0.", blocker.Message);
        Assert.Contains("postgresql-18-pgvector", blocker.Hint);
        Assert.Equal(["postgres"], RestoreBench.Databases(eighteen));
    }

    private const string VectorSql =
        """
        CREATE EXTENSION vector;
        CREATE TABLE items (id bigserial PRIMARY KEY, embedding vector(3), half halfvec(3), sparse sparsevec(5), bits bit(8));
        INSERT INTO items (embedding, half, sparse, bits)
          SELECT format('[%s,%s,%s]', i % 17, i % 5, i % 3)::vector, format('[%s,%s,%s]', i % 7, i, 0.5)::halfvec, '{1:1.5,5:2}/5', (i % 256)::bit(8) FROM generate_series(1, 500) i;
        INSERT INTO items (embedding) VALUES (NULL), ('[1e-38,-1e38,0.1]');
        CREATE INDEX items_hnsw ON items USING hnsw (embedding vector_l2_ops) WITH (m = 8, ef_construction = 32);
        CREATE INDEX items_ivfflat ON items USING ivfflat (embedding vector_cosine_ops) WITH (lists = 4);
        CREATE INDEX items_half ON items USING hnsw (half halfvec_ip_ops);
        CREATE INDEX items_bits ON items USING hnsw (bits bit_hamming_ops);
        """;

    private const string HypertableSql =
        """
        CREATE EXTENSION timescaledb;
        CREATE TABLE metrics (at timestamptz NOT NULL, device text NOT NULL, value double precision);
        SELECT create_hypertable('metrics', 'at', chunk_time_interval => interval '1 day');
        SELECT add_dimension('metrics', 'device', number_partitions => 2);
        CREATE INDEX ON metrics (device, at DESC);
        INSERT INTO metrics SELECT t, 'd' || i, i + extract(epoch FROM t)
          FROM generate_series(timestamptz '2026-01-01', '2026-01-05', '1 hour') t, generate_series(1, 4) i;
        CREATE TABLE plain (a int PRIMARY KEY, b text);
        INSERT INTO plain VALUES (1, 'one');
        CREATE SCHEMA iot;
        CREATE TABLE iot.numbers (n bigint NOT NULL, v text);
        SELECT create_hypertable('iot.numbers', 'n', chunk_time_interval => 100);
        INSERT INTO iot.numbers SELECT i, 'v' || i FROM generate_series(1, 1000) i;
        """;
}
