using System.Collections.Concurrent;
using System.Text.Json;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Snapshots;

/// <summary>
/// A snapshot whose structure was checked: the version is one that we read, the metadata parses, and the checksum list names
/// exactly the files that are there. Each file's bytes are compared with the list while they are read.
/// </summary>
public sealed class VerifiedSnapshot : IAsyncDisposable
{
    public const string MetadataFileName = "metadata.json";

    private readonly ISnapshotReader _reader;
    private readonly Dictionary<string, string> _sums;
    private readonly ConcurrentDictionary<string, bool> _opened = new(StringComparer.Ordinal);

    private VerifiedSnapshot(ISnapshotReader reader, SnapshotMetadata metadata, Dictionary<string, string> sums)
    {
        _reader = reader;
        _sums = sums;
        Metadata = metadata;
    }

    public SnapshotMetadata Metadata { get; }

    public IReadOnlyDictionary<string, SnapshotEntry> Entries => _reader.Entries;

    /// <inheritdoc cref="ISnapshotReader.IsAuthentic"/>
    public bool IsAuthentic => _reader.IsAuthentic;

    /// <summary>Whether nothing but a person's word tells who wrote the snapshot: then no file gets an owner or a set-id bit because it says so.</summary>
    public bool IsDoubted { get; private set; }

    /// <summary>Makes it one that <see cref="IsDoubted"/>.</summary>
    public void Doubt() => IsDoubted = true;

    /// <summary>SHA-256 (lower-case hex) by path, of every file but the list itself.</summary>
    public IReadOnlyDictionary<string, string> Sha256 => _sums;

    /// <summary>Checks the structure of a snapshot; takes the reader over, and disposes of it on failure.</summary>
    /// <exception cref="LifeboatException">Damage, a wrong password, or a layout that is too new.</exception>
    public static async Task<VerifiedSnapshot> OpenAsync(ISnapshotReader reader, CancellationToken cancellation)
    {
        try
        {
            SnapshotMetadata metadata = await ReadMetadataAsync(reader, cancellation);
            Dictionary<string, string> sums = await ReadSumsAsync(reader, cancellation);
            List<Problem> problems = [.. CompareNames(reader.Entries, sums)];
            if (problems.Count > 0)
                throw new LifeboatException(problems);
            VerifiedSnapshot snapshot = new(reader, metadata, sums);
            await using Stream again = snapshot.Open(MetadataFileName);
            await again.CopyToAsync(Stream.Null, cancellation);
            return snapshot;
        }
        catch
        {
            await reader.DisposeAsync();
            throw;
        }
    }

    /// <summary>What is wrong where the snapshot does not have a file that a source's metadata names; null where it has it.</summary>
    public Problem? Lacks(string path, string source) => Entries.ContainsKey(path) ? null : new Problem(
        ErrorCodes.SnapshotIncomplete, $"the snapshot has no {path}", "use another snapshot; this one was altered or damaged", source);

    /// <summary>Opens a file; its bytes are checked as they are read, see <see cref="ISnapshotReader.Open"/>.</summary>
    public Stream Open(string path)
    {
        string listed = Listed(path, out string expected);
        if (!IsOfTree(path))
            _opened[listed] = true;
        return new CheckedStream(_reader.Open(listed), path, expected);
    }

    /// <summary>
    /// Reads the snapshot's own files (metadata, instructions, log): nothing else would notice that they are not those of the checksums.
    /// </summary>
    /// <exception cref="LifeboatException">One is damaged or another.</exception>
    public Task CheckOwnFilesAsync(CancellationToken cancellation) =>
        CheckAsync(static path => !path.Contains('/', StringComparison.Ordinal) || path.StartsWith("logs/", StringComparison.Ordinal), cancellation);

    /// <summary>
    /// Reads what a restore of sources had no use for, so that it accepts no snapshot that a verification refuses. Files of rows and trees are compared as a whole
    /// by whoever restores them.
    /// </summary>
    /// <param name="sources">The sources that were restored with all they have.</param>
    /// <exception cref="LifeboatException">One is damaged or another.</exception>
    public Task CheckUnreadAsync(IReadOnlyCollection<SourceMetadata> sources, CancellationToken cancellation)
    {
        HashSet<string> names = [.. sources.Select(static source => source.Name)];
        HashSet<string> rows = [.. sources.SelectMany(static source => source.Tables ?? []).SelectMany(static table => table.Paths)];
        bool isUnread(string path) => !IsOfTree(path) && !rows.Contains(path) && !_opened.ContainsKey(path);
        return CheckAsync(path => isUnread(path) && path.Split('/', 3) is [_, var source, _] && names.Contains(source), cancellation);
    }

    private static bool IsOfTree(string path) =>
        path.StartsWith("files/", StringComparison.Ordinal) || path.StartsWith("vectors/", StringComparison.Ordinal);

    private async Task CheckAsync(Func<string, bool> which, CancellationToken cancellation)
    {
        foreach (string path in _sums.Keys.Where(which))
        {
            await using Stream stream = Open(path);
            await stream.CopyToAsync(Stream.Null, cancellation);
        }
    }

    /// <summary>Opens a file that is to be read into memory as a whole, where it is of a size that it can have.</summary>
    /// <inheritdoc cref="HeldText.Require"/>
    public Stream OpenHeld(string path, long? described = null)
    {
        if (Entries.TryGetValue(path, out SnapshotEntry? entry))
            HeldText.Require(entry, described);
        return Open(path);
    }

    /// <summary>
    /// Opens a file of rows that are read back after they are loaded and compared with their table's digest. That proves more than the file's SHA-256 does, which
    /// is therefore not computed; what the bundle itself checks while it is read is checked as ever.
    /// </summary>
    public Stream OpenRows(string path) => _reader.Open(Listed(path, out _));

    public ValueTask DisposeAsync() => _reader.DisposeAsync();

    /// <summary>Reads <c>metadata.json</c> alone, refusing a layout that is too new.</summary>
    public static async Task<SnapshotMetadata> ReadMetadataAsync(ISnapshotReader reader, CancellationToken cancellation)
    {
        Require(reader, MetadataFileName);
        await using Stream stream = reader.Open(MetadataFileName);
        return await ReadMetadataAsync(stream, cancellation);
    }

    /// <inheritdoc cref="ReadMetadataAsync(ISnapshotReader, CancellationToken)"/>
    public static async Task<SnapshotMetadata> ReadMetadataAsync(Stream stream, CancellationToken cancellation)
    {
        try
        {
            using JsonDocument document = await JsonDocument.ParseAsync(stream, default, cancellation);
            RefuseNewer(document.RootElement);
            SnapshotMetadata? metadata = document.RootElement.Deserialize(MetadataJson.Default.SnapshotMetadata);
            return metadata is { App: not null, Encryption: not null, Warnings: not null, Sources: not null } && metadata.Sources.All(static source => source is { Name: not null, Type: not null, Cut: not null })
                ? metadata : throw new JsonException("it lacks what every snapshot has");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // the latter for half of a character
        {
            throw new LifeboatException(
                ErrorCodes.BundleDamaged, $"the metadata cannot be read: {e.Message}", "use another snapshot; this one was altered or damaged", MetadataFileName, e);
        }
    }

    private string Listed(string path, out string sha256)
    {
        sha256 = _sums.TryGetValue(path, out string? listed) ? listed : throw new LifeboatException(
            ErrorCodes.SnapshotIncomplete, "the snapshot does not have this file", "use another snapshot; this one was altered or damaged", path);
        return path;
    }

    private static void RefuseNewer(JsonElement root)
    {
        string? found = root.ValueKind == JsonValueKind.Object && root.TryGetProperty("backup_version", out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
        if (found is null || !Version.TryParse(found, out Version? version))
            throw new JsonException("it has no backup_version");
        if (version.Major > Version.Parse(SnapshotMetadata.CurrentVersion).Major)
            throw new LifeboatException(
                ErrorCodes.SnapshotTooNew,
                $"the snapshot has layout version {found}; this program reads up to {SnapshotMetadata.CurrentVersion}",
                $"restore it with a Lifeboat that knows layout {version.Major}.x; the stock tools named in its restore_instructions.md work too",
                MetadataFileName);
    }

    private static async Task<Dictionary<string, string>> ReadSumsAsync(ISnapshotReader reader, CancellationToken cancellation)
    {
        Require(reader, Checksums.FileName, reader.Entries.Count * (SnapshotPath.MaxPathBytes + 67L));
        await using Stream stream = reader.Open(Checksums.FileName);
        return await Checksums.ReadAsync(stream, cancellation);
    }

    private static IEnumerable<Problem> CompareNames(IReadOnlyDictionary<string, SnapshotEntry> entries, Dictionary<string, string> sums)
    {
        const string hint = "use another snapshot; this one was altered or damaged";
        foreach (string path in sums.Keys.Where(path => !entries.ContainsKey(path)))
            yield return new Problem(ErrorCodes.SnapshotIncomplete, "the file is in checksums.sha256 and missing from the snapshot", hint, path);
        foreach (string path in entries.Keys.Where(path => path != Checksums.FileName && !sums.ContainsKey(path)))
            yield return new Problem(ErrorCodes.SnapshotIncomplete, "the file is in the snapshot and missing from checksums.sha256", hint, path);
    }

    /// <summary>The file must be there, and of a size that it can have: it is read into memory.</summary>
    private static void Require(ISnapshotReader reader, string path, long? maxBytes = null)
    {
        if (!reader.Entries.TryGetValue(path, out SnapshotEntry? entry))
            throw new LifeboatException(
                ErrorCodes.NotABundle, $"this is not a Lifeboat snapshot: it has no {path}", "name a bundle that `lifeboat backup` wrote; `lifeboat list` shows them", path);
        HeldText.Require(entry, maxBytes);
    }
}
