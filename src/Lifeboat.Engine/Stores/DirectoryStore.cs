using System.Text.Json;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Bundles;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Storage;

namespace Lifeboat.Engine.Stores;

/// <summary>A folder of bundles, each with a copy of its metadata beside it.</summary>
public sealed class DirectoryStore(StoreSettings settings, HostEnvironment host)
{
    private const long MostSidecarBytes = 256L << 20;

    public string Name => settings.Name;

    public string Directory => settings.Path;

    /// <summary>Makes the folder, for its owner alone, if it is missing.</summary>
    /// <exception cref="LifeboatException">It cannot be made or written to.</exception>
    public void Prepare()
    {
        try
        {
            PrivateFile.CreateFolder(settings.Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LifeboatException(
                ErrorCodes.StoreNotFound, $"cannot make the store's folder {settings.Path}: {e.Message}", "correct its path in the app file, or make the folder", $"stores.{settings.Name}", e);
        }
    }

    /// <summary>The bundles of one app, newest first, without their metadata.</summary>
    public IReadOnlyList<StoredSnapshot> List(string app)
    {
        List<StoredSnapshot> found = [];
        if (!System.IO.Directory.Exists(settings.Path))
            return found;
        foreach (FileInfo file in new DirectoryInfo(settings.Path).EnumerateFiles("*.zip"))
        {
            if (BundleName.TryParse(file.Name) is { } name && name.App == app)
                found.Add(new StoredSnapshot(name.Id, settings.Name, file.FullName, file.Length, null, name.Timestamp));
        }

        return [.. found.OrderByDescending(static snapshot => snapshot.Timestamp)];
    }

    /// <summary>A bundle with its metadata, where there is a readable copy of it beside the bundle, and with what the bundle itself shows.</summary>
    public static async Task<StoredSnapshot> WithMetadataAsync(StoredSnapshot snapshot, CancellationToken cancellation) =>
        snapshot with { Metadata = await ReadSidecarAsync(snapshot.Path, cancellation), IsEncrypted = BundleReader.LooksEncrypted(snapshot.Path) };

    /// <summary>The path under which a run that starts now keeps its bundle: never one that exists.</summary>
    public BundleName FreeName(string app, DateTimeOffset started)
    {
        BundleName name = new(app, started);
        while (File.Exists(Path.Combine(settings.Path, name.FileName)))
            name = name with { Timestamp = name.Timestamp.AddSeconds(1) };
        return name;
    }

    /// <summary>Copies a finished bundle and its metadata in; it appears under its name only when it is complete.</summary>
    /// <param name="owner">Who is copying.</param>
    public async Task ImportAsync(string bundle, PartialOwner owner, CancellationToken cancellation)
    {
        Prepare();
        string path = Path.Combine(settings.Path, Path.GetFileName(bundle));
        await using (PartialFile copy = PartialFile.Create(path, host, owner))
        {
            await using (FileStream source = File.OpenRead(bundle))
                await source.CopyToAsync(copy.Stream, cancellation);
            await copy.CommitAsync(cancellation);
        }

        await WriteSidecarAsync(path, await File.ReadAllBytesAsync(bundle + BundleName.SidecarSuffix, cancellation), host, cancellation);
    }

    /// <summary>Writes the copy of a bundle's metadata beside it, for its owner alone: it names tables and counts rows.</summary>
    public static Task WriteSidecarAsync(string bundle, ReadOnlyMemory<byte> metadata, HostEnvironment host, CancellationToken cancellation) =>
        PrivateFile.ReplaceAsync(bundle + BundleName.SidecarSuffix, metadata, host.NewId(), cancellation);

    /// <summary>
    /// Removes what killed runs of this installation have left, and what others' have if nobody has written to it for long; only to be called under the app's
    /// lock. What others are writing is theirs, whatever their app's name begins with.
    /// </summary>
    public int RemoveLeftovers(string app, PartialOwner self)
    {
        int removed = 0;
        if (!System.IO.Directory.Exists(settings.Path))
            return removed;
        foreach (string file in System.IO.Directory.EnumerateFiles(settings.Path, $".*{PartialFile.Suffix}"))
        {
            if (PartialOwner.Parse(Path.GetFileName(file)) is not var (final, owner) || BundleName.TryParse(final)?.App != app)
                continue;
            if (owner != self && host.Time.GetUtcNow() - File.GetLastWriteTimeUtc(file) < PartialOwner.LongEnough)
                continue;
            File.Delete(file);
            removed++;
        }

        return removed;
    }

    private static async Task<SnapshotMetadata?> ReadSidecarAsync(string bundle, CancellationToken cancellation)
    {
        string path = bundle + BundleName.SidecarSuffix;
        if (!File.Exists(path))
            return null;
        try
        {
            await using FileStream stream = File.OpenRead(path);
            if (stream.Length > MostSidecarBytes)
                return null;
            return await JsonSerializer.DeserializeAsync(stream, MetadataJson.Default.SnapshotMetadata, cancellation);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // the latter for half of a character
        {
            return null; // only a convenience for lists; the bundle holds the truth
        }
    }
}
