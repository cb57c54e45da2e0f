using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Restore;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Output;

namespace Lifeboat.Commands;

/// <summary>Shows a restore: its plan, the question, and how it ended.</summary>
internal sealed class RestorePresenter(CommandRun run, RestoreRequest request, SnapshotMetadata metadata, string app, Confirmation confirmation)
{
    private bool _planShown;

    /// <summary>Shows the plan and asks whether to go on.</summary>
    public async Task<bool> ConfirmAsync(RestoreResult plan, CancellationToken cancellation)
    {
        ShowPlan(plan);
        string question = request.Mode == RestoreMode.Merge ? "What is missing will be added; nothing that exists will be changed."
            : plan.Sources.Any(static source => source.Plan.Replaces) ? "What is live now will be replaced, and kept aside as the plan says."
            : "Nothing live is in the way; everything will be created anew.";
        return plan.Blockers.Count == 0 && await confirmation.AskAsync(static _ => { }, question, cancellation);
    }

    public ExitStatus Conclude(RestoreResult result, bool dryRun)
    {
        if (!_planShown)
            ShowPlan(result);
        foreach (Problem warning in result.Warnings)
            run.Output.Warn(warning);
        ExitStatus exit = Judge(result, dryRun);
        run.Output.Show(Summary(result, dryRun, exit), OutputJson.Default.RestoreSummary, text => WriteEnd(text, result, dryRun));
        return exit;
    }

    private ExitStatus Judge(RestoreResult result, bool dryRun)
    {
        if (result.Blockers.Count > 0)
            return run.Fail(result.Blockers, ExitStatus.Failed);
        if (dryRun || result.Committed)
            return run.Conclude();
        Problem[] differences = [.. result.Sources.SelectMany(Differences)];
        return differences.Length > 0
            ? run.Fail(differences, differences[0].Code.Exit)
            : run.Fail(
                [new Problem(ErrorCodes.Internal, "the restore ended without a reason; what was live is unchanged", "report this")],
                ExitStatus.Failed);
    }

    private static IEnumerable<Problem> Differences(SourceRestore source) =>
        source.Verification?.Checks.Where(static check => !check.Passed).Select(check => new Problem(
            ErrorCodes.RestoredDiffers,
            $"{check.Subject} differs after staging: expected {check.Expected}, found {check.Found}",
            "what was live is unchanged; run `lifeboat verify` on the snapshot, and use another one if it is damaged",
            source.Name)) ?? [];

    private void ShowPlan(RestoreResult plan)
    {
        _planShown = true;
        PlanMessage message = new(
            plan.RestoreId,
            request.Snapshot.Id,
            app,
            plan.Authentic,
            ProblemDocument.From(plan.Doubts),
            [.. plan.Sources.Select(Document)],
            ProblemDocument.From(plan.Blockers),
            ProblemDocument.From(plan.Warnings));
        run.Output.Show(message, OutputJson.Default.PlanMessage, text => WritePlan(text, plan));
        foreach (Problem warning in plan.Warnings)
            run.Output.Warn(warning);
    }

    private SourcePlan Document(SourceRestore source)
    {
        RestorePlan plan = source.Plan;
        return new SourcePlan(
            source.Name,
            Captured(source)?.Type,
            Redaction.Clean(plan.Target),
            plan.Replaces,
            plan.KeptAs,
            [.. plan.Steps.Select(Redaction.Clean)],
            plan.BytesNeeded,
            ProblemDocument.From(plan.Blockers),
            ProblemDocument.From(plan.Warnings));
    }

    internal void WritePlan(TextReport text, RestoreResult plan)
    {
        text.Wrapped($"Plan: restore {app} from {request.Snapshot.Id}, taken {Quantity.Time(metadata.Timestamp, text.Zone)} on {TextReport.Clean(metadata.Host)}", 2);
        WriteOrigin(text, plan);
        foreach (SourceRestore source in plan.Sources)
        {
            IReadOnlyList<string> parts = request.ScopeOf(source.Name).Parts;
            text.Line().Wrapped(parts.Count == 0 ? $"{source.Name}{Describe(source)}" : $"{source.Name}: {string.Join(", ", parts)}", 4);
            if (!source.Plan.IsMade)
            {
                text.Line("  could not be looked at; the reasons are below");
                continue;
            }

            text.Wrapped($"  {(request.Mode == RestoreMode.Merge ? "adds to " : source.Plan.Replaces ? "replaces" : "creates ")}  {source.Plan.Target}", 12);
            if (source.Plan.KeptAs is { } kept)
                text.Wrapped($"  keeps     what is live now, as {kept}", 12);
            foreach (string step in source.Plan.Steps)
                text.Wrapped($"  - {step}", 4);
        }

        text.Line();
        (string Folder, long Bytes)[] needs = [.. SpaceNeeded(plan)];
        foreach ((string folder, long bytes) in needs)
            text.Wrapped($"Free space needed: {Quantity.Bytes(bytes)} in {folder}", 2);
        if (needs.Length > 0)
            text.Line();
    }

    private static void WriteOrigin(TextReport text, RestoreResult plan)
    {
        foreach (Problem doubt in plan.Doubts)
            text.Wrapped($"CAUTION: {doubt.Message}. What is in it becomes what is live.", 2);
        if (plan is { Authentic: false, Doubts.Count: 0 })
            text.Wrapped("The bundle is not encrypted: nothing in it shows who wrote it, or that nobody altered it.", 2);
    }

    private string Describe(SourceRestore source)
    {
        if (Captured(source) is not { } captured)
            return "";
        string tables = captured.Tables is null
            ? ""
            : $", {Quantity.Count(captured.Tables.Count, "table")}, {Quantity.Count(captured.Tables.Sum(static t => t.Rows), "row")}";
        string files = captured.Tables is null ? $", {Quantity.Count(captured.Files, "file")}" : "";
        return $" ({ShowCommand.Engine(captured) ?? captured.Type}{tables}{files}, {Quantity.Bytes(captured.Bytes)})";
    }

    private SourceMetadata? Captured(SourceRestore source) => metadata.Sources.FirstOrDefault(captured => captured.Name == source.Name);

    private static IEnumerable<(string Folder, long Bytes)> SpaceNeeded(RestoreResult plan) => plan.Sources
        .SelectMany(static source => source.Plan.BytesNeeded)
        .GroupBy(static need => need.Key, StringComparer.Ordinal)
        .Select(static group => (group.Key, group.Sum(static need => need.Value)));

    private void WriteEnd(TextReport text, RestoreResult result, bool dryRun)
    {
        if (result.Committed)
        {
            string checks = Quantity.Count(result.Sources.Sum(static source => source.Verification?.Checks.Count ?? 0), "check");
            text.Wrapped($"Restored {app} from {request.Snapshot.Id} in {Quantity.Duration(run.Elapsed)}: {checks} made, no difference found.", 2);
            foreach (SourceRestore source in result.Sources.Where(static source => source.Plan.KeptAs is not null))
                text.Wrapped($"  {source.Name}: the state from before is kept as {source.Plan.KeptAs}", 4);
            foreach ((string name, MergeCount merged) in result.Sources.SelectMany(static source => source.Merged.Select(one => (source.Name, one))))
                text.Wrapped($"  {name}: {merged.Subject}: {Quantity.Number(merged.Added)} added, {Quantity.Number(merged.Equal)} equal, {Quantity.Number(merged.Different)} different{Left(merged)}", 4);
            if (result.Evidence is not null)
                text.Wrapped($"  evidence: {result.Evidence}", 4);
            string where = result.UndoFrom is { } folder ? $", run in {folder}," : "";
            text.Wrapped(result.Sources.Any(static source => source.Plan.KeptAs is not null)
                ? $"`lifeboat undo`{where} switches back to it, `lifeboat discard` frees its space."
                : $"`lifeboat undo`{where} takes the restore back, `lifeboat discard` makes it final.", 2);
        }
        else if (dryRun && result.Blockers.Count == 0)
        {
            text.Line("Dry run: the restore can be made; nothing was changed.");
        }
        else
        {
            text.Line("Nothing was restored; what was live is unchanged.");
        }
    }

    private static string Left(MergeCount merged) => merged.Different == 0 ? ""
        : $", left as they are: {string.Join(", ", merged.Examples)}{(merged.Different > merged.Examples.Count ? ", …" : "")}";

    private RestoreSummary Summary(RestoreResult result, bool dryRun, ExitStatus exit) => new(
        dryRun,
        result.Committed,
        result.RestoreId,
        app,
        Math.Round(run.Elapsed.TotalSeconds, 3),
        [.. result.Sources.Select(static source => new RestoredSource(
            source.Name,
            Redaction.Clean(source.Plan.Target),
            source.Plan.KeptAs,
            source.Verification?.Checks.Count ?? 0,
            [.. (source.Verification?.Checks ?? []).Where(static check => !check.Passed)
                .Select(static check => new DifferenceDocument(check.Subject, check.Expected, check.Found))],
            [.. source.Merged.Select(static one => new MergedDocument(one.Subject, one.Added, one.Equal, one.Different, one.Examples))]))],
        result.Evidence,
        result.Blockers.Count,
        run.Output.Warnings.Count,
        (int)exit);
}
