using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Files;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Files;

public sealed class FilesRoundTripTests
{
    [Fact]
    public async Task A_tree_of_everything_comes_back_exactly()
    {
        Needs.Root();
        using FilesBench bench = new();
        await AwkwardTree.BuildAsync(bench.Live, 2000);
        string before = await AwkwardTree.ListAsync(bench.Live);
        string linksBefore = await AwkwardTree.ListHardLinksAsync(bench.Live);

        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        await using IRestoration restoration = bench.Source(bench.Target).PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("abc"));
        RestorePlan plan = await restoration.PlanAsync(CancellationToken.None);
        Assert.Empty(plan.Blockers);
        Assert.False(plan.Replaces);
        await restoration.StageAsync(CancellationToken.None);
        Assert.False(Directory.Exists(bench.Target));
        VerifyReport report = await restoration.VerifyAsync(CancellationToken.None);
        Assert.True(report.Passed, string.Join('\n', report.Checks.Where(static check => !check.Passed)));
        await restoration.CommitAsync(CancellationToken.None);

        Assert.Equal(before, await AwkwardTree.ListAsync(bench.Target));
        Assert.Equal(linksBefore, await AwkwardTree.ListHardLinksAsync(bench.Target));
        Assert.Contains("./deep/third ./first ./second", linksBefore, StringComparison.Ordinal);
        await Shell.RunAsync($"diff -r --no-dereference -x .lifeboat_before_old -x fifo '{bench.Live}' '{bench.Target}'", bench.Live);
        Assert.True(int.Parse(await Shell.RunAsync("du -k sparse | cut -f1", bench.Target)) < 1024, "the sparse file's holes were filled");
        Assert.Contains(snapshot.Entries.Keys, static path => path.StartsWith("files/tree/%long/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_instructions_restore_the_tree_with_stock_tools()
    {
        Needs.Root();
        Needs.Program("bsdtar");
        using FilesBench bench = new();
        await AwkwardTree.BuildAsync(bench.Live, 200);
        // bsdtar writes times before 1970 with a wrong fraction
        File.SetLastWriteTimeUtc(Path.Combine(bench.Live, "large"), DateTime.UnixEpoch);
        string before = await AwkwardTree.ListAsync(bench.Live);
        await bench.CaptureAsync();

        await Shell.RunAsync(bench.ShellBlocks(), bench.Snapshot);

        string restored = Path.Combine(bench.Snapshot, "restored", "tree");
        Assert.Equal(before, await AwkwardTree.ListAsync(restored));
        Assert.Equal(await AwkwardTree.ListHardLinksAsync(bench.Live), await AwkwardTree.ListHardLinksAsync(restored));
    }

    [Fact]
    public async Task A_commit_keeps_the_old_tree_and_a_revert_brings_it_back()
    {
        using FilesBench bench = new();
        File.WriteAllText(Path.Combine(bench.Live, "a"), "captured");
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        File.WriteAllText(Path.Combine(bench.Live, "a"), "newer");
        string now = await AwkwardTree.ListAsync(bench.Live);

        await using IRestoration restoration = bench.Source(bench.Live).PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("id1"));
        RestorePlan plan = await restoration.PlanAsync(CancellationToken.None);
        Assert.Equal(bench.Live + "__before_id1", plan.KeptAs);
        await restoration.StageAsync(CancellationToken.None);
        Assert.True((await restoration.VerifyAsync(CancellationToken.None)).Passed);
        await restoration.CommitAsync(CancellationToken.None);
        Assert.Equal("captured", File.ReadAllText(Path.Combine(bench.Live, "a")));
        Assert.Equal("newer", File.ReadAllText(Path.Combine(bench.Live + "__before_id1", "a")));

        await restoration.RevertAsync(CancellationToken.None);
        Assert.Equal(now, await AwkwardTree.ListAsync(bench.Live));
        Assert.Equal(["live", "snapshot", "temp"], bench.Names());
        await restoration.DiscardAsync(CancellationToken.None);
        Assert.Equal(now, await AwkwardTree.ListAsync(bench.Live));
    }

    [Fact]
    public async Task A_mount_point_is_switched_inside_itself_and_back()
    {
        Needs.Root();
        using FilesBench bench = new();
        await AwkwardTree.BuildAsync(bench.Live, 30);
        string captured = await AwkwardTree.ListAsync(bench.Live);
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        Directory.CreateDirectory(bench.Target);
        await Shell.RunAsync(
            $"mount -t tmpfs -o mode=0711,uid=9 tmpfs '{bench.Target}'; cd '{bench.Target}'; "
            + "mkdir sub; echo old > sub/old; echo old > large; touch -d 2003-03-03 .",
            
            bench.Live);
        try
        {
            string old = await AwkwardTree.ListAsync(bench.Target);
            await using IRestoration restoration = bench.Source(bench.Target).PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("in1"));
            RestorePlan plan = await restoration.PlanAsync(CancellationToken.None);
            Assert.Empty(plan.Blockers);
            Assert.Equal(Path.Combine(bench.Target, ".lifeboat_before_in1"), plan.KeptAs);
            await restoration.StageAsync(CancellationToken.None);
            VerifyReport report = await restoration.VerifyAsync(CancellationToken.None);
            Assert.True(report.Passed, string.Join('\n', report.Checks.Where(static check => !check.Passed)));
            await restoration.CommitAsync(CancellationToken.None);
            Assert.Equal("old\n", File.ReadAllText(Path.Combine(bench.Target, ".lifeboat_before_in1", "sub", "old")));
            Assert.Equal("711 9", (await Shell.RunAsync("stat -c '%a %u' .lifeboat_before_in1", bench.Target)).Trim());
            Assert.False(Directory.Exists(Path.Combine(bench.Target, ".lifeboat_staging_in1")));
            // Until the switch is finished, the folder that all came from is still there, empty: by that a later process sees how far it got.
            await Shell.RunAsync("mv .lifeboat_before_in1 ../kept; mv .lifeboat_staging_in1_moving ../moving; touch -d @1500000000.000000005 .", bench.Target);
            Assert.Equal(captured, await AwkwardTree.ListAsync(bench.Target));
            await Shell.RunAsync("mv ../kept .lifeboat_before_in1; mv ../moving .lifeboat_staging_in1_moving", bench.Target);

            await restoration.RevertAsync(CancellationToken.None);
            Assert.Equal(old, await AwkwardTree.ListAsync(bench.Target));

            await restoration.StageAsync(CancellationToken.None);
            await restoration.CommitAsync(CancellationToken.None);
            await restoration.Switch.FinishAsync(CancellationToken.None);
            ISwitch undo = bench.Source(bench.Target).Resume(await restoration.Switch.InverseAsync("in2", CancellationToken.None), new RestoreRun("in2"));
            await undo.ForwardAsync(CancellationToken.None);
            await undo.FinishAsync(CancellationToken.None);
            await undo.DropOutgoingAsync(CancellationToken.None);
            Assert.Equal(old, await AwkwardTree.ListAsync(bench.Target));
        }
        finally
        {
            await Shell.RunAsync($"umount '{bench.Target}'", bench.Live);
        }
    }

    [Fact]
    public async Task A_full_disk_while_staging_is_an_error_and_discard_leaves_nothing()
    {
        Needs.Root();
        using FilesBench bench = new();
        await Shell.RunAsync("head -c 6000000 /dev/urandom > big; mkdir -p a/b; echo x > a/b/c; chmod 0 a", bench.Live);
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        string mount = bench.Target;
        Directory.CreateDirectory(mount);
        await Shell.RunAsync($"mount -t tmpfs -o size=4m tmpfs '{mount}'; mkdir '{mount}/live'; echo kept > '{mount}/live/x'", bench.Live);
        try
        {
            await using IRestoration restoration =
                bench.Source(Path.Combine(mount, "live")).PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("full"));
            LifeboatException e = await Assert.ThrowsAsync<LifeboatException>(() => restoration.StageAsync(CancellationToken.None));
            Assert.Equal(ErrorCodes.DiskFull, e.Code);
            Assert.Contains("big", e.Message, StringComparison.Ordinal);
            await restoration.DiscardAsync(CancellationToken.None);
            await restoration.DiscardAsync(CancellationToken.None);
            Assert.Equal("live\nlive/x\n", await Shell.RunAsync("find . -mindepth 1 -printf '%P\\n' | sort", mount));
        }
        finally
        {
            await Shell.RunAsync($"umount '{mount}'", bench.Live);
        }
    }

    [Fact]
    public async Task One_changed_byte_in_what_was_staged_fails_the_verification()
    {
        using FilesBench bench = new();
        await Shell.RunAsync("mkdir d; echo one > d/a; echo two > d/b; ln -s x l", bench.Live);
        VerifiedSnapshot snapshot = await bench.CaptureAsync();
        foreach ((string damage, string subject) in ((string, string)[])
        [
            ("t=$(stat -c %y d/a); printf OnE > x; dd if=x of=d/a conv=notrunc status=none; rm x; touch -d \"$t\" d/a", "contents: d/a"),
            ("chmod 600 d/b", "modes: d/b"),
            ("touch -d 2000-01-01 d/b", "times: d/b"),
            ("rm d/b", "names: d/b"),
            ("echo > extra", "names: extra"),
            ("ln -sf y l", "symbolic link targets: l"),
            ("rm d/b; ln d/a d/b", "hard links: d/b"),
            ("rm d/b; mkdir d/b", "kinds: d/b"),
        ])
        {
            await using IRestoration restoration = bench.Source(bench.Target).PrepareRestore(snapshot, snapshot.Metadata.Sources[0], new RestoreRun("id"));
            await restoration.StageAsync(CancellationToken.None);
            await Shell.RunAsync(damage, bench.Target + "__staging_id");
            VerifyReport report = await restoration.VerifyAsync(CancellationToken.None);
            Assert.Contains(report.Checks, check => !check.Passed && check.Subject == subject);
            await restoration.DiscardAsync(CancellationToken.None);
            Assert.Equal(["live", "snapshot", "temp"], bench.Names());
        }
    }
}
