using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Files;

/// <summary>Captures a tree: contents as files of the snapshot, everything else in the manifest.</summary>
internal sealed class FilesCapture : ICapture
{
    private const int BytesOfLine = 400; // of the manifest, about
    private const int Ahead = 1024; // how many lines of the manifest may wait for a large file before them
    private readonly ManifestCounts _counts = new();
    private readonly OwnerNames _names = new();
    private readonly Dictionary<(ulong Device, ulong Inode), HardLinked> _hardLinks = [];
    private readonly FilesSettings _settings;
    private readonly RunContext _run;
    private readonly Folder _root;
    private readonly RedactGlobs _redact;
    private readonly List<RedactedMetadata> _redacted = [];
    private readonly SemaphoreSlim _slots;
    private ReferredFiles _referred;
    private string? _instructions;

    /// <param name="root">Is taken over.</param>
    /// <param name="bytes">About how many bytes the files have.</param>
    /// <param name="entries">About how many files, folders and links there are.</param>
    public FilesCapture(FilesSettings settings, RunContext run, Folder root, long bytes, long entries)
    {
        _settings = settings;
        _run = run;
        _root = root;
        _redact = new RedactGlobs(settings.Name, settings.Redact);
        _slots = new SemaphoreSlim(run.Host.Workers);
        TemporaryBytes = entries * BytesOfLine;
        EstimatedBytes = bytes + TemporaryBytes;
        CutAt = run.Host.Time.GetUtcNow();
        _referred = new ReferredFiles(settings.Path, []);
    }

    /// <summary>Which paths of the tree are not captured.</summary>
    public required Predicate<byte[]> LeavesOut { get; init; }

    public DateTimeOffset CutAt { get; private set; }

    public long EstimatedBytes { get; }

    /// <summary>The manifest, before it is written.</summary>
    public long TemporaryBytes { get; }

    public string Instructions => _instructions ?? throw new InvalidOperationException("nothing is written yet");

    public void Refer(IReadOnlyList<ReferringColumn> columns) => _referred = new ReferredFiles(_settings.Path, columns);

    public async Task<SourceMetadata> WriteAsync(ISnapshotWriter writer, CancellationToken cancellation)
    {
        SourceMetadata? metadata = null;
        await FileFailure.TellAsync(_settings.Name, async () => metadata = await CaptureAsync(writer, cancellation));
        return metadata!;
    }

    public ValueTask DisposeAsync()
    {
        _root.Dispose();
        _slots.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<SourceMetadata> CaptureAsync(ISnapshotWriter writer, CancellationToken cancellation)
    {
        CutAt = _run.Host.Time.GetUtcNow();
        UnreadableFiles unreadable = new(_settings.Name);
        FileReader reader = new(_settings.Name, _run, writer, unreadable, _names);
        await using FileStream walked = OpenSpool();
        MtreeWriter manifest = new(walked);
        manifest.WriteHeader();
        await PumpAsync(reader, unreadable, manifest, cancellation);
        IReadOnlyList<ManifestEntry> late = unreadable.Any || !_referred.Any ? [] : await TakeLateAsync(reader, cancellation);
        reader.Meter.Flush();
        if (unreadable.Any)
            throw new LifeboatException(unreadable.Problems);
        await using FileStream spool = late.Count == 0 ? walked : WithLate(walked, late, cancellation);
        if (_redact.Unused.ToArray() is { Length: > 0 } unused)
            throw new LifeboatException(unused);

        string manifestPath = $"files/{_settings.Name}.mtree";
        EntryReceipt receipt = await writer.AddAsync(
            new EntryHeader(manifestPath, _run.Host.Time.GetUtcNow(), 0b110_000_000, spool.Length),
            async (stream, token) =>
            {
                spool.Position = 0;
                await spool.CopyToAsync(stream, 256 * 1024, token);
            },
            cancellation);
        TreeDetails details = _counts.ToDetails(_settings.Path, manifestPath, _settings.Exclude) with { Parents = CapturedParents.Of(_settings.Path) };
        _instructions = FilesInstructions.Write(_settings.Name, _settings.Path, details);
        return new SourceMetadata
        {
            Name = _settings.Name,
            Type = _settings.Type,
            Cut = new CutMetadata(CutAt),
            Bytes = details.ContentBytes + receipt.Bytes,
            Files = details.Contents + 1,
            Redacted = _redacted.Count == 0 ? null : _redacted,
            Details = JsonSerializer.SerializeToElement(details, TreeJson.Default.TreeDetails),
        };
    }

    /// <summary>Captures what rows name and the walk did not see; tells what is missing.</summary>
    private async Task<IReadOnlyList<ManifestEntry>> TakeLateAsync(FileReader reader, CancellationToken cancellation)
    {
        IReadOnlyList<ManifestEntry> late = await new LateFiles(
            _root, _run, _referred, LeavesOut,
            async (item, token) => await await StartAsync(reader, item, token)).TakeAsync(cancellation);
        foreach (ManifestEntry entry in late)
            _counts.Add(entry);
        foreach (Problem missing in _referred.Problems(_settings.Name))
            _run.Progress.Report(new Warned(_settings.Name, missing));
        return late;
    }

    /// <summary>The manifest with what was captured later, each in its place: readers want the order of a walk.</summary>
    private FileStream WithLate(FileStream walked, IReadOnlyList<ManifestEntry> late, CancellationToken cancellation)
    {
        FileStream spool = OpenSpool();
        MtreeWriter manifest = new(spool);
        manifest.WriteHeader();
        walked.Position = 0;
        int next = 0;
        foreach (ManifestEntry entry in new MtreeReader(walked, $"files/{_settings.Name}.mtree").Entries(cancellation))
        {
            while (next < late.Count && TreePath.Compare(late[next].Path, entry.Path) < 0)
                manifest.Write(late[next++]);
            manifest.Write(entry);
        }

        while (next < late.Count)
            manifest.Write(late[next++]);
        return spool;
    }

    private FileStream OpenSpool() => new(
        Path.Combine(_run.Host.TempDirectory, $"lifeboat-{_settings.Name}-{_run.Host.NewId()}.mtree"), SpoolOptions());

    private static FileStreamOptions SpoolOptions()
    {
        FileStreamOptions options = new()
        {
            Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose, BufferSize = 256 * 1024,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return options;
    }

    /// <summary>One walks and starts readers, several read, one writes the manifest in the walk's order.</summary>
    private async Task PumpAsync(FileReader reader, UnreadableFiles unreadable, MtreeWriter manifest, CancellationToken cancellation)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Channel<Task<ManifestEntry?>> lines = Channel.CreateBounded<Task<ManifestEntry?>>(Ahead);
        Task writing = Task.Run(() => WriteLinesAsync(lines.Reader, manifest, stop.Token), CancellationToken.None);
        Task walking = Task.Run(() => WalkAsync(reader, unreadable, lines.Writer, stop.Token), CancellationToken.None);
        try
        {
            await await Task.WhenAny(writing, walking); // the first to fail is the one that says why
            await walking;
            await writing;
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(writing, walking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            for (int i = 0; i < _run.Host.Workers; i++)
                await _slots.WaitAsync(CancellationToken.None);
            _slots.Release(_run.Host.Workers);
        }
    }

    private async Task WriteLinesAsync(ChannelReader<Task<ManifestEntry?>> lines, MtreeWriter manifest, CancellationToken cancellation)
    {
        await foreach (Task<ManifestEntry?> line in lines.ReadAllAsync(cancellation))
        {
            if (await line is not { } entry)
                continue;
            manifest.Write(entry);
            _counts.Add(entry);
            _referred.Captured(entry.Path);
        }
    }

    private async Task WalkAsync(
        FileReader reader, UnreadableFiles unreadable, ChannelWriter<Task<ManifestEntry?>> lines, CancellationToken cancellation)
    {
        UncarriedAttributes attributes = new(_settings.Name, _root);
        TreeWalk walk = new(_root, LeavesOut, reader.Failed);
        try
        {
            foreach (TreeItem item in walk.Items(cancellation))
            {
                if (!_settings.IgnoresAttributes)
                    attributes.Look(item);
                Task<ManifestEntry?> line = await StartAsync(reader, item, cancellation);
                if (!unreadable.Any)
                    await lines.WriteAsync(line, cancellation);
            }

            if (attributes.Problem is { } leftOut)
                _run.Progress.Report(new Warned(_settings.Name, leftOut));
        }
        finally
        {
            lines.TryComplete();
        }
    }

    private async Task<Task<ManifestEntry?>> StartAsync(FileReader reader, TreeItem item, CancellationToken cancellation)
    {
        if (item.Status.Kind is FileKind.Socket or FileKind.Device)
        {
            reader.Skipped(item);
            return Task.FromResult<ManifestEntry?>(null);
        }

        if (_redact.Match(item))
        {
            _redacted.Add(new RedactedMetadata("file", Folder.Readable(TreePath.Relative(item.Path)), "empty"));
            return reader.ReadEmptyAsync(item, cancellation);
        }

        HardLinked? linked = item.Status is { Links: > 1, Kind: not FileKind.Folder, Inode: not 0 } ? LinkedTo(item.Status) : null;
        if (item.Status.Kind != FileKind.Regular)
            return Task.FromResult(reader.Describe(item) is { } entry ? Numbered(entry, linked) : null);
        if (linked?.First is { } first)
            return linked.First = FollowAsync(first, reader, item, linked, cancellation);
        await _slots.WaitAsync(cancellation);
        Task<ManifestEntry?> reading = ReadAsync(reader, item, linked, cancellation);
        if (linked is not null)
            linked.First = reading;
        return reading;
    }

    private HardLinked LinkedTo(FileStatus status)
    {
        if (!_hardLinks.TryGetValue((status.Device, status.Inode), out HardLinked? linked))
            _hardLinks.Add((status.Device, status.Inode), linked = new HardLinked(_hardLinks.Count + 1, status.Links));
        return linked;
    }

    private static ManifestEntry Numbered(ManifestEntry entry, HardLinked? linked) =>
        linked is null ? entry : entry with { HardLinkId = linked.Id, Links = linked.Links };

    /// <summary>A further name of a file: takes over what its first name gave, unless that one vanished.</summary>
    private async Task<ManifestEntry?> FollowAsync(
        Task<ManifestEntry?> first, FileReader reader, TreeItem item, HardLinked linked, CancellationToken cancellation)
    {
        using Folder parent = item.Parent!.Share();
        if (await first is { } entry)
            return entry with { Path = item.Path };
        await _slots.WaitAsync(cancellation);
        return await ReadAsync(reader, item, linked, cancellation);
    }

    private Task<ManifestEntry?> ReadAsync(FileReader reader, TreeItem item, HardLinked? linked, CancellationToken cancellation)
    {
        Folder parent = item.Parent!.Share();
        return Task.Run(
            async () =>
            {
                try
                {
                    return await reader.ReadAsync(item, cancellation) is { } entry ? Numbered(entry, linked) : null;
                }
                finally
                {
                    parent.Dispose();
                    _slots.Release();
                }
            },
            CancellationToken.None);
    }

    /// <summary>The names of one file.</summary>
    private sealed class HardLinked(long id, long links)
    {
        public long Id { get; } = id;

        public long Links { get; } = links;

        /// <summary>What the latest name gives; null where nothing could be read under any name so far.</summary>
        public Task<ManifestEntry?>? First { get; set; }
    }
}
