using System.CommandLine;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Restore;
using Lifeboat.Output;

namespace Lifeboat.Commands;

internal sealed class UndoCommand : Verb
{
    private readonly Option<bool> _yes = Confirmation.Create();
    private readonly TargetOption _target = TargetOption.Again();

    public UndoCommand(ProgramHost host, SharedOptions shared)
        : base(
            "undo",
            "Switch back to the state before the last restore; what is live now is kept, so an undo can be undone",
            host,
            shared,
            "lifeboat undo",
            "lifeboat undo --yes")
    {
        Add(_yes);
        Add(_target.Option);
    }

    protected override bool IsLong => true;

    protected override async Task<ExitStatus> RunAsync(ParseResult parsed, CommandRun run, CancellationToken cancellation)
    {
        Confirmation.Require(run, parsed.GetValue(_yes), "undo replaces live data");
        App app = await run.LoadRestoredAppAsync(cancellation);
        Confirmation confirmation = new(run, app.Name, parsed.GetValue(_yes));
        return await confirmation.UnlessRefusedAsync(async () =>
        {
            UndoResult result = await new UndoOperation(app, run.Context) { Targets = _target.Read(parsed, run) }.RunAsync(
                (plan, token) => confirmation.AskAsync(
                    text => Describe(text, plan), "What is live now will be replaced by this, and kept.", token),
                cancellation);
            ExitStatus exit = run.Conclude();
            run.Output.Show(
                new UndoSummary(result.Id, result.Undoes.Id, app.Name, PastRestoreText.Documents(result.Kept), Math.Round(run.Elapsed.TotalSeconds, 3), (int)exit),
                OutputJson.Default.UndoSummary,
                text => text.Wrapped($"{Undone(result)} in {Quantity.Duration(run.Elapsed)}. What was live is kept: `lifeboat undo` brings it back, `lifeboat discard` frees its space.", 2));
            return exit;
        });
    }

    private static string Undone(UndoResult result) =>
        result.Undoes.Undoes is null ? $"Took back the restore {result.Undoes.Id}" : $"Took back the undo {result.Undoes.Id}";

    private static void Describe(TextReport text, UndoResult plan)
    {
        text.Wrapped($"Undo: back to the state before {PastRestoreText.What(plan.Undoes)} of {Quantity.Time(plan.Undoes.Began, text.Zone)}", 2);
        PastRestoreText.Write(text, plan.Kept);
        if (plan.Kept.Count == 0)
            text.Line("  nothing was there before it: what it restored is moved aside");
        text.Line();
    }
}
