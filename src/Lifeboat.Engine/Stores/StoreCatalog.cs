using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;

namespace Lifeboat.Engine.Stores;

/// <summary>All snapshots of an app, in all its stores.</summary>
/// <param name="app">Null where there is no app file: then only paths can be found.</param>
public sealed class StoreCatalog(App? app, RunContext context)
{
    /// <summary>The snapshots, newest first; one that is in two stores is listed twice.</summary>
    public async Task<IReadOnlyList<StoredSnapshot>> ListAsync(CancellationToken cancellation)
    {
        List<StoredSnapshot> all = [];
        HostIdentity? here = app is null ? null : HostIdentity.Of(app, context.Host);
        foreach (StoredSnapshot one in List())
        {
            StoredSnapshot snapshot = await DirectoryStore.WithMetadataAsync(one, cancellation);
            all.Add(snapshot with { IsElsewhere = snapshot.Metadata is { } metadata && here?.Made(metadata) == false });
        }

        return all;
    }

    /// <summary>Finds a snapshot by <c>latest</c>, an id, a unique prefix of one, or a bundle's path.</summary>
    /// <param name="snapshot">A path is absolute here, or relative to where the program was started.</param>
    /// <param name="only">The sources that the latest must have; empty for all of the app's.</param>
    /// <exception cref="LifeboatException">None, or more than one, fits.</exception>
    public async Task<StoredSnapshot> FindAsync(string snapshot, IReadOnlyList<string> only, CancellationToken cancellation)
    {
        if (snapshot.EndsWith(".zip", StringComparison.OrdinalIgnoreCase) || snapshot.AsSpan().ContainsAny('/', '\\'))
            return ByPath(snapshot);
        if (app is null)
            throw NotFound("there is no app file here, so only a bundle's path can be named", "go to the app's folder, name the app file with -c FILE, or name a bundle's path");
        return snapshot == "latest"
            ? await new LatestSnapshot(app, context, only).ChooseAsync(List(), cancellation)
            : await DirectoryStore.WithMetadataAsync(ByName(snapshot, app.Name), cancellation);
    }

    private StoredSnapshot ByName(string snapshot, string name)
    {
        StoredSnapshot[] all = List();
        if (all.Length == 0)
            throw NotFound($"the app {name} has no snapshots yet", "run `lifeboat backup`, or name a bundle's path");
        StoredSnapshot[] fitting = [.. all.Where(one => one.Id.StartsWith(snapshot, StringComparison.Ordinal)).DistinctBy(static one => one.Id)];
        return fitting.Length switch
        {
            1 => fitting[0],
            0 => throw NotFound($"no snapshot's id begins with {snapshot}", "`lifeboat list` shows them"),
            _ => throw NotFound($"{fitting.Length} snapshots' ids begin with {snapshot}: {string.Join(", ", fitting.Take(5).Select(static one => one.Id))}", "name more of the id"),
        };
    }

    private StoredSnapshot[] List() =>
    [
        .. (app?.Stores ?? []).SelectMany(store => new DirectoryStore(store, context.Host).List(app!.Name)).OrderByDescending(static snapshot => snapshot.Timestamp)
            .Select(snapshot => snapshot with { IsAhead = LatestSnapshot.IsAhead(snapshot.Timestamp, context.Host) }),
    ];

    private StoredSnapshot ByPath(string path)
    {
        FileInfo file = new(path);
        if (!file.Exists)
            throw NotFound(Directory.Exists(path) ? $"{path} is a folder, not a bundle" : $"there is no bundle {path}", "`lifeboat list` shows what is in the stores");
        BundleName? name = BundleName.TryParse(file.Name);
        return new StoredSnapshot(
            name?.Id ?? Path.GetFileNameWithoutExtension(file.Name), "", file.FullName, file.Length, null, name?.Timestamp ?? file.LastWriteTimeUtc)
        {
            IsAhead = name is not null && LatestSnapshot.IsAhead(name.Timestamp, context.Host),
        };
    }

    private static LifeboatException NotFound(string message, string hint) => new(ErrorCodes.SnapshotNotFound, message, hint);
}
