using Lifeboat.Engine.Sources.Local;
using Lifeboat.Tests.Shared;
using Microsoft.Win32.SafeHandles;

namespace Lifeboat.Tests.Sources.Local;

/// <summary>Who may write in a folder can put something else under the name of a file that is being restored there.</summary>
public sealed class ExchangedFileTests
{
    private static readonly byte[] s_name = Folder.Name("staged");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_was_made_gets_the_mode_and_not_what_has_its_name_by_now(bool isLink)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("there are no modes");
            return;
        }

        using TemporaryFolder folder = new();
        using Folder parent = Folder.Open(folder.Path);
        Exchange(folder, isLink, out string secret, () => parent.CreateFile(s_name), file => parent.ApplyTo(file, s_name, new FileTraits(0x9FF, null, new FileTime(1000, 0))));

        Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(secret));
        Assert.Equal(0x9FF, (int)File.GetUnixFileMode(folder["moved"]));
        Assert.Equal(1000, new DateTimeOffset(File.GetLastWriteTimeUtc(folder["moved"])).ToUnixTimeSeconds());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_file_that_was_written_by_its_path_is_finished_only_if_it_is_still_there(bool isLink)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("there are no modes");
            return;
        }

        using TemporaryFolder folder = new();
        using Folder parent = Folder.Open(folder.Path);
        FileStatus created = default;
        Exchange(
            folder, isLink, out string secret,
            () =>
            {
                created = StagedFile.Create(parent, s_name);
                return null;
            },
            _ => Assert.Throws<FileFailure>(() => StagedFile.Finish(parent, s_name, created, new FileTraits(0x9FF, null, null))));

        Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(secret));
    }

    private static void Exchange(TemporaryFolder folder, bool isLink, out string secret, Func<SafeFileHandle?> make, Action<SafeFileHandle> finish)
    {
        string target = folder["secret"];
        File.WriteAllText(target, "root's own");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(target, UnixFileMode.UserRead);
        using SafeFileHandle? file = make();
        File.Move(folder["staged"], folder["moved"]);
        if (isLink)
        {
            File.CreateSymbolicLink(folder["staged"], target);
            secret = target;
        }
        else
        {
            File.Move(target, folder["staged"]);
            secret = folder["staged"];
        }

        finish(file!);
    }
}
