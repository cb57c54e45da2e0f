using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Progress;

namespace Lifeboat.Engine.Hosting;

/// <summary>What every operation and source is given: the machine around it and where to report.</summary>
public sealed record RunContext(HostEnvironment Host, IProgressSink Progress)
{
    /// <summary>Told of each step of a restore that changes something.</summary>
    public IStepProbe Steps { get; init; } = new NoProbe();

    /// <summary>Takes a step that changes something outside of this process.</summary>
    public void Step(string what, Action step)
    {
        Steps.Before(what);
        step();
        Steps.After(what);
    }

    /// <summary>Runs a phase of a source (or of the run as a whole) and reports when it begins and ends; a problem that names no place gets the source's name.</summary>
    /// <param name="totalBytes">How many bytes will be reported as done; 0 where unknown.</param>
    public async Task<T> PhaseAsync<T>(
        string? source, Phase phase, Func<CancellationToken, Task<T>> work, CancellationToken cancellation, long totalBytes = 0)
    {
        long since = Host.Time.GetTimestamp();
        Progress.Report(new PhaseStarted(source, phase, totalBytes));
        try
        {
            T result = await work(cancellation);
            Progress.Report(new PhaseFinished(source, phase, Host.Time.GetElapsedTime(since)));
            return result;
        }
        catch (LifeboatException e)
        {
            throw new LifeboatException([.. e.Problems.Select(problem => problem with { Where = problem.Where ?? source })], e);
        }
    }

    /// <inheritdoc cref="PhaseAsync{T}"/>
    public Task PhaseAsync(string? source, Phase phase, Func<CancellationToken, Task> work, CancellationToken cancellation) => PhaseAsync(
        source,
        phase,
        async token =>
        {
            await work(token);
            return true;
        },
        cancellation);

    /// <inheritdoc cref="Step"/>
    public async Task StepAsync(string what, Func<Task> step)
    {
        Steps.Before(what);
        await step();
        Steps.After(what);
    }
}
