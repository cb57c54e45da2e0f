using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Trust;

namespace Lifeboat.Engine.Stores;

/// <summary>
/// Whether a snapshot shows who wrote it. What an encrypted bundle holds was written by somebody who knows the password; what a plain one holds may be
/// anybody's who can write to where it lies, whatever it says of itself.
/// </summary>
/// <param name="app">Null where there is no app file.</param>
public sealed class SnapshotTrust(App? app, RunContext context)
{
    private const string Vouch = "use another snapshot, or add --trust if you know who wrote this one and what is in it";

    /// <summary>What speaks against the snapshot: it is not what the app's are, or not what it says.</summary>
    public IReadOnlyList<Problem> Contradictions(StoredSnapshot stored, VerifiedSnapshot snapshot)
    {
        List<Problem> found = [];
        if (snapshot.IsAuthentic)
            return found;
        if (snapshot.Metadata.Encryption != "none")
            found.Add(new Problem(
                ErrorCodes.EncryptionContradicted, "the metadata says that the bundle is encrypted, and it is not: it is not as Lifeboat wrote it", Vouch, stored.Path));
        if (HasPassword)
            found.Add(new Problem(
                ErrorCodes.NotAuthentic, "the bundle is not encrypted although there is a password for it: whoever can write to where it lies may have made it", Vouch, stored.Path));
        return found;
    }

    /// <summary>Every reason why a person must vouch for the snapshot before anything of it is restored.</summary>
    public IReadOnlyList<Problem> Doubts(StoredSnapshot stored, VerifiedSnapshot snapshot)
    {
        IReadOnlyList<Problem> found = Contradictions(stored, snapshot);
        if (snapshot.IsAuthentic || found.Count > 0)
            return found;
        if (app is not null && snapshot.Metadata.App == app.Name && IsInStore(app, stored))
            return Look(stored);
        return
        [
            new Problem(
                ErrorCodes.NotAuthentic,
                app is null ? "the bundle is not encrypted: nothing shows who wrote it"
                : $"the bundle is not encrypted and not one of {app.Name} in its own store: nothing shows who wrote it",
                Vouch,
                stored.Path),
        ];
    }

    /// <summary>A plain bundle in the app's own store is as trustworthy as what the system says of who may write there.</summary>
    private IReadOnlyList<Problem> Look(StoredSnapshot stored) => new FileTrust(context.Host).Look(stored.Path, "the bundle, which is not encrypted,") is { } problem
        ? [new Problem(ErrorCodes.NotAuthentic, problem.Message, $"{problem.Hint}; or add --trust if you know who wrote this one and what is in it", stored.Path)]
        : [];

    /// <summary>Whether a password is configured; where there is no app file, whether one is given.</summary>
    private bool HasPassword => app is not null ? app.Password is not null : SnapshotOpener.GivenPassword(context.Host) is not null;

    private static bool IsInStore(App app, StoredSnapshot stored) => app.Stores.Any(store => store.Name == stored.Store
        || string.Equals(Path.TrimEndingDirectorySeparator(store.Path), Path.GetDirectoryName(stored.Path), StringComparison.Ordinal));
}
