using System.Text;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Tests.Snapshots;

public sealed class TableDigestTests
{
    [Theory]
    [InlineData("", 0UL, 0xEF46DB3751D8E999UL)]
    [InlineData("a", 0UL, 0xD24EC4F1A98C6E5BUL)]
    [InlineData("abc", 0UL, 0x44BC2CF5AD770999UL)]
    [InlineData("Nobody inspects the spammish repetition", 0UL, 0xFBCEA83C8A378BF1UL)]
    public void Xxh64_gives_the_published_values(string text, ulong seed, ulong expected) =>
        Assert.Equal((expected, expected), XxHash64.Hash(Encoding.UTF8.GetBytes(text), seed, seed));

    [Fact]
    public void Both_seeds_are_hashed_at_once() =>
        Assert.Equal((0x32DD38952C4BC720UL, 0xB559B98D844E0635UL), XxHash64.Hash("xxhash"u8, 0, 20141025));

    [Fact]
    public void The_digest_does_not_depend_on_order_or_parts()
    {
        TableDigest whole = default;
        TableDigest first = default;
        TableDigest second = default;
        foreach (string row in (string[])["1\ta", "2\tb", "2\tb", "3\t\\N"])
            whole.Add(Encoding.UTF8.GetBytes(row));
        foreach (string row in (string[])["3\t\\N", "2\tb"])
            first.Add(Encoding.UTF8.GetBytes(row));
        foreach (string row in (string[])["2\tb", "1\ta"])
            second.Add(Encoding.UTF8.GetBytes(row));
        first.Add(second);
        Assert.Equal(whole, first);
        Assert.Equal(4, first.Rows);
        Assert.Equal(whole.ToString(), first.ToString());
    }

    [Fact]
    public void Equal_rows_do_not_cancel_out()
    {
        TableDigest none = default;
        TableDigest two = default;
        two.Add("x"u8);
        two.Add("x"u8);
        Assert.NotEqual(none.ToString(), two.ToString());
    }
}
