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

    /// <inheritdoc cref="Step"/>
    public async Task StepAsync(string what, Func<Task> step)
    {
        Steps.Before(what);
        await step();
        Steps.After(what);
    }
}
