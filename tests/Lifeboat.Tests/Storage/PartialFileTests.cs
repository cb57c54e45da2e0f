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
