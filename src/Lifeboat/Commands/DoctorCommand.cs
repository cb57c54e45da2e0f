using System.CommandLine;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Backup;
using Lifeboat.Engine.Errors;
using Lifeboat.Output;

namespace Lifeboat.Commands;

internal sealed class DoctorCommand(ProgramHost host, SharedOptions shared)
    : Verb(
        "doctor",
        "Can this app be backed up here, now? Every reason why not",
        host,
        shared,
        "lifeboat doctor",
        "lifeboat doctor --json")
{
    protected override async Task<ExitStatus> RunAsync(ParseResult parsed, CommandRun run, CancellationToken cancellation)
    {
        App app = await run.LoadAppAsync(cancellation);
        DoctorReport report = await new DoctorOperation(app, run.Context).RunAsync(cancellation);
        Problem[] blockers = 
        [
            .. report.Findings.SelectMany(static finding => finding.Blockers
                .Select(problem => problem with { Where = problem.Where ?? finding.Subject })),
        ];
        bool ok = blockers.Length == 0;
        run.Output.Show(Document(app, report, ok, run), OutputJson.Default.DoctorDocument, text => Write(text, app, report, ok));
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

    private static void Write(TextReport text, App app, DoctorReport report, bool ok)
    {
        foreach (DoctorFinding finding in report.Findings)
        {
            string state = !finding.Ok ? "NOT OK " : finding.Warnings.Count > 0 ? "warning" : "ok     ";
            text.Wrapped($"{state}  {finding.Subject}", 9);
        }

        text.Line(ok ? $"{app.Name} can be backed up here. Whether a snapshot can be restored here, `lifeboat restore latest --dry-run` says." : $"{app.Name} cannot be backed up here now:");
    }

    private static DoctorDocument Document(App app, DoctorReport report, bool ok, CommandRun run) => new(
        app.Name,
        ok,
        [.. report.Findings.Select(static finding => new FindingDocument(
            finding.Subject, finding.Ok, ProblemDocument.From(finding.Blockers), ProblemDocument.From(finding.Warnings)))],
        ProblemDocument.From(run.Output.Warnings));
}
