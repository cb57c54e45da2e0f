using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Sources;

namespace Lifeboat.Engine.Restore;

/// <summary>
/// The restores of several sources as one. All are staged, then all verified, then all switched in; when any of it fails, those that
/// were switched are switched back, and whatever was staged is removed.
/// </summary>
internal sealed class StagedSources(IReadOnlyList<(string Name, IRestoration Restoration)> sources, RunContext context) : IAsyncDisposable
{
    public async Task<IReadOnlyList<SourceRestore>> PlanAsync(CancellationToken cancellation)
    {
        List<SourceRestore> plans = [];
        foreach ((string name, IRestoration restoration) in sources)
            plans.Add(new SourceRestore(name, await PlanAsync(name, restoration, cancellation), null));
        return plans;
    }

    /// <summary>Stages, verifies and commits all.</summary>
    /// <exception cref="LifeboatException">It failed, and everything live is as it was; or <see cref="ErrorCodes.RevertFailed"/>.</exception>
    public async Task<IReadOnlyList<VerifyReport>> RestoreAsync(CancellationToken cancellation)
    {
        try
        {
            foreach ((string name, IRestoration restoration) in sources)
                await RunAsync(name, Phase.Stage, restoration.StageAsync, cancellation);
            List<VerifyReport> reports = [];
            foreach ((string name, IRestoration restoration) in sources)
                reports.Add(await RunAsync(name, Phase.Verify, restoration.VerifyAsync, cancellation));
            Require(reports);
            await CommitAsync(cancellation);
            return reports;
        }
        catch
        {
            await DiscardAsync();
            throw;
        }
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
            return await RunAsync(name, Phase.Preflight, restoration.PlanAsync, cancellation);
        }
        catch (LifeboatException e)
        {
            return RestorePlan.NotMade(name, e.Problems);
        }
    }

    private void Require(IReadOnlyList<VerifyReport> reports)
    {
        List<Problem> differences = [];
        foreach (((string name, _), VerifyReport report) in sources.Zip(reports))
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

    private async Task CommitAsync(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Stack<(string Name, IRestoration Restoration)> committed = new();
        try
        {
            foreach ((string name, IRestoration restoration) in sources)
            {
                // From here on a request to cancel is not heard: the switch takes seconds, and half of it helps nobody.
                await RunAsync(name, Phase.Commit, restoration.CommitAsync, CancellationToken.None);
                committed.Push((name, restoration));
            }
        }
        catch (Exception failure)
        {
            List<Problem> stuck = [];
            foreach ((string name, IRestoration restoration) in committed)
            {
                if (await AttemptAsync(name, restoration.RevertAsync) is { } problem)
                    stuck.Add(problem);
            }

            if (stuck.Count > 0)
                throw new LifeboatException([.. stuck, .. (failure as LifeboatException)?.Problems ?? []], failure);
            throw;
        }
    }

    private async Task DiscardAsync()
    {
        foreach ((string name, IRestoration restoration) in sources)
        {
            if (await AttemptAsync(name, restoration.DiscardAsync) is { } problem)
                context.Progress.Report(new Warned(name, problem));
        }
    }

    /// <summary>Cleans one source up; what stops it is told, and the others are cleaned up all the same.</summary>
    private static async Task<Problem?> AttemptAsync(string name, Func<CancellationToken, Task> clean)
    {
        try
        {
            await clean(CancellationToken.None);
            return null;
        }
        catch (Exception e) when (e is LifeboatException or IOException or UnauthorizedAccessException)
        {
            return new Problem(
                ErrorCodes.RevertFailed,
                $"cleaning up after the failed restore did not work: {e.Message}",
                "names with __staging_ are the restore's and can be removed; names with __before_ hold the state before it",
                name);
        }
    }

    private async Task RunAsync(string name, Phase phase, Func<CancellationToken, Task> step, CancellationToken cancellation) =>
        await RunAsync(name, phase, async token => { await step(token); return true; }, cancellation);

    private async Task<T> RunAsync<T>(string name, Phase phase, Func<CancellationToken, Task<T>> step, CancellationToken cancellation)
    {
        long since = context.Host.Time.GetTimestamp();
        context.Progress.Report(new PhaseStarted(name, phase, 0));
        try
        {
            T result = await step(cancellation);
            context.Progress.Report(new PhaseFinished(name, phase, context.Host.Time.GetElapsedTime(since)));
            return result;
        }
        catch (LifeboatException e)
        {
            throw new LifeboatException([.. e.Problems.Select(problem => problem with { Where = problem.Where ?? name })], e);
        }
    }
}
