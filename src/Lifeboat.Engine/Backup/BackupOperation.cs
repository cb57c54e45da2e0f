using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Bundles;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Processes;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Restore;
using Lifeboat.Engine.Runs;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Storage;
using Lifeboat.Engine.Stores;

namespace Lifeboat.Engine.Backup;

/// <summary>Captures all sources of an app into one bundle.</summary>
public sealed class BackupOperation
{
    /// <summary>Among how many of the newest snapshots one of the same sources is looked for, to judge the new one's size by.</summary>
    private const int SnapshotsToCompare = 5;

    private readonly App _app;
    private readonly RunRecorder _recorder;
    private readonly RunContext _context;
    private readonly SecretResolver _secrets;
    private readonly SourceFactory _factory;
    private PartialOwner? _owner;

    public BackupOperation(App app, RunContext context)
    {
        _app = app;
        _recorder = new RunRecorder(context.Progress, context.Host.Time);
        _context = context with { Progress = _recorder, Host = context.Host with { Workers = app.Workers ?? context.Host.Workers } };
        _secrets = SecretResolver.For(app, _context);
        _factory = new SourceFactory(app, _context, _secrets);
    }

    /// <summary>Runs the backup: the bundle is under its final name when this returns, and nowhere when it throws.</summary>
    /// <exception cref="LifeboatException">Something could not be captured or written.</exception>
    public async Task<BackupResult> RunAsync(BackupRequest request, CancellationToken cancellation)
    {
        IReadOnlyList<SourceSettings> sources = Selected(request.Only);
        using RunLock held = RunLock.Take(_app, _context.Host, "backup");
        if (!request.DryRun)
            _owner = new PartialOwner(HostIdentity.EnsureStateId(_app, _context.Host));
        if (request.DryRun)
            return await CaptureAsync(request, sources, cancellation);
        // What an interrupted restore left is neither the old state nor the new one: it must not be captured.
        await using (TargetLocks locks = new(_app, _context, "backup"))
            await new PastRestores(_app, _context).SettleAsync(locks, cancellation);
        HookRunner hooks = new(_app, _context, new Dictionary<string, string?>());
        await hooks.RunAsync(HookMoment.BeforeBackup, cancellation);
        try
        {
            return await CaptureAsync(request, sources, cancellation);
        }
        finally
        {
            await RunAfterAsync(hooks);
        }
    }

    /// <summary>The bundle is as it is by then: a failure is a warning.</summary>
    private async Task RunAfterAsync(HookRunner hooks)
    {
        try
        {
            await hooks.RunAsync(HookMoment.AfterBackup, CancellationToken.None);
        }
        catch (LifeboatException e)
        {
            _recorder.Report(new Warned(null, e.Problems[0]));
        }
    }

    private async Task<BackupResult> CaptureAsync(BackupRequest request, IReadOnlyList<SourceSettings> sources, CancellationToken cancellation)
    {
        DateTimeOffset started = _context.Host.Time.GetUtcNow();
        Secret? password = await EncryptionPassword.ResolveAsync(_app, _secrets, _context, cancellation);
        DirectoryStore? store = request.OutputFile is null ? new DirectoryStore(_app.Stores[0], _context.Host) : null;
        if (request.OutputFile is not null)
            CheckOutput(request.OutputFile);
        if (!request.DryRun)
            PrepareDestination(store);

        await using OpenCaptures captures = await _context.PhaseAsync(
            null, Phase.Open, token => OpenCaptures.OpenAsync(sources, _factory.Create, token), cancellation);
        string directory = store?.Directory ?? Path.GetDirectoryName(request.OutputFile!)!;
        await CheckSpaceAsync(captures, store, directory, cancellation);
        if (request.DryRun)
        {
            await WarnAsReadingWouldAsync(sources, cancellation);
            return new BackupResult(null, Describe(started, captures, [.. captures.All.Select(Estimate)]), 0, Warnings());
        }

        string inStore() => Path.Combine(directory, store!.FreeName(_app.Name, started).FileName);
        await using PartialFile file = PartialFile.Create(request.OutputFile ?? inStore(), _context.Host, store is null ? null : _owner);
        if (store is not null)
            file.OtherPath = inStore; // another host's run that began in the same second may be done first
        SnapshotMetadata metadata = await WriteBundleAsync(file, started, password, captures, cancellation);
        string path = file.FinalPath;
        await DirectoryStore.WriteSidecarAsync(path, SnapshotCompletion.Serialize(metadata), _context.Host, cancellation);
        if (store is not null)
            await CopyToOtherStoresAsync(path, cancellation);
        return new BackupResult(path, metadata, new FileInfo(path).Length, Warnings());
    }

    private IReadOnlyList<SourceSettings> Selected(IReadOnlyList<string> only)
    {
        string[] unknown = [.. only.Where(name => _app.Sources.All(source => source.Name != name))];
        if (unknown.Length > 0)
            throw new LifeboatException(
                ErrorCodes.Usage,
                $"the app {_app.Name} has no source named {string.Join(", ", unknown)}",
                $"its sources are {string.Join(", ", _app.Sources.Select(static source => source.Name))}");
        return only.Count == 0 ? _app.Sources : [.. _app.Sources.Where(source => only.Contains(source.Name))];
    }

    /// <summary>A dry run reads nothing, so it asks for what a backup would warn of while it reads.</summary>
    private async Task WarnAsReadingWouldAsync(IReadOnlyList<SourceSettings> sources, CancellationToken cancellation)
    {
        foreach (SourceSettings source in sources)
        {
            IReadOnlyList<Problem> found = await _factory.Create(source).CheckAsync(cancellation);
            foreach (Problem problem in found.Where(problem => problem.Code.Exit == ExitStatus.Warnings
                && _recorder.Warnings.All(said => said.Problem.Code != problem.Code || said.Problem.Message != problem.Message)))
                _recorder.Report(new Warned(source.Name, problem));
        }
    }

    /// <summary>What could be known before everything is read.</summary>
    private static void CheckOutput(string file)
    {
        string folder = Path.GetDirectoryName(file) ?? file;
        (string Message, string Hint)? fault = Directory.Exists(file) ? ("this is a folder", $"name a file in it, such as {Path.Combine(file, "backup.zip")}")
            : File.Exists(file) ? ("a file of this name is there already, and is never replaced", "choose another name, or move that file away")
            : Directory.Exists(folder) ? null
            : ($"there is no folder {folder}", "make it, or choose another place");
        if (fault is { } wrong)
            throw new LifeboatException(ErrorCodes.StorageFailed, wrong.Message, wrong.Hint, file);
    }

    private void PrepareDestination(DirectoryStore? store)
    {
        if (store is null)
            return;
        store.Prepare();
        RemoveLeftovers(store);
    }

    private void RemoveLeftovers(DirectoryStore store)
    {
        if (store.RemoveLeftovers(_app.Name, _owner!) is var removed and > 0)
            _recorder.Report(new Noted(null, $"removed {removed} unfinished bundle(s) of runs that were killed from {store.Name}"));
    }

    private async Task CheckSpaceAsync(OpenCaptures captures, DirectoryStore? store, string directory, CancellationToken cancellation)
    {
        StoredSnapshot? previous = store is null ? null : await PreviousAsync(store, captures.All.Count, cancellation);
        long need = SpaceCheck.BundleNeed(captures.EstimatedBytes, previous?.Metadata?.Sources.Sum(static source => source.Bytes), previous?.Bytes);
        SpaceCheck.Require(directory, need, "the bundle");
        if (captures.TemporaryBytes > 0)
            SpaceCheck.Require(_context.Host.TempDirectory, captures.TemporaryBytes, "the temporary copy of a SQLite database");
    }

    /// <summary>The newest snapshot of as many sources, if there is one among the last few.</summary>
    private async Task<StoredSnapshot?> PreviousAsync(DirectoryStore store, int sources, CancellationToken cancellation)
    {
        foreach (StoredSnapshot older in store.List(_app.Name).Take(SnapshotsToCompare))
        {
            StoredSnapshot snapshot = await DirectoryStore.WithMetadataAsync(older, cancellation);
            if (snapshot.Metadata?.Sources.Count == sources)
                return snapshot;
        }

        return null;
    }

    private async Task<SnapshotMetadata> WriteBundleAsync(
        PartialFile file, DateTimeOffset started, Secret? password, OpenCaptures captures, CancellationToken cancellation)
    {
        await using BundleWriter bundle = new(file.Stream, new BundleOptions(_app.Compression, password, _context.Host));
        SnapshotCompletion writer = new(bundle, started);
        captures.Connect(_app.References);
        Dictionary<string, SourceMetadata> written = [];
        // Trees have no cut: the sooner they are read behind the databases' cuts, the fewer files have gone that rows still name.
        foreach ((SourceSettings settings, ICapture capture) in captures.All.OrderBy(static one => one.Settings is not FilesSettings))
            written.Add(settings.Name, await _context.PhaseAsync(
                settings.Name, Phase.Capture, token => capture.WriteAsync(writer, token), cancellation, capture.EstimatedBytes));
        SourceMetadata[] sources = [.. captures.All.Select(one => written[one.Settings.Name])];
        await writer.AddAppFileAsync(_app, cancellation);

        SnapshotMetadata metadata = Describe(started, captures, sources);
        string instructions = RestoreInstructions.Write(metadata, Path.GetFileName(file.FinalPath), captures.All.Select(static one => one.Capture.Instructions));
        await writer.AddOwnFilesAsync(metadata, instructions, _recorder.Log(), cancellation);
        await bundle.CompleteAsync(cancellation);
        await file.CommitAsync(cancellation);
        return metadata;
    }

    private async Task CopyToOtherStoresAsync(string bundle, CancellationToken cancellation)
    {
        foreach (StoreSettings settings in _app.Stores.Skip(1))
        {
            try
            {
                DirectoryStore store = new(settings, _context.Host);
                store.Prepare();
                RemoveLeftovers(store);
                await store.ImportAsync(bundle, _owner!, cancellation);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or LifeboatException)
            {
                _recorder.Report(new Warned(null, new Problem(
                    ErrorCodes.StorageFailed,
                    $"the bundle is complete in the store {_app.Stores[0].Name}, but could not be copied to {settings.Name}: {e.Message}",
                    $"mend {settings.Path}, then copy {bundle} there",
                    $"stores.{settings.Name}")));
            }
        }
    }

    private SnapshotMetadata Describe(DateTimeOffset started, OpenCaptures captures, IReadOnlyList<SourceMetadata> sources)
    {
        HostIdentity here = HostIdentity.Of(_app, _context.Host);
        string[] left = [.. _app.Sources.Select(static source => source.Name).Except(sources.Select(static source => source.Name))];
        return new SnapshotMetadata
        {
            BackupVersion = SnapshotMetadata.CurrentVersion,
            App = _app.Name,
            Timestamp = started,
            LifeboatVersion = _context.Host.LifeboatVersion,
            Host = here.Name,
            HostId = here.Id,
            ExportStatus = _recorder.Warnings.Count == 0 ? "complete" : "complete_with_warnings",
            ExportDurationSeconds = Math.Round((_context.Host.Time.GetUtcNow() - started).TotalSeconds, 3),
            CutWidthSeconds = Math.Round(captures.Width.TotalSeconds, 3),
            Encryption = _app.Password is null ? "none" : "zip-aes256",
            Warnings = [.. _recorder.Warnings.Select(static one => WarningMetadata.From(one.Problem, one.Source))],
            Sources = sources,
            SourcesLeftOut = left.Length == 0 ? null : left,
        };
    }

    private static SourceMetadata Estimate((SourceSettings Settings, ICapture Capture) one) => new()
    {
        Name = one.Settings.Name,
        Type = one.Settings.Type,
        Cut = new CutMetadata(one.Capture.CutAt),
        Bytes = one.Capture.EstimatedBytes,
        Files = 0,
    };

    private IReadOnlyList<Problem> Warnings() => [.. _recorder.Warnings.Select(static one => one.Problem with { Where = one.Problem.Where ?? one.Source })];
}
