using System.Text.Json;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Local;
using Microsoft.Win32.SafeHandles;

namespace Lifeboat.Engine.Sources.Settings;

/// <summary>
/// Puts settings files back, all of them or none; the variables' values as a file beside, because nobody can set them in another process.
/// </summary>
internal sealed class SettingsRestoration : IRestoration
{
    private readonly SettingsSettings _settings;
    private readonly RunContext _run;
    private readonly VerifiedSnapshot _snapshot;
    private readonly SettingsDetails _details;
    private readonly List<Item> _items = [];
    private readonly List<Item> _left = [];
    private readonly List<Problem> _unmatched = [];
    private readonly List<Problem> _warnings = [];
    private readonly RestoreScope _scope;
    private readonly RestoreRun _restore;

    /// <param name="scope">Which files are restored, and whether those that exist are left alone.</param>
    public SettingsRestoration(
        SettingsSettings settings, RunContext run, VerifiedSnapshot snapshot, SourceMetadata captured, RestoreScope scope, RestoreRun restore)
    {
        _settings = settings;
        _run = run;
        _snapshot = snapshot;
        _restore = restore;
        _scope = scope;
        _details = SettingsDetails.From(captured);
        List<Item> all = [.. _details.Files.Where(file => scope.Takes(file.Path)).Select(file => new Item(
            new SwitchPlace(TargetOf(file.Path), restore.Id) { Parents = file.Parents?.Select(parent => parent.TakenFrom(snapshot)).ToArray() ?? [] },
            file.File,
            file.Traits.TakenFrom(snapshot)))];
        string values = $"environment.{settings.Name}.env";
        // A merge adds files that the application has; this one is for a person, who asks for it by its name.
        if (_details.EnvironmentFile is { } environment && (scope.IsWhole || (scope.Parts.Count > 0 && scope.Takes(values))))
            all.Add(new Item(new SwitchPlace(Path.Combine(settings.Directory, values), restore.Id), environment, new CapturedTraits("0600", null, "")));
        foreach (Item item in all)
            (Merges && item.Place.Replaces ? _left : _items).Add(item);
        string[] names = [.. _details.Files.Select(static file => file.Path), .. _details.EnvironmentFile is null ? (string[])[] : [values]];
        _unmatched.AddRange(scope.NotInSnapshot("nothing", names, settings.Name));
    }

    public IReadOnlyList<MergeCount> Merged { get; private set; } = [];

    private bool Merges => _scope.Mode == RestoreMode.Merge;

    public Task<RestorePlan> PlanAsync(CancellationToken cancellation) => Task.Run(Plan, cancellation);

    public async Task StageAsync(CancellationToken cancellation)
    {
        if (Merges)
            await FileFailure.TellAsync(_settings.Name, () => Task.Run(() => Compare(cancellation), cancellation));
        await _restore.RecordAsync(Switch.Record, cancellation);
        await FileFailure.TellAsync(_settings.Name, () => Task.Run(() => Build(cancellation), cancellation));
    }

    public async Task<VerifyReport> VerifyAsync(CancellationToken cancellation)
    {
        List<VerifyCheck> checks = [];
        ByteMeter meter = new(_run.Progress, _settings.Name, Phase.Verify);
        await FileFailure.TellAsync(_settings.Name, () => Task.Run(
            () =>
            {
                foreach (Item item in _items)
                {
                    using Folder parent = Folder.Open(item.Place.Parent);
                    byte[] name = Folder.Name(item.Place.StagingName);
                    checks.AddRange(StagedFile.Compare(parent, name, $"file {item.Place.Path}", item.Traits));
                    if (parent.Find(name) is { Kind: FileKind.Regular })
                        checks.Add(new VerifyCheck(
                            $"file {item.Place.Path}: sha256", _snapshot.Sha256[item.File], StagedFile.Hash(parent, name, meter, cancellation)));
                }
            },
            cancellation));
        meter.Flush();
        return new VerifyReport(checks);
    }

    public Task NeutralizeAsync(CancellationToken cancellation) => _settings.CanBeNeutral
        ? FileFailure.TellAsync(_settings.Name, () => Task.Run(() => Neutralize(cancellation), cancellation))
        : Task.CompletedTask;

    public ISwitch Switch => new PathSwitch(
        _run, _settings.Name, new PathSwitchRecord([.. _items.Select(static item => item.Place.Exchange)], []), Merges ? RequireMissing : null);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>
    /// A file inside the app's folder goes below the folder that settings have now. One outside goes to the place that the app file has for it: by its whole
    /// path, or by the way from the app's folder, which may be another one by now. Where the app file has none, or settings are sent elsewhere, it stands below the
    /// folder: neither a drill nor a crafted snapshot may write just anywhere.
    /// </summary>
    private string TargetOf(string recorded)
    {
        if (!SettingsPaths.IsSafe(recorded))
            throw new LifeboatException(
                ErrorCodes.EntryNameUnsafe, $"the snapshot names a settings file outside the app's folder: {recorded}", "use another snapshot; this one was altered or damaged", _settings.Name);
        bool outside = SettingsPaths.IsOutside(recorded);
        if (!outside && MayWrite(recorded, Path.Combine([_settings.Directory, .. recorded.Split('/')])) is { } inside)
            return inside;
        if (outside && _settings.Files.Contains(recorded) && IsAtHome())
            return recorded;
        if (outside && Relocated(recorded) is var relocated && _settings.Files.Contains(relocated))
            return relocated;
        IEnumerable<string> names = recorded.Replace(":", "", StringComparison.Ordinal).Split('/', '\\').Where(IsName);
        string redirected = Path.Combine([_settings.Directory, "outside", .. names]);
        _warnings.Add(new Problem(
            ErrorCodes.SettingsRedirected,
            $"{recorded} is {(outside ? "outside the app's folder" : "not one of the app file's settings files")}, so it is restored as {redirected}", "move it to where it belongs by hand", _settings.Name));
        return redirected;
    }

    /// <summary>
    /// The place of a file inside the app's folder; null where a snapshot may not write: what Lifeboat itself goes by, and, in the app's own folder, whatever the app
    /// file does not name. A script there may be a hook.
    /// </summary>
    private string? MayWrite(string recorded, string target)
    {
        string first = recorded.Split('/')[0];
        bool isOurs = first.Equals(".lifeboat", StringComparison.OrdinalIgnoreCase) || recorded.Equals(AppFile.DefaultName, StringComparison.OrdinalIgnoreCase);
        return !isOurs && (_settings.IsSentElsewhere || _settings.Files.Count == 0 || _settings.Files.Contains(target)) ? target : null;
    }

    private static bool IsName(string name) => name is not ("" or "." or "..");

    /// <summary>Whether the files stand where the app file has them: in the folder of old, or all of another one.</summary>
    private bool IsAtHome()
    {
        SettingsFile[] inside = [.. _details.Files.Where(static file => !SettingsPaths.IsOutside(file.Path))];
        return _settings.Directory == _details.Directory || inside.Length == 0
            || Array.Exists(inside, file => _settings.Files.Contains(Path.Combine([_settings.Directory, .. file.Path.Split('/')])));
    }

    /// <summary>Where a file outside of the app's folder is when seen from the folder that the app is in now.</summary>
    private string Relocated(string recorded) => Path.GetFullPath(Path.Combine(_settings.Directory, Path.GetRelativePath(_details.Directory, recorded)));

    /// <summary>A merge changes nothing that exists, also when it was made since it was planned.</summary>
    private Task<IDisposable?> RequireMissing(CancellationToken cancellation)
    {
        if (_items.FirstOrDefault(static item => item.Place.Find() is not null) is { } made)
            throw new FileFailure(FileTrouble.Exists, $"{made.Place.Path} was made meanwhile");
        return Task.FromResult<IDisposable?>(null);
    }

    /// <summary>Compares the files that exist, which a merge leaves alone.</summary>
    private void Compare(CancellationToken cancellation)
    {
        ByteMeter meter = new(_run.Progress, _settings.Name, Phase.Stage);
        string[] different = [.. _left.Where(item => !IsAsCaptured(item, meter, cancellation)).Select(static item => item.Place.Path)];
        Merged = [new MergeCount("files", _items.Count, _left.Count - different.Length, different.Length, [.. different.Take(10)])];
    }

    private bool IsAsCaptured(Item item, ByteMeter meter, CancellationToken cancellation)
    {
        using Folder parent = Folder.Open(item.Place.Parent);
        byte[] name = Folder.Name(item.Place.FileName);
        return parent.Find(name) is { Kind: FileKind.Regular } && StagedFile.Hash(parent, name, meter, cancellation) == _snapshot.Sha256[item.File];
    }

    private RestorePlan Plan()
    {
        List<string> steps = [.. _left.Select(static item => $"leave {item.Place.Path} as it is")];
        List<Problem> blockers = [.. _unmatched];
        Dictionary<string, long> space = [];
        bool replaces = false;
        foreach (Item item in _items)
        {
            FileStatus? live = item.Place.Find();
            replaces |= live is not null;
            steps.Add(live is null ? $"create {item.Place.Path}" : $"replace {item.Place.Path}, keep it as {item.Place.BeforePath}");
            blockers.AddRange(item.Place.FileBlockers(_settings.Name, live));
            if (_snapshot.Entries.TryGetValue(item.File, out SnapshotEntry? entry))
                space[item.Place.ExistingAncestor] = space.GetValueOrDefault(item.Place.ExistingAncestor) + entry.Bytes;
            else if (_snapshot.Lacks(item.File, _settings.Name) is { } lacking)
                blockers.Add(lacking);
        }

        foreach (IGrouping<string, Item> same in _items.GroupBy(static item => item.Place.Path).Where(static group => group.Count() > 1))
            blockers.Add(new Problem(
                ErrorCodes.TargetUnusable,
                $"two settings files would be restored as {same.Key}",
                "choose another folder with --target",
                _settings.Name));
        if (_details.EnvironmentFile is { } values && _items.Exists(item => item.File == values))
            steps.Add($"variables of a running application cannot be set from outside: {_items[^1].Place.Path} has the captured values");
        if (_settings.CanBeNeutral && blockers.Count == 0)
        {
            steps.AddRange(_settings.NeutralValues.Select(static one => Neutralizing.Step($"{one.Key} = {one.Value}")));
            blockers.AddRange(NeutralProblems());
        }

        IEnumerable<CapturedOwner> owners = _items.Select(static item => item.Traits.Owner).OfType<CapturedOwner>();
        return new RestorePlan(
            $"{_items.Count} settings {(_items.Count == 1 ? "file" : "files")} in {_settings.Directory}",
            replaces,
            replaces ? $"*__before_{_items[0].Place.RestoreId}" : null,
            steps,
            space,
            blockers,
            [.. _warnings, .. CapturedOwner.Warnings(_snapshot, _settings.Name, owners)]);
    }

    private void Build(CancellationToken cancellation)
    {
        ByteMeter meter = new(_run.Progress, _settings.Name, Phase.Stage);
        foreach (Item item in _items)
            Build(item, meter, cancellation);
        meter.Flush();
    }

    private void Build(Item item, ByteMeter meter, CancellationToken cancellation)
    {
        using Folder parent = item.Place.OpenParent();
        using Stream content = _snapshot.Open(item.File);
        StagedFile.Write(parent, Folder.Name(item.Place.StagingName), content, item.Traits.ToTraits(), meter, cancellation);
        parent.Flush();
    }

    /// <summary>Names that no file has: a copy that keeps its values would not be neutral.</summary>
    private IEnumerable<Problem> NeutralProblems()
    {
        SettingsText[] texts = [.. _items.Select(CapturedText)];
        return [.. _settings.NeutralValues.Keys.Where(name => texts.All(text => Places(text, name).Count == 0)).Select(name => Neutralizing.Failed(
            _settings.Name, name, "no .env, INI or JSON file of the snapshot has a setting of this name"))];
    }

    private IReadOnlyList<SettingPlace> Places(SettingsText text, string name)
    {
        try
        {
            return [.. text.Find(name).Where(static place => !place.Commented)];
        }
        catch (JsonException e)
        {
            throw new LifeboatException([Neutralizing.Failed(_settings.Name, name, $"{text.Path} is not JSON: {e.Message}")], e);
        }
        catch (SettingsDoubtException e)
        {
            throw new LifeboatException([Neutralizing.Failed(_settings.Name, name, $"{text.Path}, {e.Message}")], e);
        }
    }

    private SettingsText CapturedText(Item item)
    {
        using Stream stream = _snapshot.OpenHeld(item.File);
        return new SettingsText(item.Place.Path, Content(stream));
    }

    private static SettingsText StagedText(Item item, Folder parent, byte[] staging)
    {
        using SafeFileHandle file = parent.OpenFile(staging);
        byte[] bytes = new byte[RandomAccess.GetLength(file)];
        for (int done = 0; done < bytes.Length;)
            done += RandomAccess.Read(file, bytes.AsSpan(done), done) is > 0 and int count ? count : throw new EndOfStreamException();
        return new SettingsText(item.Place.Path, bytes);
    }

    private static byte[] Content(Stream stream)
    {
        using MemoryStream content = new();
        stream.CopyTo(content);
        return content.ToArray();
    }

    private void Neutralize(CancellationToken cancellation)
    {
        foreach (Item item in _items)
        {
            using Folder parent = item.Place.OpenParent();
            Neutralize(item, parent, cancellation);
        }
    }

    private void Neutralize(Item item, Folder parent, CancellationToken cancellation)
    {
        byte[] staging = Folder.Name(item.Place.StagingName);
        SettingsText text = StagedText(item, parent, staging);
        int changed = 0;
        foreach ((string name, string value) in _settings.NeutralValues)
        {
            IReadOnlyList<SettingPlace> places = Places(text, name);
            text.Replace(places, place => text.Written(place, value));
            changed += places.Count;
        }

        if (changed == 0)
            return;
        parent.DeleteTree(staging);
        using MemoryStream content = new(text.Bytes);
        StagedFile.Write(parent, staging, content, item.Traits.ToTraits(), new ByteMeter(_run.Progress, _settings.Name, Phase.Neutralize), cancellation);
        parent.Flush();
    }

    /// <param name="File">The snapshot path.</param>
    private sealed record Item(SwitchPlace Place, string File, CapturedTraits Traits);
}
