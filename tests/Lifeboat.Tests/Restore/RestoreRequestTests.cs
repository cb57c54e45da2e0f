using Lifeboat.Engine.Restore;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Stores;

namespace Lifeboat.Tests.Restore;

public sealed class RestoreRequestTests
{
    [Fact]
    public void A_source_is_whole_unless_parts_or_a_merge_are_asked_for()
    {
        Assert.True(Request().ScopeOf("main").IsWhole);
        Assert.True(Request("main").ScopeOf("main").IsWhole);
        Assert.True(Request("main", "files/a").ScopeOf("main").IsWhole);
        Assert.False(Request("main/public.orders").ScopeOf("main").IsWhole);
        Assert.False((Request("main") with { Mode = RestoreMode.Merge }).ScopeOf("main").IsWhole);
    }

    [Fact]
    public void Parts_belong_to_the_source_before_the_first_slash()
    {
        RestoreRequest request = Request("files/aa/*", "files/b/c", "main/public.orders", "file");
        Assert.Equal(["aa/*", "b/c"], request.ScopeOf("files").Parts);
        Assert.Equal(["public.orders"], request.ScopeOf("main").Parts);
        Assert.Empty(request.ScopeOf("file").Parts);
        Assert.Equal(["files", "main", "file"], request.OnlySources);
    }

    [Fact]
    public void A_source_that_is_also_named_without_a_part_is_taken_with_all() =>
        Assert.Empty(Request("files/aa", "files").ScopeOf("files").Parts);

    [Fact]
    public void Patterns_that_match_nothing_are_told() =>
        Assert.Equal(["public.ordres", "x*"], new RestoreScope(["public.ordres", "public.*", "x*"], RestoreMode.Merge).Unmatched(["public.orders"]));

    private static RestoreRequest Request(params string[] only) =>
        new(new StoredSnapshot("id", "", "/b/x.zip", 1, null, DateTimeOffset.UnixEpoch), only, new Dictionary<string, string>(), false);
}
