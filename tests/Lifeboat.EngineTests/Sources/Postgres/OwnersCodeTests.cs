using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>What a database's owner wrote runs with no more than that owner's rights when a superuser restores the database.</summary>
public sealed class OwnersCodeTests : IAsyncLifetime
{
    private readonly RestoreBench _bench = new();
    private readonly PostgresServer _source = new();
    private readonly PostgresServer _target = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _source.InitializeAsync();
        await _target.InitializeAsync();
        _source.Sql("postgres", "CREATE ROLE hostile LOGIN; CREATE ROLE other LOGIN CREATEROLE");
        _source.CreateDatabase("hostile", "OWNER hostile");
        _source.Sql("hostile", "ALTER SCHEMA public OWNER TO pg_database_owner; GRANT ALL ON SCHEMA public TO other");
        _source.Sql("hostile", HostileSql, "hostile");
        _source.Sql("hostile", "CREATE TABLE others (a int CHECK (trap(a))); INSERT INTO others VALUES (1); ALTER TABLE others OWNER TO pg_database_owner", "hostile");
        _source.Sql("hostile", "CREATE TABLE another (a int); INSERT INTO another VALUES (1)", "other");
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _target.DisposeAsync();
        _bench.Dispose();
    }

    [Fact]
    public async Task Nothing_that_an_owner_wrote_runs_as_the_restoring_superuser()
    {
        string[] roles = RestoreBench.Roles(_source);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "hostile");

        await _bench.RestoreAsync(snapshot, _target, "hostile");

        Assert.Equal("f", _target.Sql("postgres", "SELECT rolsuper FROM pg_roles WHERE rolname = 'hostile'").Trim());
        RestoreBench.AssertSameDump(_source, "hostile", _target, "hostile");
        RestoreBench.AssertSameRoles(_source, _target);
        Assert.Equal(roles, RestoreBench.Roles(_source));
        Assert.Equal("0", _target.Sql("postgres", "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'lifeboat%'").Trim());
        Assert.DoesNotContain(_bench.Host.Warnings, static one => one.Code == ErrorCodes.PostgresOwnersUnconfined);
        // Each ran, and so could have done it.
        Assert.Equal("check,domain,cast,generated", string.Join(',', s_ran.Where(ran => Log().Contains($"ran {ran} as lifeboat_load_", StringComparison.Ordinal))));
        Assert.DoesNotContain("as postgres", Log(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_lets_no_such_role_in_is_told_of_in_the_plan_and_restored_to()
    {
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "hostile");
        string hba = Path.Combine(_target.Data, "pg_hba.conf");
        File.WriteAllText(hba, "local all postgres trust\nhost all postgres 127.0.0.1/32 trust\n");
        _target.Sql("postgres", "SELECT pg_reload_conf()");
        await using IRestoration restoration = _bench.Restoration(snapshot, _target, "hostile");

        RestorePlan plan = await restoration.PlanAsync(Cancellation);

        Assert.Contains(plan.Warnings, static one => one.Code == ErrorCodes.PostgresOwnersUnconfined);
        await restoration.StageAsync(Cancellation);
        // What the plan said can be done was done; at least it is seen before anything is live.
        VerifyReport report = await restoration.VerifyAsync(Cancellation);
        Assert.Equal("role hostile", Assert.Single(report.Checks, static check => !check.Passed).Subject);
        await restoration.DiscardAsync(Cancellation);
        Assert.Equal("0", _target.Sql("postgres", "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'lifeboat%'").Trim());
    }

    [Fact]
    public async Task What_owners_took_from_themselves_and_have_by_the_database_alone_is_no_obstacle()
    {
        _source.Sql(
            "hostile",
            """
            REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE ALL ON plain FROM hostile; REVOKE ALL ON many FROM hostile; REVOKE REFERENCES ON plain FROM hostile;
            CREATE MATERIALIZED VIEW seen AS SELECT count(*) FROM keyed; ALTER MATERIALIZED VIEW seen OWNER TO hostile; REFRESH MATERIALIZED VIEW seen
            """);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "hostile");

        await _bench.RestoreAsync(snapshot, _target, "hostile");

        RestoreBench.AssertSameDump(_source, "hostile", _target, "hostile");
        Assert.Equal("1", _target.Sql("hostile", "SELECT * FROM seen").Trim());
        Assert.DoesNotContain(_bench.Host.Warnings, static one => one.Code == ErrorCodes.PostgresViewNotFilled);
    }

    private static readonly string[] s_ran = ["check", "domain", "cast", "generated"];

    private string Log() => File.ReadAllText(_target.LogFile);

    // Each function tells who runs it, and makes its owner a superuser as soon as it can, by whatever way there is back to the session's user.
    private const string HostileSql =
        """
        CREATE FUNCTION spring(what text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
          RAISE LOG 'ran % as %', what, current_user;
          BEGIN RESET ROLE; EXCEPTION WHEN OTHERS THEN NULL; END;
          BEGIN RESET SESSION AUTHORIZATION; EXCEPTION WHEN OTHERS THEN NULL; END;
          IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN EXECUTE 'ALTER ROLE hostile SUPERUSER'; END IF;
          BEGIN EXECUTE 'ALTER ROLE hostile CREATEROLE'; EXCEPTION WHEN OTHERS THEN NULL; END;
          BEGIN SET ROLE other; EXECUTE 'ALTER ROLE hostile CREATEDB'; EXCEPTION WHEN OTHERS THEN NULL; END;
        END $$;
        CREATE FUNCTION trap(a int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM public.spring('check'); RETURN true; END $$;
        CREATE FUNCTION in_domain(a int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM public.spring('domain'); RETURN true; END $$;
        CREATE FUNCTION computed(a int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM public.spring('generated'); RETURN a; END $$;
        CREATE DOMAIN dom AS int CHECK (public.in_domain(VALUE));
        CREATE TABLE plain (a int PRIMARY KEY CHECK (public.trap(a)), b dom, c int GENERATED ALWAYS AS (public.computed(a)) STORED); INSERT INTO plain VALUES (1, 1);
        CREATE TABLE many (a int, b int CHECK (public.trap(b))) PARTITION BY LIST (a); CREATE TABLE many_1 PARTITION OF many FOR VALUES IN (1); INSERT INTO many VALUES (1, 1);
        CREATE TYPE kind AS ENUM ('one');
        CREATE FUNCTION number(k kind) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM public.spring('cast'); RETURN 1; END $$;
        CREATE CAST (kind AS int) WITH FUNCTION number(kind) AS IMPLICIT;
        CREATE TABLE keyed (k kind REFERENCES plain); INSERT INTO keyed VALUES ('one');
        CREATE INDEX ON plain (public.computed(a)); CREATE MATERIALIZED VIEW seen_by AS SELECT public.trap(1) AS t; CREATE STATISTICS stat ON (public.computed(a)), b FROM plain;
        """;
}
