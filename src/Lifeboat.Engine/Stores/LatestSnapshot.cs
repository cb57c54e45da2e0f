using System.Globalization;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Stores;

/// <summary>
/// Which snapshot is <c>latest</c>: the newest that this installation made, that has all that is wanted, and that is not dated in the future. Where it made none (an
/// empty machine), the newest of the one that made some; where several did, none.
/// </summary>
/// <param name="only">The sources that are wanted; empty for all of the app, which a partial snapshot has not.</param>
internal sealed class LatestSnapshot(App app, RunContext context, IReadOnlyList<string> only)
{
    /// <summary>Clocks differ a little.</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    private readonly HostIdentity _here = HostIdentity.Of(app, context.Host);

    /// <summary>Whether a time is in the future, so that a clock was or is wrong.</summary>
    public static bool IsAhead(DateTimeOffset time, HostEnvironment host) => time > host.Time.GetUtcNow() + Tolerance;

    /// <param name="all">The app's snapshots, the newest first.</param>
    /// <exception cref="LifeboatException">There is none, and why.</exception>
    public async Task<StoredSnapshot> ChooseAsync(IReadOnlyList<StoredSnapshot> all, CancellationToken cancellation)
    {
        StoredSnapshot[] ahead = [.. all.Where(static one => one.IsAhead)];
        Dictionary<string, StoredSnapshot> elsewhere = [];
        bool anyPartial = false;
        foreach (StoredSnapshot one in all.Except(ahead))
        {
            StoredSnapshot snapshot = await DirectoryStore.WithMetadataAsync(one, cancellation) with { IsLatest = true };
            if (!Has(snapshot.Metadata))
                anyPartial = true;
            else if (snapshot.Metadata is null || _here.Made(snapshot.Metadata))
                return Chosen(snapshot, ahead);
            else
                elsewhere.TryAdd(HostIdentity.KeyOf(snapshot.Metadata), snapshot);
        }

        return elsewhere.Count == 1 ? Chosen(elsewhere.Values.First(), ahead) : throw None([.. elsewhere.Values], ahead, anyPartial);
    }

    private bool Has(SnapshotMetadata? metadata) => metadata is null
        || (only.Count == 0 ? !metadata.IsPartial : only.All(name => metadata.Sources.Any(source => source.Name == name)));

    private StoredSnapshot Chosen(StoredSnapshot snapshot, StoredSnapshot[] ahead)
    {
        if (ahead.Length > 0)
            context.Progress.Report(new Warned(null, Ahead(ahead)));
        return snapshot;
    }

    /// <summary>That some snapshots are dated in the future.</summary>
    public static Problem Ahead(IReadOnlyList<StoredSnapshot> ahead) => new(
        ErrorCodes.SnapshotAhead,
        string.Create(
            CultureInfo.InvariantCulture,
            $"{ahead.Count} {(ahead.Count == 1 ? "snapshot is" : "snapshots are")} dated in the future ({ahead[0].Id}), and not taken for the latest"),
        "a clock was wrong when it was made, or is wrong now: see to it, and remove or rename what is dated wrongly; "
        + "by its id a snapshot can be named all the same");

    private LifeboatException None(IReadOnlyList<StoredSnapshot> elsewhere, StoredSnapshot[] ahead, bool anyPartial)
    {
        if (elsewhere.Count > 1)
            return NotFound(
                $"the snapshots of {app.Name} are of {elsewhere.Count} other installations, and none was made here ({_here.Name}): "
                + string.Join(", ", elsewhere.Select(static one => $"{one.Id} on {one.Metadata!.Host}")),
                "name one by its id, or write `host: NAME` into the app file if this is that host");
        if (anyPartial)
            return NotFound(
                only.Count == 0
                    ? $"every snapshot of {app.Name} is partial: it lacks some of the app's sources"
                    : $"no snapshot of {app.Name} has all of {string.Join(", ", only)}",
                "name one by its id; `lifeboat list` says which are partial");
        if (ahead.Length > 0)
            return NotFound(
                $"every snapshot of {app.Name} is dated in the future (the newest is {ahead[0].Id})",
                "look at this machine's clock; if it is right, name a snapshot by its id");
        return NotFound($"the app {app.Name} has no snapshots yet", "run `lifeboat backup`, or name a bundle's path");
    }

    private static LifeboatException NotFound(string message, string hint) => new(ErrorCodes.SnapshotNotFound, message, hint);
}
