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
        // 1. Open the snapshot, and settle what goes where.
        RunContext run = context with { Progress = _recorder, Host = context.Host with { Workers = app?.Workers ?? context.Host.Workers } };
        BundleReader bundle = await new SnapshotOpener(app, run).OpenBundleAsync(request.Snapshot, cancellation);
        await using VerifiedSnapshot snapshot = await VerifiedSnapshot.OpenAsync(bundle, cancellation);
        App target = app?.WithTargets(request.Targets) ?? FromSnapshot(request, snapshot.Metadata);
        IReadOnlyList<SourceMetadata> captured = Selection.Of(target, snapshot.Metadata, request.OnlySources);
        Selection.RequireFitting(target, captured, request);
        using RunLock held = RunLock.Take(target, run.Host, "restore");
        PastRestores past = new(app ?? target, run);
        IReadOnlyList<Problem> interrupted = [];
        if (request.DryRun)
            interrupted = await past.InterruptedAsync(cancellation);
        else
            await past.SettleAsync(cancellation);

        // 2. Plan: every reason why it would fail, before anything is written.
        string id = run.Host.NewId();
        RestoreJournal? journal = null;
        SourceFactory factory = new(target, run, new SecretResolver(target.Directory, run));
        await using StagedSources sources = new(
            Selection.Prepare(
                captured,
                (one, restore) =>
                {
                    ISource source = factory.Create(Selection.SettingsOf(target, one, request));
                    RestoreScope scope = request.ScopeOf(one.Name);
                    return scope.IsWhole ? source.PrepareRestore(snapshot, one, restore) : source.PreparePart(snapshot, one, scope, restore);
                },
                name => new RestoreRun(id) { RecordAsync = (record, token) => journal!.RunOf(name).RecordAsync(record, token) }),
            run);
        // All ciphertext is authenticated, which is cheap: damage is found before the first byte is written.
        await run.PhaseAsync(null, Phase.Preflight, bundle.AuthenticateAsync, cancellation);
        IReadOnlyList<SourceRestore> planned = await sources.PlanAsync(cancellation);
        List<Problem> warnings = [.. interrupted, .. Selection.Warnings(target, snapshot.Metadata, request.Only), .. planned.SelectMany(static one => one.Plan.Warnings), .. captured.SelectMany(LeftOut)];
        RestoreResult plan = new(id, planned, [.. planned.SelectMany(static one => one.Plan.Blockers), .. RestoreSpace.Shortages(planned), .. OpenFilesCheck.Shortage(run.Host)], warnings, false);
        if (request.DryRun)
            return plan;
        if (plan.Blockers.Count > 0)
            throw new LifeboatException(plan.Blockers);
        if (!await confirm(plan, cancellation))
            throw new OperationCanceledException("the restore was not confirmed");

        // 3. Stage and verify all, then switch all; or take all back.
        JournalHeader header = new(
            JournalHeader.CurrentVersion, id, target.Name, request.Snapshot.Id, run.Host.LifeboatVersion, null,
            [.. captured.Select(one => new JournalSource(one.Name, one.Type, request.Targets.GetValueOrDefault(one.Name)))]);
        using RestoreJournal written = journal = RestoreJournal.Begin(RunLock.StateDirectory(target), JournalStep.Restore, header, run);
        Switchover switchover = new(journal, sources.Switches, new PastRestores(target, run).Hooks(journal), run);
        DateTimeOffset began = run.Host.Time.GetUtcNow();
        RestoreResult outcome(bool committed) => plan with
        {
            Sources = [.. planned.Select((source, i) => source with { Verification = sources.Reports.ElementAtOrDefault(i), Merged = sources.Merged(i) })],
            Warnings = [.. warnings, .. _recorder.Warnings.Select(static one => one.Problem with { Where = one.Problem.Where ?? one.Source })],
            Committed = committed,
        };
        try
        {
            await switchover.CommitOrTakeBackAsync(cancellation, () => sources.StageAsync(written, cancellation));
        }
        catch (LifeboatException e)
        {
            WriteEvidence(target, snapshot.Metadata, captured, request, outcome(committed: false), began, e.Problems, run);
            throw;
        }

        await switchover.FinishAsync();
        RestoreResult done = outcome(committed: true);
        return done with { UndoFrom = app is null ? target.Directory : null, Evidence = WriteEvidence(target, snapshot.Metadata, captured, request, done, began, [], run) };
    }

    private string? WriteEvidence(
        App target, SnapshotMetadata metadata, IReadOnlyList<SourceMetadata> captured, RestoreRequest request, RestoreResult result, DateTimeOffset began,
        IReadOnlyList<Problem> errors, RunContext run) => EvidenceFiles.Write(
            RunLock.StateDirectory(target),
            new RestoreEvidence(
                RestoreEvidence.CurrentVersion, result.RestoreId, result.Committed ? "restored" : "taken_back", target.Name, request.Snapshot.Id, metadata.Timestamp, metadata.Host,
                run.Host.LifeboatVersion, run.Host.HostName, began, run.Host.Time.GetUtcNow(),
                [.. result.Sources.Zip(captured, (source, one) => RestoreEvidence.Of(source, one, request.ScopeOf(one.Name), _recorder.Phases))],
                [.. result.Warnings.Select(EvidenceProblem.Of)], [.. errors.Select(EvidenceProblem.Of)]),
            run);

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
