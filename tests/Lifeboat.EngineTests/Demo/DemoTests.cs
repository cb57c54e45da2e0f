using System.Diagnostics;
using System.Text.Json;
using Lifeboat.EngineTests.EndToEnd;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Demo;

/// <summary>The first thing that a person runs must work, prove what it says, and leave nothing behind.</summary>
public sealed class DemoTests
{
    [Fact]
    public void The_demo_proves_the_restore_and_leaves_nothing_behind()
    {
        using TemporaryFolder folder = Traversable();
        ProgramRun run = LifeboatProgram.Run(folder.Path, new Dictionary<string, string> { ["TMPDIR"] = folder.Path }, "demo", "--json");

        Assert.True(run.ExitStatus == 0, run.All);
        JsonElement summary = run.Messages[^1];
        Assert.True(summary.GetProperty("identical").GetBoolean());
        Assert.All(summary.GetProperty("checks").EnumerateArray(), static check => Assert.True(check.GetProperty("identical").GetBoolean()));
        Assert.Equal(ServerIsInstalled(), summary.GetProperty("with_postgres").GetBoolean());
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void For_people_the_demo_shows_the_commands_that_it_runs()
    {
        using TemporaryFolder folder = Traversable();
        ProgramRun run = LifeboatProgram.Run(folder.Path, new Dictionary<string, string> { ["TMPDIR"] = folder.Path }, "demo");
        Assert.True(run.ExitStatus == 0, run.All);
        foreach (string command in (string[])["backup", "list", "verify latest", "restore latest --yes"])
            Assert.Contains($"$ lifeboat {command}\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("Everything is back, and identical.", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', run.All);
    }

    [Fact]
    public async Task Interrupted_the_demo_stops_its_server_and_removes_its_folder()
    {
        using TemporaryFolder folder = Traversable();
        using Process run = LifeboatProgram.Start(folder.Path, new Dictionary<string, string> { ["TMPDIR"] = folder.Path }, "demo");
        while (await run.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line && !line.StartsWith("2. ", StringComparison.Ordinal))
        {
        }

        LifeboatProgram.Shell("/", $"kill -TERM {run.Id}");
        ProgramRun ended = LifeboatProgram.Finish(run);
        Assert.True(ended.ExitStatus == 130, ended.All);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void On_a_terminal_progress_is_drawn_and_the_prompt_takes_the_apps_name()
    {
        using TemporaryFolder folder = new();
        SampleApp app = new(folder["app"], null);
        app.Create(pagila: false);
        Assert.Equal(0, LifeboatProgram.Run(app.Directory, "backup").ExitStatus);
        string output = LifeboatProgram.Shell(
            app.Directory,
            $$"""
            type() { sleep 1; echo shop; until [ -e done ]; do sleep 0.1; done; }
            type | TERM=xterm NO_COLOR= script -qec "'{{LifeboatProgram.Path}}' restore latest; touch done" /dev/null
            """);
        Assert.Contains("Type the app's name (shop) to go on: ", output, StringComparison.Ordinal);
        Assert.Contains("Restored shop from ", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_reader_that_goes_away_does_not_stop_a_backup()
    {
        using TemporaryFolder folder = new();
        SampleApp app = new(folder["app"], null);
        app.Create(pagila: false);
        string status = LifeboatProgram.Shell(app.Directory, $"set +o pipefail; '{LifeboatProgram.Path}' backup -v 2>stderr | true; echo ${{PIPESTATUS[0]}}; cat stderr");
        Assert.Equal("0\n", status);
        Assert.Single(app.Bundles);
    }

    /// <summary>The server's user must get through to its folder.</summary>
    private static TemporaryFolder Traversable()
    {
        TemporaryFolder folder = new();
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder.Path, (UnixFileMode)0b111_001_001);
        return folder;
    }

    private static bool ServerIsInstalled() =>
        Directory.Exists("/usr/lib/postgresql") && Directory.GetDirectories("/usr/lib/postgresql").Any(static version => File.Exists(version + "/bin/initdb"));
}
