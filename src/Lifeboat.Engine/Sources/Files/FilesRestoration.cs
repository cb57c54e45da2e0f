using System.Globalization;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
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
        _place = FileFailure.Tell(settings.Name, () => new FolderStaging(settings.Path, restore.Id));
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
        if (_manifest.Snapshot.Lacks(_details.Manifest, _settings.Name) is { } lacking)
            blockers.Add(lacking);
        Dictionary<string, long> space = new() { [_place.SpaceFolder] = _details.DiskBytes };
        return Task.FromResult(new RestorePlan(
            _place.Path, replaces, replaces ? _place.BeforePath : null, steps, space, blockers, [.. CapturedOwner.Warnings(_settings.Name, _details.Owners)]));
    }

    public async Task StageAsync(CancellationToken cancellation)
    {
        await _restore.RecordAsync(Switch.Record, cancellation);
        await Staged.BuildAsync(cancellation);
    }

    public Task<VerifyReport> VerifyAsync(CancellationToken cancellation) => Staged.CompareAsync(cancellation);

    /// <summary>Where the tree is staged.</summary>
    public FolderStaging Place => _place;

    public ISwitch Switch => new PathSwitch(_run, _settings.Name, new PathSwitchRecord([_place.Exchange], []));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private StagedTree Staged => new(_manifest, _place, _settings.Name, _run);
}
