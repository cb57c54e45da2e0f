using System.Text;
using Lifeboat.Engine.Sources.Postgres.Restore;

namespace Lifeboat.Tests.Sources.Postgres;

public sealed class StagingNamesTests
{
    [Fact]
    public void A_short_name_is_kept_whole() =>
        Assert.Equal(("shop", "shop__staging_abc", "shop__before_abc"), (StagingNames.For("shop", "abc").Live, StagingNames.For("shop", "abc").Staging, StagingNames.For("shop", "abc").Before));

    [Theory]
    [InlineData("🎉")]
    [InlineData("é")]
    [InlineData("x")]
    public void A_long_name_is_cut_between_characters_to_63_bytes_and_stays_distinct(string letter)
    {
        string name = string.Concat(Enumerable.Repeat(letter, 63 / Encoding.UTF8.GetByteCount(letter)));
        StagingNames names = StagingNames.For(name, "abcdefghij");
        StagingNames other = StagingNames.For(name[..^letter.Length] + "-", "abcdefghij");

        Assert.InRange(Encoding.UTF8.GetByteCount(names.Staging), 58, 63);
        Assert.InRange(Encoding.UTF8.GetByteCount(names.Before), 58, 63);
        Assert.EndsWith("__staging_abcdefghij", names.Staging);
        Assert.DoesNotContain('\uFFFD', names.Staging);
        Assert.NotEqual(names.Staging, other.Staging);
    }
}
