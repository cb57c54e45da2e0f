using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Sources.Trees;

/// <summary>
/// Where the content of a tree's file stands in the snapshot: the tree's folder (<c>files/SOURCE</c>) and its path, with whatever a snapshot path cannot
/// hold (bytes that are not UTF-8, control characters, backslashes) and <c>%</c> itself as <c>%XX</c>, so that no two files meet. Where
/// that is too long, a name ends in <c>%~</c> and a hash, and a whole path becomes <c>%long/</c> and a hash; no escaped name can be like
/// that.
/// </summary>
internal static class ContentPath
{
    private const int KeptOfLongName = 180;

    /// <summary>
    /// A quarter of what a snapshot path may have, so that tools that unpack by full path stay below the system's 4,096 bytes.
    /// </summary>
    private const int LongestPath = SnapshotPath.MaxPathBytes / 4;

    /// <param name="folder">The tree's folder in the snapshot.</param>
    public static string Of(string folder, ReadOnlySpan<byte> treePath)
    {
        StringBuilder path = new(folder);
        foreach (Range range in TreePath.Relative(treePath).Split((byte)'/'))
            path.Append('/').Append(Escape(TreePath.Relative(treePath)[range]));
        return Encoding.UTF8.GetByteCount(path.ToString()) <= LongestPath
            ? path.ToString()
            : $"{folder}/%long/{Convert.ToHexStringLower(SHA256.HashData(treePath))}";
    }

    public static string Escape(ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> rest = name;
        StringBuilder text = new(name.Length);
        int shortened = 0;
        int bytes = 0;
        while (rest.Length > 0)
        {
            bool whole = Rune.DecodeFromUtf8(rest, out Rune rune, out int length) == System.Buffers.OperationStatus.Done;
            bool plain = whole && !Rune.IsControl(rune) && rune.Value is not ('%' or '\\');
            bytes += plain ? length : 3 * length;
            if (plain)
                text.Append(rune);
            else
                foreach (byte value in rest[..length])
                    text.Append('%').Append(value.ToString("X2", CultureInfo.InvariantCulture));
            if (bytes <= KeptOfLongName)
                shortened = text.Length;
            rest = rest[length..];
        }

        if (bytes > SnapshotPath.MaxNameBytes)
            text.Remove(shortened, text.Length - shortened).Append("%~").Append(
                Convert.ToHexStringLower(SHA256.HashData(name).AsSpan(0, 16)));
        return text.ToString();
    }
}
