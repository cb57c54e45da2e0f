using System.Text;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Chroma;

/// <summary>What Chroma calls things in a persist directory.</summary>
internal static class ChromaNames
{
    public const string Database = "chroma.sqlite3";

    /// <summary>A vector segment's map from records' ids to places in the index; the last file of a segment that is written.</summary>
    public const string IndexMetadata = "index_metadata.pickle";

    public static byte[] DatabasePath { get; } = TreePath.Child(TreePath.Root, Encoding.ASCII.GetBytes(Database));

    /// <summary>SQLite's own files beside the database, which no copy of it needs.</summary>
    public static bool IsSideFile(ReadOnlySpan<byte> path) =>
        path.SequenceEqual([.. DatabasePath, .. "-journal"u8]) || path.SequenceEqual([.. DatabasePath, .. "-wal"u8])
        || path.SequenceEqual([.. DatabasePath, .. "-shm"u8]);

    /// <summary>The segment that a path belongs to: the first name, where that is a segment's id; null for everything else.</summary>
    public static string? SegmentOf(ReadOnlySpan<byte> path)
    {
        if (TreePath.IsRoot(path))
            return null;
        ReadOnlySpan<byte> relative = TreePath.Relative(path);
        int slash = relative.IndexOf((byte)'/');
        string first = Encoding.UTF8.GetString(slash < 0 ? relative : relative[..slash]);
        return IsSegmentId(first) ? first : null;
    }

    public static bool IsSegmentId(string text) => Guid.TryParseExact(text, "D", out _);
}
