namespace Lifeboat.Engine.Bundles;

/// <summary>Finds paths that no file system can hold together: one is a file, another needs a folder of that name.</summary>
internal static class FolderConflicts
{
    /// <summary>The first such path, or null.</summary>
    public static string? Find(HashSet<string> paths)
    {
        HashSet<string>.AlternateLookup<ReadOnlySpan<char>> files = paths.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (string path in paths)
            for (int slash = path.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = path.IndexOf('/', slash + 1))
                if (files.Contains(path.AsSpan(0, slash)))
                    return path[..slash];
        return null;
    }
}
