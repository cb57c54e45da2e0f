using System.CommandLine;
using Lifeboat.Engine.Apps.Detection;
using Lifeboat.Engine.Errors;
using Lifeboat.Output;

namespace Lifeboat.Commands;

internal sealed class InitCommand : Verb
{
    private readonly Argument<string?> _folder = new("FOLDER")
    {
        Description = "The app's folder; this one without it",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public InitCommand(ProgramHost host, SharedOptions shared)
        : base(
            "init",
            "Look at a folder and the local servers, write lifeboat.yaml and make a passphrase",
            host,
            shared,
            "lifeboat init",
            "lifeboat init /srv/shop") =>
        Add(_folder);

    protected override async Task<ExitStatus> RunAsync(ParseResult parsed, CommandRun run, CancellationToken cancellation)
    {
        InitResult result = await new InitOperation(run.Context).RunAsync(run.Absolute(parsed.GetValue(_folder) ?? "."), cancellation);
        InitDocument document = new(
            result.AppFile, result.PassphraseFile, result.PassphraseIsNew, [.. result.Findings.Select(static finding => finding.Reason)], result.Notes);
        run.Output.Show(document, OutputJson.Default.InitDocument, text =>
        {
            text.Line($"Wrote {result.AppFile}");
            foreach (string found in document.Found)
                text.Wrapped($"  found {found}", 4);
            if (result.PassphraseIsNew)
                text.Line($"Wrote {result.PassphraseFile}: the passphrase of all backups.");
            foreach (string note in result.Notes)
                text.Wrapped($"  {note}", 4);
            text.Line("Next: read lifeboat.yaml and correct what was guessed wrong, then `lifeboat doctor` and `lifeboat backup`.");
        });
        return run.Conclude();
    }
}
