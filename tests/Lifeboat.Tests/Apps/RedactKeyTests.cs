using Lifeboat.Engine.Apps;

namespace Lifeboat.Tests.Apps;

public sealed class RedactKeyTests
{
    private const string Rest = "\nstores: {local: {path: b}}\nencryption: none\n";

    [Fact]
    public void Columns_arrive_with_their_replacements()
    {
        App app = AppFileText.Load($$"""
            app: shop
            sources:
              main:
                type: postgres
                url: "postgresql:///shop"
                redact: {public.users.api_key: null, public.users.email: mask, 's."odd.ta""ble".c': hash, a.b.c: "constant:x: y", a.b.d: "null", a.b.e: ~, a.b.f: "constant:"}
            """ + Rest);

        ColumnRedaction[] columns = [.. Assert.IsType<PostgresSettings>(app.Sources[0]).Redact];

        Assert.Equal(
            [
                "public|users|api_key Null ", "public|users|email Mask ", "s|odd.ta\"ble|c Hash ", "a|b|c Constant x: y", "a|b|d Null ", "a|b|e Null ", "a|b|f Constant ",
            ],
            columns.Select(static c => $"{string.Join('|', c.Path)} {c.By} {c.Constant}"));
        Assert.Equal("s.\"odd.ta\"\"ble\".c", columns[2].Name);
    }

    [Theory]
    [InlineData("{}", "there is no column")]
    [InlineData("{public.users.a: }", "there is no value")]
    [InlineData("{public.users.a: masked}", "this does not say what is captured instead")]
    [InlineData("{public.users.a: 5}", "YAML reads this as a number")]
    [InlineData("{users.a: null}", "this is not the whole name of a column")]
    [InlineData("{a.b.c.d: null}", "this is not the whole name of a column")]
    [InlineData("{'a.\"b.c': null}", "this is not the whole name of a column")]
    [InlineData("{'a..c': null}", "this is not the whole name of a column")]
    [InlineData("{'a.b\"x\".c': null}", "this is not the whole name of a column")]
    [InlineData("{'\"a\"x.b.c': null}", "this is not the whole name of a column")]
    [InlineData("[public.users.a]", "a map is wanted here, not a list")]
    public void Mistakes_in_redact_are_told(string redact, string message) => Assert.Contains(
        message,
        Assert.Single(AppFileText.Problems($"app: a\nsources: {{m: {{type: postgres, url: \"postgresql:///x\", redact: {redact}}}}}" + Rest)).Message,
        StringComparison.Ordinal);
}
