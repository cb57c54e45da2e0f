using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>The extensions that Debian packages for PostgreSQL 15, on two servers: the second one has the packages and nothing else.</summary>
public sealed class ExtensionTests : IAsyncLifetime
{
    private static readonly string[] s_settings = ["shared_preload_libraries=pg_cron,pg_stat_statements", "cron.database_name=shop", "cron.use_background_workers=on"];
    private readonly RestoreBench _bench = new();
    private readonly PostgresServer _source = new() { ServerSettings = s_settings };
    private readonly PostgresServer _target = new() { ServerSettings = s_settings };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        foreach (string extension in new[] { "postgis", "pg_partman", "pg_cron", "hll", "ip4r", "rum", "periods", "pgcrypto" })
            Lifeboat.Tests.Shared.Needs.File($"/usr/share/postgresql/15/extension/{extension}.control");
        await _source.InitializeAsync();
        await _target.InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _target.DisposeAsync();
        _bench.Dispose();
    }

    [Fact]
    public async Task Extensions_come_back_with_their_version_and_configuration_and_nothing_twice()
    {
        Create();
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop");

        await _bench.RestoreAsync(snapshot, _target, "shop");

        Assert.Equal([], _bench.Host.Warnings.Select(static warning => warning.Message + warning.Hint));
        RestoreBench.AssertSameDump(_source, "shop", _target, "shop");
        const string versions = "SELECT extname, extversion, extnamespace::regnamespace FROM pg_extension ORDER BY 1";
        Assert.Equal(_source.Sql("shop", versions), _target.Sql("shop", versions));
        // The 8,500 rows that come with the extension are in no file of the snapshot; the one that was added is.
        Assert.Equal(1, snapshot.Metadata.Sources[0].Tables!.Single(static table => table.Name == "public.spatial_ref_sys").Rows);
        Assert.Equal("8501|mine", _target.Sql("shop", "SELECT (SELECT count(*) FROM public.spatial_ref_sys), (SELECT auth_name FROM public.spatial_ref_sys WHERE srid = 990001)").Trim());
        foreach (string query in Queries)
            Assert.Equal(_source.Sql("shop", query), _target.Sql("shop", query));

        // And they do on the target what they do on the source.
        foreach ((string work, string outcome) in Works)
        {
            Assert.Equal(outcome, _source.Sql("shop", work).Trim());
            Assert.Equal(outcome, _target.Sql("shop", work).Trim());
        }

        const string overlapping = "INSERT INTO prices VALUES (1, 3, '2026-02-01', '2026-03-01')";
        Assert.Contains("violates exclusion constraint", Assert.Throws<InvalidOperationException>(() => _target.Sql("shop", overlapping)).Message);
    }

    [Fact]
    public async Task Every_extension_that_is_on_this_machine_comes_back()
    {
        _source.CreateDatabase("shop");
        _source.Sql(
            "shop",
            """
            CREATE SCHEMA partman; CREATE EXTENSION pg_partman SCHEMA partman;
            SELECT format('CREATE EXTENSION IF NOT EXISTS %I CASCADE', name) FROM pg_available_extensions
            JOIN pg_available_extension_versions USING (name) WHERE version = default_version ORDER BY name \gexec
            """);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop");

        await _bench.RestoreAsync(snapshot, _target, "shop");

        const string versions = "SELECT extname, extversion, extnamespace::regnamespace, extowner::regrole FROM pg_extension ORDER BY 1";
        string[] extensions = _source.Sql("shop", versions).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(extensions.Length > 55, string.Join(", ", extensions)); // contrib alone has 47
        Assert.Equal(extensions, _target.Sql("shop", versions).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Empty(_bench.Host.Warnings);
        RestoreBench.AssertSameDump(_source, "shop", _target, "shop");
    }

    [Fact]
    public async Task A_version_that_the_server_does_not_offer_becomes_its_default_with_a_warning()
    {
        _source.CreateDatabase("shop");
        _source.Sql("shop", "CREATE EXTENSION hll; CREATE TABLE t (h hll); INSERT INTO t SELECT hll_empty(); UPDATE pg_extension SET extversion = '0.0.1' WHERE extname = 'hll'");
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop");

        RestorePlan plan = await _bench.RestoreAsync(snapshot, _target, "shop");

        Problem warning = Assert.Single(plan.Warnings);
        Assert.Equal(ErrorCodes.PostgresNotComparable, warning.Code);
        Assert.Contains("extension hll is version 0.0.1 in the snapshot and will be", warning.Message);
        Assert.Equal("1|f", _target.Sql("shop", "SELECT count(*), bool_or(extversion = '0.0.1') FROM t, pg_extension WHERE extname = 'hll'").Trim());
    }

    [Fact]
    public async Task The_captured_version_is_installed_where_the_server_offers_it()
    {
        _source.CreateDatabase("shop");
        _source.Sql("shop", "CREATE SCHEMA x; CREATE EXTENSION pg_trgm VERSION '1.5'; CREATE EXTENSION hll WITH SCHEMA x VERSION '2.16'; CREATE TABLE t (h x.hll); INSERT INTO t SELECT x.hll_empty()");
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop");

        await _bench.RestoreAsync(snapshot, _target, "shop");

        const string versions = "SELECT extname, extversion, extnamespace::regnamespace FROM pg_extension ORDER BY 1";
        Assert.Contains("pg_trgm|1.5|public", _target.Sql("shop", versions));
        Assert.Equal(_source.Sql("shop", versions), _target.Sql("shop", versions));
        RestoreBench.AssertSameDump(_source, "shop", _target, "shop");
    }

    [Fact]
    public async Task What_an_extension_lacks_on_the_server_is_told_before_anything_is_written()
    {
        CreateJobs();
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop");
        await using PostgresServer bare = await PostgresServer.StartAsync();
        bare.CreateDatabase("contrib_regression");

        await using IRestoration restoration = _bench.Restoration(snapshot, bare, "shop");
        RestorePlan plan = await restoration.PlanAsync(Cancellation);

        Assert.Equal(
            [ErrorCodes.PostgresExtensionMissing, ErrorCodes.PostgresNameTaken], plan.Blockers.Select(static blocker => blocker.Code));
        Assert.Contains("shared_preload_libraries", plan.Blockers[0].Hint);
        Assert.Equal(["contrib_regression", "postgres"], RestoreBench.Databases(bare));
    }

    [Fact]
    public async Task A_live_database_with_cron_jobs_is_replaced_and_its_jobs_are_there()
    {
        CreateJobs();
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop");
        _source.Sql("shop", "DELETE FROM cron.job");

        await _bench.RestoreAsync(snapshot, _source, "shop");

        Assert.Equal("nightly|1", _source.Sql("shop", "SELECT jobname, count(*) OVER () FROM cron.job").Trim());
        Assert.Equal("2", _source.Sql("shop", "SELECT cron.schedule('later', '0 4 * * *', 'SELECT 1')").Trim());
    }

    private void Create()
    {
        _source.CreateDatabase("shop");
        _source.Sql("shop", ExtensionsSql);
    }

    private void CreateJobs()
    {
        _source.CreateDatabase("shop");
        _source.Sql("shop", "CREATE EXTENSION pg_cron; SELECT cron.schedule('nightly', '0 3 * * *', 'VACUUM')");
    }

    private static readonly string[] Queries =
    [
        "SELECT id FROM places WHERE ST_DWithin(place, ST_SetSRID(ST_MakePoint(7, 47), 4326), 2) ORDER BY id",
        "SELECT ST_AsEWKT(place) FROM places ORDER BY id", "SELECT rast FROM rasters", "SELECT parent_table, partition_interval FROM partman.part_config",
        "SELECT jobname, schedule, command FROM cron.job", "SELECT hll_cardinality(users) FROM daily", "SELECT * FROM nets WHERE range >>= '10.1.2.3'",
        "SELECT id FROM docs WHERE words @@ to_tsquery('english', 'boat') ORDER BY words <=> to_tsquery('english', 'boat'), id",
        "SELECT table_name::text, period_name FROM periods.periods ORDER BY 1, 2", "SELECT tree, key, addr, cubes, isbn FROM contrib",
        "SELECT a FROM crosses", "SELECT name FROM names WHERE name % 'lifeboot'",
    ];

    private static readonly (string Sql, string Outcome)[] Works =
    [
        ("UPDATE accounts SET owner = 'c'; SELECT count(*) FROM accounts_history", "2"),
        ("SELECT topology.AddNode('city', ST_SetSRID(ST_MakePoint(3, 4), 4326))", "2"),
        ("UPDATE daily SET users = hll_add(users, hll_hash_integer(123456)); SELECT count(*) FROM daily WHERE hll_cardinality(users) > 900", "1"),
        (
            "CREATE TEMP TABLE old AS SELECT count(*) AS n FROM pg_inherits WHERE inhparent = 'public.events'::regclass; UPDATE partman.part_config SET premake = premake + 30; "
            + "SELECT partman.run_maintenance('public.events', p_jobmon => false); SELECT count(*) - (SELECT n FROM old) > 20 FROM pg_inherits WHERE inhparent = 'public.events'::regclass",
            "t"),
        ("SELECT cron.schedule('weekly', '0 3 * * 0', 'SELECT 1') > 1; SELECT count(*) FROM cron.job", "t\n2"),
    ];

    private const string ExtensionsSql =
        """
        CREATE SCHEMA partman; CREATE SCHEMA tools;
        CREATE EXTENSION postgis; CREATE EXTENSION postgis_raster; CREATE EXTENSION postgis_topology;
        CREATE EXTENSION pg_partman SCHEMA partman; CREATE EXTENSION pg_cron; CREATE EXTENSION hll; CREATE EXTENSION ip4r; CREATE EXTENSION rum;
        CREATE EXTENSION btree_gist; CREATE EXTENSION periods; CREATE EXTENSION pg_stat_statements;
        CREATE EXTENSION ltree; CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION cube; CREATE EXTENSION earthdistance; CREATE EXTENSION isn;
        CREATE EXTENSION pg_trgm; CREATE EXTENSION pgcrypto SCHEMA tools; CREATE EXTENSION "uuid-ossp"; CREATE EXTENSION tablefunc; CREATE EXTENSION unaccent;
        CREATE EXTENSION intarray; CREATE EXTENSION seg; CREATE EXTENSION bloom; CREATE EXTENSION btree_gin; CREATE EXTENSION postgres_fdw; CREATE EXTENSION file_fdw;
        CREATE EXTENSION fuzzystrmatch; CREATE EXTENSION dict_int; CREATE EXTENSION lo; CREATE EXTENSION amcheck; CREATE EXTENSION pageinspect;
        CREATE TABLE places (id serial PRIMARY KEY, place geometry(Point, 4326), area geography);
        INSERT INTO places (place, area) SELECT ST_SetSRID(ST_MakePoint(i, 40 + i), 4326), ST_Buffer(ST_MakePoint(i, i)::geography, 1000) FROM generate_series(1, 40) i;
        CREATE INDEX ON places USING gist (place);
        CREATE TABLE rasters (id int, rast raster); INSERT INTO rasters VALUES (1, ST_AddBand(ST_MakeEmptyRaster(4, 4, 0, 0, 1), '8BUI'::text, 7, 0));
        INSERT INTO spatial_ref_sys (srid, auth_name, auth_srid, srtext, proj4text) VALUES (990001, 'mine', 1, '', '+proj=longlat +datum=WGS84 +no_defs');
        SELECT topology.CreateTopology('city', 4326); SELECT topology.AddNode('city', ST_SetSRID(ST_MakePoint(1, 2), 4326));
        CREATE TABLE public.events (id bigint, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        SELECT partman.create_parent('public.events', 'at', 'native', 'daily', p_start_partition => (current_date - 5)::text);
        INSERT INTO public.events SELECT i, current_date - 5 + i * interval '1 hour' FROM generate_series(1, 120) i;
        SELECT cron.schedule('nightly', '0 3 * * *', 'VACUUM');
        CREATE TABLE daily (users hll); INSERT INTO daily SELECT hll_add_agg(hll_hash_integer(i)) FROM generate_series(1, 1000) i;
        CREATE TABLE nets (range ip4r, any_range iprange); INSERT INTO nets VALUES ('10.0.0.0/8', '2001:db8::/32'); CREATE INDEX ON nets USING gist (range);
        CREATE TABLE docs (id serial, body text, words tsvector);
        INSERT INTO docs (body, words) SELECT b, to_tsvector('english', b) FROM unnest(ARRAY['a boat', 'a life boat and a boat', 'nothing']) b;
        CREATE INDEX ON docs USING rum (words rum_tsvector_ops);
        CREATE TABLE prices (product int, price numeric, sold_from date, sold_to date);
        SELECT periods.add_period('prices', 'validity', 'sold_from', 'sold_to'); SELECT periods.add_unique_key('prices', ARRAY['product'], 'validity');
        CREATE TABLE accounts (id int PRIMARY KEY, owner text);
        SELECT periods.add_system_time_period('accounts'); SELECT periods.add_system_versioning('accounts');
        INSERT INTO prices VALUES (1, 2.5, '2026-01-01', '2026-06-01'); INSERT INTO accounts VALUES (1, 'a'); UPDATE accounts SET owner = 'b';
        CREATE TABLE contrib (tree ltree, key hstore, addr citext, cubes cube, isbn isbn13, u uuid DEFAULT uuid_generate_v4(), ints int[], digest bytea);
        INSERT INTO contrib (tree, key, addr, cubes, isbn, ints, digest) VALUES ('a.b', 'k=>v', 'A@B', '(1,2)', '978-0-393-04002-9', '{1,2}', tools.digest('x', 'sha256'));
        CREATE INDEX ON contrib USING gist (tree); CREATE INDEX ON contrib USING gin (ints gin__int_ops); CREATE INDEX ON contrib USING bloom (addr);
        CREATE TABLE crosses (a int, EXCLUDE USING gist (a WITH =)); INSERT INTO crosses VALUES (1);
        CREATE TABLE names (name text); INSERT INTO names VALUES ('lifeboat'); CREATE INDEX ON names USING gin (name gin_trgm_ops);
        CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'nowhere'); CREATE USER MAPPING FOR postgres SERVER far OPTIONS (user 'x', password 'y');
        """;
}
