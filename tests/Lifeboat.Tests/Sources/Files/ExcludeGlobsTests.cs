using System.Text;
using Lifeboat.Engine.Sources.Files;

namespace Lifeboat.Tests.Sources.Files;

public sealed class ExcludeGlobsTests
{
    [Theory]
    [InlineData("*.tmp", "a.tmp", true)]
    [InlineData("*.tmp", "d/a.tmp", false)]
    [InlineData("**/*.tmp", "a.tmp", true)]
    [InlineData("**/*.tmp", "d/e/a.tmp", true)]
    [InlineData("**/*.tmp", "d/a.tmpx", false)]
    [InlineData("cache", "cache", true)]
    [InlineData("cache/", "cache", true)]
    [InlineData("/cache", "cache", true)]
    [InlineData("./cache", "cache", true)]
    [InlineData("cache/**", "cache", false)]
    [InlineData("cache/**", "cache/x/y", true)]
    [InlineData("a/**/z", "a/z", true)]
    [InlineData("a/**/z", "a/b/c/z", true)]
    [InlineData("a/**/z", "a/b/c/zz", false)]
    [InlineData("a/*/z", "a/b/c/z", false)]
    [InlineData("?", "ä", true)]
    [InlineData("??", "ä", false)]
    [InlineData("f?o", "f/o", false)]
    [InlineData("*a*b*", "xxaxxbxx", true)]
    [InlineData("*a*b*", "xxbxxaxx", false)]
    [InlineData("**", "anything/at/all", true)]
    [InlineData("[a]", "a", false)]
    [InlineData("A", "a", false)]
    public void A_glob_matches_what_it_says(string glob, string path, bool matches) =>
        Assert.Equal(matches, new ExcludeGlobs([glob]).Match(Encoding.UTF8.GetBytes("./" + path)));

    [Fact]
    public void Names_that_are_not_utf8_match_by_their_bytes()
    {
        Assert.True(new ExcludeGlobs(["?x"]).Match([.. "./"u8, 0xFF, (byte)'x']));
        Assert.True(new ExcludeGlobs(["*x"]).Match([.. "./"u8, 0xFF, 0xFE, (byte)'x']));
        Assert.False(new ExcludeGlobs(["?x"]).Match([.. "./"u8, 0xFF, 0xFE, (byte)'x']));
    }

    [Fact]
    public void The_root_is_never_excluded() => Assert.False(new ExcludeGlobs(["**", "*", "."]).Match("."u8.ToArray()));
}
