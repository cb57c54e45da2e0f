using System.Text.Json;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Sqlite;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Chroma;

/// <summary>Reads the copy of a persist directory and writes it to the snapshot.</summary>
internal sealed class ChromaCapture(ChromaSettings settings, RunContext run, ChromaCut cut) : ICapture
{
    private readonly string _folder = $"vectors/{settings.Name}";
    private readonly OwnerNames _names = new();
    private readonly ByteMeter _meter = new(run.Progress, settings.Name, Phase.Capture);
    private string? _instructions;

    public DateTimeOffset CutAt => cut.At;

    public long EstimatedBytes { get; } = cut.State.Look.Entries
        .Where(entry => entry.Status.Kind == FileKind.Regular && !cut.State.IsLeftOver(entry)).Sum(static entry => entry.Status.Size);

    public long TemporaryBytes => 0; // the copies are there already

    public string Instructions => _instructions ?? throw new InvalidOperationException("nothing is written yet");

    public async Task<SourceMetadata> WriteAsync(ISnapshotWriter writer, CancellationToken cancellation)
    {
        SourceMetadata? metadata = null;
        try
        {
            await ChromaDirectory.TellAsync(settings, async () => metadata = await CaptureAsync(writer, cancellation));
            return metadata!;
        }
        finally
        {
            cut.Delete();
        }
    }

    public ValueTask DisposeAsync()
    {
        cut.Delete();
        return ValueTask.CompletedTask;
    }

    private async Task<SourceMetadata> CaptureAsync(ISnapshotWriter writer, CancellationToken cancellation)
    {
        Task<DatabaseContents> reading = Task.Run(() => Read(cancellation), cancellation);
        Task<(TreeDetails Tree, long Bytes)> writing = WriteTreeAsync(writer, cancellation);
        await Task.WhenAll(reading, writing);
        DatabaseContents contents = await reading;
        (TreeDetails tree, long manifestBytes) = await writing;
        WarnOf(contents);
        ChromaDetails details = Describe(contents, tree);
        _instructions = ChromaInstructions.Write(settings.Name, details);
        return new SourceMetadata
        {
            Name = settings.Name,
            Type = settings.Type,
            Engine = $"Chroma {details.Version}",
            Cut = new CutMetadata(CutAt),
            Bytes = tree.ContentBytes + manifestBytes,
            Files = tree.Contents + 1,
            Tables = [.. contents.Collections.Select(static one => one.Records)],
            Details = JsonSerializer.SerializeToElement(details, ChromaJson.Default.ChromaDetails),
        };
    }

    private DatabaseContents Read(CancellationToken cancellation) =>
        DatabaseContents.Read(cut.Database.Path, cancellation, (database, collection) => DifferenceOf(collection, database));

    /// <summary>How a collection's records and its index differ; null where they do not, or where the whole index is gone, which is another warning.</summary>
    private string? DifferenceOf(ChromaCollection collection, ChromaDatabase database)
    {
        if (collection.VectorSegment is not { } segment || !cut.State.Segments.Contains(segment))
            return null;
        string? pickle = SegmentFiles.IndexMetadataOf(segment, cut.State, cut.Files);
        if (pickle is null)
            return collection.IndexedTo > 0 ? null : IndexComparison.Difference(database, collection, []);
        try
        {
            using FileStream stream = new(pickle, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 64 * 1024);
            return IndexComparison.Difference(database, collection, new PickledIds(stream).Read());
        }
        catch (InvalidDataException e)
        {
            return $"{collection.DisplayName}: {segment}/{ChromaNames.IndexMetadata} cannot be read: {e.Message}";
        }
    }

    private async Task<(TreeDetails Tree, long Bytes)> WriteTreeAsync(ISnapshotWriter writer, CancellationToken cancellation)
    {
        List<ManifestEntry> entries = [];
        ManifestCounts counts = new();
        foreach (LookedAt entry in cut.State.Look.Entries.Where(entry => !cut.State.IsLeftOver(entry)))
        {
            if (await AddAsync(writer, entry, cancellation) is not { } added)
                continue;
            entries.Add(added);
            counts.Add(added);
        }

        _meter.Flush();
        string manifest = _folder + ".mtree";
        EntryReceipt receipt = await writer.AddAsync(
            new EntryHeader(manifest, run.Host.Time.GetUtcNow(), 0b110_000_000, -1),
            (stream, _) =>
            {
                MtreeWriter lines = new(stream);
                lines.WriteHeader();
                entries.ForEach(lines.Write);
                return Task.CompletedTask;
            },
            cancellation);
        return (counts.ToDetails(settings.Path, manifest, []) with { Parents = CapturedParents.Of(settings.Path) }, receipt.Bytes);
    }

    private async Task<ManifestEntry?> AddAsync(ISnapshotWriter writer, LookedAt entry, CancellationToken cancellation)
    {
        ManifestEntry described = new(entry.Path, entry.Status.Kind, entry.Status.Traits)
        {
            User = entry.Status.Owner is { } owner ? _names.User(owner.Uid) : null,
            Group = entry.Status.Owner is { } again ? _names.Group(again.Gid) : null,
            Target = entry.Target,
        };
        switch (entry.Status.Kind)
        {
            case FileKind.Regular:
                return await AddFileAsync(writer, entry, described, cancellation);
            case FileKind.Socket or FileKind.Device:
                Warn(ErrorCodes.FileSkipped, entry, "is a socket or a device, which is not captured", "remove it if nothing needs it there");
                return null;
            case FileKind.SymbolicLink when entry.Target is null:
                Warn(ErrorCodes.FileVanished, entry, "was replaced while it was looked at, and is not in the snapshot", "run the backup again if it should be in it");
                return null;
            default:
                return described;
        }
    }

    private async Task<ManifestEntry?> AddFileAsync(ISnapshotWriter writer, LookedAt entry, ManifestEntry described, CancellationToken cancellation)
    {
        string? file = entry.IsDatabase ? cut.Database.Path : cut.Files.FileOf(entry);
        if (file is null)
        {
            Warn(ErrorCodes.FileVanished, entry, "vanished while the directory was read, and is not in the snapshot", "run the backup again if it should be in it");
            return null;
        }

        if (!entry.IsDatabase && !cut.Files.IsSettled(entry))
            Warn(ErrorCodes.FileChanging, entry, "was being written to while it was read; the snapshot has it as it was read", "it is no file of Chroma's: keep it elsewhere");
        string path = ContentPath.Of(_folder, entry.Path);
        int mode = (entry.Status.Mode & 0b111_111_111 | 0b110_000_000) ?? 0b110_100_100;
        EntryReceipt receipt = await writer.AddAsync(
            new EntryHeader(path, entry.Status.Modified.ToDateTimeOffset(), mode, new FileInfo(file).Length),
            (stream, token) =>
            {
                PrivateCopy.Pour(file, stream, _meter, token);
                return Task.CompletedTask;
            },
            cancellation);
        return described with { Size = receipt.Bytes, Sha256 = receipt.Sha256, Contents = path, IsSparse = entry.Status.IsSparse };
    }

    private void WarnOf(DatabaseContents contents)
    {
        if (SqliteInspection.IsWrong(contents.Integrity))
            Warn(new Problem(
                ErrorCodes.SqliteDamaged,
                $"{settings.Path}/{ChromaNames.Database} is damaged; the snapshot has it as it is: {contents.Integrity}",
                "look at older snapshots; `chroma vacuum` may mend its full-text index",
                settings.Name));
        foreach (Problem problem in SegmentFiles.Missing(cut.State, contents.Collections.Select(static one => one.Collection), settings.Name))
            Warn(problem);
        foreach (string difference in contents.Differences)
            Warn(new Problem(
                ErrorCodes.ChromaIncomplete,
                $"collection {difference}; the snapshot has the directory as it is",
                "queries on it are incomplete or fail: restore an older snapshot, or delete those records and add them again",
                settings.Name));
    }

    private ChromaDetails Describe(DatabaseContents contents, TreeDetails tree) => new()
    {
        Path = settings.Path,
        Database = $"{_folder}/{ChromaNames.Database}",
        Version = ChromaDatabase.VersionOf(contents.Migrations),
        Migrations = contents.Migrations,
        JournalMode = SqliteInspection.JournalModeOf(cut.Database.Path),
        Integrity = contents.Integrity,
        Attempts = cut.Attempts,
        HeldWriters = cut.HeldWriters,
        LeftOver = cut.State.Look.Entries.Count(entry => TreePath.Depth(entry.Path) == 1 && cut.State.IsLeftOver(entry)),
        Collections = [.. contents.Collections.Select(static one => one.Collection)],
        Tree = tree,
    };

    private void Warn(ErrorCode code, LookedAt entry, string what, string hint) =>
        Warn(new Problem(code, $"{entry.Name} {what}", hint, settings.Name));

    private void Warn(Problem problem) => run.Progress.Report(new Warned(settings.Name, problem));
}
