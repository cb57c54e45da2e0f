using System.Globalization;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Extensions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Tests.Sources.Postgres;

public sealed class CommonFormTests
{
    [Theory]
    [InlineData("CREATE VIEW app.v AS SELECT orders.id, (orders.a + 1) AS b FROM app.orders", "CREATE VIEW app.v AS\n SELECT id, (a + 1) AS b FROM app.orders")]
    [InlineData("ALTER TABLE app.v OWNER TO me", "ALTER MATERIALIZED VIEW app.v OWNER TO me")]
    [InlineData("ALTER TABLE app.s OWNER TO me", "ALTER SEQUENCE app.s OWNER TO me")]
    [InlineData("SET statement_timeout = 0", "SET transaction_timeout = 0")]
    [InlineData("ALTER FOREIGN TABLE app.f ALTER COLUMN a OPTIONS (x 'y')", "ALTER FOREIGN TABLE ONLY app.f ALTER COLUMN a OPTIONS (x 'y')")]
    [InlineData("CREATE TABLE app.t (a integer NOT NULL)", "CREATE TABLE app.t (a integer CONSTRAINT \"a name\" NOT NULL)")]
    [InlineData("CREATE SUBSCRIPTION s PUBLICATION p WITH (connect = false)", "CREATE SUBSCRIPTION s PUBLICATION p WITH (connect = false, streaming = off, run_as_owner = true)")]
    public void What_versions_write_differently_is_the_same(string older, string newer) => Assert.Equal(Form(older), Form(newer));

    [Theory]
    [InlineData("CREATE VIEW app.v AS SELECT id FROM app.orders", "CREATE VIEW app.v AS SELECT id FROM other.orders")]
    [InlineData("CREATE VIEW app.v AS SELECT orders.id FROM app.orders", "CREATE VIEW app.v AS SELECT orders.a FROM app.orders")]
    [InlineData("CREATE VIEW app.v AS SELECT 'x'::text", "CREATE VIEW app.v AS SELECT 'y'::text")]
    [InlineData("ALTER TABLE app.v OWNER TO me", "ALTER TABLE app.v OWNER TO you")]
    [InlineData("ALTER FUNCTION app.f() OWNER TO me", "ALTER TABLE app.f OWNER TO me")]
    [InlineData("CREATE TABLE app.t (a integer, b text)", "CREATE TABLE app.t (a integer)")]
    [InlineData("GRANT SELECT ON TABLE app.t TO me", "GRANT SELECT ON TABLE t TO me")]
    [InlineData("ALTER TABLE app.t ADD CONSTRAINT c CHECK (((a AND b) OR c))", "ALTER TABLE app.t ADD CONSTRAINT c CHECK ((a AND (b OR c)))")]
    [InlineData("CREATE SUBSCRIPTION s PUBLICATION p WITH (connect = false)", "CREATE SUBSCRIPTION s PUBLICATION p WITH (connect = false, streaming = parallel)")]
    [InlineData("CREATE TABLE app.t (a integer NOT NULL)", "CREATE TABLE app.t (a integer)")]
    public void Whatever_else_differs_is_a_difference(string one, string other) => Assert.NotEqual(Form(one), Form(other));

    [Theory]
    [InlineData("SELECT o.id FROM app.o", "SELECT id FROM app.o", true)]
    [InlineData("SELECT o.id FROM app.o, app.p", "SELECT o.id FROM app.o, app.p", true)]
    [InlineData("SELECT o.id FROM app.o, app.p", "SELECT p.id FROM app.o, app.p", false)]
    [InlineData("SELECT (o.c).id FROM app.o", "SELECT (c).id FROM app.o", true)]
    public void A_table_in_front_of_a_column_may_be_left_out_and_may_not_be_another(string older, string newer, bool same)
    {
        (SqlStatement one, SqlStatement other) = (Statement("CREATE VIEW app.v AS " + older), Statement("CREATE VIEW app.v AS " + newer));
        Assert.Equal(s_form.Of(one), s_form.Of(other));
        Assert.Equal(same, s_form.SameTables(one, other));
    }

    [Theory]
    [InlineData("CREATE TABLE app.t (a text DEFAULT upper('x'::text) NOT NULL, CONSTRAINT c CHECK ((a > 'b')))", "CREATE TABLE app.t (a text DEFAULT 'X' NOT NULL, CONSTRAINT c CHECK ((a > 'c')))")]
    [InlineData("CREATE TABLE app.t (a int, b int GENERATED ALWAYS AS ((a + 1)) STORED) PARTITION BY RANGE (((a + 1)))", "CREATE TABLE app.t (a int, b int GENERATED ALWAYS AS ((1 + a)) STORED) PARTITION BY RANGE (((1 + a)))")]
    [InlineData("CREATE INDEX i ON app.t USING btree (lower(a)) INCLUDE (b) WHERE (a > 1)", "CREATE INDEX i ON app.t USING btree (upper(a)) INCLUDE (b) WHERE (a > 2)")]
    [InlineData("CREATE POLICY p ON app.t USING ((a > 1)) WITH CHECK ((a > 1))", "CREATE POLICY p ON app.t USING ((a > 2)) WITH CHECK ((a > 2))")]
    [InlineData("CREATE TRIGGER t BEFORE UPDATE ON app.t FOR EACH ROW WHEN ((old.a > 1)) EXECUTE FUNCTION app.f()", "CREATE TRIGGER t BEFORE UPDATE ON app.t FOR EACH ROW WHEN ((old.a > 2)) EXECUTE FUNCTION app.f()")]
    [InlineData("CREATE VIEW app.v WITH (security_barrier='true') AS SELECT 1 WITH LOCAL CHECK OPTION", "CREATE VIEW app.v WITH (security_barrier='true') AS SELECT 2 WITH LOCAL CHECK OPTION")]
    [InlineData("CREATE FUNCTION app.f(n integer DEFAULT (1 + 1)) RETURNS integer LANGUAGE sql RETURN (n * 2)", "CREATE FUNCTION app.f(n integer DEFAULT 2) RETURNS integer LANGUAGE sql RETURN (2 * n)")]
    [InlineData("CREATE STATISTICS app.s ON (a % 7), lower(b) FROM app.t", "CREATE STATISTICS app.s ON (a % 8), b FROM app.t")]
    [InlineData("CREATE RULE r AS ON UPDATE TO app.t WHERE (old.a > 5) DO INSTEAD NOTHING", "CREATE RULE r AS ON UPDATE TO app.t WHERE (old.a > 6) DO INSTEAD SELECT 1")]
    public void An_outline_has_no_expressions(string one, string other) => Assert.Equal(Outline(one), Outline(other));

    [Theory]
    [InlineData("CREATE TABLE app.t (a text DEFAULT 'x' NOT NULL)", "CREATE TABLE app.t (a text NOT NULL)")]
    [InlineData("CREATE TABLE app.t (a text DEFAULT 'x' NOT NULL)", "CREATE TABLE app.t (a text DEFAULT 'x')")]
    [InlineData("CREATE TABLE app.t (a text DEFAULT 'x', b int)", "CREATE TABLE app.t (a text DEFAULT 'x')")]
    [InlineData("CREATE TABLE app.t (a text, CONSTRAINT c CHECK ((a > 'b')))", "CREATE TABLE app.t (a text)")]
    [InlineData("CREATE TABLE app.t (a text) WITH (fillfactor='70')", "CREATE TABLE app.t (a text) WITH (fillfactor='80')")]
    [InlineData("CREATE INDEX i ON app.t USING btree (a) INCLUDE (b)", "CREATE INDEX i ON app.t USING btree (a)")]
    [InlineData("CREATE UNIQUE INDEX i ON app.t USING btree (a)", "CREATE INDEX i ON app.t USING btree (a)")]
    [InlineData("CREATE POLICY p ON app.t TO one USING (a)", "CREATE POLICY p ON app.t TO two USING (a)")]
    [InlineData("CREATE VIEW app.v WITH (security_barrier='true') AS SELECT 1", "CREATE VIEW app.v AS SELECT 1")]
    [InlineData("CREATE VIEW app.v AS SELECT 1 WITH LOCAL CHECK OPTION", "CREATE VIEW app.v AS SELECT 1 WITH CASCADED CHECK OPTION")]
    [InlineData("CREATE FUNCTION app.f() RETURNS integer LANGUAGE sql AS 'SELECT 1'", "CREATE FUNCTION app.f() RETURNS integer LANGUAGE sql AS 'SELECT 2'")]
    [InlineData("GRANT SELECT ON TABLE app.t TO one", "GRANT SELECT,INSERT ON TABLE app.t TO one")]
    [InlineData("COMMENT ON TABLE app.t IS 'one'", "COMMENT ON TABLE app.t IS 'two'")]
    [InlineData("CREATE TYPE app.t AS (a integer)", "CREATE TYPE app.t AS (a bigint)")]
    [InlineData("ALTER TABLE app.t ADD CONSTRAINT k UNIQUE (a, b)", "ALTER TABLE app.t ADD CONSTRAINT k UNIQUE (a)")]
    public void An_outline_has_all_else(string one, string other) => Assert.NotEqual(Outline(one), Outline(other));

    [Fact]
    public void Subscriptions_keep_the_defaults_of_the_time_of_the_dump()
    {
        const string schema = "CREATE SUBSCRIPTION one CONNECTION '' PUBLICATION p WITH (connect = false); CREATE SUBSCRIPTION \"2\" CONNECTION '' PUBLICATION p WITH (streaming = on);";
        Assert.Equal(
            ["ALTER SUBSCRIPTION \"one\" SET (run_as_owner = true)", "ALTER SUBSCRIPTION \"one\" SET (streaming = off)", "ALTER SUBSCRIPTION \"2\" SET (run_as_owner = true)"],
            SubscriptionDefaults.Sql(schema, 15, 18));
        Assert.Equal(["ALTER SUBSCRIPTION \"one\" SET (streaming = off)"], SubscriptionDefaults.Sql(schema, 17, 18));
        Assert.Empty(SubscriptionDefaults.Sql(schema, 15, 15).Concat(SubscriptionDefaults.Sql(schema, 16, 17)).Concat(SubscriptionDefaults.Sql(schema, 18, 18)));
    }

    [Fact]
    public void A_graphs_view_gets_its_columns_its_casts_and_the_new_id()
    {
        PostgresExtensionView view = new("public", "v", [["a", "the b"], ["c"]]);
        const string vertex = "ROW(p.id, ag_catalog._label_name({0}::oid, p.id), p.properties){1}";
        const string edge = "ROW(r.id, ag_catalog._label_name({0}::oid, r.id), r.end_id, r.start_id, r.properties){2}";
        const string rest = "ROW(1, '17'::oid, 3) AS mine, ') _) cypher' AS t";
        const string sql = "CREATE VIEW public.v AS SELECT a FROM ( SELECT _.p FROM ( SELECT " + vertex + " AS p, " + edge + " AS r, " + rest
            + " FROM g.x p) _) cypher{3}, ( SELECT _.c FROM ( SELECT 1 AS c) _) cypher_1{4}";
        CultureInfo culture = CultureInfo.InvariantCulture;

        string repaired = new AgeExtension().RepairView(string.Format(culture, sql, "'17'", "", "", "", ""), view, static id => $":'id{id}'");

        Assert.Equal(string.Format(culture, sql, ":'id17'", "::ag_catalog.vertex", "::ag_catalog.edge", "(a, \"the b\")", "(c)"), repaired);
    }

    private static readonly CommonForm s_form = new(SqlStatements.Split("CREATE SCHEMA app; CREATE SCHEMA other"), 15);

    private static SqlStatement Statement(string sql) => SqlStatements.Split(sql).Single();

    private static string Form(string sql) => s_form.Of(Statement(sql));

    private static string Outline(string sql) => s_form.OutlineOf(Statement(sql));
}
