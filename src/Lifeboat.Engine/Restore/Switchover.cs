using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Restore.Journal;
using Lifeboat.Engine.Runs;
using Lifeboat.Engine.Sources;

namespace Lifeboat.Engine.Restore;

/// <summary>A source's switch within a restore.</summary>
internal sealed record SourceSwitch(string Name, ISwitch Switch);

/// <summary>
/// The switches of several sources as one, by the journal: either all are done and the journal says so, which is the one commit point, or all are taken back.
/// </summary>
internal sealed class Switchover(RestoreJournal journal, IReadOnlyList<SourceSwitch> sources, HookRunner hooks, RunContext run)
{
    private readonly ServerReturn _server = new(run);

    /// <summary>Runs what leads up to the switch, switches all, lets the application in, and commits; when any of it fails, all is taken back.</summary>
    /// <param name="prepare">What comes before the switch: staging, for one.</param>
    /// <exception cref="LifeboatException">It failed: everything is as it was, or the first problem says what is not.</exception>
    public async Task CommitOrTakeBackAsync(CancellationToken cancellation, Func<Task>? prepare = null)
    {
        try
        {
            if (prepare is not null)
                await prepare();
            await CommitAsync(cancellation);
        }
        catch (Exception e) when (e is not LifeboatException { Code: var code } || code != ErrorCodes.JournalUncertain)
        {
            try
            {
                await TakeBackAsync(isInterrupted: false);
            }
            catch (LifeboatException stuck)
            {
                throw new LifeboatException([.. stuck.Problems, .. (e as LifeboatException)?.Problems ?? []], e);
            }

            throw;
        }
    }

    private async Task CommitAsync(CancellationToken cancellation)
    {
        await hooks.RunAsync(HookMoment.BeforeCommit, cancellation);
        cancellation.ThrowIfCancellationRequested();
        // From here on a request to cancel is not heard: the switch takes seconds, and half of it helps nobody.
        foreach (SourceSwitch source in sources)
        {
            journal.Write(JournalStep.Switch, source.Name);
            await run.PhaseAsync(source.Name, Phase.Commit, source.Switch.ForwardAsync, CancellationToken.None);
        }

        if (hooks.HasAny(HookMoment.AfterCommit))
        {
            // They may start the application, to see whether it runs. Where there are none, nobody is let in before it is certain that all stays.
            foreach (SourceSwitch source in sources)
            {
                journal.Write(JournalStep.Open, source.Name);
                await source.Switch.OpenAsync(CancellationToken.None);
            }

            await hooks.RunAsync(HookMoment.AfterCommit, CancellationToken.None);
        }

        journal.Write(JournalStep.Committed);
    }

    /// <summary>Brings a committed restore to its end; a server that is away is waited for.</summary>
    /// <param name="last">What is left to do after the sources.</param>
    /// <returns>What could not be done, and is left to the next command.</returns>
    public async Task<IReadOnlyList<Problem>> FinishAsync(Action? last = null)
    {
        List<Problem> stuck = [];
        foreach (SourceSwitch source in sources)
            stuck.AddRange(await AttemptAsync(source.Name, async token =>
            {
                await source.Switch.OpenAsync(token);
                await source.Switch.FinishAsync(token);
            }));
        if (stuck.Count == 0)
            stuck.AddRange(await AttemptAsync(null, _ =>
            {
                last?.Invoke();
                journal.Write(JournalStep.Finished);
                return Task.CompletedTask;
            }));
        return [.. stuck.Select(problem => problem with
        {
            Code = ErrorCodes.RestoreUnfinished,
            Message = $"the {(journal.IsUndo ? "undo" : "restore")} {journal.Header.Id} is complete, but could not be finished: {problem.Message}",
            Hint = "until it is, the application may be kept out: when that is mended, run `lifeboat restore --finish`, or any other command that changes something",
        })];
    }

    /// <summary>Takes back what was switched, the last first, and removes what was staged; then the journal is gone.</summary>
    /// <param name="isInterrupted">Whether another process began this, so that an application may have used what was switched in for long.</param>
    /// <exception cref="LifeboatException">Some of it could not be; the next command tries again.</exception>
    public async Task TakeBackAsync(bool isInterrupted)
    {
        List<Problem> stuck = [];
        foreach (SourceSwitch source in sources.Reverse())
        {
            if (journal.Reached(JournalStep.Switch, source.Name) is { } since)
                stuck.AddRange(await AttemptAsync(source.Name, token => TakeBackAsync(source, isInterrupted || journal.Reached(JournalStep.Open) is not null ? since : null, token)));
            else if (!journal.IsUndo && journal.RecordOf(source.Name) is not null)
                stuck.AddRange(await AttemptAsync(source.Name, source.Switch.DropIncomingAsync));
        }

        if (stuck.Count > 0)
            throw new LifeboatException(stuck);
        journal.Delete();
        await hooks.RunAsync(HookMoment.AfterRollback, CancellationToken.None);
    }

    private async Task TakeBackAsync(SourceSwitch source, DateTimeOffset? since, CancellationToken cancellation)
    {
        bool used = since is { } moment && await source.Switch.WasUsedAsync(moment, cancellation);
        await source.Switch.BackAsync(cancellation);
        if (journal.IsUndo)
            return; // what came in was kept, and is kept on
        if (used)
            run.Progress.Report(new Warned(source.Name, new Problem(
                ErrorCodes.StrayState,
                $"something was written to {source.Name} while the restored state was live, before it was taken back; that state was put aside, under the name with __staging_{journal.Header.Id}",
                "look whether anything in it is needed, then remove it by hand", source.Name)));
        else
            await source.Switch.DropIncomingAsync(cancellation);
    }

    /// <summary>Brings one source to its end; what stops it is told, and the others are brought to theirs all the same.</summary>
    private async Task<IReadOnlyList<Problem>> AttemptAsync(string? name, Func<CancellationToken, Task> clean)
    {
        try
        {
            await _server.AwaitAsync(name, clean, CancellationToken.None);
            return [];
        }
        catch (Exception e) when (e is LifeboatException or IOException or UnauthorizedAccessException)
        {
            return
            [
                new Problem(
                    ErrorCodes.RevertFailed,
                    $"cleaning up after the restore did not work: {e.Message}",
                    "mend that, then run `lifeboat restore --status`: the next lifeboat command tries again, and goes on only when it has worked",
                    name),
            ];
        }
    }
}
