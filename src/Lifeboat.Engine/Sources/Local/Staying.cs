using System.Text.Json.Serialization;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>What stays where it is while the rest of a folder is exchanged.</summary>
/// <param name="Folders">The folders that cannot be renamed as a whole because something in them stays, each before those in it; the root is the first.</param>
/// <param name="Paths">What stays, with all that is below it (<see cref="TreePath"/>).</param>
internal sealed record Staying(IReadOnlyList<StayingFolder> Folders, IReadOnlyList<byte[]> Paths)
{
    private Dictionary<byte[], StayingFolder>? _folders;
    private HashSet<byte[]>? _paths;

    /// <summary>Whether all the paths are of the form that a walk gives them, so that none leads out of the folder.</summary>
    [JsonIgnore]
    public bool IsInside => Folders.Select(static folder => folder.Path).Concat(Paths).All(static path => TreePath.IsInside(path));

    /// <summary>Whether it is one of the folders that stay with something in them.</summary>
    public bool IsFolder(byte[] path) => FolderOf(path) is not null;

    /// <summary>What is recorded of such a folder; null where it is none.</summary>
    public StayingFolder? FolderOf(byte[] path) =>
        (_folders ??= Folders.ToDictionary(static folder => folder.Path, BytesComparer.Instance)).GetValueOrDefault(path);

    /// <summary>Whether a path stays, by itself or with a folder that it is in.</summary>
    public bool HoldsStill(byte[] path) => Paths.Any(one => TreePath.IsAtOrBelow(path, one));

    public bool IsPath(byte[] path) => (_paths ??= new HashSet<byte[]>(Paths, BytesComparer.Instance)).Contains(path);

    /// <summary>A folder of which nothing stays but itself.</summary>
    public static Staying RootOnly(CapturedTraits? live) => new([new StayingFolder(TreePath.Root, live, null)], []);

    /// <summary>Compares paths by their bytes.</summary>
    private sealed class BytesComparer : IEqualityComparer<byte[]>
    {
        public static BytesComparer Instance { get; } = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] obj)
        {
            HashCode hash = default;
            hash.AddBytes(obj);
            return hash.ToHashCode();
        }
    }
}

/// <summary>A folder that stays although what is in it is exchanged.</summary>
/// <param name="Live">Its traits before the exchange.</param>
/// <param name="Incoming">Those of the folder of the same path that comes in; null where none does.</param>
internal sealed record StayingFolder(byte[] Path, CapturedTraits? Live, CapturedTraits? Incoming);
