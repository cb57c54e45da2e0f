using System.Text.RegularExpressions;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Postgres;
using Lifeboat.Engine.Sources.Postgres.Roles;
using Lifeboat.Engine.Sources.Postgres.Sql;
using Npgsql;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>Roles, tablespaces and the database itself; on servers of each test's own, because these belong to a server.</summary>
public sealed partial class RolesTests : IAsyncLifetime
{
    private readonly RestoreBench _bench = new();
    private readonly PostgresServer _source = new();
    private readonly PostgresServer _target = new() { ServerSettings = ["timezone=America/St_Johns"] };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
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
    public async Task Roles_tablespaces_and_the_database_itself_come_back()
    {
        string here = CreateRoles(_source), there = Directory(_target, "another place");

        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "the d\"b");
        PostgresSettings settings = _target.Settings("the d\"b") with { Tablespaces = new Dictionary<string, string> { ["fa'st"] = there } };
        await using IRestoration restoration = new PostgresSource(settings, _target.Bin, _bench.Host.Context, new NoSecrets())
            .PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("testid"));
        RestorePlan plan = await restoration.PlanAsync(Cancellation);
        Assert.Empty(plan.Blockers);
        await restoration.StageAsync(Cancellation);
        RestoreBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        await restoration.CommitAsync(Cancellation);

        Assert.Equal(Globals(_source, here), Globals(_target, there));
        string[] created = DatabaseLines(_source);
        Assert.Contains("CREATE DATABASE \"the d\"\"b\" WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = icu LOCALE = 'C' ICU_LOCALE = 'de-u-co-phonebk' TABLESPACE = \"fa'st\";", created);
        Assert.Equal(created, DatabaseLines(_target));
        RestoreBench.AssertSameDump(_source, "the d\"b", _target, "the d\"b");
        Assert.Equal(Grantors(_source), Grantors(_target));
        Assert.Contains($"create tablespace fa'st in {there}", plan.Steps);
        // One is of the capture, one of the restore.
        Assert.Equal([ErrorCodes.PostgresCollationVersion, ErrorCodes.PostgresCollationVersion], _bench.Host.Warnings.Select(static w => w.Code));
        Assert.Equal("scram", await RestoreBench.AsRoleAsync(_target, "the d\"b", "scram", "its 'password\\", "SELECT current_user::text"));
        Assert.Equal("5", await RestoreBench.AsRoleAsync(_target, "the d\"b", "scram", "its 'password\\", "SHOW my.own"));
    }

    [Fact]
    public async Task A_directory_for_a_tablespace_that_cannot_be_used_stops_the_restore()
    {
        string here = Directory(_source, "space");
        _source.Sql("postgres", $"CREATE TABLESPACE fast LOCATION {SqlText.Literal(here)}");
        _source.CreateDatabase("spaced", "TABLESPACE fast");
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "spaced");
        PostgresSettings settings = _target.Settings("spaced") with { Tablespaces = new Dictionary<string, string> { ["fast"] = "/nowhere/at all" } };
        await using IRestoration restoration = new PostgresSource(settings, _target.Bin, _bench.Host.Context, new NoSecrets())
            .PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("testid"));

        Problem blocker = Assert.Single((await restoration.PlanAsync(Cancellation)).Blockers);

        Assert.Equal(ErrorCodes.PostgresTablespaceUnusable, blocker.Code);
        Assert.Contains("/nowhere/at all", blocker.Message);
    }

    [Fact]
    public async Task Two_databases_of_one_server_share_the_roles_that_a_run_makes_and_leave_none_when_it_fails()
    {
        string here = Directory(_source, "fast"), there = Directory(_target, "fast");
        RestoreBench.CreateShop(_source);
        _source.Sql("postgres", $"CREATE TABLESPACE fast OWNER shop_owner LOCATION {SqlText.Literal(here)}");
        _source.Sql("postgres", "ALTER DATABASE shop SET TABLESPACE fast");
        _source.CreateDatabase("second", "OWNER shop_owner TABLESPACE fast");
        _source.Sql("second", "CREATE TABLE t AS SELECT 1 AS a; GRANT SELECT ON t TO shop_readers");
        using RestoreBench other = new();
        await using VerifiedSnapshot one = await _bench.CaptureAsync(_source, "shop");
        await using VerifiedSnapshot two = await other.CaptureAsync(_source, "second");
        MadeOnServers made = new();
        async Task<IRestoration> PlannedAsync(VerifiedSnapshot snapshot, string database, string id)
        {
            PostgresSettings settings = _target.Settings(database) with { Tablespaces = new Dictionary<string, string> { ["fast"] = there } };
            IRestoration restoration = new PostgresSource(settings, _target.Bin, _bench.Host.Context, new NoSecrets()) { Made = made }
                .PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun(id));
            RestorePlan plan = await restoration.PlanAsync(Cancellation);
            Assert.Empty(plan.Blockers);
            Assert.Contains(plan.Steps, static step => step.StartsWith("create 3 roles: ", StringComparison.Ordinal));
            return restoration;
        }

        async Task<(IRestoration First, IRestoration Second)> StagedAsync(string id)
        {
            // As a run does: all plans are made before the first role is.
            (IRestoration first, IRestoration second) = (await PlannedAsync(one, "shop", id), await PlannedAsync(two, "second", id));
            foreach (IRestoration restoration in (IRestoration[])[first, second])
                await restoration.StageAsync(Cancellation);
            foreach (IRestoration restoration in (IRestoration[])[first, second])
                RestoreBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
            return (first, second);
        }

        string[] before = [.. RestoreBench.Globals(_target), .. RestoreBench.Databases(_target)];
        string[] Now() => [.. RestoreBench.Globals(_target), .. RestoreBench.Databases(_target)];

        // The second database's switch fails: the first is taken back while the second is still staged.
        (IRestoration first, IRestoration second) = await StagedAsync("one");
        await first.CommitAsync(Cancellation);
        await first.RevertAsync(Cancellation);
        await first.DiscardAsync(Cancellation);
        await second.DiscardAsync(Cancellation);
        Assert.Equal(before, Now());

        // What comes behind both fails: the last is taken back first.
        (first, second) = await StagedAsync("two");
        await first.CommitAsync(Cancellation);
        await second.CommitAsync(Cancellation);
        await second.RevertAsync(Cancellation);
        await first.RevertAsync(Cancellation);
        await first.DiscardAsync(Cancellation);
        await second.DiscardAsync(Cancellation);
        Assert.Equal(before, Now());

        (first, second) = await StagedAsync("three");
        await first.CommitAsync(Cancellation);
        await second.CommitAsync(Cancellation);
        Assert.Equal(Globals(_source, here), Globals(_target, there));
        RestoreBench.AssertSameDump(_source, "shop", _target, "shop");
        RestoreBench.AssertSameDump(_source, "second", _target, "second");
        Assert.Equal("1", $"{await RestoreBench.AsRoleAsync(_target, "second", "shop_ro", RestoreBench.ReaderPassword, "SELECT a FROM t")}");
    }

    [Fact]
    public async Task A_role_that_somebody_made_meanwhile_is_not_taken_for_the_runs_own()
    {
        RestoreBench.CreateShop(_source);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop");
        await using IRestoration restoration = _bench.Restoration(snapshot, _target, "shop");
        Assert.Empty((await restoration.PlanAsync(Cancellation)).Blockers);
        _target.Sql("postgres", "CREATE ROLE shop_readers");
        string[] before = RestoreBench.Globals(_target);
        LifeboatException refused = await Assert.ThrowsAsync<LifeboatException>(() => restoration.StageAsync(Cancellation));
        Assert.Contains("shop_readers", refused.Message, StringComparison.Ordinal);
        await restoration.DiscardAsync(Cancellation);
        Assert.Equal(before, RestoreBench.Globals(_target));
    }

    [Fact]
    public async Task Roles_that_exist_are_changed_where_that_is_asked_for_and_a_revert_changes_them_back()
    {
        RestoreBench.CreateShop(_source);
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop");
        _target.Sql(
            "postgres",
            """
            CREATE ROLE shop_ro LOGIN PASSWORD 'theirs' CONNECTION LIMIT 3; ALTER ROLE shop_ro SET work_mem = '9MB'; COMMENT ON ROLE shop_ro IS 'another';
            CREATE ROLE shop_owner CREATEDB VALID UNTIL '2030-01-01'; CREATE ROLE shop_readers LOGIN SUPERUSER PASSWORD 'none before'; CREATE ROLE stranger;
            GRANT shop_owner TO shop_ro; GRANT pg_monitor TO shop_ro; GRANT shop_ro TO stranger;
            """);
        string[] before = RestoreBench.Roles(_target);
        await using IRestoration keeping = _bench.Restoration(snapshot, _target, "shop", "keeping");
        string[] said = [.. (await keeping.PlanAsync(Cancellation)).Warnings.Select(static w => w.Message)];
        Assert.Equal(7, said.Count(static m => m.Contains("stays as it is", StringComparison.Ordinal)));
        PostgresSettings settings = _target.Settings("shop") with { UpdateRoles = true };
        await using IRestoration restoration = new PostgresSource(settings, _target.Bin, _bench.Host.Context, new NoSecrets())
            .PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("testid"));
        RestorePlan plan = await restoration.PlanAsync(Cancellation);
        await restoration.StageAsync(Cancellation);
        RestoreBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        // Roles without login keep the passwords that the others are to get, or had.
        Assert.Equal(before, RestoreBench.Roles(_target).Where(static line => !line.Contains("lifeboat__before_", StringComparison.Ordinal)));
        Assert.DoesNotContain("SCRAM", restoration.Switch.Record.GetRawText(), StringComparison.Ordinal);

        await restoration.CommitAsync(Cancellation);

        Assert.DoesNotContain(plan.Warnings, static w => w.Message.Contains("shop_", StringComparison.Ordinal));
        Assert.Contains(plan.Steps, static step => step.StartsWith("change role shop_ro: connection limit 3 there, 5 in the snapshot; ", StringComparison.Ordinal));
        Assert.Contains("no longer have role shop_ro a member of pg_monitor", plan.Steps);
        Assert.DoesNotContain("SCRAM", string.Concat(plan.Steps), StringComparison.Ordinal);
        string[] own(IEnumerable<string> roles) => [.. roles.Where(static l => !l.Contains("stranger", StringComparison.Ordinal) && !l.Contains("lifeboat__before_", StringComparison.Ordinal) && !l.StartsWith("ALTER ROLE postgres ", StringComparison.Ordinal))
            .Select(static l => l.Replace(" VALID UNTIL 'infinity'", "", StringComparison.Ordinal))];
        Assert.Equal(own(RestoreBench.Roles(_source)), own(RestoreBench.Roles(_target)));
        Assert.Contains(RestoreBench.Roles(_target), static line => line.StartsWith("GRANT shop_ro TO stranger", StringComparison.Ordinal));
        Assert.Equal("1", await RestoreBench.AsRoleAsync(_target, "shop", "shop_ro", RestoreBench.ReaderPassword, "SELECT '1'"));

        await restoration.RevertAsync(Cancellation);

        Assert.Equal(before, RestoreBench.Roles(_target).Select(static l => l.Replace(" VALID UNTIL 'infinity'", "", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_recipes_of_the_documentation_for_roles_with_few_rights_are_enough()
    {
        RestoreBench.CreateShop(_source);
        _source.Sql(
            "shop",
            """
            ALTER EVENT TRIGGER refuse DISABLE; CREATE ROLE hidden SUPERUSER; CREATE TABLE secret (a int); INSERT INTO secret VALUES (1); ALTER TABLE secret OWNER TO hidden;
            ALTER TABLE secret ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; SELECT lo_from_bytea(99, 'mine'); CREATE SEQUENCE counted; SELECT nextval('counted');
            CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'x');
            CREATE USER MAPPING FOR shop_owner SERVER far OPTIONS (user 'u', password 'p'); CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE);
            """);
        _source.Sql("postgres", Recipe("backup recipe") + "GRANT CONNECT ON DATABASE shop TO lifeboat_backup");

        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop", user: "lifeboat_backup");

        Problem[] warnings = [.. _bench.Host.Warnings];
        Assert.All(warnings, static w => Assert.Equal(ErrorCodes.PostgresDataLeftOut, w.Code));
        Assert.Contains(warnings, static w => w.Message.Contains("subscriptions not dumped", StringComparison.Ordinal));
        Assert.Contains(warnings, static w => w.Message.Contains("user mapping for \"shop_owner\" at server \"far\"", StringComparison.Ordinal));
        Assert.Equal(2, warnings.Length);
        await _bench.RestoreAsync(snapshot, _target, "shop");
        _source.Sql("shop", "ALTER SUBSCRIPTION s SET (slot_name = NONE); DROP SUBSCRIPTION s; ALTER USER MAPPING FOR shop_owner SERVER far OPTIONS (DROP user, DROP password)");
        RestoreBench.AssertSameDump(_source, "shop", _target, "shop");
        RestoreBench.AssertSameRoles(_source, _target);
        Assert.Equal("mine", _target.Sql("shop", "SELECT convert_from(lo_get(99), 'UTF8')").Trim());
    }

    [Fact]
    public async Task An_owner_restores_its_database_by_the_recipe_of_the_documentation()
    {
        const string make = "CREATE ROLE shop_owner LOGIN; CREATE ROLE boss SUPERUSER; CREATE ROLE helper";
        _source.Sql("postgres", make);
        _source.CreateDatabase("shop", "OWNER shop_owner");
        _source.Sql("shop", "CREATE EXTENSION hstore; CREATE TABLE t (a serial PRIMARY KEY, h hstore); INSERT INTO t (h) VALUES ('a=>1'); GRANT SELECT ON t TO helper; SELECT lo_create(7)", "shop_owner");
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "shop", user: "shop_owner");
        Assert.Equal([ErrorCodes.PostgresRolePasswordsLeftOut], _bench.Host.Warnings.Select(static w => w.Code));
        _target.Sql("postgres", "CREATE ROLE shop_owner LOGIN; CREATE ROLE helper");
        _target.CreateDatabase("shop", "OWNER shop_owner");
        await using (IRestoration without = _bench.Restoration(snapshot, _target, "shop", "without", user: "shop_owner"))
            Assert.Equal(ErrorCodes.PostgresRightMissing, Assert.Single((await without.PlanAsync(Cancellation)).Blockers).Code);
        _target.Sql("postgres", Recipe("restore recipe"));

        RestorePlan plan = await _bench.RestoreAsync(snapshot, _target, "shop", user: "shop_owner");

        Assert.Contains(plan.Warnings, static w => w.Code == ErrorCodes.PostgresRoleLeftOut && w.Message.Contains("role boss", StringComparison.Ordinal));
        RestoreBench.AssertSameDump(_source, "shop", _target, "shop");
    }

    [Fact]
    public async Task A_tablespace_that_may_not_be_used_is_told_and_everything_goes_into_the_default_one()
    {
        _source.Sql("postgres", $"CREATE ROLE owner LOGIN; CREATE TABLESPACE fast LOCATION {SqlText.Literal(Directory(_source, "fast"))}");
        _target.Sql("postgres", $"CREATE ROLE owner LOGIN CREATEDB; CREATE TABLESPACE fast LOCATION {SqlText.Literal(Directory(_target, "fast"))}");
        _source.CreateDatabase("spaced", "OWNER owner TABLESPACE fast");
        _source.Sql("spaced", "CREATE TABLE elsewhere TABLESPACE pg_default AS SELECT 1 AS a; ALTER TABLE elsewhere OWNER TO owner");
        await using VerifiedSnapshot snapshot = await _bench.CaptureAsync(_source, "spaced");

        RestorePlan plan = await _bench.RestoreAsync(snapshot, _target, "spaced", user: "owner");

        Assert.Contains(plan.Warnings, static w => w.Code == ErrorCodes.PostgresTablespaceReplaced && w.Message.StartsWith("tablespace fast is not on the server, or may not be used", StringComparison.Ordinal));
        Assert.Equal("1", _target.Sql("spaced", "SELECT a FROM elsewhere").Trim());
    }

    [GeneratedRegex("<!-- test: (.+?) -->\\s*```sql\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex RecipeBlock();

    internal static string Recipe(string name)
    {
        DirectoryInfo root = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "Lifeboat.slnx")))
            root = root.Parent!;
        return RecipeBlock().Matches(File.ReadAllText(Path.Combine(root.FullName, "docs", "postgres.md"))).Single(m => m.Groups[1].Value == name).Groups[2].Value;
    }

    /// <summary>Makes roles and tablespaces of every kind, and a database "the d"b" in one of them; gives that one's directory.</summary>
    internal static string CreateRoles(PostgresServer server)
    {
        string here = Directory(server, "fast one"), other = Directory(server, "slow");
        server.Sql("postgres", RolesSql.Replace("DIR_ONE", here, StringComparison.Ordinal).Replace("DIR_TWO", other, StringComparison.Ordinal));
        server.Sql("the d\"b", InsideSql);
        return here;
    }

    internal static string Directory(PostgresServer server, string name)
    {
        string directory = Path.Combine(server.SocketFolder, name);
        server.Sql("postgres", $"COPY (SELECT 1) TO PROGRAM {SqlText.Literal($"mkdir '{directory}'; cat >/dev/null")}");
        return directory;
    }

    /// <summary>But for the superuser that each server has had from its start, the directory, and what the database does not use.</summary>
    private static string[] Globals(PostgresServer server, string directory)
    {
        string all = string.Join('\n', RestoreBench.Globals(server).Where(static l => !l.StartsWith("ALTER ROLE postgres ", StringComparison.Ordinal)
            && !l.Contains("unused_space", StringComparison.Ordinal)));
        Assert.Contains(directory, all, StringComparison.Ordinal);
        return all.Replace(directory, "DIRECTORY", StringComparison.Ordinal).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static string[] DatabaseLines(PostgresServer server) => [.. RestoreBench.Lines(server.Dump("the d\"b", "--create", "--schema-only"))
        .Where(static l => l.Contains("DATABASE", StringComparison.Ordinal) && !l.StartsWith("--", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    internal static string Grantors(PostgresServer server) => server.Sql(
        "postgres",
        """
        SELECT roleid::regrole, member::regrole, grantor::regrole, admin_option FROM pg_auth_members WHERE member::regrole::text <> 'pg_monitor' ORDER BY roleid::regrole::text, member::regrole::text;
        SELECT a.grantor::regrole, a.grantee::regrole, privilege_type, is_grantable FROM pg_database d, aclexplode(datacl) a WHERE datname = 'the d"b' ORDER BY a.grantor::regrole::text, a.grantee::regrole::text, privilege_type
        """);

    private const string RolesSql =
        """
        CREATE ROLE boss SUPERUSER CREATEDB CREATEROLE REPLICATION BYPASSRLS LOGIN NOINHERIT CONNECTION LIMIT 3 VALID UNTIL '2038-01-19 03:14:07.123456+00';
        CREATE ROLE scram LOGIN PASSWORD 'its ''password\';
        SET password_encryption = 'md5'; CREATE ROLE old LOGIN PASSWORD 'md5 it is'; RESET password_encryption;
        CREATE ROLE never LOGIN VALID UNTIL '-infinity' CONNECTION LIMIT 0; CREATE ROLE always VALID UNTIL 'infinity'; CREATE ROLE "Odd ""role'🛟";
        CREATE ROLE a_group NOLOGIN; CREATE ROLE manager; CREATE ROLE member;
        GRANT a_group TO manager WITH ADMIN OPTION; GRANT pg_read_all_data TO manager WITH ADMIN OPTION;
        SET ROLE manager; GRANT a_group TO member; GRANT pg_read_all_data TO member; RESET ROLE; GRANT member TO "Odd ""role'🛟" WITH ADMIN OPTION;
        ALTER ROLE scram SET search_path = "$user", 'a b', public; ALTER ROLE scram SET work_mem = '5MB'; ALTER ROLE scram SET my.own = '4''\'; ALTER ROLE boss SET session_preload_libraries = '';
        COMMENT ON ROLE scram IS 'it''s
        two lines'; COMMENT ON ROLE "Odd ""role'🛟" IS '🛟';
        GRANT SET, ALTER SYSTEM ON PARAMETER log_min_messages TO manager WITH GRANT OPTION; SET ROLE manager; GRANT SET ON PARAMETER log_min_messages TO member; RESET ROLE;
        CREATE TABLESPACE "fa'st" OWNER manager LOCATION 'DIR_ONE' WITH (random_page_cost = 1.5, effective_io_concurrency = 7); COMMENT ON TABLESPACE "fa'st" IS 'it''s fast';
        GRANT CREATE ON TABLESPACE "fa'st" TO member WITH GRANT OPTION; CREATE TABLESPACE unused_space LOCATION 'DIR_TWO';
        CREATE DATABASE "the d""b" OWNER manager TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'de-u-co-phonebk' LC_COLLATE 'C' LC_CTYPE 'C' TABLESPACE "fa'st" CONNECTION LIMIT 9;
        UPDATE pg_database SET datcollversion = '1.2.3' WHERE datname = 'the d"b';
        REVOKE TEMPORARY ON DATABASE "the d""b" FROM PUBLIC; GRANT CONNECT, CREATE ON DATABASE "the d""b" TO member WITH GRANT OPTION;
        SET ROLE member; GRANT CREATE ON DATABASE "the d""b" TO scram; RESET ROLE;
        COMMENT ON DATABASE "the d""b" IS 'the ''database''
        \';
        ALTER DATABASE "the d""b" SET search_path = 'Odd, "schema', "$user"; ALTER DATABASE "the d""b" SET my.own = '''; --'; ALTER DATABASE "the d""b" SET default_tablespace = 'pg_default';
        ALTER ROLE scram IN DATABASE "the d""b" SET my.own = '5'; ALTER ROLE "Odd ""role'🛟" IN DATABASE "the d""b" SET DateStyle = 'German';
        ALTER DATABASE "the d""b" IS_TEMPLATE true;
        """;

    private const string InsideSql =
        """
        SET search_path = public; CREATE TABLE t (a text PRIMARY KEY); INSERT INTO t VALUES ('ä'), ('z'), ('a');
        CREATE TABLE elsewhere (a int) TABLESPACE pg_default; CREATE INDEX ON elsewhere (a) TABLESPACE "fa'st"; CREATE MATERIALIZED VIEW v TABLESPACE "fa'st" AS SELECT * FROM t;
        """;
}
