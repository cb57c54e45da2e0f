using System.Globalization;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Extensions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Tests.Sources.Postgres;

public sealed class CommonFormTests
{
    [Theory]
    [InlineData("CREATE VIEW app.v AS SELECT orders.id, (orders.a + 1) AS b FROM app.orders", "CREATE VIEW app.v AS\n SELECT id, a + 1 AS b FROM app.orders")]
    [InlineData("ALTER TABLE app.v OWNER TO me", "ALTER MATERIALIZED VIEW app.v OWNER TO me")]
    [InlineData("ALTER TABLE app.s OWNER TO me", "ALTER SEQUENCE app.s OWNER TO me")]
    [InlineData("SET statement_timeout = 0", "SET transaction_timeout = 0")]
    public void What_versions_write_differently_is_the_same(string older, string newer) => Assert.Equal(Form(older), Form(newer));

    [Theory]
    [InlineData("CREATE VIEW app.v AS SELECT id FROM app.orders", "CREATE VIEW app.v AS SELECT id FROM other.orders")]
    [InlineData("CREATE VIEW app.v AS SELECT orders.id FROM app.orders", "CREATE VIEW app.v AS SELECT orders.a FROM app.orders")]
    [InlineData("CREATE VIEW app.v AS SELECT 'x'::text", "CREATE VIEW app.v AS SELECT 'y'::text")]
    [InlineData("ALTER TABLE app.v OWNER TO me", "ALTER TABLE app.v OWNER TO you")]
    [InlineData("ALTER FUNCTION app.f() OWNER TO me", "ALTER TABLE app.f OWNER TO me")]
    [InlineData("CREATE TABLE app.t (a integer, b text)", "CREATE TABLE app.t (a integer)")]
    [InlineData("GRANT SELECT ON TABLE app.t TO me", "GRANT SELECT ON TABLE t TO me")]
    public void Whatever_else_differs_is_a_difference(string one, string other) => Assert.NotEqual(Form(one), Form(other));

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

    private static string Form(string sql) => new CommonForm([.. SqlStatements.Split("CREATE SCHEMA app; CREATE SCHEMA other")], 15).Of(SqlStatements.Split(sql).Single());
}
