using System.CommandLine;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Backup;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.RestoreCheck;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Output;

namespace Lifeboat.Commands;

internal sealed class DoctorCommand : Verb
{
    private readonly Option<bool> _restoreCheck = new("--restore-check")
    {
        Description = "Restore the databases' definitions without rows into scratch databases, compare them, and remove those",
    };

    public DoctorCommand(ProgramHost host, SharedOptions shared)
        : base(
            "doctor",
            "Can this app be backed up here, now? Every reason why not",
            host,
            shared,
            "lifeboat doctor",
            "lifeboat doctor --restore-check",
            "lifeboat doctor --json") => Add(_restoreCheck);

    protected override async Task<ExitStatus> RunAsync(ParseResult parsed, CommandRun run, CancellationToken cancellation)
    {
        App app = await run.LoadAppAsync(cancellation);
        DoctorReport report = await new DoctorOperation(app, run.Context).RunAsync(cancellation);
        bool tried = parsed.GetValue(_restoreCheck);
        if (tried)
            report = new DoctorReport([.. report.Findings, .. await CheckRestoreAsync(app, run, cancellation)]);
        Problem[] blockers = 
        [
            .. report.Findings.SelectMany(static finding => finding.Blockers
                .Select(problem => problem with { Where = problem.Where ?? finding.Subject })),
        ];
        bool ok = blockers.Length == 0;
        run.Output.Show(Document(app, report, ok, run), OutputJson.Default.DoctorDocument, text => Write(text, app, report, ok, tried));
        foreach (DoctorFinding finding in report.Findings)
        {
            foreach (Problem warning in finding.Warnings)
                run.Output.Warn(warning, finding.Subject);
        }

        if (ok)
            return run.Conclude();
        if (!run.Shared.Json)
            run.Output.Fail(blockers, ExitStatus.Failed);
        return ExitStatus.Failed;
    }

    private static async Task<IReadOnlyList<DoctorFinding>> CheckRestoreAsync(App app, CommandRun run, CancellationToken cancellation)
    {
        using RunFolder temporary = RunFolder.Create(run.Context.Host);
        IReadOnlyList<RestoreCheckResult> results =
            await new RestoreCheckOperation(app, run.Context with { Host = temporary.Host }).RunAsync(cancellation);
        return [.. results.Select(static one => new DoctorFinding($"restore of the definitions of {one.Source}", one.Problems, []))];
    }

    private static void Write(TextReport text, App app, DoctorReport report, bool ok, bool tried)
    {
        foreach (DoctorFinding finding in report.Findings)
        {
            string state = !finding.Ok ? "NOT OK " : finding.Warnings.Count > 0 ? "warning" : "ok     ";
            text.Wrapped($"{state}  {finding.Subject}", 9);
        }

        text.Line(!ok ? $"{app.Name} cannot be backed up{(tried ? " and restored" : "")} here now:"
            : tried ? $"{app.Name} can be backed up here, and its definitions can be restored."
            : $"{app.Name} can be backed up here. Whether a snapshot can be restored here, `lifeboat restore latest --dry-run` and `lifeboat doctor --restore-check` say.");
    }

    private static DoctorDocument Document(App app, DoctorReport report, bool ok, CommandRun run) => new(
        app.Name,
        ok,
        [.. report.Findings.Select(static finding => new FindingDocument(
            finding.Subject, finding.Ok, ProblemDocument.From(finding.Blockers), ProblemDocument.From(finding.Warnings)))],
        ProblemDocument.From(run.Output.Warnings));
}
