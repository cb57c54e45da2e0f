using System.Text;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Roles;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Tests.Sources.Postgres;

/// <summary>Texts out of a bundle: what no dump has is told before anything is run, and what dumps have is not.</summary>
public sealed class HostileSqlTests
{
    /// <summary>Each hides a backslash (or a statement) from one who reads it in another way than psql and the server do.</summary>
    public static TheoryData<string> Hidden =>
    [
        @"CREATE ROLE x \! touch pwned",
        @"CREATE ROLE x \g |touch pwned",
        @"CREATE ROLE x \; DO $$ BEGIN END $$",
        "COMMENT ON ROLE x IS 'a' -- b\r \\! touch pwned",
        "CREATE ROLE a\u00a0$$ \\! touch pwned $$",
        "CREATE ROLE a\u0085$q$ \\! touch pwned $q$",
        @"COMMENT ON ROLE x IS 1$$ ' $$ \! touch pwned -- '",
        @"COMMENT ON ROLE x IS 1e5$$ ' $$ \! touch pwned -- '",
        "COMMENT ON ROLE x IS E'a'\n'\\' , ' \\! touch pwned --'",
        "COMMENT ON ROLE x IS E'a' -- b\n 'c\\' ' \\! touch pwned --'",
        "COMMENT ON ROLE x IS 'a\0' \\! touch pwned",
        "COMMENT ON ROLE x IS 'a\0b'",
        "COMMENT ON ROLE \"a\0b\" IS 'x'",
        "COMMENT ON ROLE x IS $$a\0b$$",
        "COMMENT ON ROLE x IS 'a' -- b\0c",
        @"/* /* */ \! touch pwned */ \! touch pwned",
        @"COMMENT ON ROLE x IS '\' \! touch pwned",
        "COMMENT ON ROLE \"x\\\" \\! touch pwned",
        @"COMMENT ON ROLE x IS $a$ $b$ $a$ \! touch pwned",
        @"COMMENT ON ROLE x IS U&'\' \! touch pwned",
        @"COMMENT ON ROLE x IS b'1' \! touch pwned",
        "COMMENT ON ROLE x IS 'never closed",
        "COMMENT ON ROLE x IS $$ never closed",
        "/* never closed",
    ];

    [Theory]
    [MemberData(nameof(Hidden))]
    public void What_psql_would_take_for_its_own_is_found_however_it_is_hidden(string sql) => Assert.Throws<FormatException>(() => PsqlText.Of(sql));

    [Theory]
    [MemberData(nameof(Hidden))]
    public void It_is_found_in_the_files_too(string sql)
    {
        Assert.True(Refused(sql, GlobalsStatements.Fault));
        Assert.True(Refused(sql.Replace("ROLE", "TABLE", StringComparison.Ordinal), SchemaStatements.Fault));
    }

    [Theory]
    [InlineData(@"SELECT 'a\b', E'\'\\', ""\"", $$\!$$, $x$\;$x$ -- \! no", @"SELECT 'a\b', E'\'\\', ""\"", $$\!$$, $x$\;$x$ -- \! no")]
    [InlineData("SELECT a::int, b[1:n], b[:n], c[x:'y'], d := 1, e:: text, ':x'", "SELECT a::int, b[1: n], b[: n], c[x: 'y'], d := 1, e:: text, ':x'")]
    [InlineData("SELECT /* /* nested */ \\ */ 1 --\n, 'it''s' 'b'", "SELECT /* /* nested */ \\ */ 1 --\n, 'it''s' 'b'")]
    [InlineData("SELECT 1 FROM a$b, $1, 0x1f, 1e10, 1_000, 'ä\u00a0ö'", "SELECT 1 FROM a$b, $1, 0x1f, 1e10, 1_000, 'ä\u00a0ö'")]
    public void Sql_goes_through_and_a_colon_begins_no_variable(string sql, string sent) => Assert.Equal(sent, PsqlText.Of(sql));

    /// <summary>Latin-1's own encoder puts an ASCII quote in the place of a full-width one.</summary>
    [Theory]
    [InlineData("a\uff07; SELECT 1 --")]
    [InlineData("\uff3c! touch pwned")]
    [InlineData("ł")]
    public void No_character_becomes_another_one_on_its_way(string text)
    {
        Assert.Throws<FormatException>(() => PsqlText.Encode(text, Encoding.Latin1));
        Assert.Equal(Encoding.UTF8.GetBytes(text), PsqlText.Encode(text, new UTF8Encoding(false)));
        Assert.Throws<FormatException>(() => PsqlText.Encode("half \ud800", new UTF8Encoding(false)));
    }

    public static TheoryData<string> NoDefinitions =>
    [
        "DO $$ BEGIN END $$",
        "COPY t FROM PROGRAM 'touch pwned'",
        "COPY t TO '/tmp/pwned'",
        "COPY t FROM STDIN",
        "SELECT pg_catalog.lo_export(1, '/tmp/pwned')",
        "SELECT pg_catalog.set_config('search_path', 'evil', false)",
        "SELECT pg_catalog.set_config('log_directory', '', false)",
        "SELECT pg_reload_conf()",
        "INSERT INTO pg_catalog.pg_authid SELECT * FROM x",
        "UPDATE pg_catalog.pg_authid SET rolsuper = true",
        "DELETE FROM t",
        "ALTER SYSTEM SET archive_command = 'touch pwned'",
        "LOAD 'evil'",
        "CALL evil()",
        "EXECUTE evil",
        "PREPARE evil AS SELECT 1",
        "SET standard_conforming_strings = off",
        "SET client_encoding = 'SJIS'",
        "SET client_encoding TO big5",
        "SET search_path = evil",
        "SET session_preload_libraries = 'evil'",
        "SET row_security = on",
        "SET ROLE postgres",
        "SET LOCAL role = postgres",
        "RESET ALL",
        "DROP TABLE t",
        "TRUNCATE t",
        "VACUUM",
        "NOTIFY x",
        "BEGIN",
        "COMMIT",
        "WITH x AS (SELECT 1) SELECT evil()",
        "TABLE x",
        "VALUES (evil())",
        "(SELECT evil())",
        "\"create\" TABLE t (a int)",
        "CREATE TABLE t AS SELECT evil()",
        "CREATE TABLE t (a) AS SELECT evil()",
        "CREATE UNLOGGED TABLE t WITH (fillfactor = 10) AS EXECUTE evil",
        "CREATE MATERIALIZED VIEW v AS SELECT evil()",
        "CREATE MATERIALIZED VIEW v AS SELECT evil() WITH DATA",
        "CREATE SCHEMA s CREATE TABLE t (a int)",
        "CREATE SUBSCRIPTION s CONNECTION 'host=evil' PUBLICATION p",
        "CREATE SUBSCRIPTION s CONNECTION 'host=evil connect = false' PUBLICATION p WITH (connect = true)",
        "ALTER SUBSCRIPTION s REFRESH PUBLICATION",
        "ALTER SUBSCRIPTION s CONNECTION 'host=evil'",
        "CREATE ROLE evil SUPERUSER",
        "CREATE USER evil SUPERUSER",
        "ALTER ROLE evil SUPERUSER",
        "ALTER USER postgres PASSWORD 'x'",
        "CREATE DATABASE evil",
        "ALTER DATABASE shop SET session_preload_libraries = 'evil'",
        "CREATE TABLESPACE evil LOCATION '/etc'",
        "GRANT pg_write_server_files TO evil",
        "GRANT ALL ON DATABASE shop TO evil",
        "GRANT SET ON PARAMETER log_directory TO evil",
        "REVOKE admin FROM postgres",
        "COMMENT ON DATABASE shop IS 'x'",
        "SECURITY LABEL FOR x ON ROLE postgres IS 'x'",
        "IMPORT FOREIGN SCHEMA x FROM SERVER y INTO z",
        "REFRESH MATERIALIZED VIEW v",
        "REINDEX DATABASE shop",
        "CREATE FUNCTION begin() RETURNS int LANGUAGE sql AS 'SELECT 1'; DO $$ BEGIN END $$; SELECT 1",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1 AS case; END; DO $$ BEGIN END $$; SELECT 1 END",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1 case; END; DO $$ BEGIN END $$; SELECT 1 END",
    ];

    [Theory]
    [MemberData(nameof(NoDefinitions))]
    public void What_is_no_definition_is_none_of_a_schema(string sql) => Assert.True(Refused(sql, SchemaStatements.Fault));

    public static TheoryData<string> Definitions =>
    [
        "SET statement_timeout = 0; SET lock_timeout = 0; SET transaction_timeout = 0; SET client_encoding = 'UTF8'; SET standard_conforming_strings = on",
        "SELECT pg_catalog.set_config('search_path', '', false); SET check_function_bodies = false; SET xmloption = content; SET row_security = off",
        "SET default_tablespace = ''; SET default_tablespace = 'a b'; SET default_table_access_method = heap; SET client_min_messages = warning",
        "SET SESSION AUTHORIZATION \"o'wner\"; GRANT SELECT ON TABLE a.b TO c; RESET SESSION AUTHORIZATION",
        "CREATE SCHEMA app; CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA public; COMMENT ON EXTENSION hstore IS 'x'; ALTER SCHEMA app OWNER TO x",
        "CREATE TABLE a.t (a integer DEFAULT 1 NOT NULL, b text, CONSTRAINT c CHECK ((a > 0))); ALTER TABLE a.t OWNER TO x; ALTER TABLE ONLY a.t ADD CONSTRAINT p PRIMARY KEY (a)",
        "CREATE TABLE a.p PARTITION OF a.t FOR VALUES FROM (1) TO (2); CREATE TABLE a.q OF a.ty; CREATE UNLOGGED TABLE a.u (a int); CREATE TABLE a.n ()",
        "CREATE TABLE a.g (a int GENERATED ALWAYS AS (b + 1) STORED, b int); CREATE FOREIGN TABLE a.f (a int) SERVER s OPTIONS (x 'y')",
        "ALTER TABLE a.t ALTER COLUMN a ADD GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME a.s START WITH 1)",
        "CREATE MATERIALIZED VIEW a.m AS SELECT 1 AS a WITH NO DATA; CREATE OR REPLACE VIEW a.v AS SELECT 1; CREATE RECURSIVE VIEW a.r (n) AS SELECT 1",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 1 ELSE 2 END; SELECT (CASE 1 WHEN 2 THEN 3 END) ORDER BY CASE WHEN true THEN 1 END; END; CREATE FUNCTION g() RETURNS int LANGUAGE c AS '$libdir/x', 'g'",
        "CREATE FUNCTION case_() RETURNS int LANGUAGE sql RETURN CASE WHEN true THEN 1 END",
        "CREATE PROCEDURE p() LANGUAGE plpgsql AS $_$ BEGIN NULL; END $_$; CREATE AGGREGATE a(int) (SFUNC = f, STYPE = int); ALTER FUNCTION f() OWNER TO x",
        "CREATE TRIGGER t BEFORE UPDATE ON a.t FOR EACH ROW EXECUTE FUNCTION f(); CREATE CONSTRAINT TRIGGER c AFTER INSERT ON a.t FOR EACH ROW EXECUTE FUNCTION f()",
        "CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f(); ALTER EVENT TRIGGER e ENABLE ALWAYS",
        "CREATE RULE r AS ON INSERT TO a.t DO INSTEAD (INSERT INTO a.u VALUES (1); DELETE FROM a.u)",
        "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (connect = false, slot_name = 's'); ALTER SUBSCRIPTION s OWNER TO x",
        "CREATE PUBLICATION p FOR ALL TABLES; ALTER PUBLICATION p ADD TABLE ONLY a.t WHERE ((a > 1))",
        "ALTER DEFAULT PRIVILEGES FOR ROLE x IN SCHEMA a GRANT SELECT ON TABLES TO y; GRANT SELECT(a),UPDATE(b) ON TABLE a.t TO y; GRANT ALL ON FUNCTION f(on_ int) TO y",
        "CREATE OPERATOR CLASS a.o DEFAULT FOR TYPE int USING btree AS OPERATOR 1 <; CREATE OPERATOR FAMILY a.f USING btree; CREATE OPERATOR a.=== (FUNCTION = f)",
        "CREATE TEXT SEARCH CONFIGURATION a.c (PARSER = pg_catalog.\"default\"); ALTER TEXT SEARCH CONFIGURATION a.c ADD MAPPING FOR x WITH simple",
        "CREATE TRUSTED PROCEDURAL LANGUAGE x; CREATE ACCESS METHOD h TYPE TABLE HANDLER f; CREATE CAST (a AS b) WITHOUT FUNCTION; CREATE TRANSFORM FOR x LANGUAGE y (FROM SQL WITH FUNCTION f(internal))",
        "CREATE STATISTICS a.s ON a, b FROM a.t; CREATE UNIQUE INDEX i ON a.t USING btree (a); ALTER INDEX a.i ATTACH PARTITION a.j; CREATE INDEX \"select\" ON a.t (b)",
        "CREATE POLICY p ON a.t USING ((a > 1)); CREATE USER MAPPING FOR x SERVER s OPTIONS (password 'y'); CREATE SERVER s FOREIGN DATA WRAPPER f; CREATE CONVERSION c FOR 'a' TO 'b' FROM f",
        "CREATE DOMAIN a.d AS text CONSTRAINT c CHECK ((VALUE ~ '^\\d+$'::text)); CREATE TYPE a.e AS ENUM ('a;b', 'c''d'); CREATE COLLATION a.c (provider = icu, locale = 'x')",
        "SECURITY LABEL FOR x ON TABLE a.t IS 'y'; SECURITY LABEL ON COLUMN a.t.b IS 'z'; COMMENT ON COLUMN a.t.a IS E'a\\\\b'",
    ];

    [Theory]
    [MemberData(nameof(Definitions))]
    public void What_dumps_have_is_not_refused(string sql) =>
        Assert.All(SqlStatements.Split(sql), static statement => Assert.Null(SchemaStatements.Fault(statement)));

    [Theory]
    [InlineData("DO $$ BEGIN END $$")]
    [InlineData("COPY (SELECT 1) TO PROGRAM 'touch pwned'")]
    [InlineData("CREATE ROLE x SUPERUSER LOGIN PASSWORD 'y'")]
    [InlineData("CREATE ROLE x IN ROLE pg_execute_server_program")]
    [InlineData("ALTER ROLE x RENAME TO y")]
    [InlineData("ALTER ROLE x WITH (SELECT 1)")]
    [InlineData("ALTER ROLE ALL SET x TO y; DROP ROLE y")]
    [InlineData("DROP ROLE postgres")]
    [InlineData("CREATE DATABASE x")]
    [InlineData("CREATE TABLE x (a int)")]
    [InlineData("ALTER SYSTEM SET x = y")]
    [InlineData("SELECT pg_catalog.set_config('search_path', evil(), false)")]
    [InlineData("SELECT evil()")]
    [InlineData("\\! touch pwned")]
    [InlineData("\\connect postgres")]
    [InlineData("\\copy x from program 'touch pwned'")]
    public void What_is_about_neither_roles_nor_tablespaces_is_none_of_globals(string sql) => Assert.True(Refused(sql, GlobalsStatements.Fault));

    [Theory]
    [InlineData("SET default_transaction_read_only = off; SET client_encoding = 'UTF8'; CREATE ROLE \"a b\"; ALTER ROLE x WITH NOSUPERUSER INHERIT LOGIN CONNECTION LIMIT -1 PASSWORD 'SCRAM-SHA-256$4096:a+/=$b:c=' VALID UNTIL '2099-01-01 00:00:00+01'")]
    [InlineData("ALTER ROLE x SET search_path TO 'a', 'b'; ALTER ROLE x IN DATABASE d SET work_mem TO '5MB'; COMMENT ON ROLE x IS 'it''s'; SECURITY LABEL FOR p ON ROLE x IS 'y'")]
    [InlineData("GRANT a TO b WITH ADMIN OPTION, INHERIT TRUE GRANTED BY c; GRANT SET ON PARAMETER work_mem TO x; SET SESSION AUTHORIZATION y; RESET SESSION AUTHORIZATION")]
    [InlineData("CREATE TABLESPACE t OWNER x LOCATION '/srv/t'; ALTER TABLESPACE t SET (random_page_cost=1.1); GRANT ALL ON TABLESPACE t TO PUBLIC; COMMENT ON TABLESPACE t IS 'y'")]
    [InlineData("\\restrict abcDEF123\nCREATE ROLE x;\n\\unrestrict abcDEF123\n")]
    public void What_pg_dumpall_writes_is_not_refused(string sql) => Assert.All(SqlStatements.Split(sql), static statement => Assert.Null(GlobalsStatements.Fault(statement)));

    [Theory]
    [InlineData("WHERE NOT standard", true)]
    [InlineData("WHERE NOT ( (srid BETWEEN 2000 AND 2199) OR (srid IN (1, 2)))", true)]
    [InlineData("WHERE substring(name, 1, 3) <> 'pg_' AND id >= 1000", true)]
    [InlineData("", true)]
    [InlineData("WHERE evil()", false)]
    [InlineData("WHERE pg_catalog.pg_read_file('/etc/passwd') = ''", false)]
    [InlineData("WHERE \"evil\" (1)", false)]
    [InlineData("WHERE (SELECT 1) = 1", false)]
    [InlineData("WHERE true) TO PROGRAM 'touch pwned' --", false)]
    [InlineData("WHERE true; DO $$ $$", false)]
    [InlineData("WHERE a OPERATOR(evil.=) b", false)]
    [InlineData("UNION SELECT 1", false)]
    public void An_extensions_condition_computes_and_no_more(string condition, bool right)
    {
        PostgresDetails details = Details() with { Tables = [new PostgresTable("s", "t", ["a"], "extension", false, condition, "x")] };
        Exception? refused = Record.Exception(() => PostgresDetailsRules.Require(details));
        Assert.Equal(right, refused is null);
        Assert.True(refused is null or FormatException);
    }

    [Fact]
    public void What_the_metadata_says_is_of_closed_lists_where_it_is_neither_name_nor_literal()
    {
        PostgresDetails good = Details();
        PostgresDetailsRules.Require(good);
        PostgresDetails[] hostile =
        [
            good with { ServerEncoding = "UTF8') TO PROGRAM 'touch pwned' --" },
            good with { Database = good.Database with { Encoding = "UTF8'" } },
            good with { Database = good.Database with { LocaleProvider = "libc; DROP DATABASE x" } },
            good with { Database = good.Database with { Acl = [new PostgresGrant("a", "b", "ALL ON DATABASE x TO y; --", false)] } },
            good with { Extensions = [new PostgresExtension("age", "1", "s", [], [new PostgresObjectId("1", "regclass::text; --", "x")])] },
            good with { Extensions = [new PostgresExtension("age", "1", "s", [], [new PostgresObjectId("1 \\! touch pwned", "regclass", "x")])] },
        ];
        Assert.All(hostile, static details => Assert.Throws<FormatException>(() => PostgresDetailsRules.Require(details)));
    }

    /// <summary>psql reads its input in pieces; behind a NUL it takes the middle of a long line for its beginning, and then <c>\.</c> for the end of the data.</summary>
    [Theory]
    [InlineData("a\n\0zzz\\.\n\\! touch pwned\n")]
    [InlineData("\\.\n\\! touch pwned\n")]
    [InlineData("a\n\\.\r\n\\! touch pwned\n")]
    public void Rows_hold_nothing_that_ends_them_for_psql(string rows)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(rows);
        for (int cut = 0; cut <= bytes.Length; cut++)
        {
            using MemoryStream taken = new();
            using CopyInStream stream = new(taken, "main");
            Assert.Throws<Engine.Errors.LifeboatException>(() =>
            {
                stream.Write(bytes.AsSpan(0, cut));
                stream.Write(bytes.AsSpan(cut));
            });
        }
    }

    private static bool Refused(string sql, Func<SqlStatement, string?> fault)
    {
        try
        {
            return SqlStatements.Split(sql).Any(statement => fault(statement) is not null);
        }
        catch (FormatException)
        {
            return true;
        }
    }

    private static PostgresDetails Details() => new()
    {
        ServerVersion = "15.1", ServerVersionNumber = 150001, ServerEncoding = "UTF8", Lsn = null, SchemaDigest = "", RolePasswords = true, Roles = [], Extensions = [],
        Tables = [], Sequences = [], MaterializedViews = [], LargeObjects = new PostgresLargeObjects(0, 0, "", []),
        Database = new PostgresDatabase
        {
            Name = "d", Owner = "o", Encoding = "UTF8", Collate = "C", Ctype = "C", LocaleProvider = "libc", Tablespace = "pg_default", ConnectionLimit = -1, IsTemplate = false,
            Acl = [new PostgresGrant("a", null, "CONNECT", false)], SecurityLabels = [], Settings = [],
        },
    };
}
