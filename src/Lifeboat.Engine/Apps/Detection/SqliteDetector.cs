using System.Text.RegularExpressions;

namespace Lifeboat.Engine.Apps.Detection;

/// <summary>Finds SQLite databases by their first 16 bytes (sqlite.org/fileformat2.html, 1.3), and Chroma's directories by theirs.</summary>
internal static partial class SqliteDetector
{
    private const string ChromaFile = "chroma.sqlite3";
    private const int MostSources = 20;

    public static async Task<IReadOnlyList<Finding>> DetectAsync(FolderScan scan, CancellationToken cancellation)
    {
        List<Finding> findings = [];
        foreach (ScannedFile file in scan.Files.Where(static f => f.Length >= 512 && !SideFile().IsMatch(f.Name)))
        {
            if (!await IsDatabaseAsync(file.FullPath, cancellation))
                continue;
            if (file.Name == ChromaFile)
                findings.Add(Chroma(scan, file));
            else if (findings.OfType<SourceFinding>().Count() < MostSources)
                findings.Add(Found(scan, file.FullPath, $"{file.Relative} begins as an SQLite database does"));
            else
                findings.Add(new NoteFinding($"{file.Relative} begins as an SQLite database does", ["it is one of many: add a source for it if it belongs to the app"]));
        }

        return findings;
    }

    public static SourceFinding Found(FolderScan scan, string fullPath, string reason) => new(
        reason,
        new SourceDraft(
            DraftNames.Of(Path.GetFileNameWithoutExtension(fullPath), "data"), "sqlite", "sqlite:" + fullPath,
            [DraftField.Of("path", WrittenPath.Of(scan.Root, fullPath))], []));

    public static async Task<bool> IsDatabaseAsync(string path, CancellationToken cancellation)
    {
        try
        {
            // The length is 0 for pipes and devices, which could keep a reader waiting for ever.
            FileInfo info = new(path);
            if (!info.Exists || info.Length == 0)
                return false;
            await using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            byte[] header = new byte[16];
            return await file.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, cancellation) == header.Length
                && header.AsSpan().SequenceEqual("SQLite format 3\0"u8);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static Finding Chroma(FolderScan scan, ScannedFile file)
    {
        string folder = Path.GetDirectoryName(file.FullPath)!;
        if (folder == scan.Root)
            return new NoteFinding(
                "this folder itself is a Chroma directory, where app file and bundles must not lie",
                ["run `lifeboat init` in the folder above it"]);
        return new SourceFinding(
            $"{file.Relative} is the database of a Chroma directory",
            new SourceDraft(
                DraftNames.Of(Path.GetFileName(folder), "vectors"), "chroma", "chroma:" + folder,
                [DraftField.Of("path", WrittenPath.Of(scan.Root, folder))], []));
    }

    [GeneratedRegex("-(wal|shm|journal)$", RegexOptions.CultureInvariant)]
    private static partial Regex SideFile();
}
