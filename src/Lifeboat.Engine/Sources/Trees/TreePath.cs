namespace Lifeboat.Engine.Sources.Trees;

/// <summary>Paths inside a tree as the manifest has them: <c>.</c> is the root, everything else starts with <c>./</c>.</summary>
internal static class TreePath
{
    public static byte[] Root => "."u8.ToArray();

    public static bool IsRoot(ReadOnlySpan<byte> path) => path.SequenceEqual("."u8);

    public static byte[] Child(byte[] parent, byte[] name) => [.. parent, (byte)'/', .. name];

    /// <summary>How deep a path is; the root is 0.</summary>
    public static int Depth(ReadOnlySpan<byte> path) => path.Count((byte)'/');

    public static byte[] NameOf(byte[] path) => path[(path.AsSpan().LastIndexOf((byte)'/') + 1)..];

    public static ReadOnlySpan<byte> ParentOf(ReadOnlySpan<byte> path) => path[..path.LastIndexOf((byte)'/')];

    /// <summary>The path below the root, without <c>./</c>.</summary>
    public static ReadOnlySpan<byte> Relative(ReadOnlySpan<byte> path) => IsRoot(path) ? path : path[2..];

    /// <summary>Whether a path is a folder's, or of something in it, however deep.</summary>
    public static bool IsAtOrBelow(ReadOnlySpan<byte> path, ReadOnlySpan<byte> folder) =>
        path.StartsWith(folder) && (path.Length == folder.Length || path[folder.Length] == '/');

    /// <summary>Whether a path is the root's, or of something in it: not a name of it is empty, or leads elsewhere.</summary>
    public static bool IsInside(ReadOnlySpan<byte> path)
    {
        if (IsRoot(path))
            return true;
        if (!path.StartsWith("./"u8))
            return false;
        foreach (Range range in path[2..].Split((byte)'/'))
        {
            ReadOnlySpan<byte> name = path[2..][range];
            if (name.IsEmpty || name.SequenceEqual("."u8) || name.SequenceEqual(".."u8) || name.Contains((byte)0))
                return false;
        }

        return true;
    }

    /// <summary>The order of a walk: a folder, then all that is in it, names by their bytes.</summary>
    public static int Compare(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        int common = left.CommonPrefixLength(right);
        if (common == left.Length || common == right.Length)
            return left.Length.CompareTo(right.Length);
        return Rank(left[common]).CompareTo(Rank(right[common]));
    }

    private static int Rank(byte value) => value == '/' ? 0 : value + 1;
}
