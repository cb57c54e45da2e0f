using System.Text.Json;
using System.Text.Json.Serialization;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Processes;
using Lifeboat.Engine.Storage;
using Lifeboat.Engine.Trust;

namespace Lifeboat.Engine.Runs;

/// <summary>
/// Keeps two runs on the same app apart: <c>.lifeboat/lock</c> beside the app file, held open under the system's own lock, so a killed run
/// lets go of it; <c>.lifeboat/lock.json</c> says who holds it. Where the folder is shared between machines whose locks do not see each
/// other, that note decides: a holder on this machine counts while its process runs, one elsewhere until its note is removed.
/// </summary>
public sealed class RunLock : IDisposable
{
    private readonly FileStream _file;
    private readonly string _note;

    private RunLock(FileStream file, string note)
    {
        _file = file;
        _note = note;
    }

    /// <summary>The folder of Lifeboat's own state for an app.</summary>
    public static string StateDirectory(App app) => app.StateDirectory;

    /// <inheritdoc cref="StateDirectory(App)"/>
    /// <param name="folder">The folder that holds the app file.</param>
    public static string StateDirectory(string folder) => Path.Combine(folder, ".lifeboat");

    /// <summary>Takes the lock.</summary>
    /// <exception cref="LifeboatException">Another run holds it (<see cref="ErrorCodes.Locked"/>), or the folder is not writable.</exception>
    public static RunLock Take(App app, HostEnvironment host, string command)
    {
        string directory = StateDirectory(app);
        string note = Path.Combine(directory, "lock.json");
        FileTrust trust = new(host);
        FileStream? file = null;
        try
        {
            StateFolder.Prepare(directory, host);
            file = Open(Path.Combine(directory, "lock"), trust) ?? throw Held(app, ReadNote(note, trust));
            if (ReadNote(note, trust) is { } holder && !IsStale(holder, host))
                throw Held(app, holder);
            ProcessIdentity self = ProcessIdentity.Of(host.ProcessId);
            LockNote mine = new(self.Pid, self.Boot, self.Started, host.HostName, host.Time.GetUtcNow(), command);
            File.Delete(note);
            PrivateFile.Write(note, JsonSerializer.SerializeToUtf8Bytes(mine, LockNoteJson.Default.LockNote));
            return new RunLock(file, note);
        }
        catch (UnauthorizedAccessException e)
        {
            file?.Dispose();
            throw new LifeboatException(
                ErrorCodes.StorageFailed, $"cannot write the lock in {directory}: {e.Message}", "run as a user who may write beside the app file", inner: e);
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    }

    /// <summary>Whether another process has a run on the app under way; nothing is made or changed.</summary>
    /// <exception cref="LifeboatException">Somebody else may have put the lock there.</exception>
    public static bool IsHeldElsewhere(App app, HostEnvironment host)
    {
        string directory = StateDirectory(app);
        string path = Path.Combine(directory, "lock");
        FileTrust trust = new(host);
        if (!StateFolder.IsThere(directory, host) || !File.Exists(path))
            return false;
        LockNote? holder = ReadNote(Path.Combine(directory, "lock.json"), trust);
        if (holder is { } note && note.Pid == host.ProcessId && note.Host == host.HostName)
            return false; // this very run
        try
        {
            using FileStream free = trust.OpenFile(path, "the lock", new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.None });
            return holder is not null && !IsStale(holder, host);
        }
        catch (IOException) when (File.Exists(path))
        {
            return true;
        }
    }

    public void Dispose()
    {
        // The lock file stays: removing it would let a run that waits on the old file and one that makes a new file both go on.
        File.Delete(_note);
        _file.Dispose();
    }

    private static FileStream? Open(string path, FileTrust trust)
    {
        try
        {
            FileStream file = trust.OpenFile(path, "the lock", PrivateFile.Options(FileMode.OpenOrCreate, FileShare.None));
            PrivateFile.Narrow(file.SafeFileHandle);
            return file;
        }
        catch (IOException) when (File.Exists(path))
        {
            return null; // held by another process
        }
    }

    private static LockNote? ReadNote(string path, FileTrust trust)
    {
        try
        {
            FileStreamOptions reading = new() { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete };
            using FileStream file = trust.OpenFile(path, "the lock's note", reading);
            return JsonSerializer.Deserialize(file, LockNoteJson.Default.LockNote);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (JsonException)
        {
            return null; // its writer was killed while it wrote: then it does not run any more
        }
    }

    private static bool IsStale(LockNote note, HostEnvironment host) =>
        note.Host == host.HostName && !new ProcessIdentity(note.Pid, note.Boot, note.Started).IsRunning();

    private static LifeboatException Held(App app, LockNote? holder) => new(
        ErrorCodes.Locked,
        holder is null
            ? $"another run on the app {app.Name} is under way"
            : $"`lifeboat {holder.Command}` on the app {app.Name} is under way: pid {holder.Pid} on {holder.Host}, since {holder.Since.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z",
        $"wait for it to end; if you are sure that it does not run any more, delete {Path.Combine(StateDirectory(app), "lock.json")}");
}

internal sealed record LockNote(int Pid, string Boot, long Started, string Host, DateTimeOffset Since, string Command);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(LockNote))]
internal sealed partial class LockNoteJson : JsonSerializerContext;
