using Lifeboat.EngineTests.Sources.Postgres;
using Lifeboat.Tests.Shared;
using Npgsql;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>
/// A restore by a user who may create databases and roles and is no superuser, by the program itself, on an empty server: what can be had is had, what cannot is
/// told before anything is written. Versions differ in what such a user may do (from 16 on only what it was given, or has created).
/// </summary>
public sealed class FewRightsTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private PostgresServer _source = new();
    private PostgresServer _target = new();

    public static TheoryData<string, int> Servers => new() { { "", 15 }, { "trixie", 17 } };

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _target.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task What_roles_can_have_is_restored_and_a_warning_names_each_thing_that_is_left_out(string suite, int major)
    {
        await StartAsync(suite, major);
        _source.Sql("postgres", RolesSql);
        _source.CreateDatabase("shop", "OWNER app");
        _source.Sql("postgres", DatabaseSql);
        _source.Sql("shop", "CREATE EXTENSION hstore");
        _source.Sql("shop", InsideSql, "app");
        string[] before = RestoreBench.Roles(_target);
        string[] restore = Backup();

        ProgramRun plan = Run(3, [.. restore, "--dry-run"]);
        Assert.Equal(before, RestoreBench.Roles(_target));
        Assert.Equal(["postgres"], RestoreBench.Databases(_target));
        ProgramRun restored = Run(3, [.. restore, "--yes"]);

        const string goesOn = ", because user dba may not do that; the restore goes on without it";
        string[] expected =
        [
            "role boss can only be created by a superuser (it has SUPERUSER, REPLICATION or BYPASSRLS); the database does not use it, so the restore goes on without it",
            "role app is created without setting log_statement" + goesOn,
            "role app is not made allowed to SET parameter log_min_messages" + goesOn,
            "role boss comes without its setting work_mem in the database" + goesOn,
            "role reporting comes without its setting log_statement in the database" + goesOn,
            "user dba becomes a member of app, which it creates: else it could not give it its objects",
        ];
        if (major >= 16)
            expected = [.. expected, "role reporting is not made a member of pg_read_all_data" + goesOn, "role reporting is not made a member of keeper" + goesOn];
        Assert.Equal(expected.Order(StringComparer.Ordinal), Told(plan, "warning"));
        Assert.Equal(expected.Order(StringComparer.Ordinal), Told(restored, "warning"));
        // The list is written in another way once the server has read it again.
        static string[] lines(PostgresServer server) =>
            [.. RestoreBench.Lines(server.Dump("shop")).Where(static line => !line.Contains("(language)::text = ANY", StringComparison.Ordinal))];
        Assert.Equal(lines(_source), lines(_target));
        Assert.Equal("3", await RestoreBench.AsRoleAsync(_target, "shop", "app", "secret of app", "SELECT count(*)::text FROM app_data.item"));
        Assert.Equal(
            major >= 16 ? ["readers"] : ["keeper", "pg_read_all_data", "readers"],
            _target.Sql("postgres", "SELECT roleid::regrole FROM pg_auth_members WHERE member::regrole::text IN ('app', 'reporting') ORDER BY roleid::regrole::text").Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal("work_mem=5MB", _target.Sql("postgres", "SELECT s.setconfig[1] FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = setrole WHERE rolname = 'app' AND setdatabase = 0").Trim());

        Run(0, "undo", "--yes");
        Run(0, "discard", "--yes");
        Assert.Equal(before, RestoreBench.Roles(_target));
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task What_the_database_needs_and_only_a_superuser_can_give_stops_the_restore_before_it_begins(string suite, int major)
    {
        await StartAsync(suite, major);
        _source.Sql("postgres", RolesSql);
        _source.CreateDatabase("shop", "OWNER app");
        _source.Sql("postgres", "ALTER DATABASE shop SET log_statement = 'none'; GRANT CONNECT ON DATABASE shop TO reporting WITH GRANT OPTION; SET ROLE reporting; GRANT CONNECT ON DATABASE shop TO keeper");
        _source.Sql("shop", SuperuserSql);
        string[] before = RestoreBench.Roles(_target);
        string[] restore = Backup();

        ProgramRun plan = Run(1, [.. restore, "--dry-run"]);
        ProgramRun refused = Run(1, [.. restore, "--yes"]);

        string[] blockers = Told(plan, "error");
        Assert.Equal(blockers, Told(refused, "error"));
        string[] expected =
        [
            "access methods, and the database has them: own_am", "aggregates with an internal state, and the database has them: public.own_count", "base types, and the database has them: public.own_type",
            "casts without a function, and the database has them: (text AS public.own_type)", "event triggers, and the database has them: refuse",
            "foreign data wrappers, and the database has them: own_fdw", "functions in C, and the database has them: public.own_in, public.own_out",
            "functions with a support function, and the database has them: public.own_supported",
            "languages, and the database has them: own_language", "leakproof functions, and the database has them: public.own_leakproof",
            "operator classes and families, and the database has them: public.own_family, public.own_class", "publications of all tables, and the database has them: all_of_it",
            "publications of schemas, and the database has them: own_schemas", "rights on the server's own objects, and the database has them: pg_catalog.pg_read_file",
            "rights that others than the owner granted, and the database has them: readers, reporting", "subscriptions, and the database has them: own_subscription",
            "text search templates and parsers, and the database has them: public.own_parser, public.own_template",
        ];
        Assert.Equal(expected.Select(static what => "only a superuser can restore " + what), blockers.Where(static one => one.StartsWith("only a superuser can restore", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Contains("the database has a setting log_statement, which user dba may not make", blockers);
        Assert.Contains("role readers owns objects in schema public of role app: only a superuser can give them to it while it may not create any there", blockers);
        Assert.Contains("role readers owns objects in the database of role app: only a superuser can give them to it while it may not create any there", blockers);
        Assert.Contains("objects of the database belong to role keeper, and user dba is not a member of it that inherits its rights", blockers);
        Assert.Equal(before, RestoreBench.Roles(_target));
        Assert.Equal(["postgres"], RestoreBench.Databases(_target));
    }

    [Fact]
    public async Task Connections_that_the_user_may_not_end_are_told_and_the_live_database_stays_when_they_do_not_end()
    {
        await StartAsync("", 15);
        _source.Sql("postgres", "CREATE ROLE dba");
        _source.CreateDatabase("shop", "OWNER dba");
        _source.Sql("shop", "CREATE TABLE item AS SELECT 1 AS id; ALTER TABLE item OWNER TO dba");
        _target.CreateDatabase("shop", "OWNER dba");
        _target.Sql("shop", "CREATE TABLE live AS SELECT 2 AS id");
        string[] restore = Backup();
        NpgsqlConnectionStringBuilder builder = new() { Host = "127.0.0.1", Port = _target.Port, Database = "shop", Username = "postgres", Password = PostgresServer.Password, Pooling = false };
        await using NpgsqlConnection other = new(builder.ConnectionString);
        await other.OpenAsync(TestContext.Current.CancellationToken);

        ProgramRun plan = Run(3, [.. restore, "--dry-run"]);
        Run(1, [.. restore, "--yes"]);

        Assert.Contains("user dba may not end the connections that postgres has to database shop now: while there are any, the switch fails", Told(plan, "warning"));
        Assert.Equal("2", _target.Sql("shop", "SELECT id FROM live").Trim());
        await other.CloseAsync();
        Assert.DoesNotContain(Told(Run(3, [.. restore, "--yes"]), "warning"), static message => message.Contains("may not end", StringComparison.Ordinal));
        Assert.Equal("1", _target.Sql("shop", "SELECT id FROM item").Trim());
    }

    private async Task StartAsync(string suite, int major)
    {
        if (suite.Length > 0)
            (_source, _target) = (PostgresServer.InChroot(suite, major), PostgresServer.InChroot(suite, major));
        await _source.InitializeAsync();
        await _target.InitializeAsync();
        _target.Sql("postgres", RolesTests.Recipe("restore recipe on an empty server") + "CREATE ROLE keeper");
    }

    /// <summary>Backs database shop up; gives the arguments that restore it to the other server as the user with few rights.</summary>
    private string[] Backup()
    {
        Directory.CreateDirectory(_folder["app"]);
        LifeboatProgram.Shell(_folder["app"], "umask 077; echo 'correct horse battery staple' > passphrase");
        File.WriteAllText(_folder["app/lifeboat.yaml"], $$"""
            app: shop
            workers: 2
            sources:
              main: {type: postgres, url: "{{_source.SocketUrl("shop")}}"{{(_source.Via.Length == 0 ? "" : $", via: [{string.Join(", ", _source.Via)}]")}}}
            stores:
              local: {path: ../bundles}
            encryption: {password: "file:passphrase"}

            """);
        Run(0, "backup");
        return ["restore", "latest", "--json", "--target", $"main={_target.SocketUrl("shop", "dba")}"];
    }

    private ProgramRun Run(int status, params string[] arguments)
    {
        ProgramRun run = LifeboatProgram.Run(_folder["app"], arguments);
        Assert.True(run.ExitStatus == status, $"{string.Join(' ', arguments)} ended with {run.ExitStatus}:\n{run.All}");
        return run;
    }

    private static string[] Told(ProgramRun run, string kind) =>
    [
        .. run.Messages.Where(one => one.GetProperty("message_type").GetString() == kind).Select(static one => one.GetProperty("message").GetString()!).Order(StringComparer.Ordinal),
    ];

    private const string RolesSql =
        """
        CREATE ROLE dba LOGIN CREATEDB CREATEROLE; CREATE ROLE keeper; CREATE ROLE app LOGIN PASSWORD 'secret of app'; CREATE ROLE readers; CREATE ROLE reporting LOGIN; CREATE ROLE boss SUPERUSER;
        GRANT readers TO app WITH ADMIN OPTION; GRANT pg_read_all_data TO reporting; GRANT keeper TO reporting; GRANT boss TO reporting;
        GRANT SET ON PARAMETER log_min_messages TO app; ALTER ROLE app SET log_statement = 'all'; ALTER ROLE app SET work_mem = '5MB'; COMMENT ON ROLE app IS 'it''s the app';
        """;

    private const string DatabaseSql =
        """
        ALTER DATABASE shop SET work_mem = '6MB'; ALTER ROLE reporting IN DATABASE shop SET log_statement = 'none'; ALTER ROLE reporting IN DATABASE shop SET work_mem = '7MB';
        ALTER ROLE boss IN DATABASE shop SET work_mem = '8MB'; REVOKE CONNECT ON DATABASE shop FROM PUBLIC; GRANT CONNECT ON DATABASE shop TO readers; COMMENT ON DATABASE shop IS 'the shop';
        """;

    // What the owner of a database can make without being a superuser, and with names that look like more.
    private const string InsideSql =
        """
        CREATE SCHEMA app_data; SET search_path = app_data; CREATE TABLE item (id serial PRIMARY KEY, language varchar CHECK (language IN ('c', 'internal', 'sql')), h public.hstore); INSERT INTO item (language) VALUES ('c'), ('internal'), ('sql');
        CREATE TABLE public.plain (leakproof int); CREATE TYPE pair AS (a int, b text); CREATE TYPE mood AS ENUM ('ok'); CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE TYPE span AS RANGE (SUBTYPE = float8);
        CREATE FUNCTION support(leakproof int, language text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1 AS leakproof';
        CREATE FUNCTION atomic(support int) RETURNS TABLE (language text) LANGUAGE sql BEGIN ATOMIC SELECT 'support' AS leakproof; END;
        CREATE PROCEDURE change(leakproof int) LANGUAGE plpgsql AS 'BEGIN NULL; END'; CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int4);
        CREATE FUNCTION to_mood(text) RETURNS mood LANGUAGE plpgsql AS 'BEGIN RETURN $1; END'; CREATE CAST (mood AS int) WITH INOUT;
        CREATE OPERATOR === (LEFTARG = int, RIGHTARG = text, FUNCTION = support); CREATE COLLATION german (PROVIDER = icu, LOCALE = 'de');
        CREATE TEXT SEARCH DICTIONARY d (TEMPLATE = simple); CREATE TEXT SEARCH CONFIGURATION conf (COPY = english); CREATE STATISTICS st ON id, language FROM item;
        CREATE VIEW seen AS SELECT * FROM item; CREATE MATERIALIZED VIEW kept AS SELECT count(*) FROM item; CREATE RULE r AS ON DELETE TO seen DO INSTEAD NOTHING;
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER touch BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION touch();
        ALTER TABLE item ENABLE ALWAYS TRIGGER touch; ALTER TABLE item ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON item TO readers USING (id > 0); CREATE PUBLICATION one FOR TABLE item;
        GRANT USAGE ON SCHEMA app_data TO readers; GRANT SELECT ON item TO readers WITH GRANT OPTION; ALTER DEFAULT PRIVILEGES FOR ROLE app IN SCHEMA app_data GRANT SELECT ON TABLES TO readers;
        SELECT lo_from_bytea(7, 'large'); GRANT SELECT ON LARGE OBJECT 7 TO readers; CREATE INDEX ON item (language); ALTER TABLE item CLUSTER ON item_pkey;
        """;

    private const string SuperuserSql =
        """
        CREATE SCHEMA own; CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER refuse ON sql_drop EXECUTE FUNCTION refuse();
        ALTER EVENT TRIGGER refuse DISABLE; CREATE PUBLICATION all_of_it FOR ALL TABLES; CREATE PUBLICATION own_schemas FOR TABLES IN SCHEMA own;
        CREATE FUNCTION own_leakproof(int) RETURNS int LANGUAGE sql LEAKPROOF AS 'SELECT 1';
        CREATE FUNCTION own_supported(text, text) RETURNS bool LANGUAGE sql SUPPORT textlike_support AS 'SELECT true';
        CREATE TYPE own_type; CREATE FUNCTION own_in(cstring) RETURNS own_type LANGUAGE internal STRICT AS 'textin'; CREATE FUNCTION own_out(own_type) RETURNS cstring LANGUAGE internal STRICT AS 'textout';
        CREATE TYPE own_type (INPUT = own_in, OUTPUT = own_out, LIKE = text); CREATE CAST (text AS own_type) WITHOUT FUNCTION;
        CREATE OPERATOR FAMILY own_family USING btree; CREATE OPERATOR CLASS own_class FOR TYPE int4 USING btree FAMILY own_family AS OPERATOR 1 <, OPERATOR 3 =, FUNCTION 1 btint4cmp(int4, int4);
        CREATE ACCESS METHOD own_am TYPE TABLE HANDLER heap_tableam_handler; CREATE FOREIGN DATA WRAPPER own_fdw; CREATE LANGUAGE own_language HANDLER plpgsql_call_handler;
        CREATE TEXT SEARCH TEMPLATE own_template (LEXIZE = dsimple_lexize); CREATE TEXT SEARCH PARSER own_parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
        CREATE AGGREGATE own_count (numeric) (SFUNC = numeric_accum, STYPE = internal, FINALFUNC = numeric_avg); CREATE SUBSCRIPTION own_subscription CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE);
        CREATE TABLE own_table (a int); ALTER TABLE own_table OWNER TO app; GRANT SELECT ON own_table TO readers WITH GRANT OPTION; SET ROLE readers; GRANT SELECT ON own_table TO reporting; RESET ROLE;
        GRANT EXECUTE ON FUNCTION pg_read_file(text) TO readers; CREATE TABLE placed (a int); ALTER TABLE placed OWNER TO readers; CREATE TABLE own.kept (a int); ALTER TABLE own.kept OWNER TO keeper;
        GRANT CREATE ON DATABASE shop TO readers; CREATE PUBLICATION theirs; ALTER PUBLICATION theirs OWNER TO readers;
        """;
}
