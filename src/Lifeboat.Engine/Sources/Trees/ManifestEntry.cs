using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Trees;

/// <summary>One line of a tree's manifest.</summary>
internal sealed record ManifestEntry(byte[] Path, FileKind Kind, FileTraits Traits)
{
    /// <summary>The owner's name where it was captured; null where the number had none.</summary>
    public string? User { get; init; }

    public string? Group { get; init; }

    /// <summary>The size of a regular file.</summary>
    public long Size { get; init; }

    /// <summary>Of a regular file's content, lower-case hex.</summary>
    public string? Sha256 { get; init; }

    /// <summary>What a symbolic link points to.</summary>
    public byte[]? Target { get; init; }

    /// <summary>The snapshot path of a regular file's content; shared by the names of one file.</summary>
    public string? Contents { get; init; }

    /// <summary>The same number for all names of one file; 0 for a file with one name.</summary>
    public long HardLinkId { get; init; }

    /// <summary>How many names the file had, inside the tree and outside it.</summary>
    public long Links { get; init; } = 1;

    /// <summary>Whether the file had holes; then runs of zeros are restored as holes.</summary>
    public bool IsSparse { get; init; }
}
