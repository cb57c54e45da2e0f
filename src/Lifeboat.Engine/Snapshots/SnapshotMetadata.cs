using System.Text.Json;
using System.Text.Json.Serialization;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Snapshots;

/// <summary><c>metadata.json</c>. Field names are permanent once released.</summary>
public sealed record SnapshotMetadata
{
    /// <summary>The version of the snapshot layout that this program writes; readers refuse a newer major.</summary>
    public const string CurrentVersion = "1.0.0";

    public required string BackupVersion { get; init; }

    public required string App { get; init; }

    /// <summary>When the run started, UTC.</summary>
    public required DateTimeOffset Timestamp { get; init; }

    public required string LifeboatVersion { get; init; }

    public required string Host { get; init; }

    /// <summary>The id of the installation that made it, which tells apart those with the same host's name; null where the app file names the host.</summary>
    public string? HostId { get; init; }

    /// <summary><c>complete</c>, or <c>complete_with_warnings</c>. A run that fails leaves no snapshot.</summary>
    public required string ExportStatus { get; init; }

    public required double ExportDurationSeconds { get; init; }

    /// <summary>How far apart the first and the last source's cut are.</summary>
    public required double CutWidthSeconds { get; init; }

    /// <summary><c>zip-aes256</c> or <c>none</c>.</summary>
    public required string Encryption { get; init; }

    public required IReadOnlyList<WarningMetadata> Warnings { get; init; }

    public required IReadOnlyList<SourceMetadata> Sources { get; init; }

    /// <summary>The app's sources that were not asked for and are not in the snapshot; null where it has all of them.</summary>
    public IReadOnlyList<string>? SourcesLeftOut { get; init; }

    /// <summary>Whether it is a snapshot of some of the app's sources only.</summary>
    [JsonIgnore]
    public bool IsPartial => SourcesLeftOut is { Count: > 0 };
}

/// <summary>A warning of the run that made the snapshot.</summary>
public sealed record WarningMetadata(string Code, string Message, string Hint, string? Source)
{
    public static WarningMetadata From(Problem problem, string? source) => new(problem.Code.Id, problem.Message, problem.Hint, source);
}

/// <summary>One source in <c>metadata.json</c>.</summary>
public sealed record SourceMetadata
{
    public required string Name { get; init; }

    /// <summary>The source's type, as in the app file.</summary>
    public required string Type { get; init; }

    /// <summary>The engine and its version (<c>PostgreSQL 15.18</c>); null for files and settings.</summary>
    public string? Engine { get; init; }

    /// <summary>The client programs' version; null where none is used.</summary>
    public string? Tools { get; init; }

    public required CutMetadata Cut { get; init; }

    /// <summary>Bytes of the source's files in the snapshot tree.</summary>
    public required long Bytes { get; init; }

    /// <summary>Number of the source's files in the snapshot tree.</summary>
    public required long Files { get; init; }

    /// <summary>Null for sources without tables.</summary>
    public IReadOnlyList<TableMetadata>? Tables { get; init; }

    /// <summary>What was captured without its values, because the app file says so; null where everything was captured as it was.</summary>
    public IReadOnlyList<RedactedMetadata>? Redacted { get; init; }

    /// <summary>What only this type of source has; each source serialises its own record.</summary>
    public JsonElement? Details { get; init; }
}

/// <summary>Something whose values are not in the snapshot.</summary>
/// <param name="Kind"><c>column</c>, <c>setting</c>, <c>variable</c> or <c>file</c>.</param>
/// <param name="Name">A column's, a setting's or a variable's name; a file's path in its tree.</param>
/// <param name="By">What stands in its place: <c>null</c>, <c>constant</c>, <c>mask</c>, <c>hash</c>, or <c>empty</c>.</param>
public sealed record RedactedMetadata(string Kind, string Name, string By);

/// <summary>The moment at which a source is consistent.</summary>
/// <param name="At">UTC.</param>
/// <param name="Position">The engine's own name for it: an LSN, a GTID; null where there is none.</param>
public sealed record CutMetadata(DateTimeOffset At, string? Position = null);

/// <summary>One table.</summary>
/// <param name="Name">As the engine's own people write it: <c>public.orders</c>, quoted where needed.</param>
/// <param name="Rows">Counted in the dump.</param>
/// <param name="Bytes">Bytes of the dump, line ends included.</param>
/// <param name="Digest"><c>xxh64x2-sum-v1:</c> and 32 hex digits; see docs/format.md.</param>
/// <param name="Paths">The snapshot files with its rows, in order; empty where the rows are inside a larger file (SQLite).</param>
public sealed record TableMetadata(string Name, long Rows, long Bytes, string Digest, IReadOnlyList<string> Paths);
