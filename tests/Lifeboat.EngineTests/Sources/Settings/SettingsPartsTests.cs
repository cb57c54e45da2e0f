using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Settings;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Settings;

public sealed class SettingsPartsTests : IDisposable
{
    private const string List =
        "find . -type f ! -path './snapshot/*' ! -path './temp/*' -printf '%P %m %U:%G %T@ ' -exec sha256sum {} \\; | sort";

    private readonly TemporaryFolder _folder = new();
    private readonly TestHost _host;

    public SettingsPartsTests()
    {
        foreach (string folder in (string[])["app/conf", "snapshot", "temp"])
            Directory.CreateDirectory(_folder[folder]);
        _host = new TestHost(_folder["temp"], variables: new Dictionary<string, string> { ["KEY"] = "value" });
        Shell.RunAsync("echo K=1 > .env; chmod 640 .env; echo [one] > conf/a.ini; echo [two] > 'conf/b it'\\''s.ini'; touch -d 2020-01-01 .env conf/*", _folder["app"]).GetAwaiter().GetResult();
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Some_files_are_replaced_and_the_others_stay()
    {
        VerifiedSnapshot snapshot = await CaptureAsync();
        string captured = await Shell.RunAsync(List + " | grep -v a.ini", _folder.Path);
        await Shell.RunAsync("echo changed > .env; echo changed > conf/a.ini; rm conf/b*", _folder["app"]);
        string old = await Shell.RunAsync(List, _folder.Path);

        IRestoration restoration = Prepare(snapshot, RestoreMode.Replace, "r1", ".env", "conf/b*");
        RestorePlan plan = await restoration.PlanAsync(CancellationToken.None);
        Assert.Empty(plan.Blockers);
        Assert.Equal(2, plan.Steps.Count);
        await FinishAsync(restoration);
        Assert.Equal(captured, await Shell.RunAsync(List + " | grep -v -e a.ini -e __before", _folder.Path));
        Assert.Equal("changed\nchanged\n", await Shell.RunAsync("cat conf/a.ini .env__before_r1", _folder["app"]));
        Assert.False(File.Exists(_folder["app/environment.app.env"]));

        await UndoAsync(restoration.Switch, "u1");
        Assert.Equal(old, await Shell.RunAsync(List + " | grep -v __before_u1", _folder.Path));
    }

    [Fact]
    public async Task A_merge_adds_the_missing_file_and_counts_the_others()
    {
        VerifiedSnapshot snapshot = await CaptureAsync();
        await Shell.RunAsync("echo changed > .env; chmod 600 conf/a.ini; rm conf/b*", _folder["app"]);
        string old = await Shell.RunAsync(List, _folder.Path);
        IRestoration merge = Prepare(snapshot, RestoreMode.Merge, "m1");
        Assert.False((await merge.PlanAsync(CancellationToken.None)).Replaces);
        await FinishAsync(merge);
        MergeCount count = Assert.Single(merge.Merged);
        Assert.Equal(("files", 1, 1, 1), (count.Subject, count.Added, count.Equal, count.Different));
        Assert.Equal([_folder["app/.env"]], count.Examples);
        Assert.Equal(old, await Shell.RunAsync(List + " | grep -v 'b it'", _folder.Path));
        Assert.Equal("[two]\n", File.ReadAllText(_folder["app/conf/b it's.ini"]));
        await UndoAsync(merge.Switch, "u1");
        Assert.Equal(old, await Shell.RunAsync(List + " | grep -v __before_u1", _folder.Path));

        // All there: nothing is done, and that can be undone too.
        IRestoration none = Prepare(snapshot, RestoreMode.Merge, "m2", ".env");
        await FinishAsync(none);
        Assert.Equal((0, 0, 1), (none.Merged[0].Added, none.Merged[0].Equal, none.Merged[0].Different));
        await UndoAsync(none.Switch, "u2");
        Assert.Equal(old, await Shell.RunAsync(List + " | grep -v __before_u1", _folder.Path));
    }

    [Fact]
    public async Task A_merge_leaves_a_file_alone_that_was_made_since_it_was_planned()
    {
        VerifiedSnapshot snapshot = await CaptureAsync();
        File.Delete(_folder["app/.env"]);
        IRestoration merge = Prepare(snapshot, RestoreMode.Merge, "m1", ".env");
        await merge.StageAsync(CancellationToken.None);
        File.WriteAllText(_folder["app/.env"], "mine");
        LifeboatException e = await Assert.ThrowsAsync<LifeboatException>(() => merge.CommitAsync(CancellationToken.None));
        Assert.Contains("was made meanwhile", e.Message, StringComparison.Ordinal);
        await merge.DiscardAsync(CancellationToken.None);
        Assert.Equal("mine", File.ReadAllText(_folder["app/.env"]));
        Assert.Empty(Directory.EnumerateFiles(_folder["app"], "*__*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task The_variables_values_are_written_when_they_are_asked_for_and_an_unknown_file_is_told()
    {
        VerifiedSnapshot snapshot = await CaptureAsync();
        await FinishAsync(Prepare(snapshot, RestoreMode.Replace, "r1", "environment.app.env"));
        Assert.Contains("value", File.ReadAllText(_folder["app/environment.app.env"]), StringComparison.Ordinal);
        Problem unknown = Assert.Single((await Prepare(snapshot, RestoreMode.Replace, "r2", ".env", "conf/c*").PlanAsync(CancellationToken.None)).Blockers);
        Assert.Equal(ErrorCodes.PartNotInSnapshot, unknown.Code);
        Assert.Contains("conf/a.ini", unknown.Hint, StringComparison.Ordinal);
        Assert.Equal(ErrorCodes.PartsUnsupported, Assert.Throws<LifeboatException>(() => Prepare(snapshot, RestoreMode.Beside, "r3", ".env")).Code);
    }

    private SettingsSource Source() => new(
        new SettingsSettings("app", _folder["app"], [_folder["app/.env"], _folder["app/conf/a.ini"], _folder["app/conf/b it's.ini"]], ["KEY"]), _host.Context);

    private IRestoration Prepare(VerifiedSnapshot snapshot, RestoreMode mode, string id, params string[] parts) =>
        Source().PreparePart(snapshot, snapshot.Metadata.Sources[0], new RestoreScope(parts, mode), new RestoreRun(id));

    private static async Task FinishAsync(IRestoration restoration)
    {
        await restoration.StageAsync(CancellationToken.None);
        VerifyReport report = await restoration.VerifyAsync(CancellationToken.None);
        Assert.True(report.Passed, string.Join('\n', report.Checks.Where(static check => !check.Passed)));
        await restoration.CommitAsync(CancellationToken.None);
        await restoration.Switch.FinishAsync(CancellationToken.None);
    }

    private async Task UndoAsync(ISwitch done, string id)
    {
        ISwitch undo = Source().Resume(await done.InverseAsync(id, CancellationToken.None), new RestoreRun(id));
        await undo.ForwardAsync(CancellationToken.None);
        await undo.FinishAsync(CancellationToken.None);
    }

    private async Task<VerifiedSnapshot> CaptureAsync()
    {
        FolderSnapshot snapshot = new(_folder["snapshot"]);
        await using ICapture capture = await Source().OpenAsync(CancellationToken.None);
        return await snapshot.FinishAsync(await capture.WriteAsync(snapshot, CancellationToken.None));
    }
}
