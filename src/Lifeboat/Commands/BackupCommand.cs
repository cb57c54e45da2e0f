using System.CommandLine;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Backup;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.RestoreCheck;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Output;

namespace Lifeboat.Commands;

internal sealed class BackupCommand : Verb
{
    private readonly Option<string?> _output = new("--output", "-o")
    {
        Description = "Write the bundle to this file instead of the app's first store",
        HelpName = "FILE.zip",
    };

    private readonly Option<string[]> _only = new("--only")
    {
        Description = "Back up this source alone; may be given several times",
        HelpName = "SOURCE",
    };

    private readonly Option<bool> _dryRun = new("--dry-run", "-n")
    {
        Description = "Check everything and say what would be written; write nothing",
    };

    public BackupCommand(ProgramHost host, SharedOptions shared)
        : base(
            "backup",
            "Back up the whole app into one bundle",
            host,
            shared,
            "lifeboat backup",
            "lifeboat backup --output /media/usb/shop.zip",
            "lifeboat backup --only main --only filestore",
            "lifeboat -c /srv/shop/lifeboat.yaml backup --json")
    {
        Add(_output);
        Add(_only);
        Add(_dryRun);
    }

    protected override bool IsLong => true;

    protected override async Task<ExitStatus> RunAsync(ParseResult parsed, CommandRun run, CancellationToken cancellation)
    {
        if (parsed.GetValue(_output) is "-")
            throw new LifeboatException(ErrorCodes.Usage, "a bundle cannot be written to standard output", "name a file; ./- is one called -", "--output");
        App app = await run.LoadAppAsync(cancellation);
        string? output = parsed.GetValue(_output) is { } named ? run.Absolute(named) : null;
        BackupRequest request = new(output, parsed.GetValue(_only) ?? [], parsed.GetValue(_dryRun));
        using RunFolder temporary = RunFolder.Create(run.Context.Host);
        RunContext context = run.Context with { Host = temporary.Host };
        BackupResult result = await new BackupOperation(app, context).RunAsync(request, cancellation);
        foreach (Problem warning in result.Warnings)
            run.Output.Warn(warning);
        if (!request.DryRun)
            await CheckRestoreAsync(app, context, result, run, cancellation);
        ExitStatus exit = run.Conclude();
        run.Output.Show(Summary(request, result, run, exit), OutputJson.Default.BackupSummary, text =>
            Write(text, request, result, run.Elapsed));
        return exit;
    }

    /// <summary>The bundle is complete: what goes wrong with the check is a warning.</summary>
    private static async Task CheckRestoreAsync(App app, RunContext context, BackupResult result, CommandRun run, CancellationToken cancellation)
    {
        IReadOnlyList<Problem> warnings;
        try
        {
            warnings = await new RestoreCheckOperation(app, context).AfterBackupAsync(result.Metadata, cancellation);
        }
        catch (LifeboatException e)
        {
            warnings = [.. e.Problems.Select(static problem => problem with
            {
                Code = ErrorCodes.RestoreCheckFailed,
                Message = $"the snapshot is complete, but whether its definitions can be restored could not be tried: {problem.Code.Id} {problem.Message}",
            })];
        }

        foreach (Problem warning in warnings)
            run.Output.Warn(warning);
    }

    internal static void Write(TextReport text, BackupRequest request, BackupResult result, TimeSpan elapsed)
    {
        SnapshotMetadata metadata = result.Metadata;
        text.Table(ShowCommand.SourceTable(metadata));
        if (request.DryRun)
        {
            text.Wrapped($"Dry run: {metadata.App} can be backed up; nothing was written.", 2);
            return;
        }

        text.Wrapped($"Backed up {metadata.App}{ShowCommand.Partial(metadata)}: {Quantity.Bytes(metadata.Sources.Sum(static source => source.Bytes))} "
            + $"as {Quantity.Bytes(result.BundleBytes)} in {Quantity.Duration(elapsed)}"
            + (result.Warnings.Count > 0 ? $", with {Quantity.Count(result.Warnings.Count, "warning")}" : ""), 2);
        if (metadata.Sources.Count > 1)
            text.Wrapped($"The sources' states are at most {ShowCommand.Seconds(metadata.CutWidthSeconds)} apart.", 2);
        text.Line(result.BundlePath ?? "");
    }

    private static BackupSummary Summary(BackupRequest request, BackupResult result, CommandRun run, ExitStatus exit) => new(
        request.DryRun,
        result.Metadata.App,
        result.BundlePath,
        result.Metadata.ExportStatus,
        result.Metadata.Sources.Sum(static source => source.Bytes),
        result.BundleBytes,
        Math.Round(run.Elapsed.TotalSeconds, 3),
        result.Metadata.CutWidthSeconds,
        [.. result.Metadata.Sources.Select(static source => new SourceSummary(
            source.Name,
            source.Type,
            source.Engine,
            source.Bytes,
            source.Files,
            source.Tables?.Count,
            source.Tables?.Sum(static t => t.Rows)))],
        run.Output.Warnings.Count,
        (int)exit);
}
