using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Bundles;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Restore.Evidence;
using Lifeboat.Engine.Restore.Journal;
using Lifeboat.Engine.Runs;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Stores;

namespace Lifeboat.Engine.Restore;

/// <summary>Restores sources of a snapshot, all of them or none: plan, stage, verify, commit.</summary>
/// <param name="app">Null to restore without an app file: then every source needs a target.</param>
public sealed class RestoreOperation(App? app, RunContext context)
{
    private readonly RunRecorder _recorder = new(context.Progress, context.Host.Time);

    /// <summary>Restores, or with <see cref="RestoreRequest.DryRun"/> only plans.</summary>
    /// <param name="confirm">Asked with the plan before anything is changed; a no cancels.</param>
    /// <exception cref="LifeboatException">It failed; what was live is unchanged.</exception>
    public async Task<RestoreResult> RunAsync(
        RestoreRequest request, Func<RestoreResult, CancellationToken, Task<bool>> confirm, CancellationToken cancellation)
    {
        RunContext run = context with { Progress = _recorder, Host = context.Host with { Workers = app?.Workers ?? context.Host.Workers } };
        BundleReader bundle = await new SnapshotOpener(app, run).OpenBundleAsync(request.Snapshot, cancellation);
        await using VerifiedSnapshot snapshot = await VerifiedSnapshot.OpenAsync(bundle, cancellation);
        IReadOnlyList<Problem> origin = new SnapshotOrigin(app, run.Host).Look(request.Snapshot, snapshot.Metadata, request.OnlySources);
        // What was named is what is meant, and only said; what was taken for the latest may be somebody else's.
        IReadOnlyList<Problem> unknown = new SnapshotTrust(app, run).Doubts(request.Snapshot, snapshot);
        if (unknown.Count > 0)
            snapshot.Doubt();
        IReadOnlyList<Problem> doubts = [.. unknown, .. request.Snapshot.IsLatest ? origin : []];
        bool refused = doubts.Count > 0 && request.Trust == Trust.Withheld;
        if (refused && !request.DryRun)
            throw new LifeboatException(doubts); // before anything of it is looked at further
        App target = app?.WithTargets(request.Targets) ?? FromSnapshot(request, snapshot.Metadata);
        IReadOnlyList<SourceMetadata> captured = Selection.Of(target, snapshot.Metadata, request.OnlySources);
        Selection.RequireFitting(target, captured, request);
        using RunLock held = RunLock.Take(target, run.Host, "restore");
        PastRestores past = new(app ?? target, run) { Targets = request.Targets };
        await using TargetLocks locks = new(target, run, "restore");
        IReadOnlyList<Problem> told = request.Snapshot.IsLatest ? [] : origin;
        if (request.DryRun)
            told = [.. told, .. await past.InterruptedAsync(cancellation)];
        else
            await past.SettleAsync(locks, cancellation);

        string id = run.Host.NewId();
        Work work = new(run, request, target, snapshot, captured);
        RestoreJournal? journal = null;
        await using StagedSources sources = Prepare(
            work, snapshot, name => new RestoreRun(id) { RecordAsync = (record, token) => journal!.RunOf(name).RecordAsync(record, token) });
        IReadOnlyList<Problem> unheld = request.DryRun ? [] : await locks.HoldAsync(Targets(work), cancellation);
        // All ciphertext is authenticated, which is cheap: damage is found before the first byte is written.
        await run.PhaseAsync(
            null, Phase.Preflight,
            async token =>
            {
                await bundle.AuthenticateAsync(token);
                await snapshot.CheckOwnFilesAsync(token);
            },
            cancellation);
        RestoreResult plan = Judge(work, id, await sources.PlanAsync(cancellation), told) with { Authentic = snapshot.IsAuthentic, Doubts = doubts };
        if (request.DryRun)
            return refused ? plan with { Blockers = [.. doubts, .. plan.Blockers], Doubts = [] } : plan;
        if (plan.Blockers.Count > 0)
            throw new LifeboatException(plan.Blockers);
        if (unheld.Count > 0)
            throw new LifeboatException(unheld);
        if (!await confirm(plan, cancellation))
            throw new OperationCanceledException("the restore was not confirmed");

        using RestoreJournal written = journal = RestoreJournal.Begin(RunLock.StateDirectory(target), JournalStep.Restore, work.Header(id), run);
        RestoreResult done = await CommitAsync(work, plan, sources, written, past.Hooks(written), cancellation);
        return app is null ? done with { UndoFrom = target.Directory } : done;
    }

    /// <summary>What is restored into what.</summary>
    private sealed record Work(RunContext Run, RestoreRequest Request, App Target, VerifiedSnapshot Snapshot, IReadOnlyList<SourceMetadata> Captured)
    {
        public SnapshotMetadata Metadata => Snapshot.Metadata;

        /// <summary>What is restored with all it has.</summary>
        public SourceMetadata[] Whole => [.. Captured.Where(one => Request.ScopeOf(one.Name).IsWhole)];

        public JournalHeader Header(string id) => new(
            JournalHeader.CurrentVersion, id, Target.Name, Request.Snapshot.Id, Run.Host.LifeboatVersion, null,
            [.. Captured.Select(one => new JournalSource(one.Name, one.Type, Request.Targets.GetValueOrDefault(one.Name)))]);
    }

    private static IEnumerable<ISource> Targets(Work work)
    {
        SourceFactory factory = new(work.Target, work.Run, SecretResolver.For(work.Target, work.Run));
        return work.Captured.Select(one => factory.Create(Selection.SettingsOf(work.Target, one, work.Request)));
    }

    private static StagedSources Prepare(Work work, VerifiedSnapshot snapshot, Func<string, RestoreRun> runOf)
    {
        SourceFactory factory = new(work.Target, work.Run, SecretResolver.For(work.Target, work.Run));
        return new StagedSources(
            Selection.Prepare(
                work.Captured,
                (one, restore) =>
                {
                    ISource source = factory.Create(Selection.SettingsOf(work.Target, one, work.Request));
                    RestoreScope scope = work.Request.ScopeOf(one.Name);
                    return scope.IsWhole ? source.PrepareRestore(snapshot, one, restore) : source.PreparePart(snapshot, one, scope, restore);
                },
                runOf),
            work.Run);
    }

    /// <summary>The plan of all sources, with every reason why it would fail.</summary>
    /// <param name="told">Warnings that are not a source's.</param>
    private static RestoreResult Judge(Work work, string id, IReadOnlyList<SourceRestore> planned, IReadOnlyList<Problem> told) => new(
        id,
        planned,
        [.. planned.SelectMany(static one => one.Plan.Blockers), .. RestoreSpace.Shortages(planned), .. OpenFilesCheck.Shortage(work.Run.Host)],
        [
            .. told, .. Selection.Warnings(work.Target, work.Metadata, work.Request.Only), .. planned.SelectMany(static one => one.Plan.Warnings),
            .. work.Captured.SelectMany(LeftOut),
        ],
        false);

    /// <summary>Stages and verifies all, then switches all; or takes all back. Both leave evidence.</summary>
    private async Task<RestoreResult> CommitAsync(
        Work work, RestoreResult plan, StagedSources sources, RestoreJournal journal, HookRunner hooks, CancellationToken cancellation)
    {
        Switchover switchover = new(journal, sources.Switches, hooks, work.Run);
        DateTimeOffset began = work.Run.Host.Time.GetUtcNow();
        RestoreResult outcome(bool committed) => plan with
        {
            Sources = [.. plan.Sources.Select((source, i) => source with { Verification = sources.Reports.ElementAtOrDefault(i), Merged = sources.Merged(i) })],
            Warnings = [.. plan.Warnings, .. _recorder.Warnings.Select(static one => one.Problem with { Where = one.Problem.Where ?? one.Source })],
            Committed = committed,
        };
        try
        {
            await switchover.CommitOrTakeBackAsync(cancellation, async () =>
            {
                await sources.StageAsync(journal, cancellation);
                await work.Snapshot.CheckUnreadAsync(work.Whole, cancellation);
            });
        }
        catch (LifeboatException e)
        {
            WriteEvidence(work, outcome(committed: false), began, e.Problems);
            throw;
        }

        IReadOnlyList<Problem> unfinished = await switchover.FinishAsync();
        RestoreResult done = outcome(committed: true);
        done = done with { Evidence = WriteEvidence(work, done, began, unfinished) };
        return unfinished.Count == 0 ? done : throw new LifeboatException(unfinished);
    }

    private string? WriteEvidence(Work work, RestoreResult result, DateTimeOffset began, IReadOnlyList<Problem> errors) => EvidenceFiles.Write(
        RunLock.StateDirectory(work.Target),
        new RestoreEvidence(
            RestoreEvidence.CurrentVersion, result.RestoreId, result.Committed ? "restored" : "taken_back", work.Target.Name, work.Request.Snapshot.Id,
            work.Metadata.Timestamp, work.Metadata.Host, work.Run.Host.LifeboatVersion, work.Run.Host.HostName, began, work.Run.Host.Time.GetUtcNow(),
            [.. result.Sources.Zip(work.Captured, (source, one) => RestoreEvidence.Of(source, one, work.Request.ScopeOf(one.Name), _recorder.Phases))],
            [.. result.Doubts.Concat(result.Warnings).Select(EvidenceProblem.Of)], [.. errors.Select(EvidenceProblem.Of)]),
        work.Run);

    private static IEnumerable<Problem> LeftOut(SourceMetadata source)
    {
        const int named = 20;
        if (source.Redacted is not { Count: > 0 } all)
            yield break;
        string names = string.Join(", ", all.Take(named).Select(static one => $"{one.Kind} {one.Name} ({one.By})"));
        yield return new Problem(
            ErrorCodes.ValuesLeftOut,
            $"the snapshot does not have the values of {names}{(all.Count > named ? $" and {all.Count - named} more" : "")}",
            "enter again what the application needs of them after the restore; `lifeboat show` lists all",
            source.Name);
    }

    private App FromSnapshot(RestoreRequest request, SnapshotMetadata metadata) => AppFromSnapshot.Build(
        metadata,
        request.Targets,
        request.OnlySources,
        StateFolder.Choose(Path.GetDirectoryName(request.Snapshot.Path)!, context.Host),
        AppFromSnapshot.DatabasePassword(context.Host.Variables));
}
