using System.CommandLine;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Restore;
using Lifeboat.Output;

namespace Lifeboat.Commands;

internal sealed class DiscardCommand : Verb
{
    private readonly Option<bool> _yes = Confirmation.Create();
    private readonly TargetOption _target = TargetOption.Again();

    public DiscardCommand(ProgramHost host, SharedOptions shared)
        : base(
            "discard",
            "Remove what restores have kept of the states before them; there is no undo behind it",
            host,
            shared,
            "lifeboat discard",
            "lifeboat discard --yes")
    {
        Add(_yes);
        Add(_target.Option);
    }

    protected override bool IsLong => true;

    protected override async Task<ExitStatus> RunAsync(ParseResult parsed, CommandRun run, CancellationToken cancellation)
    {
        Confirmation.Require(run, parsed.GetValue(_yes), "discard deletes what restores have kept");
        App app = await run.LoadRestoredAppAsync(cancellation);
        Confirmation confirmation = new(run, app.Name, parsed.GetValue(_yes));
        return await confirmation.UnlessRefusedAsync(async () =>
        {
            IReadOnlyList<PastRestore> discarded = await new DiscardOperation(app, run.Context) { Targets = _target.Read(parsed, run) }.RunAsync(
                (kept, token) => confirmation.AskAsync(text => PastRestoreText.Write(text, kept), "This will be removed for good.", token), cancellation);
            long bytes = discarded.SelectMany(static one => one.Kept).Sum(static kept => kept.State?.Bytes ?? 0);
            ExitStatus exit = run.Conclude();
            run.Output.Show(
                new DiscardSummary(app.Name, [.. discarded.Select(PastRestoreText.Document)], bytes, Math.Round(run.Elapsed.TotalSeconds, 3), (int)exit),
                OutputJson.Default.DiscardSummary,
                text => text.Wrapped($"Removed what {Quantity.Count(discarded.Count, "restore")} had kept: {Quantity.Bytes(bytes)}.", 2));
            return exit;
        });
    }
}
