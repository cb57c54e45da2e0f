using System.CommandLine;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Stores;
using Lifeboat.Engine.Verify;
using Lifeboat.Output;

namespace Lifeboat.Commands;

internal sealed class VerifyCommand : Verb
{
    private readonly Argument<string> _snapshot = SnapshotArgument.Create();

    private readonly Option<bool> _trust = Confirmation.CreateTrust();

    public VerifyCommand(ProgramHost host, SharedOptions shared)
        : base(
            "verify",
            "Read all of a snapshot and check it: decryption, checksums, structure, counts against the dump",
            host,
            shared,
            "lifeboat verify latest",
            "lifeboat verify /media/usb/shop_20260301_020000Z.zip")
    {
        Add(_snapshot);
        Add(_trust);
    }

    protected override bool IsLong => true;

    protected override async Task<ExitStatus> RunAsync(ParseResult parsed, CommandRun run, CancellationToken cancellation)
    {
        App? app = await run.FindAppAsync(cancellation);
        StoredSnapshot snapshot = await SnapshotArgument.FindAsync(parsed.GetRequiredValue(_snapshot), [], app, run, cancellation);
        VerifyResult result = await new VerifyOperation(app, run.Context).RunAsync(snapshot, parsed.GetValue(_trust), cancellation);
        bool ok = result.Problems.Count == 0;
        ExitStatus exit = ok ? run.Conclude() : result.Problems[0].Code.Exit;
        if (!ok)
            run.Output.Fail(result.Problems, exit);
        run.Output.Show(Summary(result, exit, run), OutputJson.Default.VerifySummary, text => text.Wrapped(
            $"{snapshot.Id}: {Verdict(result.Problems)}{ShowCommand.Partial(result.Metadata)}; "
            + $"{Quantity.Count(result.FilesChecked, "file")}{(result.TablesChecked > 0 ? $" and {Quantity.Count(result.TablesChecked, "table")}" : "")} "
            + $"with {Quantity.Bytes(result.BytesChecked)} checked in {Quantity.Duration(run.Elapsed)}", 2));
        return exit;
    }

    private static string Verdict(IReadOnlyList<Problem> problems) => problems.Count == 0 ? "undamaged"
        : problems.All(static problem => problem.Code == ErrorCodes.NotAuthentic) ? "undamaged, but it does NOT SHOW WHO WROTE IT"
        : $"DAMAGED ({Quantity.Count(problems.Count, "problem")})";

    private static VerifySummary Summary(VerifyResult result, ExitStatus exit, CommandRun run) => new(
        result.Snapshot.Id,
        result.Snapshot.Path,
        result.Problems.Count == 0,
        result.FilesChecked,
        result.BytesChecked,
        result.TablesChecked,
        Math.Round(run.Elapsed.TotalSeconds, 3),
        result.Problems.Count,
        run.Output.Warnings.Count,
        result.Metadata.SourcesLeftOut,
        (int)exit);
}
