using Lifeboat.Engine.Apps;

namespace Lifeboat.Tests.Apps;

public sealed class NeutralizeKeyTests
{
    private const string Rest = "\nstores: {local: {path: b}}\nencryption: none\n";

    [Fact]
    public void Statements_and_values_arrive_and_a_plain_restore_has_none_of_them()
    {
        App app = AppFileText.Load("""
            app: shop
            sources:
              main: {type: postgres, url: "postgresql:///shop", neutralize: [odoo, "UPDATE a SET b = 1"]}
              crm: {type: mysql, url: "mysql://root@localhost/crm", neutralize: ["DELETE FROM a"]}
              db: {type: sqlite, path: app.db, neutralize: ["DELETE FROM a"]}
              settings: {type: settings, files: [.env], neutralize: {MAIL: "false"}}
              files: {type: files, path: f}
            """ + Rest);

        Assert.Equal(["odoo", "UPDATE a SET b = 1"], app.Sources[0].Neutralize);
        Assert.Equal("false", Assert.IsType<SettingsSettings>(app.Sources[3]).NeutralValues["MAIL"]);
        Assert.Equal([true, true, true, true, false], app.Sources.Select(static source => source.CanBeNeutral));
        Assert.All(app.Sources, static source => Assert.False(source.AsItWas().CanBeNeutral));
        Assert.Equal(app.Sources[0].GetType(), app.Sources[0].AsItWas().GetType());
    }

    [Theory]
    [InlineData("type: postgres, url: \"postgresql:///x\", neutralize: [odo]", "this is neither an SQL statement nor the name of a built-in list")]
    [InlineData("type: sqlite, path: x, neutralize: [odoo]", "this is not an SQL statement")]
    [InlineData("type: sqlite, path: x, neutralize: []", "the list is empty")]
    [InlineData("type: settings, files: [x], neutralize: {MAIL: false}", "YAML reads this as a number or a truth value")]
    [InlineData("type: settings, files: [x], neutralize: {\"A=B\": \"c\"}", "this is not the name of a setting")]
    public void Mistakes_in_neutralize_are_told(string source, string message) => Assert.Contains(
        message, Assert.Single(AppFileText.Problems($"app: a\nsources: {{m: {{{source}}}}}" + Rest)).Message, StringComparison.Ordinal);
}
