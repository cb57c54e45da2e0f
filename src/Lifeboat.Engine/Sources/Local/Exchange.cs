using Lifeboat.Engine.Hosting;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>The exchange of one path. Each step looks at which names there are, so any can be taken again after a kill.</summary>
internal abstract class Exchange(RunContext run, PathExchange path)
{
    /// <summary>A file system's clock may lag behind the system's by its tick (CONFIG_HZ=100 at most).</summary>
    private static readonly TimeSpan ClockTick = TimeSpan.FromMilliseconds(20);

    protected PathExchange Place => path;

    /// <summary>The name that something gets which stands where nothing of ours or of the application's was.</summary>
    protected string Stray => $"{path.Outgoing}_stray";

    /// <summary>The path of what is kept.</summary>
    public string OutgoingPath => System.IO.Path.Combine(path.Inside ? path.Path : System.IO.Path.GetDirectoryName(path.Path) ?? path.Path, path.Outgoing);

    public abstract void Forward();

    public abstract void Back();

    public abstract void Finish();

    public abstract void DropIncoming();

    public abstract void DropOutgoing();

    public abstract bool WasUsed(DateTimeOffset since, CancellationToken cancellation);

    public abstract KeptState? Kept(CancellationToken cancellation);

    public abstract PathExchange Inverse(string id, string source);

    protected static bool IsThere(Folder folder, string name) => folder.Find(Folder.Name(name)) is not null;

    protected void Rename(Folder folder, string name, string newName) => run.Step(
        $"rename {folder.Describe(Folder.Name(name))} to {newName}",
        () =>
        {
            folder.Rename(Folder.Name(name), folder, Folder.Name(newName));
            folder.Flush();
        });

    protected void Delete(Folder folder, string name)
    {
        if (IsThere(folder, name))
            run.Step(
                $"delete {folder.Describe(Folder.Name(name))}",
                () =>
                {
                    folder.DeleteTree(Folder.Name(name));
                    folder.Flush();
                });
    }

    protected void Step(string what, Action step) => run.Step(what, step);

    /// <summary>Deletes the folders above the path that were made for it, if nothing else has come to be in them.</summary>
    protected void DropCreatedFolders()
    {
        foreach (string folder in path.CreatedFolders.Reverse())
        {
            if (Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any())
                Step($"delete {folder}", () => Directory.Delete(folder));
        }
    }

    internal static bool ChangedSince(Folder folder, byte[] name, DateTimeOffset since, CancellationToken cancellation) =>
        ChangedSince(folder, name, FileTime.From(since - ClockTick), cancellation);

    internal static long Bytes(Folder parent, byte[] name, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (parent.Find(name) is not { } status)
            return 0;
        long bytes = status.AllocatedBytes;
        if (status.Kind != FileKind.Folder)
            return bytes;
        using Folder folder = parent.OpenFolder(name);
        NameList names = folder.List(cancellation);
        for (int i = 0; i < names.Count; i++)
            bytes += Bytes(folder, names[i], cancellation);
        return bytes;
    }

    private static bool ChangedSince(Folder parent, byte[] name, FileTime since, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (parent.Find(name) is not { } status)
            return false;
        if (status.Modified.CompareTo(since) >= 0)
            return true;
        if (status.Kind != FileKind.Folder)
            return false;
        using Folder folder = parent.OpenFolder(name);
        NameList names = folder.List(cancellation);
        for (int i = 0; i < names.Count; i++)
        {
            if (ChangedSince(folder, names[i], since, cancellation))
                return true;
        }

        return false;
    }
}
