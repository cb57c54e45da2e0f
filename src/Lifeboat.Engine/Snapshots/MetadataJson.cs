using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lifeboat.Engine.Snapshots;

/// <summary>How <c>metadata.json</c> is written and read: snake_case names, nulls left out, unknown fields ignored.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true,
    NewLine = "\n")]
[JsonSerializable(typeof(SnapshotMetadata))]
public sealed partial class MetadataJson : JsonSerializerContext;
