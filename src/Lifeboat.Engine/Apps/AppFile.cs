using Lifeboat.Engine.Apps.Keys;
using Lifeboat.Engine.Apps.Validation;
using Lifeboat.Engine.Apps.Yaml;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Trust;

namespace Lifeboat.Engine.Apps;

/// <summary>Reads <c>lifeboat.yaml</c>.</summary>
public static class AppFile
{
    public const string DefaultName = "lifeboat.yaml";

    /// <summary>Reads and checks an app file.</summary>
    /// <param name="path">Absolute: the engine does not know a working directory.</param>
    /// <param name="trust">Whose app files are taken.</param>
    /// <exception cref="LifeboatException">There is no such file, somebody else may have written it, or it has mistakes: each is one of the exception's problems.</exception>
    public static async Task<App> LoadAsync(string path, FileTrust trust, CancellationToken cancellation)
    {
        if (!Path.IsPathFullyQualified(path))
            throw new ArgumentException("the app file's path must be absolute", nameof(path));
        path = Path.GetFullPath(path);
        if (SnapshotAround(path) is { } snapshot)
            throw new LifeboatException(
                ErrorCodes.SnapshotsOwnAppFile, $"this app file belongs to the snapshot that is unpacked in {snapshot}: what comes out of a snapshot does not say what is run",
                "read it, and copy it to the folder of the application to use it", path);
        return Parse(await ReadAsync(path, trust, cancellation), path);
    }

    /// <summary>The root of the unpacked snapshot that a file is in, which may be somebody else's; null where it is in none.</summary>
    public static string? SnapshotAround(string path)
    {
        for (string? folder = Path.GetDirectoryName(path); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "metadata.json")) && File.Exists(Path.Combine(folder, "checksums.sha256")))
                return folder;
        }

        return null;
    }

    /// <summary>Checks an app file's bytes; <paramref name="path"/> (absolute) is where they are from, or will be.</summary>
    /// <exception cref="LifeboatException">As <see cref="LoadAsync"/>.</exception>
    internal static App Parse(ReadOnlySpan<byte> bytes, string path)
    {
        Mistakes mistakes = new(Path.GetFileName(path));
        List<YamlFault> faults = [];
        YamlNode? tree = YamlText.Decode(bytes, faults) is { } text ? YamlTreeReader.Read(text, faults) : null;
        mistakes.Add(faults);
        if (tree is null && !mistakes.Any)
            mistakes.Add(new Position(1, 1), "", "the file is empty", "`lifeboat init` in an empty folder shows what to write");
        if (tree is not null)
            new ShapeChecker(mistakes).Check(AppFileKeys.Root, tree, "");
        if (tree is MapNode root)
        {
            new OverlapRules(Path.GetDirectoryName(path)!, mistakes).Check(root);
            new ReferenceRules(mistakes).Check(root);
            new PassedSecrets(mistakes).Check(root);
        }

        return mistakes.Any ? throw new LifeboatException(mistakes.Problems) : new AppBuilder(path).Build((MapNode)tree!);
    }

    private static async Task<byte[]> ReadAsync(string path, FileTrust trust, CancellationToken cancellation)
    {
        if (Directory.Exists(path))
            throw Unreadable(path, "it is a folder", null);
        try
        {
            await using FileStream file = trust.Open(path, "the app file");
            byte[] buffer = new byte[YamlText.MaxBytes + 1];
            int count = await file.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation);
            return count <= YamlText.MaxBytes ? buffer[..count] : throw Unreadable(path, "it is larger than 1 MiB", null);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new LifeboatException(
                ErrorCodes.AppFileMissing, $"there is no app file {path}", "`lifeboat init` writes one; `--config FILE` names another", path, e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw Unreadable(path, "permission denied", e);
        }
        catch (IOException e)
        {
            throw Unreadable(path, e.Message, e);
        }
    }

    private static LifeboatException Unreadable(string path, string why, Exception? inner) => new(
        ErrorCodes.AppFileInvalid, $"the app file cannot be read: {why}", "name an app file (lifeboat.yaml) that this user may read with `--config FILE`", path, inner);
}
