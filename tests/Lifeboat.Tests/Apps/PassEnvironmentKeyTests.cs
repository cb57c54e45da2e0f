using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Tests.Apps;

/// <summary><c>pass_environment:</c></summary>
public sealed class PassEnvironmentKeyTests
{
    private const string Rest = """
        app: shop
        sources: {main: {type: postgres, url: "postgresql://a@b/c", password: "env:DB_PASSWORD"}}
        stores: {local: {path: backups}}
        encryption: {password: "env:BUNDLE_PASSWORD"}

        """;

    [Fact]
    public void Names_are_taken() =>
        Assert.Equal(["VAULT_ADDR", "VAULT_TOKEN"], AppFileText.Load(Rest + "pass_environment: [VAULT_ADDR, VAULT_TOKEN]").PassEnvironment);

    [Theory]
    [InlineData("DB_PASSWORD")]
    [InlineData("BUNDLE_PASSWORD")]
    [InlineData("LIFEBOAT_PASSWORD")]
    [InlineData("A-B")]
    [InlineData("PG*")]
    public void A_secret_of_Lifeboats_own_or_what_is_no_name_is_a_mistake(string name)
    {
        LifeboatException e = Assert.Throws<LifeboatException>(() => AppFileText.Load(Rest + $"pass_environment: [\"{name}\"]"));
        Assert.Equal(ErrorCodes.AppFileInvalid, e.Code);
        Assert.Contains("pass_environment", e.Problems[0].Where + e.Message, StringComparison.Ordinal);
    }
}
