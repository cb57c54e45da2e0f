using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Files;

/// <summary>Tests that give up root's rights for a while; alone, because rights are the process's.</summary>
[CollectionDefinition(nameof(FilesWithoutRootTests), DisableParallelization = true)]
public sealed class FilesWithoutRootAlone;

[Collection(nameof(FilesWithoutRootTests))]
public sealed class FilesWithoutRootTests
{
    [Fact]
    public async Task Every_file_that_may_not_be_read_is_named()
    {
        Needs.Root();
        using FilesBench bench = new();
        await Shell.RunAsync(
            "echo x > open; mkdir d closed; echo x > d/one; echo x > two; echo x > closed/in; chmod 600 d/one two; chmod 700 closed",
            bench.Live);
        await Shell.RunAsync("chown nobody . snapshot temp; chmod 755 .", Path.GetDirectoryName(bench.Live)!);
        await AsNobodyAsync(async () =>
        {
            IReadOnlyList<Problem> problems = await bench.Source(bench.Live).CheckAsync(CancellationToken.None);
            Assert.Equal(
                ["tree: closed", "tree: d/one", "tree: two"],
                problems.Select(static problem => problem.Where!).Order(StringComparer.Ordinal));
            LifeboatException e = await Assert.ThrowsAsync<LifeboatException>(bench.CaptureOnlyAsync);
            Assert.Equal(
                problems.Select(static problem => problem.Where).Order(StringComparer.Ordinal),
                e.Problems.Select(static problem => problem.Where).Order(StringComparer.Ordinal));
            Assert.All(e.Problems, static problem => Assert.Equal(ErrorCodes.FileUnreadable, problem.Code));
        });
    }

    [Fact]
    public async Task Restoring_without_root_gives_everything_but_owners_and_says_so()
    {
        Needs.Root();
        using FilesBench bench = new();
        await Shell.RunAsync(
            "echo x > suid; chown 1234:1234 suid; chmod 6755 suid; mkdir d; chmod 555 d; echo y > d/y 2>/dev/null; chmod 400 d/y",
            bench.Live);
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        await Shell.RunAsync("chown nobody .; chmod 755 .; chmod -R a+rX snapshot temp", Path.GetDirectoryName(bench.Live)!);
        await AsNobodyAsync(async () =>
        {
            await using IRestoration restoration = bench.Source(bench.Target).PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("id"));
            RestorePlan plan = await restoration.PlanAsync(CancellationToken.None);
            Assert.Empty(plan.Blockers);
            Assert.Contains(plan.Warnings, static problem => problem.Code == ErrorCodes.OwnersNotRestored);
            await restoration.StageAsync(CancellationToken.None);
            VerifyReport report = await restoration.VerifyAsync(CancellationToken.None);
            Assert.True(report.Passed, string.Join('\n', report.Checks.Where(static check => !check.Passed)));
            Assert.Contains(
                report.Checks, static check => check.Subject == "owners" && check.Found.Contains("not compared", StringComparison.Ordinal));
            await restoration.CommitAsync(CancellationToken.None);
            await restoration.RevertAsync(CancellationToken.None); // deletes a folder that its owner may not write in
            Assert.False(Directory.Exists(bench.Target));
        });
        Assert.Equal(["live", "snapshot", "temp"], bench.Names());
    }

    [Fact]
    public async Task A_target_whose_parent_is_not_writable_is_a_blocker()
    {
        Needs.Root();
        using FilesBench bench = new();
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        await Shell.RunAsync("chmod 755 . ; chmod -R a+rX snapshot", Path.GetDirectoryName(bench.Live)!);
        await AsNobodyAsync(async () =>
        {
            await using IRestoration restoration = bench.Source(bench.Target).PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("id"));
            Assert.Equal(ErrorCodes.TargetUnusable, Assert.Single((await restoration.PlanAsync(CancellationToken.None)).Blockers).Code);
        });
    }

    [Fact]
    public async Task Parts_that_this_user_may_not_move_are_blockers_and_others_are_restored()
    {
        Needs.Root();
        using PartsBench bench = await PartsBench.CreateAsync(
            "echo changed > aa/one; rm -r cc/deep; rm bb/x1; chmod 555 cc; chmod 500 aa/sub; rmdir aa/empty; chmod 777 aa",
            "mkdir -p aa/sub aa/empty bb cc/deep; echo 1 > aa/one; echo 2 > bb/x1; echo 3 > cc/deep/z; echo 4 > aa/sub/s; chmod 555 aa/empty aa");
        await Shell.RunAsync("chown -R nobody .; chmod -R a+rX snapshot", Path.GetDirectoryName(bench.Live)!);
        await AsNobodyAsync(async () =>
        {
            IRestoration planned = bench.Prepare(bench.Live, RestoreMode.Replace, "r1", null, "aa/*", "bb/x1", "cc/deep");
            string[] blockers = [.. (await planned.PlanAsync(CancellationToken.None)).Blockers.Select(static problem => problem.Message)];
            Assert.Equal(3, blockers.Length);
            Assert.Contains("aa/empty will have a mode that lets nobody but root move it", blockers[0], StringComparison.Ordinal);
            Assert.Contains("the mode of " + bench.Live + "/aa/sub lets nobody but root move it", blockers[1], StringComparison.Ordinal);
            Assert.Contains("no right to change anything in " + bench.Live + "/cc", blockers[2], StringComparison.Ordinal);

            IRestoration restoration = await bench.StageAsync(RestoreMode.Replace, "r2", null, "aa/one", "bb/x1");
            await restoration.CommitAsync(CancellationToken.None);
            await restoration.Switch.FinishAsync(CancellationToken.None);
            Assert.Equal("1\n2\n", await Shell.RunAsync("cat aa/one bb/x1", bench.Live));
            await bench.UndoAsync(restoration.Switch, "u1");
            Assert.Equal("changed\n", await Shell.RunAsync("cat aa/one; test ! -e bb/x1", bench.Live));
        });
    }

    private static Task AsNobodyAsync(Func<Task> work) => Nobody.DoAsync(work);
}
