using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Tests.Shared;

namespace Lifeboat.Tests.Sources.Local;

public sealed class RunFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private HostEnvironment Host => new TestHost(_folder.Path).Context.Host;

    [Fact]
    public void It_goes_with_its_run_and_so_does_all_that_is_in_it()
    {
        string path;
        using (RunFolder run = RunFolder.Create(Host))
        {
            path = run.Host.TempDirectory;
            Directory.CreateDirectory(Path.Combine(path, "deeper"));
            File.WriteAllText(Path.Combine(path, "deeper", "schema.dump"), "secret");
            if (!OperatingSystem.IsWindows())
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(path));
        }

        Assert.False(Path.Exists(path));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void What_a_killed_run_left_goes_with_the_next_and_a_running_ones_stays()
    {
        string left = Leave("lifeboat-run-killed");
        string other = Leave("something-else");
        string starting = Directory.CreateDirectory(_folder["lifeboat-run-starting"]).FullName;
        using RunFolder running = RunFolder.Create(Host);
        string file = Path.Combine(running.Host.TempDirectory, "dump");
        File.WriteAllText(file, "in use");

        using (RunFolder next = RunFolder.Create(Host))
            Assert.True(Path.Exists(next.Host.TempDirectory));

        Assert.False(Path.Exists(left));
        Assert.True(Path.Exists(other));
        Assert.True(Path.Exists(starting));
        Assert.Equal("in use", File.ReadAllText(file));
    }

    [Fact]
    public async Task Links_and_other_users_folders_are_let_alone()
    {
        Needs.Root();
        string foreign = Leave("lifeboat-run-foreign");
        await Shell.RunAsync(
            $"chown -R 1234 {foreign}; mkdir -p elsewhere; touch elsewhere/lock elsewhere/kept; ln -s elsewhere lifeboat-run-link", _folder.Path);

        RunFolder.Create(Host).Dispose();

        Assert.True(File.Exists(Path.Combine(foreign, "dump")));
        Assert.True(File.Exists(_folder["elsewhere/kept"]));
    }

    [Fact]
    public void A_temporary_folder_that_is_missing_is_told()
    {
        LifeboatException e = Assert.Throws<LifeboatException>(() => RunFolder.Create(Host with { TempDirectory = _folder["none"] }));
        Assert.Equal(ErrorCodes.StorageFailed, e.Code);
        Assert.Contains("TMPDIR", e.Hint, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private string Leave(string name)
    {
        Directory.CreateDirectory(_folder[name]);
        File.WriteAllText(_folder[name + "/lock"], "");
        File.WriteAllText(_folder[name + "/dump"], "secret");
        return _folder[name];
    }
}
