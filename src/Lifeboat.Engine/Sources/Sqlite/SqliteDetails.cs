using System.Text.Json.Serialization;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Sqlite;

/// <summary>What <c>metadata.json</c> says of a SQLite database beside its tables.</summary>
public sealed record SqliteDetails
{
    /// <summary>The same with the traits that are taken from a snapshot.</summary>
    internal SqliteDetails TakenFrom(VerifiedSnapshot snapshot) =>
        this with { Traits = Traits.TakenFrom(snapshot), Parents = Parents?.Select(parent => parent.TakenFrom(snapshot)).ToArray() };

    /// <summary>The database's path where it was captured.</summary>
    public required string Path { get; init; }

    /// <summary>Owner and mode of the folders above it, the nearest first; null where they were not captured.</summary>
    public IReadOnlyList<CapturedTraits>? Parents { get; init; }

    /// <summary>The snapshot path of the copy.</summary>
    public required string File { get; init; }

    /// <summary><c>system</c> or <c>bundled</c>: whose SQLite library read it.</summary>
    public required string Library { get; init; }

    /// <summary><c>wal</c> or <c>rollback</c>, as the database's header says; the copy's header says the same.</summary>
    public required string JournalMode { get; init; }

    public required long PageSize { get; init; }

    public required long PageCount { get; init; }

    public required long UserVersion { get; init; }

    public required long ApplicationId { get; init; }

    /// <summary><c>UTF-8</c>, <c>UTF-16le</c> or <c>UTF-16be</c>.</summary>
    public required string Encoding { get; init; }

    /// <summary>
    /// What <c>PRAGMA integrity_check</c> says of the copy: <c>ok</c>, the first thing wrong, or why it could not be run.
    /// </summary>
    public required string Integrity { get; init; }

    /// <summary>How many rows <c>PRAGMA foreign_key_check</c> finds in the copy; null where it could not be run.</summary>
    public required long? ForeignKeyViolations { get; init; }

    /// <summary>How a row is put into bytes for its digest; see <see cref="SqliteRow"/>.</summary>
    public required string RowEncoding { get; init; }

    /// <summary>Of type, name, table name and SQL text of all rows of <c>sqlite_schema</c>, encoded like rows, in their order.</summary>
    public required string SchemaSha256 { get; init; }

    public required CapturedTraits Traits { get; init; }

    public static SqliteDetails From(SourceMetadata captured) => SourceDetails.Read(captured, SqliteJson.Default.SqliteDetails, "the database");
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SqliteDetails))]
internal sealed partial class SqliteJson : JsonSerializerContext;
