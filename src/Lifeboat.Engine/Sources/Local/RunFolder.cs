using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Storage;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>
/// A run's own folder for temporary files, <c>lifeboat-run-ID</c> in the host's temporary folder, readable by its user alone. It goes with
/// the run. A killed run leaves it behind, and the next one removes it: the lock on a file in it tells whether its run is still there.
/// </summary>
public sealed class RunFolder : IDisposable
{
    private const string Prefix = "lifeboat-run-";
    private const string LockName = "lock";

    private readonly Folder _parent;
    private readonly byte[] _name;
    private readonly FileStream _lock;

    private RunFolder(Folder parent, string name, HostEnvironment host)
    {
        _parent = parent;
        _name = Folder.Name(name);
        Host = host with { TempDirectory = Path.Combine(parent.Display, name) };
        parent.CreateFolder(_name);
        _lock = PrivateFile.Create(Path.Combine(Host.TempDirectory, LockName));
    }

    /// <summary>The host with this as its temporary folder.</summary>
    public HostEnvironment Host { get; }

    /// <summary>Makes one, and removes those of runs that were killed.</summary>
    /// <exception cref="LifeboatException">The host's temporary folder cannot be used.</exception>
    public static RunFolder Create(HostEnvironment host)
    {
        Folder? parent = null;
        try
        {
            parent = Folder.Open(Path.TrimEndingDirectorySeparator(host.TempDirectory));
            RemoveLeftovers(parent);
            return new RunFolder(parent, Prefix + host.NewId(), host);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            parent?.Dispose();
            throw new LifeboatException(
                ErrorCodes.StorageFailed,
                $"the temporary folder {host.TempDirectory} cannot be used: {e.Message}",
                "set TMPDIR to a folder that this user may write to",
                inner: e);
        }
    }

    public void Dispose()
    {
        _lock.Dispose();
        TryDelete(_parent, _name);
        _parent.Dispose();
    }

    private static void RemoveLeftovers(Folder parent)
    {
        NameList names = parent.List(CancellationToken.None);
        for (int i = 0; i < names.Count; i++)
        {
            if (names[i].AsSpan().StartsWith(Folder.Name(Prefix)) && IsLeftover(parent, names[i]))
                TryDelete(parent, names[i]);
        }
    }

    /// <summary>
    /// Whether it is a folder of this user's whose run is gone. Other users' are let alone, by root too: who may write in a folder may
    /// put links into it.
    /// </summary>
    private static bool IsLeftover(Folder parent, byte[] name)
    {
        try
        {
            if (parent.Find(name) is not { Kind: FileKind.Folder } status || !UnixFolder.IsOwn(status))
                return false;
            // A run that is about to make its lock has an empty folder, which is not a leftover.
            using FileStream free = new(
                Path.Combine(parent.Display, Folder.Readable(name), LockName), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // held, or not ours
        }
    }

    private static void TryDelete(Folder parent, byte[] name)
    {
        try
        {
            parent.DeleteTree(name);
        }
        catch (IOException)
        {
            // Another run does the same at this moment, or it cannot be deleted now: the next run tries again.
        }
    }
}
