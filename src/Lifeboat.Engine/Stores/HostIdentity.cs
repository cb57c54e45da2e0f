using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Storage;

namespace Lifeboat.Engine.Stores;

/// <summary>
/// Whose snapshots are this installation's, where several keep theirs in one store. A host's name is not enough: containers have another one at each start,
/// and two copies of an app may be on one host. So each state folder has an id of its own; <c>host:</c> in the app file puts a name of one's choice in its place.
/// </summary>
/// <param name="Name">The host's name, or the one that the app file gives.</param>
/// <param name="Id">The state folder's; null where the app file names the host, and where no backup was made here yet.</param>
/// <param name="IsGiven">Whether the app file names the host.</param>
public sealed record HostIdentity(string Name, string? Id, bool IsGiven)
{
    private const string FileName = "id";
    private const int MostCharacters = 64;

    /// <summary>As it stands; nothing is written.</summary>
    public static HostIdentity Of(App app, HostEnvironment host) =>
        app.Host is { } given ? new HostIdentity(given, null, true) : new HostIdentity(host.HostName, StateId(app), false);

    /// <summary>The same, with an id that is made where there is none; only to be called with the app's lock.</summary>
    /// <exception cref="LifeboatException">It cannot be written.</exception>
    public static HostIdentity Make(App app, HostEnvironment host)
    {
        EnsureStateId(app, host);
        return Of(app, host);
    }

    /// <summary>The state folder's id, whatever the app file says: what tells apart who is writing.</summary>
    /// <inheritdoc cref="Make"/>
    public static string EnsureStateId(App app, HostEnvironment host)
    {
        if (StateId(app) is { } known)
            return known;
        string path = Path.Combine(app.StateDirectory, FileName);
        try
        {
            string id = host.NewId();
            PrivateFile.CreateFolder(app.StateDirectory);
            File.Delete(path); // cut off, or not an id
            PrivateFile.Write(path, System.Text.Encoding.ASCII.GetBytes(id + "\n"));
            return id;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StorageErrors.Writing(e, "the id of this installation", path);
        }
    }

    /// <summary>Whether a snapshot was made here; one without an id goes by its host's name.</summary>
    public bool Made(SnapshotMetadata snapshot) => IsGiven || snapshot.HostId is null ? snapshot.Host == Name : snapshot.HostId == Id;

    /// <summary>What tells the installations apart that snapshots are of.</summary>
    public static string KeyOf(SnapshotMetadata snapshot) => snapshot.HostId ?? snapshot.Host;

    private static string? StateId(App app)
    {
        try
        {
            using FileStream file = new(Path.Combine(app.StateDirectory, FileName), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            byte[] bytes = new byte[MostCharacters];
            string text = System.Text.Encoding.ASCII.GetString(bytes, 0, file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)).Trim();
            return text.Length > 0 && text.All(char.IsAsciiLetterOrDigit) ? text : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
