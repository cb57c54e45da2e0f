namespace Lifeboat.Engine.Apps.Detection;

/// <param name="Relative">The path below the scanned folder, <c>/</c> between names.</param>
internal sealed record ScannedFile(string FullPath, string Relative, int Depth, long Length)
{
    public string Name => Path.GetFileName(FullPath);
}

/// <summary>
/// What is in a folder, to a limited depth and number, without following links, and without the folders that hold code of others,
/// caches, and our own bundles.
/// </summary>
internal sealed class FolderScan
{
    private const int MaxDepth = 6;
    private const int MaxEntries = 20_000;

    private static readonly HashSet<string> Skipped = new(StringComparer.OrdinalIgnoreCase)
    {
        ".git", ".hg", ".svn", ".lifeboat", ".idea", ".vscode", ".venv", "venv", "virtualenv", "node_modules", "site-packages", "__pycache__", ".tox",
        ".nox", ".cache", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".npm", ".nuget", ".yarn", ".next", ".terraform", ".gradle", "obj", "backups",
    };

    private static readonly EnumerationOptions Everything = new() { IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint };

    private readonly List<ScannedFile> _files = [];
    private readonly List<ScannedFile> _folders = [];

    private FolderScan(string root) => Root = root;

    public string Root { get; }

    public IReadOnlyList<ScannedFile> Files => _files;

    public IReadOnlyList<ScannedFile> Folders => _folders;

    /// <summary>There is more than was looked at.</summary>
    public bool IsCut { get; private set; }

    public static FolderScan Run(string root, CancellationToken cancellation)
    {
        FolderScan scan = new(root);
        Queue<(DirectoryInfo Folder, string Prefix, int Depth)> left = new([(new DirectoryInfo(root), "", 1)]);
        while (left.TryDequeue(out (DirectoryInfo Folder, string Prefix, int Depth) next))
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (FileSystemInfo entry in next.Folder.EnumerateFileSystemInfos("*", Everything).OrderBy(static e => e.Name, StringComparer.Ordinal))
            {
                if (scan._files.Count + scan._folders.Count >= MaxEntries)
                {
                    scan.IsCut = true;
                    return scan;
                }

                // A name that is not text cannot be written into the app file.
                if (entry.Name.Contains('\uFFFD', StringComparison.Ordinal))
                    continue;
                string relative = next.Prefix + entry.Name;
                if (entry is FileInfo file)
                    scan._files.Add(new ScannedFile(file.FullName, relative, next.Depth, file.Length));
                else if (!Skipped.Contains(entry.Name) && !File.Exists(Path.Combine(entry.FullName, "pyvenv.cfg")))
                    scan.AddFolder((DirectoryInfo)entry, relative, next.Depth, left);
            }
        }

        return scan;
    }

    private void AddFolder(DirectoryInfo folder, string relative, int depth, Queue<(DirectoryInfo Folder, string Prefix, int Depth)> left)
    {
        _folders.Add(new ScannedFile(folder.FullName, relative, depth, 0));
        if (depth < MaxDepth)
            left.Enqueue((folder, relative + "/", depth + 1));
        else
            IsCut = true;
    }
}
