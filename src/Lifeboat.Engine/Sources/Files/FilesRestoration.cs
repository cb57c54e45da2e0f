using System.Globalization;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Files;

/// <summary>Puts a tree back: built beside the live one, compared with the manifest, switched by renames.</summary>
internal sealed class FilesRestoration : IRestoration
{
    private readonly FilesSettings _settings;
    private readonly RunContext _run;
    private readonly VerifiedSnapshot _snapshot;
    private readonly TreeDetails _details;
    private readonly FolderSwitch _switch;

    public FilesRestoration(FilesSettings settings, RunContext run, VerifiedSnapshot snapshot, SourceMetadata captured, string restoreId)
    {
        _settings = settings;
        _run = run;
        _snapshot = snapshot;
        _details = TreeDetails.From(captured);
        try
        {
            _switch = new FolderSwitch(settings.Path, restoreId);
        }
        catch (IOException e)
        {
            throw FileFailure.Tell(e, settings.Name);
        }
    }

    public Task<RestorePlan> PlanAsync(CancellationToken cancellation)
    {
        bool replaces = _switch.Live is not null;
        List<string> steps =
        [
            string.Create(
                CultureInfo.InvariantCulture,
                $"build {_details.RegularFiles} files, {_details.Folders} folders, {_details.SymbolicLinks} symbolic links in "
                + $"{_switch.StagingPath}"),
            replaces ? $"keep what is in {_switch.Path} as {_switch.BeforePath}" : $"create {_switch.Path}",
        ];
        if (_switch.IsInside)
            steps.Add($"{_switch.Path} itself cannot be renamed, so what is in it is switched name by name");
        List<Problem> blockers = [.. _switch.Blockers(_settings.Name)];
        if (!_snapshot.Entries.ContainsKey(_details.Manifest))
            blockers.Add(new Problem(
                ErrorCodes.SnapshotIncomplete, $"the snapshot has no {_details.Manifest}", "use another snapshot; this one was altered or damaged", _settings.Name));
        Dictionary<string, long> space = new() { [_switch.SpaceFolder] = _details.DiskBytes };
        return Task.FromResult(new RestorePlan(
            _switch.Path, replaces, replaces ? _switch.BeforePath : null, steps, space, blockers, [.. CapturedOwner.Warnings(_settings.Name, _details.Owners)]));
    }

    public Task StageAsync(CancellationToken cancellation) => FileFailure.TellAsync(_settings.Name, () => Task.Run(
        async () =>
        {
            using Folder staging = _switch.CreateStaging();
            TreeStaging tree = new(
                _snapshot, _details, staging, TraitRules.For(staging.Status()), new ByteMeter(_run.Progress, _settings.Name, Phase.Stage));
            await tree.BuildAsync(_run.Host.Workers, cancellation);
            staging.FlushFilesystem();
        },
        cancellation));

    public async Task<VerifyReport> VerifyAsync(CancellationToken cancellation)
    {
        VerifyReport? report = null;
        await FileFailure.TellAsync(_settings.Name, () => Task.Run(
            async () =>
            {
                using Folder staging = Folder.Open(_switch.StagingPath);
                TreeVerification verification = new(
                    _snapshot, _details, staging, Rules(staging), new ByteMeter(_run.Progress, _settings.Name, Phase.Verify));
                report = await verification.CompareAsync(_run.Host.Workers, cancellation);
            },
            cancellation));
        return report!;
    }

    public Task CommitAsync(CancellationToken cancellation) => OnPoolAsync(_switch.Commit);

    public Task RevertAsync(CancellationToken cancellation) => OnPoolAsync(_switch.Revert);

    public Task DiscardAsync(CancellationToken cancellation) => OnPoolAsync(_switch.Discard);

    public ValueTask DisposeAsync()
    {
        _switch.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Who is not root owns what he staged, so the staged root tells who that is.</summary>
    private static TraitRules Rules(Folder staging) => TraitRules.For(staging.Status());

    /// <summary>Renames and deletions are not stopped half-way.</summary>
    private Task OnPoolAsync(Action work) => FileFailure.TellAsync(_settings.Name, () => Task.Run(work, CancellationToken.None));
}
