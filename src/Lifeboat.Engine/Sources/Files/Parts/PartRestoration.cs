using System.Globalization;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Files.Parts;

/// <summary>
/// Puts parts of a tree back, or adds what is missing: built beside the live tree, compared with the manifest, switched path by path. Where nothing is live,
/// what was built becomes the tree.
/// </summary>
internal sealed class PartRestoration : IRestoration
{
    private const int PathsShown = 10;

    private readonly FilesSettings _settings;
    private readonly RunContext _run;
    private readonly RestoreScope _scope;
    private readonly RestoreRun _restore;
    private readonly FolderStaging _place;
    private readonly TreeManifest _all;
    private readonly PartSelection _selection;
    private readonly PartSwitch _switch;
    private IReadOnlyList<byte[]>? _places;
    private TreeManifest? _part;

    public PartRestoration(
        FilesSettings settings, RunContext run, VerifiedSnapshot snapshot, SourceMetadata captured, RestoreScope scope, RestoreRun restore)
    {
        _settings = settings;
        _run = run;
        _scope = scope;
        _restore = restore;
        _all = new TreeManifest(snapshot, TreeDetails.From(captured));
        _selection = new PartSelection(settings.Name, scope.Parts);
        _switch = new PartSwitch(run, settings.Name, restore);
        _place = FileFailure.Tell(settings.Name, () => new FolderStaging(settings.Path, restore.Id));
    }

    /// <summary>What in the tree is not the source's.</summary>
    public IReadOnlyList<ReservedPath> Reserved { get; init; } = [];

    public IReadOnlyList<MergeCount> Merged { get; private set; } = [];

    public ISwitch Switch => IsNew ? new PathSwitch(_run, _settings.Name, new PathSwitchRecord([_place.Exchange], [])) : _switch;

    /// <summary>Whether nothing is live, so that what is built becomes the whole tree.</summary>
    private bool IsNew => _place.Live is null;

    private bool Merges => _scope.Mode == RestoreMode.Merge;

    public async Task<RestorePlan> PlanAsync(CancellationToken cancellation)
    {
        List<Problem> blockers = [.. _place.OwnBlockers(_settings.Name)];
        if (_all.Snapshot.Lacks(_all.Details.Manifest, _settings.Name) is { } lacking)
            blockers.Add(lacking);
        else
            blockers.AddRange(await Task.Run(() => _selection.Unmatched(() => _all.Entries(cancellation)).ToArray(), cancellation));
        if (blockers.Count > 0)
            return new RestorePlan(_place.Path, false, null, [], new Dictionary<string, long>(), blockers, []);

        LiveLook look = await LookAsync(null, cancellation);
        bool keeps = look.Parts.Any(static part => part.Replaces);
        TreeDetails built = _part!.Details;
        return new RestorePlan(
            _place.Path, keeps, keeps ? _place.BeforePath : null, [.. Steps(look)], new Dictionary<string, long> { [_place.SpaceFolder] = built.DiskBytes },
            [.. look.Blockers, .. await Task.Run(() => HoldingWhatStays(look, cancellation).ToArray(), cancellation)], [.. Warnings(look), .. CapturedOwner.Warnings(_all.Snapshot, _settings.Name, built.Owners)]);
    }

    public async Task StageAsync(CancellationToken cancellation)
    {
        LiveLook look = await LookAsync(new ByteMeter(_run.Progress, _settings.Name, Phase.Stage), cancellation);
        if (look.Blockers.Count > 0)
            throw new LifeboatException(look.Blockers);
        if (Merges)
            Merged = [look.Merged];
        await _restore.RecordAsync(Switch.Record, cancellation);
        if (HasAny)
            await Staged.BuildAsync(cancellation);
    }

    public async Task<VerifyReport> VerifyAsync(CancellationToken cancellation) =>
        HasAny ? await Staged.CompareAsync(cancellation) : new VerifyReport([]);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private StagedTree Staged => new(_part!, _place, _settings.Name, _run);

    private bool HasAny => _part!.Details.Folders > 0;

    /// <summary>Looks at what is live, and settles by it what is built and switched.</summary>
    private async Task<LiveLook> LookAsync(ByteMeter? meter, CancellationToken cancellation)
    {
        LiveLook? look = null;
        await FileFailure.TellAsync(_settings.Name, () => Task.Run(
            async () =>
            {
                using Folder? root = IsNew ? null : Folder.Open(_place.Path);
                if (IsNew && Path.Exists(_place.Path))
                    throw new FileFailure(FileTrouble.Exists, $"{_place.Path} was made meanwhile");
                look = new LiveLook(_settings.Name, _selection, root, Merges, meter);
                await look.ReadAsync(_all.Entries(cancellation), _run.Host.Workers, cancellation);
                _places = root is null ? null : [.. look.Parts.Select(static part => part.Path)];
                if (root is not null)
                    Settle(look, root);
                _part = Counted(cancellation);
            },
            cancellation));
        return look!;
    }

    private void Settle(LiveLook look, Folder root)
    {
        if (_place.IsInside && look.Folders.TrueForAll(static folder => !TreePath.IsRoot(folder.Path)))
            look.Folders.Add(new PartFolder(TreePath.Root, root.Status().Modified.ToString()));
        _switch.Set(new PartSwitchRecord(
            _place.Path, _place.IsInside, Path.GetFileName(_place.StagingPath), Path.GetFileName(_place.BeforePath), look.Parts, look.Folders, _run.Host.Time.GetUtcNow()));
    }

    private IEnumerable<string> Steps(LiveLook look)
    {
        TreeDetails built = _part!.Details;
        MergeCount merged = look.Merged;
        if (Merges)
            yield return string.Create(CultureInfo.InvariantCulture, $"add {merged.Added} files that are missing in {_place.Path}, and the folders that are missing");
        if (HasAny)
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"build {built.RegularFiles} files, {built.Folders} folders, {built.SymbolicLinks} symbolic links in {_place.StagingPath}");
        foreach (PartPath part in look.Parts.Take(PathsShown))
        {
            string path = Folder.Readable(TreePath.Relative(part.Path));
            yield return part.Replaces
                ? $"replace {Path.Combine(_place.Path, path)} as a whole, keep it as {Path.Combine(_place.BeforePath, path)}"
                : $"create {Path.Combine(_place.Path, path)}";
        }

        if (look.Parts.Count > PathsShown)
            yield return string.Create(CultureInfo.InvariantCulture, $"and likewise {look.Parts.Count - PathsShown} more");
        if (IsNew)
            yield return $"create {_place.Path}";
        else if (Merges)
            yield return string.Create(CultureInfo.InvariantCulture, $"leave {merged.Equal + merged.Different} files that are there as they are, equal or not");
        else
            yield return $"leave everything else in {_place.Path} as it is, also what matches and is not in the snapshot";
    }

    /// <summary>A folder is replaced as a whole, so nothing in it may be excluded or another source's.</summary>
    private IEnumerable<Problem> HoldingWhatStays(LiveLook look, CancellationToken cancellation)
    {
        if (IsNew || !look.Parts.Any(static part => part.Replaces))
            yield break;
        Staying staying = StayingLook.Take(_place.Path, null, _settings.Exclude, Reserved, cancellation);
        foreach (PartPath part in look.Parts.Where(static part => part.Replaces))
        {
            if (staying.Paths.FirstOrDefault(path => TreePath.IsAtOrBelow(path, part.Path) || TreePath.IsAtOrBelow(part.Path, path)) is { } held)
                yield return new Problem(
                    ErrorCodes.PartDoesNotFit,
                    $"{Folder.Readable(TreePath.Relative(part.Path))} would be replaced as a whole, but "
                    + $"{Folder.Readable(TreePath.Relative(held))} is excluded or another source's, and is not the restore's to move",
                    "name the files beside it one by one, or restore all of the source", _settings.Name);
        }
    }

    private IEnumerable<Problem> Warnings(LiveLook look)
    {
        if (look.PartlyLinked > 0)
            yield return new Problem(
                ErrorCodes.LinksNotRestored,
                string.Create(CultureInfo.InvariantCulture, $"{look.PartlyLinked} files had further names (hard links) that are not restored with them: they get their content, as files of their own"),
                "restore all names of a file together if they must be one file", _settings.Name);
    }

    /// <summary>What is built, with its counts.</summary>
    private TreeManifest Counted(CancellationToken cancellation)
    {
        IEnumerable<ManifestEntry> pick(IEnumerable<ManifestEntry> entries) => _selection.Staged(entries, _places);
        ManifestCounts counts = new();
        foreach (ManifestEntry entry in pick(_all.Entries(cancellation)))
            counts.Add(entry);
        TreeDetails details = _all.Details;
        return new TreeManifest(_all.Snapshot, counts.ToDetails(details.Path, details.Manifest, details.Exclude), pick);
    }
}
