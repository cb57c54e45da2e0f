using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Files;

/// <summary>A tree that was captured and has changed since, and restores of parts of it.</summary>
internal sealed class PartsBench : IDisposable
{
    public const string Fill =
        """
        mkdir -p aa/empty aa/sub bb cc/deep/er other
        echo 1 > aa/one; echo two > $'aa/t\xffw\no "\'x'; ln -s $'../bb/\xfe' aa/link; echo s > aa/sub/s; chmod 4750 aa/one; chown 33:44 aa/one aa/sub
        echo x > bb/x1; echo y > bb/x2; echo z > bb/y; ln bb/y bb/hard; mkfifo bb/fifo
        echo d > cc/deep/er/z; echo e > cc/deep/e; chmod 2711 cc/deep; chown 7:8 cc cc/deep
        echo o > other/o
        find . -mindepth 1 -depth -exec touch -h -d '2020-02-02 02:02:02.020202020' {} +
        """;

    private readonly FilesBench _bench = new();
    private VerifiedSnapshot? _snapshot;

    public FilesBench Files => _bench;

    public string Live => _bench.Live;

    /// <summary>A copy of what was captured.</summary>
    public string Original => Live + "_original";

    private VerifiedSnapshot Snapshot => _snapshot!;

    /// <param name="changes">What is done to the live tree after the capture.</param>
    public static async Task<PartsBench> CreateAsync(string changes, string fill = Fill)
    {
        PartsBench bench = new();
        await Shell.RunAsync(fill, bench.Live);
        bench._snapshot = await bench.Files.CaptureAsync();
        await Shell.RunAsync($"cp -a . '{bench.Original}'; {changes}\ntouch -d '2021-01-01 01:01:01.123456789' .", bench.Live);
        return bench;
    }

    public IRestoration Prepare(string path, RestoreMode mode, string id, IStepProbe? steps, params string[] parts) =>
        _bench.Source(path, steps ?? new NoProbe()).PreparePart(Snapshot, Snapshot.Metadata.Sources[0], new RestoreScope(parts, mode), new RestoreRun(id));

    /// <summary>A restore that is verified and ready to be switched.</summary>
    public async Task<IRestoration> StageAsync(RestoreMode mode, string id, IStepProbe? steps, params string[] parts) => await StageAsync(Live, mode, id, steps, parts);

    public async Task<IRestoration> StageAsync(string path, RestoreMode mode, string id, IStepProbe? steps, params string[] parts)
    {
        IRestoration restoration = Prepare(path, mode, id, steps, parts);
        RestorePlan plan = await restoration.PlanAsync(CancellationToken.None);
        Assert.True(plan.Blockers.Count == 0, string.Join('\n', plan.Blockers));
        await restoration.StageAsync(CancellationToken.None);
        VerifyReport report = await restoration.VerifyAsync(CancellationToken.None);
        Assert.True(report.Passed, string.Join('\n', report.Checks.Where(static check => !check.Passed)));
        return restoration;
    }

    /// <summary>As <see cref="StageAsync(RestoreMode, string, IStepProbe, string[])"/>, switched and finished.</summary>
    public async Task<IRestoration> RestoreAsync(RestoreMode mode, string id, params string[] parts)
    {
        IRestoration restoration = await StageAsync(mode, id, null, parts);
        await restoration.CommitAsync(CancellationToken.None);
        await restoration.Switch.FinishAsync(CancellationToken.None);
        return restoration;
    }

    /// <summary>The switch that takes another one back, as another process has it.</summary>
    public async Task<ISwitch> InverseAsync(ISwitch done, string id, IStepProbe? steps = null) =>
        _bench.Source(Live, steps ?? new NoProbe()).Resume(await Resume(done).InverseAsync(id, CancellationToken.None), new RestoreRun(id));

    /// <summary>A switch as another process has it.</summary>
    public ISwitch Resume(ISwitch begun) => _bench.Source(Live).Resume(begun.Record, new RestoreRun("resumed"));

    public async Task<ISwitch> UndoAsync(ISwitch done, string id)
    {
        ISwitch undo = await InverseAsync(done, id);
        await undo.ForwardAsync(CancellationToken.None);
        await undo.FinishAsync(CancellationToken.None);
        return undo;
    }

    /// <summary>Everything in a tree: names, kinds, traits, times, links, contents.</summary>
    public static async Task<string> LookAsync(string path) =>
        await AwkwardTree.ListAsync(path) + await Shell.RunAsync("find . -type f -print0 | sort -z | xargs -0 sha256sum", path);

    /// <summary>What a copy of the live tree would be after some commands; times of the folders that names come and go in are kept.</summary>
    public async Task<string> ExpectAsync(string commands, params string[] folders)
    {
        string keep = string.Concat(folders.Select(folder => $"\ntouch -r '{Live}/{folder}' '{folder}'"));
        string copy = Live + "_expected";
        await Shell.RunAsync($"rm -rf '{copy}'; cp -a . '{copy}'", Live);
        await Shell.RunAsync($"O='{Original}'\n{commands}{keep}\ntouch -r '{Live}' .", copy);
        string expected = await LookAsync(copy);
        await Shell.RunAsync($"rm -rf '{copy}'", Live);
        return expected;
    }

    /// <summary>Names beside the live tree.</summary>
    public IEnumerable<string> Beside() => _bench.Names().Where(static name => name.StartsWith("live__", StringComparison.Ordinal));

    public void Dispose() => _bench.Dispose();
}
