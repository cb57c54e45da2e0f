using System.Text.Json;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Restore.Journal;
using Lifeboat.Engine.Runs;
using Lifeboat.Engine.Sources;

namespace Lifeboat.Engine.Restore;

/// <summary>What an undo would do, or did.</summary>
/// <param name="Undoes">The restore or undo that is taken back.</param>
/// <param name="Kept">What comes back, by source.</param>
public sealed record UndoResult(string Id, PastRestore Undoes, IReadOnlyList<KeptSource> Kept);

/// <summary>Switches the state before the last restore back in, all sources or none; what was live is kept instead, so an undo can be undone.</summary>
public sealed class UndoOperation(App app, RunContext run)
{
    /// <summary>Targets that references to secrets are taken from, by source.</summary>
    public IReadOnlyDictionary<string, string> Targets { get; init; } = new Dictionary<string, string>();

    /// <param name="confirm">Asked before anything is changed; a no cancels.</param>
    /// <exception cref="LifeboatException">It failed; what was live is unchanged.</exception>
    public async Task<UndoResult> RunAsync(Func<UndoResult, CancellationToken, Task<bool>> confirm, CancellationToken cancellation)
    {
        using RunLock held = RunLock.Take(app, run.Host, "undo");
        PastRestores past = new(app, run) { Targets = Targets };
        await using TargetLocks locks = new(app, run, "undo");
        await past.SettleAsync(locks, cancellation);
        using RestoreJournal undone = past.Newest() ?? throw NothingKept();
        await locks.RequireAsync(past.Sources(undone), cancellation);
        string id = run.Host.NewId();
        PastRestore described = await past.DescribeAsync(undone, cancellation);
        List<(JournalSource Source, JsonElement Record)> records = [];
        foreach ((JournalSource source, JsonElement record) in undone.Records)
            records.Add((source, await past.Resume(source, record, new RestoreRun(undone.Header.Id)).Switch.InverseAsync(id, cancellation)));
        UndoResult result = new(id, described, described.Kept);
        if (!await confirm(result, cancellation))
            throw new OperationCanceledException("the undo was not confirmed");

        JournalHeader header = undone.Header with { Id = id, Undoes = undone.Header.Id, LifeboatVersion = run.Host.LifeboatVersion };
        using RestoreJournal journal = RestoreJournal.Begin(RunLock.StateDirectory(app), JournalStep.Undo, header, run);
        IReadOnlyList<SourceSwitch> switches = [.. records.Select(one => past.Resume(one.Source, one.Record, journal.RunOf(one.Source.Name)))];
        Switchover switchover = new(journal, switches, past.Hooks(journal), run);
        await switchover.CommitOrTakeBackAsync(cancellation, () =>
        {
            foreach ((JournalSource source, JsonElement record) in records)
                journal.Write(JournalStep.Record, source.Name, record);
            return Task.CompletedTask;
        });
        IReadOnlyList<Problem> unfinished = await switchover.FinishAsync(() => past.Forget(header.Undoes));
        return unfinished.Count == 0 ? result : throw new LifeboatException(unfinished);
    }

    internal static LifeboatException NothingKept() => new(
        ErrorCodes.NothingToUndo, "no restore of this app keeps a previous state", "there is nothing to undo; `lifeboat list` shows snapshots to restore");
}
