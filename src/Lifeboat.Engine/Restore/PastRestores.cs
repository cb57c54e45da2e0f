using System.Text.Json;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Restore.Journal;
using Lifeboat.Engine.Runs;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Sources;

namespace Lifeboat.Engine.Restore;

/// <summary>The restores of an app that left a journal: interrupted ones, and ones whose previous state is kept.</summary>
/// <param name="app">With the sources as the app file has them; a journal's own targets are put in their place.</param>
internal sealed class PastRestores(App app, RunContext run)
{
    private readonly SecretResolver _secrets = SecretResolver.For(app, run);

    /// <summary>Targets that this command was given, by source: a reference to a secret is only taken from here, never from a journal.</summary>
    public IReadOnlyDictionary<string, string> Targets { get; init; } = new Dictionary<string, string>();

    private string Folder => RunLock.StateDirectory(app);

    /// <summary>
    /// Brings what another process left unfinished to a state that is either wholly old or wholly new, and forgets what was kept long enough. To be called
    /// with the app's lock, before anything else is done to the app.
    /// </summary>
    /// <param name="locks">Gets the places that are changed.</param>
    /// <exception cref="LifeboatException">It cannot be done now, and so nothing else can be.</exception>
    public async Task SettleAsync(TargetLocks locks, CancellationToken cancellation)
    {
        foreach (RestoreJournal journal in Unfinished())
        {
            using (journal)
            {
                cancellation.ThrowIfCancellationRequested();
                if (journal.IsDiscarding)
                {
                    if (await locks.TryHoldAsync(Sources(journal), cancellation))
                        await TryDiscardAsync(journal);
                    continue;
                }

                // Where a place cannot be reached, what follows says so.
                await locks.HoldAsync(Sources(journal), cancellation);
                if (journal.IsCommitted)
                    await CompleteAsync(journal);
                else
                    await TakeBackAsync(journal);
            }
        }

        if (app.KeepPrevious is { } keep)
            await DiscardAsync(journal => run.Host.Time.GetUtcNow() - journal.Began >= keep && !journal.IsDiscarding, async journal =>
            {
                if (await locks.TryHoldAsync(Sources(journal), cancellation))
                    await TryDiscardAsync(journal);
            });
    }

    /// <summary>The places that a journal's restore changed.</summary>
    public IEnumerable<ISource> Sources(RestoreJournal journal) => journal.Records.Select(one => Source(one.Source));

    /// <summary>Takes the places of all restores that left a journal.</summary>
    public async Task HoldAllAsync(TargetLocks locks, CancellationToken cancellation)
    {
        foreach (RestoreJournal journal in RestoreJournal.OpenAll(Folder, run, onlyRead: true))
        {
            using (journal)
                await locks.RequireAsync(Sources(journal), cancellation);
        }
    }

    /// <summary>What a command that changes nothing says of restores that were interrupted.</summary>
    public async Task<IReadOnlyList<Problem>> InterruptedAsync(CancellationToken cancellation) =>
        [.. (await ListAsync(cancellation)).Select(static restore => restore.Interruption).OfType<Problem>()];

    /// <summary>The newest finished restore or undo, whose previous state is kept; null where there is none. The caller disposes it.</summary>
    public RestoreJournal? Newest()
    {
        IReadOnlyList<RestoreJournal> journals = RestoreJournal.OpenAll(Folder, run);
        foreach (RestoreJournal older in journals.SkipLast(1))
            older.Dispose();
        return journals.Count == 0 ? null : journals[^1];
    }

    /// <summary>What the journals say, without changing anything.</summary>
    public async Task<IReadOnlyList<PastRestore>> ListAsync(CancellationToken cancellation)
    {
        List<PastRestore> past = [];
        foreach (RestoreJournal journal in RestoreJournal.OpenAll(Folder, run, onlyRead: true))
        {
            using (journal)
                past.Add(await DescribeAsync(journal, cancellation));
        }

        return past;
    }

    /// <summary>What one journal says, and what its restore keeps.</summary>
    public async Task<PastRestore> DescribeAsync(RestoreJournal journal, CancellationToken cancellation) => new(
        journal.Header.Id,
        journal.Began,
        journal.Header.Snapshot,
        journal.Header.Undoes,
        journal.IsDiscarding ? PastRestoreState.Discarding
            : journal.IsFinished ? PastRestoreState.Kept
            : RunLock.IsHeldElsewhere(app, run.Host) ? PastRestoreState.Running
            : journal.IsCommitted ? PastRestoreState.Committed : PastRestoreState.Interrupted,
        Words(journal.Last),
        await KeptAsync(journal, cancellation));

    /// <summary>The switches of a journal's sources, as far as they left anything behind.</summary>
    public IReadOnlyList<SourceSwitch> Switches(RestoreJournal journal) =>
        [.. journal.Records.Select(one => Resume(one.Source, one.Record, new RestoreRun(journal.Header.Id)))];

    /// <summary>A source's switch by its record.</summary>
    public SourceSwitch Resume(JournalSource source, JsonElement record, RestoreRun restore) => new(source.Name, Source(source).Resume(record, restore));

    public HookRunner Hooks(RestoreJournal journal) =>
        new(app, run, new Dictionary<string, string?> { ["LIFEBOAT_RESTORE"] = journal.Header.Id, ["LIFEBOAT_SNAPSHOT"] = journal.Header.Snapshot });

    /// <summary>Removes what restores kept, the newest first; their journals are gone then. A server that is away is waited for.</summary>
    /// <exception cref="LifeboatException">It cannot be done now.</exception>
    public Task DiscardAllAsync()
    {
        ServerReturn server = new(run);
        return DiscardAsync(static _ => true, journal => server.AwaitAsync(null, _ => DiscardAsync(journal), CancellationToken.None));
    }

    private async Task DiscardAsync(Predicate<RestoreJournal> which, Func<RestoreJournal, Task> discard)
    {
        foreach (RestoreJournal journal in RestoreJournal.OpenAll(Folder, run).Reverse())
        {
            using (journal)
            {
                if (which(journal))
                    await discard(journal);
            }
        }
    }

    private async Task DiscardAsync(RestoreJournal journal)
    {
        IReadOnlyList<SourceSwitch> switches = Switches(journal); // what it says is looked at before anything is begun
        List<Problem> against = [];
        foreach (SourceSwitch source in switches)
            against.AddRange(await source.Switch.CheckOutgoingAsync(CancellationToken.None));
        if (against.Count > 0)
            throw new LifeboatException(against);
        if (!journal.IsDiscarding)
            journal.Write(JournalStep.Discard);
        foreach (SourceSwitch source in switches)
            await source.Switch.DropOutgoingAsync(CancellationToken.None);
        journal.Delete();
        run.Progress.Report(new Noted(null, $"removed what restore {journal.Header.Id} had kept"));
    }

    /// <summary>What is live does not depend on this, so nothing else has to wait for it.</summary>
    private async Task TryDiscardAsync(RestoreJournal journal)
    {
        try
        {
            await DiscardAsync(journal);
        }
        catch (LifeboatException e)
        {
            run.Progress.Report(new Warned(null, new Problem(
                ErrorCodes.KeptStateStays, $"what restore {journal.Header.Id} of {When(journal)} keeps could not be removed: {e.Problems[0].Message}",
                "the next command tries again; `lifeboat discard` does so at once")));
        }
    }

    private async Task<IReadOnlyList<KeptSource>> KeptAsync(RestoreJournal journal, CancellationToken cancellation)
    {
        List<KeptSource> kept = [];
        foreach ((JournalSource source, JsonElement record) in journal.Records)
        {
            try
            {
                if (await Resume(source, record, new RestoreRun(journal.Header.Id)).Switch.KeptAsync(cancellation) is { } state)
                    kept.Add(new KeptSource(source.Name, state, null));
            }
            catch (LifeboatException e)
            {
                kept.Add(new KeptSource(source.Name, null, e.Problems[0]));
            }
        }

        return kept;
    }

    private List<RestoreJournal> Unfinished()
    {
        List<RestoreJournal> unfinished = [];
        foreach (RestoreJournal journal in RestoreJournal.OpenAll(Folder, run).Reverse())
        {
            if (journal.IsFinished && !journal.IsDiscarding)
                journal.Dispose();
            else
                unfinished.Add(journal);
        }

        return unfinished;
    }

    private async Task CompleteAsync(RestoreJournal journal)
    {
        foreach (Problem left in await new Switchover(journal, Switches(journal), Hooks(journal), run).FinishAsync(() => Forget(journal.Header.Undoes)))
            run.Progress.Report(new Warned(left.Where, left));
        if (journal.IsFinished)
            Tell(ErrorCodes.RestoreCompleted, journal, "had passed its commit point and was brought to its end: what is live is the restored state");
    }

    private async Task TakeBackAsync(RestoreJournal journal)
    {
        string reached = Words(journal.Last);
        try
        {
            await new Switchover(journal, Switches(journal), Hooks(journal), run).TakeBackAsync(isInterrupted: true);
        }
        catch (LifeboatException e)
        {
            throw new LifeboatException(
                [new Problem(
                    ErrorCodes.RestoreUnsettled, $"the restore {journal.Header.Id} of {When(journal)} was interrupted ({reached}) and cannot be taken back now",
                    "mend what the other messages say, then run this again; nothing else is done to the app before", null), .. e.Problems], e);
        }

        Tell(ErrorCodes.RestoreTakenBack, journal, $"had been interrupted ({reached}) and was taken back: what is live is the state before it");
    }

    private void Tell(ErrorCode code, RestoreJournal journal, string what) => run.Progress.Report(new Warned(null, new Problem(
        code, $"{(journal.IsUndo ? "the undo" : "the restore")} {journal.Header.Id} of {When(journal)} {what}",
        code == ErrorCodes.RestoreCompleted ? "`lifeboat undo` takes it back" : "run the restore again if it is still wanted")));

    /// <summary>The journal of a restore that was undone: what it kept is live again.</summary>
    public void Forget(string? id)
    {
        foreach (RestoreJournal journal in RestoreJournal.OpenAll(Folder, run))
        {
            using (journal)
            {
                if (journal.Header.Id == id)
                    journal.Delete();
            }
        }
    }

    private ISource Source(JournalSource source)
    {
        if (app.Sources.All(one => one.Name != source.Name))
            throw new LifeboatException(
                ErrorCodes.RestoreUnsettled, $"the source {source.Name} of an earlier restore is not in the app file any more",
                "put it back for as long as that restore is not discarded (`lifeboat discard`)", source.Name);
        if (source.Target is { } target && SecretReference.IsMeant(target) && Targets.GetValueOrDefault(source.Name) != target)
            throw new LifeboatException(
                ErrorCodes.RestoreUnsettled, $"the source {source.Name} of an earlier restore went to a target that a secret holds, and what a journal says is never resolved as a secret",
                $"give it again: `--target {source.Name}=…`, as that restore had it, with undo, discard, or restore --status", source.Name);
        App there = source.Target is null ? app : app.WithTargets(new Dictionary<string, string> { [source.Name] = source.Target });
        return new SourceFactory(there, run, _secrets).Create(there.Sources.First(one => one.Name == source.Name));
    }

    private static string When(RestoreJournal journal) => $"{journal.Began.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z";

    private static string Words(JournalEntry entry) => entry.Step switch
    {
        JournalStep.Restore or JournalStep.Undo => "before anything was done",
        JournalStep.Stage or JournalStep.Record => $"while {entry.Source} was staged",
        JournalStep.Verify => $"while {entry.Source} was verified",
        JournalStep.Switch => $"while {entry.Source} was switched",
        JournalStep.Open => "when all was switched, before the commit point",
        JournalStep.Committed => "behind the commit point",
        JournalStep.Discard => "while what it kept was removed",
        _ => "at its end",
    };
}
