using System.Text.Json.Serialization;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Trees;

/// <summary>What <c>metadata.json</c> says of a file tree beside the counts that every source has.</summary>
public sealed record TreeDetails
{
    /// <summary>The tree's path where it was captured.</summary>
    public required string Path { get; init; }

    /// <summary>The snapshot path of the manifest, mtree(5).</summary>
    public required string Manifest { get; init; }

    /// <summary>Folders, the root included.</summary>
    public required long Folders { get; init; }

    /// <summary>Names of regular files: a file with two names counts twice.</summary>
    public required long RegularFiles { get; init; }

    /// <summary>Files whose content is in the snapshot: a file with two names counts once.</summary>
    public required long Contents { get; init; }

    public required long SymbolicLinks { get; init; }

    public required long Fifos { get; init; }

    /// <summary>Bytes of all contents.</summary>
    public required long ContentBytes { get; init; }

    /// <summary>About how many bytes the restored tree takes on disk.</summary>
    public required long DiskBytes { get; init; }

    /// <summary>Who owns something in the tree; empty where it was captured on Windows. At most 1,000.</summary>
    public required IReadOnlyList<CapturedOwner> Owners { get; init; }

    public required IReadOnlyList<string> Exclude { get; init; }

    /// <summary>Owner and mode of the folders above the tree, the nearest first; null where they were not captured.</summary>
    public IReadOnlyList<CapturedTraits>? Parents { get; init; }

    /// <summary>The snapshot folder of the contents: beside the manifest, with its name.</summary>
    internal static string ContentsOf(string manifest) => System.IO.Path.ChangeExtension(manifest, null);

    public static TreeDetails From(SourceMetadata captured) => SourceDetails.Read(captured, TreeJson.Default.TreeDetails, "the file tree");
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TreeDetails))]
internal sealed partial class TreeJson : JsonSerializerContext;
