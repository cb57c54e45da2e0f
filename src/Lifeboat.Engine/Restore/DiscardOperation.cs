using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Runs;

namespace Lifeboat.Engine.Restore;

/// <summary>Removes the states that restores kept: there is no undo behind it.</summary>
public sealed class DiscardOperation(App app, RunContext run)
{
    /// <summary>Targets that references to secrets are taken from, by source.</summary>
    public IReadOnlyDictionary<string, string> Targets { get; init; } = new Dictionary<string, string>();

    /// <param name="confirm">Asked with what would be removed; a no cancels.</param>
    /// <returns>What was removed.</returns>
    public async Task<IReadOnlyList<PastRestore>> RunAsync(Func<IReadOnlyList<PastRestore>, CancellationToken, Task<bool>> confirm, CancellationToken cancellation)
    {
        using RunLock held = RunLock.Take(app, run.Host, "discard");
        PastRestores past = new(app, run) { Targets = Targets };
        await using TargetLocks locks = new(app, run, "discard");
        await past.SettleAsync(locks, cancellation);
        await past.HoldAllAsync(locks, cancellation);
        IReadOnlyList<PastRestore> kept = await past.ListAsync(cancellation);
        if (kept.Count == 0)
            throw UndoOperation.NothingKept();
        if (!await confirm(kept, cancellation))
            throw new OperationCanceledException("the discard was not confirmed");
        await past.DiscardAllAsync();
        return kept;
    }
}
