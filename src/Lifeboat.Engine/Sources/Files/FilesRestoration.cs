using System.Globalization;
using System.Text;
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

    /// <summary>What in the tree is not the source's.</summary>
    public IReadOnlyList<ReservedPath> Reserved { get; init; } = [];

    public Task<RestorePlan> PlanAsync(CancellationToken cancellation) =>
        Task.Run(() => FileFailure.Tell(_settings.Name, () => Plan(cancellation)), cancellation);

    private RestorePlan Plan(CancellationToken cancellation)
    {
        Staying? staying = _place.Live is { Kind: FileKind.Folder }
            ? StayingLook.Take(_place.Path, null, _settings.Exclude, Reserved, cancellation)
            : null;
        bool replaces = _place.Live is not null;
        List<string> steps =
        [
            string.Create(
                CultureInfo.InvariantCulture,
                $"build {_details.RegularFiles} files, {_details.Folders} folders, {_details.SymbolicLinks} symbolic links in "
                + $"{_place.StagingPath}"),
            replaces ? $"keep what is in {_place.Path} as {_place.BeforePath}" : $"create {_place.Path}",
        ];
        if (staying is { Folders.Count: > 0 })
            steps.Add(Left(staying));
        else if (_place.IsInside)
            steps.Add($"{_place.Path} itself cannot be renamed, so what is in it is switched name by name");
        List<Problem> blockers = [.. _place.Blockers(_settings.Name, staying)];
        List<Problem> warnings = [.. CapturedOwner.Warnings(_manifest.Snapshot, _settings.Name, _details.Owners)];
        if (_manifest.Snapshot.Lacks(_details.Manifest, _settings.Name) is { } lacking)
            blockers.Add(lacking);
        else if (staying is { Folders.Count: > 0 })
            LookForConflicts(staying, blockers, warnings, cancellation);
        Dictionary<string, long> space = new() { [_place.SpaceFolder] = _details.DiskBytes };
        return new RestorePlan(_place.Path, replaces, replaces ? _place.BeforePath : null, steps, space, blockers, warnings);
    }

    /// <summary>The plan's line of what the restore does not touch.</summary>
    private string Left(Staying staying)
    {
        const int named = 10;
        string[] names = [.. staying.Paths.Where(path => Path.Exists(Absolute(path))).Select(static path => Folder.Readable(TreePath.Relative(path)))];
        string rest = names.Length > named ? string.Create(CultureInfo.InvariantCulture, $" and {names.Length - named} more") : "";
        return $"leave where and as they are, because they are excluded or not this source's: {string.Join(", ", names.Take(named))}{rest}; "
            + "what is around them is switched name by name";
    }

    private string Absolute(byte[] path) => Path.Combine(_place.Path, Encoding.UTF8.GetString(TreePath.Relative(path)));

    /// <summary>An older snapshot may have what is excluded by now.</summary>
    private void LookForConflicts(Staying staying, List<Problem> blockers, List<Problem> warnings, CancellationToken cancellation)
    {
        HashSet<string> left = [];
        ReservedNames appFile = new(_place.Path, [.. Reserved.Where(static one => one.Why == Reservation.AppFile)]);
        foreach (ManifestEntry entry in _manifest.Entries(cancellation))
        {
            if (staying.IsFolder(entry.Path) && entry.Kind != FileKind.Folder)
                blockers.Add(new Problem(
                    ErrorCodes.TargetUnusable,
                    $"{Absolute(entry.Path)} is a folder in which something stays that the restore does not touch, and in the snapshot it is none",
                    "move that folder away, or choose another folder with --target", _settings.Name));
            else if (staying.IsPath(entry.Path) && !appFile.Match(entry.Path))
                left.Add(Folder.Readable(TreePath.Relative(entry.Path)));
        }

        if (left.Count > 0)
            warnings.Add(new Problem(
                ErrorCodes.LeftAsItIs,
                $"the snapshot has {string.Join(", ", left.Take(5))}{(left.Count > 5 ? " and more" : "")}, which the app file excludes or gives "
                + "to another source by now: what is live there stays as it is",
                $"restore it to another folder with `--target {_settings.Name}=…` if it is wanted", _settings.Name));
    }

    public async Task StageAsync(CancellationToken cancellation)
    {
        await _restore.RecordAsync(Switch.Record, cancellation);
        await Staged.BuildAsync(cancellation);
    }

    public Task<VerifyReport> VerifyAsync(CancellationToken cancellation) => Staged.CompareAsync(cancellation);

    /// <summary>Where the tree is staged.</summary>
    public FolderStaging Place => _place;

    public ISwitch Switch => new PathSwitch(_run, _settings.Name, new PathSwitchRecord([_place.Exchange], []))
    {
        Staying = new StayingRules(_settings.Exclude, Reserved, _restore),
    };

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private StagedTree Staged => new(_manifest, _place, _settings.Name, _run);
}
