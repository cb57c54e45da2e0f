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
    private readonly TreeManifest _manifest;
    private readonly TreeDetails _details;
    private readonly FolderStaging _place;
    private readonly RestoreRun _restore;

    public FilesRestoration(FilesSettings settings, RunContext run, VerifiedSnapshot snapshot, SourceMetadata captured, RestoreRun restore)
    {
        _settings = settings;
        _run = run;
        _restore = restore;
        _details = TreeDetails.From(captured);
        _manifest = new TreeManifest(snapshot, _details);
        try
        {
            _place = new FolderStaging(settings.Path, restore.Id);
        }
        catch (IOException e)
        {
            throw FileFailure.Tell(e, settings.Name);
        }
    }

    public Task<RestorePlan> PlanAsync(CancellationToken cancellation)
    {
        bool replaces = _place.Live is not null;
        List<string> steps =
        [
            string.Create(
                CultureInfo.InvariantCulture,
                $"build {_details.RegularFiles} files, {_details.Folders} folders, {_details.SymbolicLinks} symbolic links in "
                + $"{_place.StagingPath}"),
            replaces ? $"keep what is in {_place.Path} as {_place.BeforePath}" : $"create {_place.Path}",
        ];
        if (_place.IsInside)
            steps.Add($"{_place.Path} itself cannot be renamed, so what is in it is switched name by name");
        List<Problem> blockers = [.. _place.Blockers(_settings.Name)];
        if (!_manifest.Snapshot.Entries.ContainsKey(_details.Manifest))
            blockers.Add(new Problem(
                ErrorCodes.SnapshotIncomplete, $"the snapshot has no {_details.Manifest}", "use another snapshot; this one was altered or damaged", _settings.Name));
        Dictionary<string, long> space = new() { [_place.SpaceFolder] = _details.DiskBytes };
        return Task.FromResult(new RestorePlan(
            _place.Path, replaces, replaces ? _place.BeforePath : null, steps, space, blockers, [.. CapturedOwner.Warnings(_settings.Name, _details.Owners)]));
    }

    public async Task StageAsync(CancellationToken cancellation)
    {
        await _restore.RecordAsync(Switch.Record, cancellation);
        await FileFailure.TellAsync(_settings.Name, () => Task.Run(() => BuildAsync(cancellation), cancellation));
    }

    public async Task<VerifyReport> VerifyAsync(CancellationToken cancellation)
    {
        VerifyReport? report = null;
        await FileFailure.TellAsync(_settings.Name, () => Task.Run(
            async () =>
            {
                using Folder staging = Folder.Open(_place.StagingPath);
                TreeVerification verification = new(
                    _manifest, staging, Rules(staging), new ByteMeter(_run.Progress, _settings.Name, Phase.Verify));
                report = await verification.CompareAsync(_run.Host.Workers, cancellation);
            },
            cancellation));
        return report!;
    }

    /// <summary>Where the tree is staged.</summary>
    public FolderStaging Place => _place;

    public ISwitch Switch => new PathSwitch(_run, _settings.Name, new PathSwitchRecord([_place.Exchange], []));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Who is not root owns what he staged, so the staged root tells who that is.</summary>
    private static TraitRules Rules(Folder staging) => TraitRules.For(staging.Status());

    private async Task BuildAsync(CancellationToken cancellation)
    {
        using Folder staging = _place.CreateStaging();
        TreeStaging tree = new(
            _manifest, staging, TraitRules.For(staging.Status()), new ByteMeter(_run.Progress, _settings.Name, Phase.Stage));
        await tree.BuildAsync(_run.Host.Workers, cancellation);
        staging.FlushFilesystem();
    }
}
