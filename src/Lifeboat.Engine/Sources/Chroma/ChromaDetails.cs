using System.Text.Json.Serialization;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Chroma;

/// <summary>What <c>metadata.json</c> says of a Chroma persist directory; its collections' records are counted among the source's tables.</summary>
public sealed record ChromaDetails
{
    /// <summary>The directory's path where it was captured.</summary>
    public required string Path { get; init; }

    /// <summary>The snapshot path of <c>chroma.sqlite3</c>.</summary>
    public required string Database { get; init; }

    /// <summary>The versions of Chroma that write a database of this schema: <c>1.0 to 1.2</c>.</summary>
    public required string Version { get; init; }

    /// <summary>The newest of each kind of migration that was applied, as Chroma numbers them.</summary>
    public required IReadOnlyDictionary<string, long> Migrations { get; init; }

    /// <summary><c>wal</c> or <c>rollback</c>, as the database's header says.</summary>
    public required string JournalMode { get; init; }

    /// <summary>What <c>PRAGMA integrity_check</c> says of the copy: <c>ok</c>, the first thing wrong, or why it could not be run.</summary>
    public required string Integrity { get; init; }

    /// <summary>How often the directory was read until it stood still around the database's cut.</summary>
    public required int Attempts { get; init; }

    /// <summary>Whether it was read under the database's lock in the end, so that writers waited.</summary>
    public required bool HeldWriters { get; init; }

    /// <summary>Folders of deleted collections, which Chroma leaves behind, and which are not in the snapshot.</summary>
    public required long LeftOver { get; init; }

    public required IReadOnlyList<ChromaCollection> Collections { get; init; }

    public required TreeDetails Tree { get; init; }

    public static ChromaDetails From(SourceMetadata captured) =>
        SourceDetails.Read(captured, ChromaJson.Default.ChromaDetails, "the Chroma directory");
}

/// <summary>One collection.</summary>
/// <param name="Dimension">Of its vectors; null where nothing was added yet.</param>
/// <param name="Records">How many it has.</param>
/// <param name="VectorSegment">The id of the segment that its vectors are in, which is the name of that segment's folder.</param>
/// <param name="IndexedTo">The last sequence number in the queue that the segment's files have; 0 where they have none.</param>
/// <param name="Queued">How many entries of the queue come after that: a server applies them when it starts.</param>
public sealed record ChromaCollection(
    string Tenant, string Database, string Name, string Id, long? Dimension, long Records, string? VectorSegment, long IndexedTo, long Queued)
{
    /// <summary>The name as people write it; with tenant and database where these are others than Chroma's defaults.</summary>
    [JsonIgnore]
    public string DisplayName =>
        (Tenant, Database) is ("default_tenant", "default_database") ? Name : $"{Tenant}/{Database}/{Name}";
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ChromaDetails))]
internal sealed partial class ChromaJson : JsonSerializerContext;
