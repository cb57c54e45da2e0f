using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Storage;
using Lifeboat.Tests.Shared;

namespace Lifeboat.Tests.Storage;

public sealed class PartialFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private HostEnvironment Host => new TestHost(_folder.Path).Context.Host;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_has_its_name_only_after_the_commit()
    {
        string final = _folder["b.zip"];
        await using (PartialFile file = PartialFile.Create(final, Host))
        {
            file.Stream.Write("abc"u8);
            Assert.False(File.Exists(final));
            Assert.Matches(@"/\.b\.zip\.[a-z2-7]{10}\.partial$", file.PartialPath.Replace('\\', '/'));
            if (!OperatingSystem.IsWindows())
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file.PartialPath));
            await file.CommitAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal("abc", await File.ReadAllTextAsync(final, TestContext.Current.CancellationToken));
        Assert.Equal([final], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task A_name_that_was_taken_meanwhile_is_let_be_and_another_one_taken_where_there_is_one()
    {
        await using (PartialFile file = PartialFile.Create(_folder["b.zip"], Host, new PartialOwner("here")))
        {
            file.OtherPath = () => _folder["c.zip"];
            file.Stream.Write("mine"u8);
            await File.WriteAllTextAsync(_folder["b.zip"], "theirs", TestContext.Current.CancellationToken);
            await file.CommitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(_folder["c.zip"], file.FinalPath);
        }

        Assert.Equal("theirs", await File.ReadAllTextAsync(_folder["b.zip"], TestContext.Current.CancellationToken));
        Assert.Equal("mine", await File.ReadAllTextAsync(_folder["c.zip"], TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(".shop_1.zip.web-1.abcdefghij.17.qrstuvwxyz.partial", "shop_1.zip", "abcdefghij")]
    [InlineData(".shop.zip_1.zip.web.abcdefghij.17.qrstuvwxyz.partial", "shop.zip_1.zip", "abcdefghij")]
    [InlineData(".shop.zip.qrstuvwxyz.partial", "shop.zip", null)]
    [InlineData(".shop.zip.metadata.json.qrstuvwxyz.partial", null, null)]
    [InlineData("shop.zip.qrstuvwxyz.partial", null, null)]
    [InlineData(".shop_x.partial", null, null)]
    [InlineData(".zip.partial", null, null)]
    public void The_name_of_a_partial_file_says_whose_it_is(string name, string? final, string? owner)
    {
        (string Final, PartialOwner? Owner)? parsed = PartialOwner.Parse(name);
        Assert.Equal(final, parsed?.Final);
        Assert.Equal(owner, parsed?.Owner?.Installation);
    }

    [Fact]
    public async Task Without_a_commit_nothing_stays()
    {
        await using (PartialFile file = PartialFile.Create(_folder["b.zip"], Host))
            file.Stream.Write("abc"u8);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task What_has_the_name_by_then_is_never_replaced()
    {
        string final = _folder["b.zip"];
        await using (PartialFile file = PartialFile.Create(final, Host))
        {
            file.Stream.Write("new"u8);
            await File.WriteAllTextAsync(final, "old", TestContext.Current.CancellationToken);
            LifeboatException refused =
                await Assert.ThrowsAsync<LifeboatException>(() => file.CommitAsync(TestContext.Current.CancellationToken));
            Assert.Equal(ErrorCodes.StorageFailed, refused.Code);
        }

        Assert.Equal("old", await File.ReadAllTextAsync(final, TestContext.Current.CancellationToken));
        Assert.Equal([final], Directory.GetFiles(_folder.Path));
        Assert.Throws<LifeboatException>(() => PartialFile.Create(final, Host));
    }

    [Fact]
    public void A_folder_that_is_not_there_is_said_clearly() =>
        Assert.Equal(ErrorCodes.StorageFailed, Assert.Throws<LifeboatException>(() => PartialFile.Create(_folder["missing/b.zip"], Host))
            .Code);
}
