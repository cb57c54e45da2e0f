using System.Text.RegularExpressions;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Settings;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Settings;

public sealed class SettingsRoundTripTests : IDisposable
{
    private static readonly Dictionary<string, string> Awkward = new()
    {
        ["PLAIN"] = "value",
        ["EMPTY"] = "",
        ["QUOTES"] = "it's \"quoted\" `id` $HOME $(id) \\ back\\slash",
        ["LINES"] = "first\nsecond\n\n  third\t\n",
        ["UNICODE"] = "süß \U0001F600",
        ["_UNDER1"] = "#not a comment ; & | * ? ~ !",
    };

    private readonly TemporaryFolder _folder = new();
    private string _instructions = "";

    public SettingsRoundTripTests()
    {
        Directory.CreateDirectory(_folder["app/conf"]);
        Directory.CreateDirectory(_folder["shared"]);
        File.WriteAllBytes(_folder["app/app settings.json"], [0, 0xFF, 10, 13, .. "{}"u8]);
        File.WriteAllText(_folder["app/environment.env"], "A=of the app's own\n");
        File.WriteAllText(_folder["app/conf/100% it's.ini"], "nested");
        File.WriteAllText(_folder["shared/.env"], "SECRET=outside\n");
    }

    private string App => _folder["app"];

    private string[] Files =>
        [_folder["app/app settings.json"], _folder["app/environment.env"], _folder["app/conf/100% it's.ini"], _folder["shared/.env"]];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Files_and_variables_come_back_exactly_and_the_old_ones_are_kept()
    {
        await Shell.RunAsync(
            "chmod 640 'app/app settings.json'; chmod 600 shared/.env; "
            + "touch -d '2020-02-02 02:02:02.020202020 UTC' shared/.env 'app/app settings.json'",
            
            _folder.Path);
        if (Environment.IsPrivilegedProcess)
            await Shell.RunAsync("chown 123:456 shared/.env", _folder.Path);
        const string list =
            "find app shared -type f ! -name '*__before_*' ! -name 'environment.app.env' -printf '%p %m %U:%G %T@ ' -exec sha256sum {} \\; "
            + "| sort";
        string before = await Shell.RunAsync(list, _folder.Path);
        VerifiedSnapshot snapshot = await CaptureAsync();
        Assert.Contains("settings/app/conf/100%25 it's.ini", snapshot.Entries.Keys);
        Assert.Contains("settings/app/%settings/environment.env", snapshot.Entries.Keys);

        await Shell.RunAsync("for f in app/*.* app/conf/* shared/.env; do echo changed > \"$f\"; chmod 644 \"$f\"; done", _folder.Path);
        string changed = await Shell.RunAsync(list, _folder.Path);
        await using IRestoration restoration = Source(App).PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("r1"));
        RestorePlan plan = await restoration.PlanAsync(CancellationToken.None);
        Assert.Empty(plan.Blockers);
        Assert.Contains(plan.Steps, static step => step.Contains("environment.app.env", StringComparison.Ordinal));
        await restoration.StageAsync(CancellationToken.None);
        VerifyReport report = await restoration.VerifyAsync(CancellationToken.None);
        Assert.True(report.Passed, string.Join('\n', report.Checks.Where(static check => !check.Passed)));
        await restoration.CommitAsync(CancellationToken.None);
        Assert.Equal(before, await Shell.RunAsync(list, _folder.Path));
        Assert.Equal("changed\n", File.ReadAllText(_folder["shared/.env__before_r1"]));
        Assert.Equal("600", (await Shell.RunAsync("stat -c %a environment.app.env", App)).Trim());
        await AssertVariablesAsync(Path.Combine(App, "environment.app.env"));

        await restoration.RevertAsync(CancellationToken.None);
        Assert.Equal(changed, await Shell.RunAsync(list, _folder.Path));
        Assert.Empty(Directory.EnumerateFiles(_folder.Path, "*__*", SearchOption.AllDirectories));
        Assert.False(File.Exists(Path.Combine(App, "environment.app.env")));
    }

    [Fact]
    public async Task With_another_target_nothing_is_written_outside_it()
    {
        VerifiedSnapshot snapshot = await CaptureAsync();
        File.WriteAllText(_folder["shared/.env"], "live");
        SettingsSource source = new(new SettingsSettings("app", _folder["target/new"], Files, []) { IsSentElsewhere = true }, new TestHost(_folder.Path).Context);
        await using IRestoration restoration = source.PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("r1"));
        RestorePlan plan = await restoration.PlanAsync(CancellationToken.None);
        Assert.Contains(plan.Warnings, static problem => problem.Code == ErrorCodes.SettingsRedirected);
        await restoration.StageAsync(CancellationToken.None);
        Assert.True((await restoration.VerifyAsync(CancellationToken.None)).Passed);
        await restoration.CommitAsync(CancellationToken.None);
        Assert.Equal("live", File.ReadAllText(_folder["shared/.env"]));
        Assert.Equal("SECRET=outside\n", File.ReadAllText(_folder["target/new/outside"] + _folder["shared/.env"]));
        Assert.Equal("nested", File.ReadAllText(_folder["target/new/conf/100% it's.ini"]));
        await restoration.RevertAsync(CancellationToken.None);
        Assert.False(Directory.Exists(_folder["target"]));
    }

    [Fact]
    public async Task When_one_rename_fails_those_before_it_are_taken_back()
    {
        VerifiedSnapshot snapshot = await CaptureAsync();
        foreach (string file in Files)
            File.WriteAllText(file, "live");
        await using IRestoration restoration = Source(App).PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("r1"));
        await restoration.StageAsync(CancellationToken.None);
        File.Delete(_folder["shared/.env__staging_r1"]);
        await Assert.ThrowsAsync<LifeboatException>(() => restoration.CommitAsync(CancellationToken.None));
        await restoration.DiscardAsync(CancellationToken.None);
        Assert.All(Files, static file => Assert.Equal("live", File.ReadAllText(file)));
        Assert.Empty(Directory.EnumerateFiles(_folder.Path, "*__*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Everything_that_is_missing_is_named_at_once_and_no_value_is_told()
    {
        TestHost host = new(
            _folder.Path, variables: new Dictionary<string, string> { ["BROKEN"] = "secret\uFFFDvalue", ["A-B"] = "secret" });
        SettingsSource source = new(
            new SettingsSettings("app", App, [_folder["app/none"], _folder["app"]], ["MISSING", "BROKEN", "A-B"]), host.Context);
        IReadOnlyList<Problem> problems = await source.CheckAsync(CancellationToken.None);
        Assert.Equal(
            [
                ErrorCodes.SettingsFileMissing,
                ErrorCodes.SettingsFileMissing,
                ErrorCodes.VariableMissing,
                ErrorCodes.VariableUnusable,
                ErrorCodes.VariableUnusable,
            ],
            
            problems.Select(static problem => problem.Code));
        LifeboatException e = await Assert.ThrowsAsync<LifeboatException>(() => source.OpenAsync(CancellationToken.None));
        Assert.Equal(5, e.Problems.Count);
        Assert.DoesNotContain("secret", e.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Values_are_in_no_metadata_instructions_or_events()
    {
        TestHost host = new(_folder["temp"], variables: new Dictionary<string, string> { ["TOKEN"] = "hunter2" });
        SettingsSource source = new(new SettingsSettings("app", App, [], ["TOKEN"]), host.Context);
        await using ICapture capture = await source.OpenAsync(CancellationToken.None);
        SourceMetadata metadata = await capture.WriteAsync(new FolderSnapshot(_folder["snapshot"]), CancellationToken.None);
        Assert.DoesNotContain(
            "hunter2",
            metadata.Details.ToString() + metadata + capture.Instructions
                + string.Concat(host.Events.Select(static (RunEvent e) => e.ToString())),
            StringComparison.Ordinal);
        Assert.Contains("TOKEN", metadata.Details.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_instructions_restore_settings_with_stock_tools()
    {
        await CaptureAsync();
        string blocks = "RESTORED=restored\n" + Instructions.Commands(_instructions);
        await Shell.RunAsync(Environment.IsPrivilegedProcess ? blocks : Regex.Replace(blocks, "(?m)^chown .*$", ""), _folder["snapshot"]);
        Assert.Equal("nested", File.ReadAllText(_folder["snapshot/restored/app/conf/100% it's.ini"]));
        Assert.Equal("SECRET=outside\n", File.ReadAllText(_folder["snapshot/restored/app"] + _folder["shared/.env"]));
        await AssertVariablesAsync(_folder["snapshot/restored/app/environment.app.env"]);
    }

    [Theory]
    [InlineData("../outside")]
    [InlineData("a/../../b")]
    [InlineData("a//b")]
    public async Task A_crafted_path_is_refused(string path)
    {
        VerifiedSnapshot snapshot = await CaptureAsync();
        SourceMetadata captured = snapshot.Metadata.Sources[0];
        string details = captured.Details.ToString()!.Replace("conf/100% it\\u0027s.ini", path, StringComparison.Ordinal);
        Assert.Contains(path, details, StringComparison.Ordinal);
        SourceMetadata crafted = captured with { Details = System.Text.Json.JsonDocument.Parse(details).RootElement };
        LifeboatException e = Assert.Throws<LifeboatException>(() => Source(App).PrepareRestore(snapshot, crafted, new RestoreRun("r1")));
        Assert.Equal(ErrorCodes.EntryNameUnsafe, e.Code);
    }

    private SettingsSource Source(string directory) =>
        new(new SettingsSettings("app", directory, Files, [.. Awkward.Keys]), new TestHost(_folder.Path, variables: Awkward).Context);

    private async Task<VerifiedSnapshot> CaptureAsync()
    {
        FolderSnapshot snapshot = new(_folder["snapshot"]);
        Assert.Empty(await Source(App).CheckAsync(CancellationToken.None));
        await using ICapture capture = await Source(App).OpenAsync(CancellationToken.None);
        SourceMetadata metadata = await capture.WriteAsync(snapshot, CancellationToken.None);
        _instructions = capture.Instructions;
        return await snapshot.FinishAsync(metadata);
    }

    private static async Task AssertVariablesAsync(string file)
    {
        string print = string.Concat(Awkward.Keys.Select(static name => $"printf '%s\\0' \"${name}\"; "));
        string script = Path.GetTempFileName();
        File.WriteAllText(script, $"set -a; . '{file}'; {print}");
        string values = await Shell.RunAsync($"env -i sh {script}", "/");
        File.Delete(script);
        Assert.Equal(Awkward.Values, System.Text.Encoding.UTF8.GetString(System.Text.Encoding.Latin1.GetBytes(values)).Split('\0')[..^1]);
    }
}
