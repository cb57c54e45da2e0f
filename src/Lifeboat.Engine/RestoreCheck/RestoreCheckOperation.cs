using System.Globalization;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Restore;
using Lifeboat.Engine.Restore.Journal;
using Lifeboat.Engine.Runs;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;

namespace Lifeboat.Engine.RestoreCheck;

/// <param name="Problems">Every reason why a restore of the source's definitions would fail; empty where there is none.</param>
public sealed record RestoreCheckResult(string Source, IReadOnlyList<Problem> Problems);

/// <summary>
/// Proves that databases' definitions can be restored: they are captured without rows, restored beside the live database (or on the server that the app file names
/// for it) by the very steps of a restore, compared, and removed. What a server prints of a definition is not always what it reads, and whoever finds that out on
/// the day of the disaster has no database.
/// </summary>
public sealed class RestoreCheckOperation
{
    private readonly App _app;
    private readonly RunContext _run;
    private readonly SecretResolver _secrets;

    public RestoreCheckOperation(App app, RunContext context)
    {
        _app = app;
        _run = context with { Host = context.Host with { Workers = app.Workers ?? context.Host.Workers } };
        _secrets = SecretResolver.For(app, _run);
    }

    /// <summary>Checks every source that has definitions.</summary>
    /// <exception cref="LifeboatException">Another run is under way, an interrupted restore cannot be settled, or what was staged cannot be removed.</exception>
    public async Task<IReadOnlyList<RestoreCheckResult>> RunAsync(CancellationToken cancellation)
    {
        using RunLock held = await BeginAsync(cancellation);
        ProvenDefinitions proven = await ProvenDefinitions.ReadAsync(_app, _run, cancellation);
        List<RestoreCheckResult> results = [];
        foreach (SourceSettings source in _app.Sources)
        {
            if (await CheckAsync(source, proven, cancellation) is { } result)
                results.Add(result);
        }

        return results;
    }

    /// <summary>Behind a backup, checks what the app file asks for; where a restore would fail, that is a warning: the bundle is complete.</summary>
    /// <exception cref="LifeboatException">As <see cref="RunAsync"/>.</exception>
    public async Task<IReadOnlyList<Problem>> AfterBackupAsync(SnapshotMetadata made, CancellationToken cancellation)
    {
        if (_app.RestoreCheck is not { } settings)
            return [];
        using RunLock held = await BeginAsync(cancellation);
        ProvenDefinitions proven = await ProvenDefinitions.ReadAsync(_app, _run, cancellation);
        SourceFactory factory = new(_app, _run, _secrets);
        List<Problem> warnings = [];
        foreach (SourceMetadata captured in made.Sources)
        {
            SourceSettings source = _app.Sources.First(one => one.Name == captured.Name);
            if (factory.Create(source).DefinitionsDigest(captured) is not { } digest || (settings.When == RestoreCheckTime.Changed && proven.Has(source.Name, digest)))
                continue;
            if (await CheckAsync(source, proven, cancellation) is { Problems: { Count: > 0 } problems })
                warnings.Add(Failed(source.Name, problems));
        }

        return warnings;
    }

    /// <summary>What an interrupted restore left is settled first: a check that was killed is one of those.</summary>
    private async Task<RunLock> BeginAsync(CancellationToken cancellation)
    {
#pragma warning disable CA2000 // who is given it disposes it, or the catch below
        RunLock held = RunLock.Take(_app, _run.Host, "restore check");
#pragma warning restore CA2000
        try
        {
            await using TargetLocks locks = new(_app, _run, "doctor");
            await new PastRestores(_app, _run).SettleAsync(locks, cancellation);
            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    private async Task<RestoreCheckResult?> CheckAsync(SourceSettings source, ProvenDefinitions proven, CancellationToken cancellation)
    {
        ISource live = new SourceFactory(_app, _run with { Progress = new NoProgress() }, _secrets).Create(source);
        DefinitionsSnapshot? taken;
        try
        {
            taken = await DefinitionsSnapshot.TakeAsync(_app, live, _run, cancellation);
        }
        catch (LifeboatException e)
        {
            return new RestoreCheckResult(source.Name, e.Problems);
        }

        if (taken is null)
            return null;
        await using (taken)
        {
            IReadOnlyList<Problem> problems = await RestoreAsync(source.Name, taken, cancellation);
            if (problems.Count == 0 && live.DefinitionsDigest(taken.Source) is { } digest)
                await proven.AddAsync(source.Name, digest, cancellation);
            return new RestoreCheckResult(source.Name, problems);
        }
    }

    /// <summary>Plans, stages and verifies as a restore does, by a journal, so that what a killed check leaves is removed; and removes what was staged.</summary>
    private async Task<IReadOnlyList<Problem>> RestoreAsync(string name, DefinitionsSnapshot taken, CancellationToken cancellation)
    {
        IReadOnlyDictionary<string, string> targets = _app.RestoreCheck?.Targets ?? new Dictionary<string, string>();
        App target = _app.WithTargets(targets) with { Hooks = new Hooks() };
        SourceSettings settings = target.Sources.First(one => one.Name == name).AsItWas();
        string id = _run.Host.NewId();
        RestoreJournal? journal = null;
        RestoreRun restore = new(id) { RecordAsync = (record, token) => journal!.RunOf(name).RecordAsync(record, token) };
        ISource source = new SourceFactory(target, _run, _secrets).Create(settings);
        await using StagedSources staged = new([(name, source.PrepareRestore(taken.Snapshot, taken.Source, restore))], _run);
        IReadOnlyList<SourceRestore> plan = await staged.PlanAsync(cancellation);
        Problem[] blockers = [.. plan[0].Plan.Blockers, .. RestoreSpace.Shortages(plan)];
        if (blockers.Length > 0)
            return blockers;
        JournalHeader header = new(
            JournalHeader.CurrentVersion, id, _app.Name, "definitions without rows", _run.Host.LifeboatVersion, null,
            [new JournalSource(name, settings.Type, targets.GetValueOrDefault(name))]);
        using RestoreJournal written = journal = RestoreJournal.Begin(RunLock.StateDirectory(_app), JournalStep.Restore, header, _run);
        Switchover switchover = new(written, staged.Switches, new HookRunner(target, _run, new Dictionary<string, string?>()), _run);
        try
        {
            await staged.StageAsync(written, cancellation);
            return [];
        }
        catch (LifeboatException e)
        {
            return e.Problems;
        }
        finally
        {
            await switchover.TakeBackAsync(isInterrupted: false);
        }
    }

    private static Problem Failed(string source, IReadOnlyList<Problem> problems)
    {
        string more = problems.Count == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $" (and {problems.Count - 1} more)");
        return new Problem(
            ErrorCodes.RestoreCheckFailed,
            $"the snapshot is complete, but a restore of the definitions of {source} would fail here now: {problems[0].Code.Id} {problems[0].Message}{more}",
            $"{problems[0].Hint}; `lifeboat doctor --restore-check` tries it again and tells every reason", source);
    }

    /// <summary>What the capture has to tell, the backup or the doctor has told.</summary>
    private sealed class NoProgress : IProgressSink
    {
        public void Report(RunEvent happened)
        {
        }
    }
}
