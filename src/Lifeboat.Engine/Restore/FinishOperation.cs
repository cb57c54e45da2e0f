using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Runs;

namespace Lifeboat.Engine.Restore;

/// <summary>Brings restores that were interrupted, or that could not be finished, to their end, and does nothing else.</summary>
public sealed class FinishOperation(App app, RunContext run)
{
    /// <summary>Targets that references to secrets are taken from, by source.</summary>
    public IReadOnlyDictionary<string, string> Targets { get; init; } = new Dictionary<string, string>();

    /// <returns>What restores keep now.</returns>
    /// <exception cref="LifeboatException">It cannot be done now.</exception>
    public async Task<IReadOnlyList<PastRestore>> RunAsync(CancellationToken cancellation)
    {
        using RunLock held = RunLock.Take(app, run.Host, "restore");
        await using TargetLocks locks = new(app, run, "restore");
        PastRestores past = new(app, run) { Targets = Targets };
        await past.SettleAsync(locks, cancellation);
        IReadOnlyList<PastRestore> now = await past.ListAsync(cancellation);
        Problem[] left = [.. now.Select(static restore => restore.Interruption).OfType<Problem>()];
        return left.Length == 0 ? now : throw new LifeboatException(
            [.. left.Select(static problem => problem with { Code = ErrorCodes.RestoreUnfinished, Hint = "mend what the warnings say, then run this again" })]);
    }
}
