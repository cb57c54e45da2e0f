using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Restore.Journal;
using Lifeboat.Engine.Sources;

namespace Lifeboat.Engine.Restore;

/// <summary>The restores of several sources as one, up to the switch: all are planned, then all staged, then all verified.</summary>
internal sealed class StagedSources(IReadOnlyList<(string Name, IRestoration Restoration)> sources, RunContext context) : IAsyncDisposable
{
    private readonly List<VerifyReport> _reports = [];

    /// <summary>What was compared so far, in the sources' order.</summary>
    public IReadOnlyList<VerifyReport> Reports => _reports;

    /// <summary>What a merge did with the source of that index.</summary>
    public IReadOnlyList<MergeCount> Merged(int index) => sources[index].Restoration.Merged;

    /// <summary>The switches of all, in the order in which they are made.</summary>
    public IReadOnlyList<SourceSwitch> Switches => [.. sources.Select(static one => new SourceSwitch(one.Name, one.Restoration.Switch))];

    public async Task<IReadOnlyList<SourceRestore>> PlanAsync(CancellationToken cancellation)
    {
        List<SourceRestore> plans = [];
        foreach ((string name, IRestoration restoration) in sources)
            plans.Add(new SourceRestore(name, await PlanAsync(name, restoration, cancellation), null));
        return plans;
    }

    /// <summary>Stages and verifies all, makes neutral what is to be, and closes it.</summary>
    /// <exception cref="LifeboatException">It failed, or something differs; what was staged is still there.</exception>
    public async Task StageAsync(RestoreJournal journal, CancellationToken cancellation)
    {
        foreach ((string name, IRestoration restoration) in sources)
        {
            journal.Write(JournalStep.Stage, name);
            await context.PhaseAsync(name, Phase.Stage, restoration.StageAsync, cancellation);
        }

        foreach ((string name, IRestoration restoration) in sources)
        {
            journal.Write(JournalStep.Verify, name);
            _reports.Add(await context.PhaseAsync(name, Phase.Verify, restoration.VerifyAsync, cancellation));
        }

        Require();
        foreach ((string name, IRestoration restoration) in sources)
            await context.PhaseAsync(name, Phase.Neutralize, restoration.NeutralizeAsync, cancellation);
        // The last of all: verifying the other sources takes its time.
        foreach ((_, IRestoration restoration) in sources)
            await restoration.SealAsync(cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        foreach ((_, IRestoration restoration) in sources)
            await restoration.DisposeAsync();
    }

    /// <summary>One source that cannot even be planned must not hide the others' reasons.</summary>
    private async Task<RestorePlan> PlanAsync(string name, IRestoration restoration, CancellationToken cancellation)
    {
        try
        {
            return await context.PhaseAsync(name, Phase.Preflight, restoration.PlanAsync, cancellation);
        }
        catch (LifeboatException e)
        {
            return RestorePlan.NotMade(name, e.Problems);
        }
    }

    private void Require()
    {
        List<Problem> differences = [];
        foreach (((string name, _), VerifyReport report) in sources.Zip(_reports))
        {
            differences.AddRange(report.Checks.Where(static check => !check.Passed).Select(check => new Problem(
                ErrorCodes.RestoredDiffers,
                $"{check.Subject}: expected {check.Expected}, found {check.Found}",
                "nothing live was changed; `lifeboat verify` tells whether the snapshot itself is whole",
                name)));
        }

        if (differences.Count > 0)
            throw new LifeboatException(differences);
    }
}
