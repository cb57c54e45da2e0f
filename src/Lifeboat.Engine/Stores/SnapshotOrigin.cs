using System.Globalization;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Stores;

/// <summary>Whether a snapshot is of this app and this installation, and has all of the app, by what it says of itself.</summary>
/// <param name="app">Null where there is no app file: then every snapshot is as good as another.</param>
public sealed class SnapshotOrigin(App? app, HostEnvironment host)
{
    /// <summary>A name is a second later for each run that began in the same second.</summary>
    private static readonly TimeSpan RunsAtOnce = TimeSpan.FromMinutes(2);

    /// <summary>What a person should know of where it is from.</summary>
    /// <param name="only">The sources that are wanted; empty for all.</param>
    public IReadOnlyList<Problem> Look(StoredSnapshot stored, SnapshotMetadata metadata, IReadOnlyList<string> only)
    {
        if (app is null)
            return [];
        List<Problem> found = [];
        HostIdentity here = HostIdentity.Of(app, host);
        string hint = stored.IsLatest
            ? $"name it by its id ({stored.Id}), or add --trust, if it is the one that is wanted"
            : "go on only if it is the one that is wanted";
        if (metadata.App != app.Name)
            found.Add(new Problem(ErrorCodes.SnapshotOfAnother, $"the snapshot is of the app {metadata.App}, not of {app.Name}", hint, stored.Path));
        else if (stored.IsLatest && !here.Made(metadata) && metadata.Host != here.Name)
            found.Add(new Problem(
                ErrorCodes.SnapshotOfAnother, $"the snapshot was made on the host {metadata.Host}, and this is {here.Name}", hint, stored.Path));
        if (stored.Store.Length > 0 && (stored.Timestamp - metadata.Timestamp).Duration() > RunsAtOnce)
            found.Add(new Problem(
                ErrorCodes.SnapshotRenamed,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"the bundle's name says that it was made at {stored.Timestamp.UtcDateTime:u}, and it was made at {metadata.Timestamp.UtcDateTime:u}: it was renamed"),
                hint, stored.Path));
        if (stored.IsLatest && only.Count == 0 && metadata.IsPartial)
            found.Add(new Problem(
                ErrorCodes.PartialSnapshot, $"the snapshot is partial: it lacks {string.Join(", ", metadata.SourcesLeftOut!)}", hint, stored.Path));
        return found;
    }
}
