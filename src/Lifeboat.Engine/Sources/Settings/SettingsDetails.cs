using System.Text.Json.Serialization;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Settings;

/// <summary>What <c>metadata.json</c> says of settings. Values of variables are not in it.</summary>
public sealed record SettingsDetails
{
    /// <summary>The folder that relative paths start from: the app file's, where this was captured.</summary>
    public required string Directory { get; init; }

    public required IReadOnlyList<SettingsFile> Files { get; init; }

    /// <summary>The names of the captured environment variables.</summary>
    public required IReadOnlyList<string> Environment { get; init; }

    /// <summary>The snapshot path of the variables' values; null where none were captured.</summary>
    public string? EnvironmentFile { get; init; }

    public static SettingsDetails From(SourceMetadata captured) => SourceDetails.Read(captured, SettingsJson.Default.SettingsDetails, "the settings");
}

/// <summary>One captured settings file.</summary>
/// <param name="Path">Relative to the folder, with <c>/</c>; absolute for a file outside it.</param>
/// <param name="File">Its snapshot path.</param>
/// <param name="Sha256">Of its bytes, lower-case hex.</param>
public sealed record SettingsFile(string Path, string File, long Bytes, string Sha256, CapturedTraits Traits)
{
    /// <summary>Owner and mode of the folders above it, the nearest first; null where they were not captured.</summary>
    public IReadOnlyList<CapturedTraits>? Parents { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SettingsDetails))]
internal sealed partial class SettingsJson : JsonSerializerContext;
