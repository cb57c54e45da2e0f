using Lifeboat.Engine.Sources.Files;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Chroma;

/// <param name="Path">See <see cref="TreePath"/>.</param>
/// <param name="Target">What a symbolic link points to.</param>
internal sealed record LookedAt(byte[] Path, FileStatus Status, byte[]? Target)
{
    /// <summary>The path as a key.</summary>
    public string Key { get; } = Convert.ToHexString(Path);

    /// <summary>The vector segment that it belongs to; null where it belongs to none.</summary>
    public string? Segment { get; } = ChromaNames.SegmentOf(Path);

    public bool IsDatabase => Path.AsSpan().SequenceEqual(ChromaNames.DatabasePath);

    public string Name => Folder.Readable(TreePath.Relative(Path));

    public bool IsSame(LookedAt other) => Status.Kind == other.Status.Kind && Status.Inode == other.Status.Inode && Status.IsUnchangedSince(other.Status);
}

/// <summary>What is in a persist directory at one moment, without the contents; in the order of a walk.</summary>
internal sealed class DirectoryLook
{
    private readonly Dictionary<string, LookedAt> _byKey;

    private DirectoryLook(List<LookedAt> entries)
    {
        Entries = entries;
        _byKey = entries.ToDictionary(static entry => entry.Key, StringComparer.Ordinal);
    }

    public IReadOnlyList<LookedAt> Entries { get; }

    /// <exception cref="IOException">Something in it cannot be looked at.</exception>
    public static DirectoryLook Take(Folder root, CancellationToken cancellation)
    {
        List<LookedAt> entries = [];
        TreeWalk walk = new(root, static path => FilesSource.IsOurs(path) || ChromaNames.IsSideFile(path), static (_, failure) =>
        {
            if (failure.Trouble is not (FileTrouble.Missing or FileTrouble.WrongKind)) // it went while we looked: the next look tells
                throw failure;
        });
        foreach (TreeItem item in walk.Items(cancellation))
        {
            byte[]? target = item.Status.Kind == FileKind.SymbolicLink ? ReadLink(item) : null;
            entries.Add(new LookedAt(item.Path, item.Status, target));
        }

        return new DirectoryLook(entries);
    }

    /// <summary>What differs in the files of these segments; null where nothing does.</summary>
    public string? DifferenceTo(DirectoryLook later, IReadOnlySet<string> segments)
    {
        foreach (LookedAt now in later.Entries.Where(entry => entry.Segment is { } segment && segments.Contains(segment)))
        {
            if (!_byKey.TryGetValue(now.Key, out LookedAt? then))
                return $"{now.Name} came into being";
            if (!now.IsSame(then))
                return $"{now.Name} was written to";
        }

        LookedAt? gone = Entries.FirstOrDefault(
            entry => entry.Segment is { } segment && segments.Contains(segment) && !later._byKey.ContainsKey(entry.Key));
        return gone is null ? null : $"{gone.Name} was removed";
    }

    private static byte[]? ReadLink(TreeItem item)
    {
        try
        {
            return item.Parent!.ReadLink(item.Name);
        }
        catch (FileFailure e) when (e.Trouble is FileTrouble.Missing or FileTrouble.Unsupported)
        {
            return null; // it is none any more
        }
    }
}
