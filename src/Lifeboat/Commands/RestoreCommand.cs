using System.CommandLine;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Restore;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Stores;
using Lifeboat.Engine.Verify;
using Lifeboat.Output;

namespace Lifeboat.Commands;

internal sealed class RestoreCommand : Verb
{
    private readonly Argument<string?> _snapshot = new("SNAPSHOT") { Description = SnapshotArgument.Words, Arity = ArgumentArity.ZeroOrOne };

    private readonly Option<string[]> _only = new("--only")
    {
        Description = "Restore this source alone, or parts of it: tables as SOURCE/SCHEMA.TABLE, files as SOURCE/PATH, with * for any; may be given several times",
        HelpName = "SOURCE[/PART]",
    };

    private readonly TargetOption _target = new("Restore a source to another place");

    private readonly Option<bool> _merge = new("--merge")
    {
        Description = "Add the rows and files that are missing, and change none that exist",
    };

    private readonly Option<bool> _beside = new("--beside")
    {
        Description = "Restore tables (--only SOURCE/PART) into a schema of their own beside the live ones, to look at",
    };

    private readonly Option<bool> _dryRun = new("--dry-run", "-n")
    {
        Description = "Show the plan and every reason why it would fail; change nothing",
    };

    private readonly Option<bool> _updateRoles = new("--update-roles")
    {
        Description = "Change database roles and accounts that exist on the server to what they were, passwords included; without it they stay as they are",
    };

    private readonly Option<bool> _trust = Confirmation.CreateTrust();

    private readonly Option<bool> _status = new("--status")
    {
        Description = "Tell whether a restore was interrupted, and what restores keep; change nothing",
    };

    private readonly Option<bool> _finish = new("--finish")
    {
        Description = "Bring a restore or undo that was interrupted, or could not be finished, to its end, and do nothing else",
    };

    private readonly Option<bool> _neutralize = new("--neutralize")
    {
        Description = "Make every restored source neutral, as the app file's `neutralize:` says; sources with a --target are made so without it",
    };

    private readonly Option<bool> _noNeutralize = new("--no-neutralize")
    {
        Description = "Restore everything as it was, sources with a --target too",
    };

    private readonly Option<bool> _yes = Confirmation.Create();

    public RestoreCommand(ProgramHost host, SharedOptions shared)
        : base(
            "restore",
            "Restore a snapshot: staged beside the live data, verified, then switched in; all of it or nothing",
            host,
            shared,
            "lifeboat restore latest --dry-run",
            "lifeboat restore latest",
            "lifeboat restore 20260301 --only filestore",
            "lifeboat restore latest --only main/public.orders",
            "lifeboat restore latest --only main --merge",
            "lifeboat restore latest --target main=postgresql://postgres@spare:5432/shop --yes",
            "lifeboat restore --status",
            "lifeboat restore --finish")
    {
        Add(_snapshot);
        Add(_only);
        Add(_merge);
        Add(_beside);
        Add(_target.Option);
        Add(_dryRun);
        Add(_updateRoles);
        Add(_neutralize);
        Add(_noNeutralize);
        Add(_yes);
        Add(_trust);
        Add(_status);
        Add(_finish);
        Validators.Add(result =>
        {
            bool looksBack = result.GetValue(_status) || result.GetValue(_finish);
            if (result.GetValue(_snapshot) is null == !looksBack)
                result.AddError(looksBack ? "--status and --finish take no SNAPSHOT" : "restore wants a SNAPSHOT: latest, an id, or a bundle's path");
            if (result.GetValue(_status) && result.GetValue(_finish))
                result.AddError("--status and --finish contradict each other");
            if (result.GetValue(_neutralize) && result.GetValue(_noNeutralize))
                result.AddError("--neutralize and --no-neutralize contradict each other");
            if (result.GetValue(_merge) && result.GetValue(_beside))
                result.AddError("--merge and --beside contradict each other");
            if (result.GetValue(_beside) && !(result.GetValue(_only) is { Length: > 0 } only && only.All(static one => one.Contains('/', StringComparison.Ordinal))))
                result.AddError("--beside wants parts: --only SOURCE/SCHEMA.TABLE");
        });
        _only.Validators.Add(static result =>
        {
            if (result.Tokens.FirstOrDefault(static token => token.Value.StartsWith('/') || token.Value.EndsWith('/')) is { } half)
                result.AddError($"--only wants SOURCE or SOURCE/PART, not {half.Value}");
        });
    }

    protected override bool IsLong => true;

    protected override async Task<ExitStatus> RunAsync(ParseResult parsed, CommandRun run, CancellationToken cancellation)
    {
        if (parsed.GetValue(_status) || parsed.GetValue(_finish))
            return await LookBackAsync(parsed, run, parsed.GetValue(_finish), cancellation);
        bool dryRun = parsed.GetValue(_dryRun);
        if (!dryRun)
            Confirmation.Require(run, parsed.GetValue(_yes), "restore replaces live data", ", or --dry-run to see the plan");
        bool? neutralize = parsed.GetValue(_neutralize) ? true : parsed.GetValue(_noNeutralize) ? false : null;
        App? app = await run.FindAppAsync(cancellation);
        string[] only = parsed.GetValue(_only) ?? [];
        StoredSnapshot snapshot = await SnapshotArgument.FindAsync(
            parsed.GetValue(_snapshot)!, [.. only.Select(static one => one.Split('/', 2)[0]).Distinct()], app, run, cancellation);
        SnapshotMetadata metadata = (await new VerifyOperation(app, run.Context).ShowAsync(snapshot, cancellation)).Metadata;
        RestoreRequest request = new(snapshot, only, _target.Read(parsed, run), dryRun)
        {
            Mode = parsed.GetValue(_merge) ? RestoreMode.Merge : parsed.GetValue(_beside) ? RestoreMode.Beside : RestoreMode.Replace,
            UpdateRoles = parsed.GetValue(_updateRoles),
            Neutralize = neutralize,
            Trust = parsed.GetValue(_trust) ? Trust.Given : run.CanAsk && !parsed.GetValue(_yes) ? Trust.Asked : Trust.Withheld,
        };
        Confirmation confirmation = new(run, app?.Name ?? metadata.App, parsed.GetValue(_yes));
        RestorePresenter presenter = new(run, request, metadata, app?.Name ?? metadata.App, confirmation);
        return await confirmation.UnlessRefusedAsync(async () =>
        {
            using RunFolder temporary = RunFolder.Create(run.Context.Host);
            RunContext context = run.Context with { Host = temporary.Host, Progress = new SizedProgress(run.Output, metadata) };
            RestoreResult result = await new RestoreOperation(app, context).RunAsync(
                request, presenter.ConfirmAsync, cancellation);
            return presenter.Conclude(result, dryRun);
        });
    }

    private async Task<ExitStatus> LookBackAsync(ParseResult parsed, CommandRun run, bool finish, CancellationToken cancellation)
    {
        App app = await run.LoadRestoredAppAsync(cancellation);
        Dictionary<string, string> targets = _target.Read(parsed, run);
        IReadOnlyList<PastRestore> past = finish
            ? await new FinishOperation(app, run.Context) { Targets = targets }.RunAsync(cancellation)
            : await new StatusOperation(app, run.Context) { Targets = targets }.RunAsync(cancellation);
        run.Output.Show(
            new StatusDocument(app.Name, [.. past.Select(PastRestoreText.Document)]),
            OutputJson.Default.StatusDocument,
            text =>
            {
                if (past.Count == 0)
                    text.Wrapped($"No restore of {app.Name} was interrupted, and none keeps a previous state.", 2);
                PastRestoreText.Write(text, past);
            });
        return past.Any(static restore => restore.Interruption is not null) ? ExitStatus.Failed : run.Conclude();
    }
}
