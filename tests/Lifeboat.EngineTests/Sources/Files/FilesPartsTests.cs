using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Files;

public sealed class FilesPartsTests
{
    private const string Changes =
        """
        echo changed > aa/one; rm -r aa/sub; echo mine > aa/mine; echo longer > bb/x1; echo new > bb/x3; rm -r cc/deep; rm bb/x2
        touch -d '2022-02-02 02:02:02.000000001' aa bb cc
        """;

    private static readonly string[] Parts = ["aa", "bb/x*", "cc/*/er"];

    [Fact]
    public async Task Selected_entries_are_exchanged_and_all_else_stays()
    {
        Needs.Root();
        using PartsBench bench = await PartsBench.CreateAsync(Changes);
        string old = await PartsBench.LookAsync(bench.Live);
        string expected = await bench.ExpectAsync(
            "rm -r aa bb/x1; cp -a $O/aa .; cp -a $O/bb/x1 $O/bb/x2 bb; mkdir cc/deep; cp -a $O/cc/deep/er cc/deep; chmod 2711 cc/deep; chown 7:8 cc/deep; touch -r $O/cc/deep cc/deep", "bb", "cc");

        IRestoration restoration = bench.Prepare(bench.Live, RestoreMode.Replace, "r1", null, Parts);
        RestorePlan plan = await restoration.PlanAsync(CancellationToken.None);
        Assert.Contains($"replace {bench.Live}/aa as a whole, keep it as {bench.Live}__before_r1/aa", plan.Steps);
        Assert.Contains($"create {bench.Live}/cc/deep", plan.Steps);
        Assert.Equal(bench.Live + "__before_r1", plan.KeptAs);
        Assert.Equal(old, await PartsBench.LookAsync(bench.Live));

        ISwitch done = (await bench.RestoreAsync(RestoreMode.Replace, "r1", Parts)).Switch;
        Assert.Equal(expected, await PartsBench.LookAsync(bench.Live));
        Assert.Equal(["live__before_r1"], bench.Beside());
        Assert.Equal("changed\n", File.ReadAllText(bench.Live + "__before_r1/aa/one"));
        Assert.Equal("longer\n", File.ReadAllText(bench.Live + "__before_r1/bb/x1"));
        Assert.Equal(bench.Live + "__before_r1", (await bench.Resume(done).KeptAsync(CancellationToken.None))!.Name);

        ISwitch undo = await bench.UndoAsync(done, "u1");
        Assert.Equal(old, await PartsBench.LookAsync(bench.Live));
        Assert.Equal(["live__before_u1"], bench.Beside());
        ISwitch again = await bench.UndoAsync(undo, "u2");
        Assert.Equal(expected, await PartsBench.LookAsync(bench.Live));
        Assert.Equal(["live__before_u2"], bench.Beside());
        await bench.Resume(again).DropOutgoingAsync(CancellationToken.None);
        Assert.Equal(expected, await PartsBench.LookAsync(bench.Live));
        Assert.Empty(bench.Beside());
    }

    [Fact]
    public async Task A_merge_adds_what_is_missing_counts_exactly_and_changes_nothing_that_exists()
    {
        Needs.Root();
        // other/o is as captured; aa/link points elsewhere; bb/fifo is a file now, cc a symbolic link.
        using PartsBench bench = await PartsBench.CreateAsync(
            Changes + "\nln -sfn elsewhere aa/link; rm bb/fifo; echo > bb/fifo; mv cc realcc; ln -s realcc cc; rm -r aa/empty; rm bb/hard; touch -d '2022-02-02 02:02:02.000000001' aa bb");
        string old = await PartsBench.LookAsync(bench.Live);
        string expected = await bench.ExpectAsync("cp -a $O/aa/sub $O/aa/empty aa; cp -a $O/bb/x2 bb; cp -a $O/bb/hard bb", "aa", "bb");

        IRestoration merge = await bench.RestoreAsync(RestoreMode.Merge, "m1");
        MergeCount count = Assert.Single(merge.Merged);
        Assert.Equal(("files", 3, 3, 7), (count.Subject, count.Added, count.Equal, count.Different));
        Assert.Equal(["aa/link", "aa/one", "bb/fifo", "bb/x1", "cc", "cc/deep/e", "cc/deep/er/z"], count.Examples);
        Assert.Equal(expected, await PartsBench.LookAsync(bench.Live));
        Assert.Empty(bench.Beside());

        ISwitch undo = await bench.UndoAsync(merge.Switch, "u1");
        Assert.Equal(old, await PartsBench.LookAsync(bench.Live));
        ISwitch again = await bench.UndoAsync(undo, "u2");
        Assert.Equal(expected, await PartsBench.LookAsync(bench.Live));
        Assert.Empty(bench.Files.Host.Warnings);

        await Shell.RunAsync("echo more >> aa/sub/s", bench.Live);
        ISwitch third = await bench.UndoAsync(merge.Switch, "u3");
        Assert.Contains("aa/sub was added by the restore and changed since", Assert.Single(bench.Files.Host.Warnings).Message, StringComparison.Ordinal);
        Assert.Equal(ErrorCodes.StrayState, bench.Files.Host.Warnings.Single().Code);
        Assert.Equal(old, await PartsBench.LookAsync(bench.Live));
        Assert.Equal("s\nmore\n", File.ReadAllText(bench.Live + "__before_u3/aa/sub/s"));
        await third.DropOutgoingAsync(CancellationToken.None);
        await again.DropOutgoingAsync(CancellationToken.None);
        Assert.Empty(bench.Beside());
    }

    [Fact]
    public async Task A_merge_of_what_is_all_there_changes_nothing_and_one_of_a_part_looks_at_that_part_alone()
    {
        using PartsBench bench = await PartsBench.CreateAsync("rm bb/x2");
        string old = await PartsBench.LookAsync(bench.Live);
        IRestoration merge = await bench.RestoreAsync(RestoreMode.Merge, "m1", "aa/*", "cc");
        Assert.Equal((0, 6, 0), (merge.Merged[0].Added, merge.Merged[0].Equal, merge.Merged[0].Different));
        Assert.Equal(old, await PartsBench.LookAsync(bench.Live));
        ISwitch undo = await bench.UndoAsync(merge.Switch, "u1");
        Assert.Null(await undo.KeptAsync(CancellationToken.None));
        Assert.Equal(old, await PartsBench.LookAsync(bench.Live));
        Assert.Empty(bench.Beside());
    }

    [Theory]
    [InlineData(RestoreMode.Replace, false)]
    [InlineData(RestoreMode.Replace, true)]
    [InlineData(RestoreMode.Merge, false)]
    public async Task Stopped_at_any_step_another_process_makes_it_wholly_old_again(RestoreMode mode, bool after)
    {
        using PartsBench bench = await PartsBench.CreateAsync(Changes);
        string old = await PartsBench.LookAsync(bench.Live);
        string[] parts = mode == RestoreMode.Merge ? [] : Parts;
        StepCounter all = new();
        IRestoration counted = await bench.StageAsync(mode, "count", all, parts);
        await counted.CommitAsync(CancellationToken.None);
        int steps = all.Count;
        Assert.True(steps >= (mode == RestoreMode.Merge ? 3 : 8), $"{steps} steps");
        string restored = await PartsBench.LookAsync(bench.Live);
        Assert.NotEqual(old, restored);
        await counted.RevertAsync(CancellationToken.None);
        Assert.Equal(old, await PartsBench.LookAsync(bench.Live));
        for (int at = 1; at <= steps; at++)
        {
            IRestoration stopped = await bench.StageAsync(mode, $"s{at}", Stop(at, after), parts);
            await Assert.ThrowsAsync<InvalidOperationException>(() => stopped.Switch.ForwardAsync(CancellationToken.None));
            await TakeBackStoppedAsync(bench, stopped.Switch, after);
            await bench.Resume(stopped.Switch).DropIncomingAsync(CancellationToken.None);
            Assert.Equal(old, await PartsBench.LookAsync(bench.Live));
            Assert.Empty(bench.Beside());
        }

        // The same for an undo: what is kept stays kept.
        IRestoration done = await bench.RestoreAsync(mode, "done", parts);
        string[] kept = [.. bench.Beside()];
        string keptState = kept.Length == 0 ? "" : await LookAtKeptAsync(bench, kept[0]);
        int stops = 0;
        for (int at = 1; at < 100; at++)
        {
            ISwitch undo = await bench.InverseAsync(done.Switch, $"u{at}", Stop(at, after));
            try
            {
                await undo.ForwardAsync(CancellationToken.None);
                Assert.Equal(old, await PartsBench.LookAsync(bench.Live));
                at = 100;
            }
            catch (InvalidOperationException)
            {
                stops++;
            }

            await TakeBackStoppedAsync(bench, undo, after);
            Assert.Equal(restored, await PartsBench.LookAsync(bench.Live));
            Assert.Equal(kept, bench.Beside());
            Assert.Equal(keptState, kept.Length == 0 ? "" : await LookAtKeptAsync(bench, kept[0]));
        }

        Assert.True(stops >= 3, $"{stops} stops");
    }

    [Fact]
    public async Task What_an_application_makes_in_the_moment_of_the_switch_is_put_aside_and_not_lost()
    {
        using PartsBench bench = await PartsBench.CreateAsync(Changes);
        string old = await PartsBench.LookAsync(bench.Live);
        StepCounter racing = new(after: (_, step) =>
        {
            if (step.EndsWith("__before_race/bb", StringComparison.Ordinal) && step.Contains("/x1 ", StringComparison.Ordinal))
                File.WriteAllText(Path.Combine(bench.Live, "bb/x1"), "the application's");
        });
        IRestoration restoration = await bench.StageAsync(RestoreMode.Replace, "race", racing, Parts);
        LifeboatException e = await Assert.ThrowsAsync<LifeboatException>(() => restoration.CommitAsync(CancellationToken.None));
        Assert.Contains("bb/x1", e.Message, StringComparison.Ordinal);
        await restoration.DiscardAsync(CancellationToken.None);
        Assert.Equal(old, await PartsBench.LookAsync(bench.Live));
        Assert.Equal(["live__before_race_stray"], bench.Beside());
        Assert.Equal("the application's", File.ReadAllText(bench.Live + "__before_race_stray/bb/x1"));
    }

    [Theory]
    [InlineData(RestoreMode.Replace)]
    [InlineData(RestoreMode.Merge)]
    public async Task What_was_made_between_plan_and_switch_is_neither_replaced_nor_merged_over(RestoreMode mode)
    {
        using PartsBench bench = await PartsBench.CreateAsync(Changes);
        IRestoration restoration = await bench.StageAsync(mode, "late", null, "bb/x2", "aa/one");
        await Shell.RunAsync("echo mine > bb/x2", bench.Live);
        string now = await PartsBench.LookAsync(bench.Live);
        LifeboatException e = await Assert.ThrowsAsync<LifeboatException>(() => restoration.CommitAsync(CancellationToken.None));
        Assert.Contains("was made meanwhile", e.Message, StringComparison.Ordinal);
        await restoration.DiscardAsync(CancellationToken.None);
        Assert.Equal(now, await PartsBench.LookAsync(bench.Live));
        Assert.Empty(bench.Beside());
    }

    [Fact]
    public async Task Nothing_is_written_through_a_symbolic_link_in_the_live_tree()
    {
        using PartsBench bench = await PartsBench.CreateAsync("mkdir ../live_elsewhere; mv bb ../live_elsewhere/bb; ln -s ../live_elsewhere/bb bb; rm -r cc; echo > cc");
        IRestoration planned = bench.Prepare(bench.Live, RestoreMode.Replace, "r1", null, "bb/x*", "cc/deep");
        IReadOnlyList<Problem> blockers = (await planned.PlanAsync(CancellationToken.None)).Blockers;
        Assert.All(blockers, static problem => Assert.Equal(ErrorCodes.TargetUnusable, problem.Code));
        Assert.Equal(2, blockers.Count);
        Assert.Contains("bb is a symbolic link", blockers[0].Message, StringComparison.Ordinal);
        Assert.Contains("cc is not a folder", blockers[1].Message, StringComparison.Ordinal);

        // One that appears when all is planned.
        await Shell.RunAsync("rm bb; mv ../live_elsewhere/bb bb", bench.Live);
        IRestoration staged = await bench.StageAsync(RestoreMode.Replace, "r2", null, "bb/x*", "aa/one");
        await Shell.RunAsync("mv bb ../live_elsewhere/bb; ln -s ../live_elsewhere/bb bb", bench.Live);
        string old = await PartsBench.LookAsync(bench.Live), outside = await PartsBench.LookAsync(bench.Live + "_elsewhere");
        await Assert.ThrowsAsync<LifeboatException>(() => staged.CommitAsync(CancellationToken.None));
        await staged.DiscardAsync(CancellationToken.None);
        Assert.Equal(old, await PartsBench.LookAsync(bench.Live));
        Assert.Equal(outside, await PartsBench.LookAsync(bench.Live + "_elsewhere"));
    }

    [Fact]
    public async Task A_folder_and_a_file_of_the_same_name_are_exchanged()
    {
        using PartsBench bench = await PartsBench.CreateAsync("rm -r cc; echo now a file > cc; rm bb/x1; mkdir -p bb/x1/deep; echo in > bb/x1/deep/in; rm bb/y; ln -s nowhere bb/y");
        string old = await PartsBench.LookAsync(bench.Live);
        string expected = await bench.ExpectAsync("rm -r cc bb/x1 bb/y; cp -a $O/cc .; cp -a $O/bb/x1 $O/bb/y bb", "bb");
        ISwitch done = (await bench.RestoreAsync(RestoreMode.Replace, "r1", "cc", "bb/x1", "bb/y")).Switch;
        Assert.Equal(expected, await PartsBench.LookAsync(bench.Live));
        await bench.UndoAsync(done, "u1");
        Assert.Equal(old, await PartsBench.LookAsync(bench.Live));
    }

    [Fact]
    public async Task A_file_whose_other_names_are_not_restored_is_a_file_of_its_own_and_a_warning_says_so()
    {
        using PartsBench bench = await PartsBench.CreateAsync("echo changed > bb/y");
        IRestoration planned = bench.Prepare(bench.Live, RestoreMode.Replace, "r1", null, "bb/y");
        Assert.Equal(ErrorCodes.LinksNotRestored, Assert.Single((await planned.PlanAsync(CancellationToken.None)).Warnings).Code);
        await bench.RestoreAsync(RestoreMode.Replace, "r1", "bb/y");
        Assert.Equal("z\nchanged\n", await Shell.RunAsync("cat bb/y bb/hard", bench.Live));
        IRestoration both = bench.Prepare(bench.Live, RestoreMode.Replace, "r2", null, "bb/y", "bb/hard");
        Assert.Empty((await both.PlanAsync(CancellationToken.None)).Warnings);
        await bench.RestoreAsync(RestoreMode.Replace, "r2", "bb/y", "bb/hard");
        Assert.Equal("2 z\n", await Shell.RunAsync("echo $(stat -c %h bb/y) $(cat bb/hard)", bench.Live));
    }

    [Theory]
    [InlineData(RestoreMode.Replace)]
    [InlineData(RestoreMode.Merge)]
    public async Task A_folder_that_is_not_there_is_created_with_the_parts_alone(RestoreMode mode)
    {
        Needs.Root();
        using PartsBench bench = await PartsBench.CreateAsync(Changes);
        string target = bench.Files.Target + "/new/folder";
        IRestoration restoration = await bench.StageAsync(target, mode, "r1", null, "aa/sub", "bb/x*");
        await restoration.CommitAsync(CancellationToken.None);
        await restoration.Switch.FinishAsync(CancellationToken.None);
        await Shell.RunAsync("rm -rf other cc aa/empty aa/t* aa/one aa/link bb/y bb/hard bb/fifo; touch -d '2020-02-02 02:02:02.020202020' aa bb", bench.Original);
        await Shell.RunAsync($"touch -r '{target}' .", bench.Original);
        Assert.Equal(await PartsBench.LookAsync(bench.Original), await PartsBench.LookAsync(target));
        if (mode == RestoreMode.Merge)
            Assert.Equal((3, 0, 0), (restoration.Merged[0].Added, restoration.Merged[0].Equal, restoration.Merged[0].Different));
        await restoration.RevertAsync(CancellationToken.None);
        Assert.False(Path.Exists(bench.Files.Target));
    }

    [Fact]
    public async Task A_pattern_that_matches_nothing_is_told_with_names_that_are_there()
    {
        using PartsBench bench = await PartsBench.CreateAsync("");
        IRestoration restoration = bench.Prepare(bench.Live, RestoreMode.Merge, "r1", null, "bb/x1", "aa/onee", "zz/*", "cc/deep/nothing-like-it");
        IReadOnlyList<Problem> blockers = (await restoration.PlanAsync(CancellationToken.None)).Blockers;
        Assert.Equal(3, blockers.Count);
        Assert.All(blockers, static problem => Assert.Equal(ErrorCodes.PartNotInSnapshot, problem.Code));
        Assert.Contains("matches aa/onee", blockers[0].Message, StringComparison.Ordinal);
        Assert.Equal("did you mean aa/one?", blockers[0].Hint);
        Assert.Contains("at its root there is aa, bb, cc, other", blockers[1].Hint, StringComparison.Ordinal);
        Assert.Contains("in cc/deep there is cc/deep/e, cc/deep/er", blockers[2].Hint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Beside_the_live_files_there_is_no_place_for_parts()
    {
        using PartsBench bench = await PartsBench.CreateAsync("");
        LifeboatException e = Assert.Throws<LifeboatException>(() => bench.Prepare(bench.Live, RestoreMode.Beside, "r1", null, "aa"));
        Assert.Equal(ErrorCodes.PartsUnsupported, e.Code);
        Assert.Contains("--target tree=", e.Problems[0].Hint, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(RestoreMode.Replace)]
    [InlineData(RestoreMode.Merge)]
    public async Task Parts_of_a_mount_point_are_switched_inside_of_it(RestoreMode mode)
    {
        Needs.Root();
        using PartsBench bench = await PartsBench.CreateAsync("rm -r ./*");
        await Shell.RunAsync($"mount -t tmpfs tmpfs '{bench.Live}'", bench.Original);
        try
        {
            await Shell.RunAsync($"cp -a '{bench.Original}'/. .; {Changes}\ntouch -d '2021-01-01 01:01:01.123456789' .", bench.Live);
            string old = await PartsBench.LookAsync(bench.Live);
            int steps = 0;
            for (int at = 100; at >= 0; at = at == 100 ? steps : at - 1)
            {
                StepCounter counter = Stop(at, after: false);
                IRestoration restoration = await bench.StageAsync(mode, $"s{at}", counter, Parts);
                if (at == 100)
                    await restoration.Switch.ForwardAsync(CancellationToken.None);
                else if (at > 0)
                    await Assert.ThrowsAsync<InvalidOperationException>(() => restoration.Switch.ForwardAsync(CancellationToken.None));
                steps = Math.Max(steps, counter.Count);
                if (at > 0)
                    await bench.Resume(restoration.Switch).BackAsync(CancellationToken.None);
                await bench.Resume(restoration.Switch).DropIncomingAsync(CancellationToken.None);
                Assert.Equal(old, await PartsBench.LookAsync(bench.Live));
            }

            Assert.True(steps > 2, $"{steps} steps");
            ISwitch done = (await bench.RestoreAsync(mode, "r1", Parts)).Switch;
            Assert.Equal(mode == RestoreMode.Replace ? "1\n" : "changed\n", File.ReadAllText(Path.Combine(bench.Live, "aa/one")));
            Assert.Equal("s\n", File.ReadAllText(Path.Combine(bench.Live, "aa/sub/s")));
            ISwitch undo = await bench.UndoAsync(done, "u1");
            await undo.DropOutgoingAsync(CancellationToken.None);
            Assert.Equal(old, await PartsBench.LookAsync(bench.Live));

            Directory.CreateDirectory(Path.Combine(bench.Live, "aa/below"));
            await Shell.RunAsync("mount -t tmpfs tmpfs aa/below", bench.Live);
            RestorePlan plan = await bench.Prepare(bench.Live, RestoreMode.Replace, "r2", null, "aa").PlanAsync(CancellationToken.None);
            Assert.Contains("aa/below", Assert.Single(plan.Blockers).Message, StringComparison.Ordinal);
            Assert.Empty((await bench.Prepare(bench.Live, RestoreMode.Replace, "r3", null, "aa/o*", "bb").PlanAsync(CancellationToken.None)).Blockers);
            await Shell.RunAsync("umount aa/below", bench.Live);
        }
        finally
        {
            await Shell.RunAsync($"umount -l '{bench.Live}'", bench.Original);
        }
    }

    /// <summary>All that is kept, without the folders that are there to hold it.</summary>
    private static async Task<string> LookAtKeptAsync(PartsBench bench, string name) => string.Join('\n', (await PartsBench.LookAsync(Path.Combine(bench.Live, "..", name)))
        .Split('\n').Where(static line => !line.StartsWith(" d ", StringComparison.Ordinal) && !line.StartsWith("bb d ", StringComparison.Ordinal) && !line.StartsWith("cc d ", StringComparison.Ordinal)));

    private static StepCounter Stop(int at, bool after)
    {
        void stop(int step, string name)
        {
            if (step == at)
                throw new InvalidOperationException($"stopped at {step}: {name}");
        }

        return after ? new StepCounter(after: stop) : new StepCounter(stop);
    }

    /// <summary>Takes a switch back, by a process that is stopped at its third step itself, and by another one.</summary>
    private static async Task TakeBackStoppedAsync(PartsBench bench, ISwitch stopped, bool after)
    {
        ISwitch first = bench.Files.Source(bench.Live, Stop(3, after)).Resume(stopped.Record, new RestoreRun("first"));
        try
        {
            await first.BackAsync(CancellationToken.None);
        }
        catch (InvalidOperationException)
        {
            // As it should be, where there are so many steps.
        }

        await bench.Resume(stopped).BackAsync(CancellationToken.None);
    }
}
