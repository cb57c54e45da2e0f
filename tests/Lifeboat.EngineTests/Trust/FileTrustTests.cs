using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Trust;
using Lifeboat.EngineTests.Sources.Files;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Trust;

/// <summary>Whose files are taken, for root and for a user without root's rights.</summary>
[Collection(nameof(FilesWithoutRootTests))]
public sealed class FileTrustTests
{
    [Theory]
    [InlineData("true", null)]
    [InlineData("chmod 600 f", null)]
    [InlineData("chmod 664 f", null)] // root's group has nobody else in it
    [InlineData("chmod 1777 .", null)] // the sticky bit keeps others from exchanging it, as in /tmp
    [InlineData("mkdir d; mv f d/real; ln -s d/real f", null)]
    [InlineData("chown nobody f", "belongs to user nobody")]
    [InlineData("chmod 666 f", "may be written to by others than its owner (mode 0666)")]
    [InlineData("chmod 664 f; chgrp nogroup f", "may be written to by others")]
    [InlineData("chmod 777 .", "may be written to by others")]
    [InlineData("chown nobody .", "belongs to user nobody")]
    [InlineData("chown nobody .; chmod 1755 .", "belongs to user nobody")]
    [InlineData("mv f real; ln -s real f; chown -h nobody f", "belongs to user nobody")]
    [InlineData("mkdir d; mv f d/real; ln -s d/real f; chown nobody d", "belongs to user nobody")]
    [InlineData("mkdir d; mv f d/real; ln -s d/real d/second; ln -s d/second f; chown -h nobody d/second", "belongs to user nobody")]
    [InlineData("rm f; ln -s f f", "leads in a circle")]
    public async Task Root_takes_a_file_that_nobody_else_can_have_written(string script, string? refusal)
    {
        Needs.Root();
        using TemporaryFolder folder = new();
        await Shell.RunAsync("echo x > f; chmod 644 f; chmod 755 .; " + script, folder.Path);

        Assert.Contains(refusal ?? "taken", Answer(folder["f"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("true", null)] // root's own
    [InlineData("chown nobody:nogroup f .", null)]
    [InlineData("chmod 1777 .; chown nobody f", null)]
    [InlineData("chown nobody f; chmod 666 f", "may be written to by others")]
    [InlineData("chown nobody:daemon f; chmod 664 f", "may be written to by others")]
    [InlineData("chown daemon f", "belongs to user daemon")]
    [InlineData("chown daemon .", "belongs to user daemon")]
    public async Task Another_user_takes_what_is_roots_and_his_own(string script, string? refusal)
    {
        Needs.Root();
        using TemporaryFolder folder = new();
        await Shell.RunAsync("echo x > f; chmod 644 f; chmod 755 .; " + script, folder.Path);

        await Nobody.DoAsync(() =>
        {
            Assert.Contains(refusal ?? "taken", Answer(folder["f"]), StringComparison.Ordinal);
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task A_folder_that_is_named_is_taken_with_all_below_it_and_nothing_else()
    {
        Needs.Root();
        using TemporaryFolder folder = new();
        await Shell.RunAsync("mkdir -p a/b ab; echo x > a/b/f; echo x > ab/f; chown -R nobody a ab; chmod -R 777 a ab", folder.Path);

        Assert.Equal("taken", Answer(folder["a/b/f"], $"/nowhere:{folder["a"]}/:relative"));
        Assert.Contains("belongs to user nobody", Answer(folder["ab/f"], folder["a"]), StringComparison.Ordinal);
        Assert.Contains("belongs to user nobody", Answer(folder["a/../ab/f"], folder["a"]), StringComparison.Ordinal);
        await Shell.RunAsync("ln -sf ../../ab/f a/b/f", folder.Path);
        Assert.Contains("belongs to user nobody", Answer(folder["a/b/f"], folder["a"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mkfifo f", "not a regular file")]
    [InlineData("ln -s real f; echo x > real", "is a symbolic link")]
    [InlineData("ln -s nowhere f", "is a symbolic link")]
    public async Task What_is_no_file_in_a_state_folder_is_not_opened(string script, string refusal)
    {
        Needs.Root();
        using TemporaryFolder folder = new();
        await Shell.RunAsync(script, folder.Path);
        FileStreamOptions options = new() { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite };

        LifeboatException e = Assert.Throws<LifeboatException>(() => TestTrust.Files.OpenFile(folder["f"], "the lock", options).Dispose());

        Assert.Equal(ErrorCodes.NotTrusted, e.Code);
        Assert.Contains(refusal, e.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(folder["nowhere"]));
    }

    private static string Answer(string path, string trusted = "")
    {
        TestHost host = new(Path.GetTempPath(), variables: new Dictionary<string, string> { [FileTrust.Variable] = trusted });
        try
        {
            using FileStream file = new FileTrust(host.Context.Host).Open(path, "the app file");
            return file.ReadByte() == 'x' ? "taken" : "empty";
        }
        catch (LifeboatException e)
        {
            Assert.Equal(ErrorCodes.NotTrusted, e.Code);
            Assert.Contains(FileTrust.Variable, e.Problems[0].Hint, StringComparison.Ordinal);
            return e.Message;
        }
    }
}
