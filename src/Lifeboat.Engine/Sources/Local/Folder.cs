using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>
/// An open folder of this machine. Names are bytes, as Linux has them, and every operation is relative to the open folder, so what
/// happens to its path meanwhile does not matter. No operation follows a symbolic link, none overwrites anything. Failures are
/// <see cref="IOException"/>s whose <see cref="FileTrouble"/> tells them apart.
/// </summary>
internal abstract class Folder : IDisposable
{
    private int _holders = 1;

    protected Folder(string display) => Display = display;

    /// <summary>The folder's path, for messages.</summary>
    public string Display { get; }

    /// <summary>Whether the system keeps modes and owners.</summary>
    public abstract bool HasTraits { get; }

    /// <summary>Opens a folder by its path, through symbolic links.</summary>
    public static Folder Open(string path) => OperatingSystem.IsWindows() ? new SystemFolder(path) : UnixFolder.OpenPath(path);

    /// <summary>Opens a folder by its path, which is no symbolic link by now.</summary>
    public static Folder OpenItself(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(path);
        if (Path.GetDirectoryName(full) is not { } above)
            return Open(full);
        using Folder parent = Open(above);
        return parent.OpenFolder(Name(Path.GetFileName(full)));
    }

    /// <summary>A name as Linux keeps it.</summary>
    public static byte[] Name(string name) => Encoding.UTF8.GetBytes(name);

    /// <summary>A name or a path for messages: what is not UTF-8 or would disturb a terminal is replaced.</summary>
    public static string Readable(ReadOnlySpan<byte> name)
    {
        StringBuilder text = new();
        foreach (Rune rune in Encoding.UTF8.GetString(name).EnumerateRunes())
            _ = Rune.IsControl(rune) ? text.Append('\uFFFD') : text.Append(rune.ToString());
        return text.ToString();
    }

    public string Describe(ReadOnlySpan<byte> name) => Display + "/" + Readable(name);

    /// <summary>Counts one more holder; each disposes once, and the last one closes the folder.</summary>
    public Folder Share()
    {
        Interlocked.Increment(ref _holders);
        return this;
    }

    public void Dispose()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            Close();
            GC.SuppressFinalize(this);
        }
    }

    protected abstract void Close();

    /// <summary>All names but <c>.</c> and <c>..</c>, sorted.</summary>
    public abstract NameList List(CancellationToken cancellation);

    /// <summary>The folder's own status.</summary>
    public abstract FileStatus Status();

    /// <summary>The status of what has a name here; null where nothing has.</summary>
    public abstract FileStatus? Find(byte[] name);

    public abstract FileStatus StatusOf(SafeFileHandle file, byte[] name);

    public abstract Folder OpenFolder(byte[] name);

    /// <summary>Opens a file for reading. It may turn out to be something else: look at <see cref="StatusOf"/> first.</summary>
    public abstract SafeFileHandle OpenFile(byte[] name);

    /// <summary>Whether this process may read a file, as far as can be told without opening it.</summary>
    public abstract bool MayRead(byte[] name);

    /// <summary>Whether this process may create and rename in this folder.</summary>
    public abstract bool MayWrite();

    public abstract byte[] ReadLink(byte[] name);

    /// <summary>The names of the extended attributes of what has a name here (<c>.</c> for the folder itself); none where they cannot be told.</summary>
    public virtual IReadOnlyList<string> AttributeNames(byte[] name) => [];

    /// <summary>Creates a folder that only its owner can enter.</summary>
    public abstract void CreateFolder(byte[] name);

    /// <summary>Creates a file that only its owner can read, and opens it for writing.</summary>
    public abstract SafeFileHandle CreateFile(byte[] name);

    public abstract void CreateSymbolicLink(byte[] name, byte[] target);

    public abstract void CreateFifo(byte[] name);

    /// <summary>Gives an existing file of another folder one more name.</summary>
    public abstract void CreateHardLink(byte[] name, Folder existing, byte[] existingName);

    /// <summary>Sets owner, mode and time of an open file: of that one, whatever has its name by now.</summary>
    public abstract void ApplyTo(SafeFileHandle file, byte[] name, FileTraits traits);

    /// <summary>Sets owner, mode and time of what has a name here (of a symbolic link itself); of a regular file by <see cref="ApplyTo"/> instead.</summary>
    public abstract void Apply(byte[] name, FileKind kind, FileTraits traits);

    /// <summary>Sets the folder's own owner, mode and time.</summary>
    public abstract void ApplyToSelf(FileTraits traits);

    /// <summary>Renames, and fails with <see cref="FileTrouble.Exists"/> where the new name is taken.</summary>
    public abstract void Rename(byte[] name, Folder to, byte[] newName);

    public abstract void DeleteFile(byte[] name);

    /// <summary>Deletes an empty folder.</summary>
    public abstract void DeleteFolder(byte[] name);

    /// <summary>Makes renames and deletions in this folder survive a power cut.</summary>
    public abstract void Flush();

    /// <summary>Makes everything written to this folder's file system so far survive a power cut.</summary>
    public abstract void FlushFilesystem();

    /// <summary>Deletes what has a name here, folders with all that is in them; mount points stop it.</summary>
    public void DeleteTree(byte[] name)
    {
        if (Find(name) is not { } status)
            return;
        if (status.IsMountPoint)
            throw new FileFailure(FileTrouble.Busy, $"another file system is mounted at {Describe(name)}, which is not emptied");
        if (status.Kind != FileKind.Folder)
        {
            DeleteFile(name);
            return;
        }

        if (HasTraits && (status.Mode & 0b111_000_000) != 0b111_000_000)
            Apply(name, FileKind.Folder, new FileTraits(0b111_000_000, null, null));
        using (Folder folder = OpenFolder(name))
        {
            NameList names = folder.List(CancellationToken.None);
            for (int i = 0; i < names.Count; i++)
                folder.DeleteTree(names[i]);
        }

        DeleteFolder(name);
    }
}
