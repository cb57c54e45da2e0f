namespace Lifeboat.Engine.Apps.Detection;

/// <summary>Finds folders that hold people's files, by their names.</summary>
internal static class FolderDetector
{
    private static readonly HashSet<string> Names = new(StringComparer.OrdinalIgnoreCase)
    {
        "uploads", "upload", "media", "storage", "filestore", "attachments", "documents", "user_files", "userfiles",
    };

    public static IEnumerable<Finding> Detect(FolderScan scan)
    {
        List<string> found = [];
        foreach (ScannedFile folder in scan.Folders.Where(static f => f.Depth <= 3 && Names.Contains(f.Name)))
        {
            if (found.Exists(outer => folder.Relative.StartsWith(outer + "/", StringComparison.Ordinal)))
                continue;
            found.Add(folder.Relative);
            yield return Found(scan, folder.FullPath, $"{folder.Relative} holds people's files, by its name");
        }
    }

    public static SourceFinding Found(FolderScan scan, string fullPath, string reason) => new(
        reason,
        new SourceDraft(
            DraftNames.Of(Path.GetFileName(fullPath), "files"), "files", "files:" + fullPath,
            [DraftField.Of("path", WrittenPath.Of(scan.Root, fullPath))], []));
}
