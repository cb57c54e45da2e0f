using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>A folder on Linux, held by its descriptor.</summary>
internal sealed class UnixFolder : Folder
{
    private const ulong MountRoot = 0x2000; // STATX_ATTR_MOUNT_ROOT
    private const uint BasicStatus = 0x7FF; // STATX_BASIC_STATS
    private const long TimeKept = (1L << 30) - 2; // UTIME_OMIT

    private readonly int _descriptor;

    private UnixFolder(int descriptor, string display)
        : base(display) => _descriptor = descriptor;

    public override bool HasTraits => true;

    public static UnixFolder OpenPath(string path) =>
        OpenAt(Libc.CurrentFolder, Terminated(Name(path)), path, follow: true);

    /// <summary>Whether this process is root, who can give files away.</summary>
    public static bool IsRoot => Libc.EffectiveUser() == 0;

    /// <summary>Whether a file belongs to this process's user; where there are no owners, all do.</summary>
    public static bool IsOwn(FileStatus status) => status.Owner is not { } owner || owner.Uid == Libc.EffectiveUser();

    public static bool IsReadOnlyFilesystem(string path) =>
        Libc.AccessAt(Libc.CurrentFolder, Terminated(Name(path)), Libc.WriteAccess, Libc.EffectiveAccess) != 0
        && FileFailure.FromLastCall(path).Trouble == FileTrouble.ReadOnlyFilesystem;

    /// <summary>Whether two paths lead to the same file; false too where that cannot be told.</summary>
    public static bool AreSame(string left, string right) =>
        Statx(Libc.CurrentFolder, Terminated(Name(left)), 0) is { } one && Statx(Libc.CurrentFolder, Terminated(Name(right)), 0) is { } other
        && (one.Device, one.Inode) == (other.Device, other.Inode);

    protected override void Close() => _ = Libc.Close(_descriptor);

    public override unsafe NameList List(CancellationToken cancellation)
    {
        NameList names = new();
        int copy = Require(
            Libc.OpenAt(_descriptor, Terminated("."u8), Libc.OpenFolder | Libc.OpenCloseOnExec, 0), "cannot list", default);
        nint stream = Libc.OpenStream(copy);
        if (stream == 0)
        {
            FileFailure failure = FileFailure.FromLastCall($"cannot list {Display}");
            _ = Libc.Close(copy);
            throw failure;
        }

        try
        {
            const int nameOffset = 19; // of d_name in struct dirent, after inode, offset, length and type
            while (Libc.ReadStream(stream) is var entry && entry != null)
            {
                ReadOnlySpan<byte> name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry + nameOffset);
                if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                    names.Add(name);
                cancellation.ThrowIfCancellationRequested();
            }

            if (Marshal.GetLastPInvokeError() != 0)
                throw FileFailure.FromLastCall($"cannot list {Display}");
        }
        finally
        {
            _ = Libc.CloseStream(stream);
        }

        names.Sort();
        return names;
    }

    public override FileStatus Status() =>
        Statx(_descriptor, Terminated(default), Libc.EmptyPath) ?? throw FileFailure.FromLastCall($"cannot look at {Display}");

    public override FileStatus? Find(byte[] name)
    {
        if (Statx(_descriptor, Terminated(name), Libc.NoFollow) is { } status)
            return status;
        FileFailure failure = FileFailure.FromLastCall($"cannot look at {Describe(name)}");
        return failure.Trouble == FileTrouble.Missing ? null : throw failure;
    }

    public override FileStatus StatusOf(SafeFileHandle file, byte[] name) =>
        Statx((int)file.DangerousGetHandle(), Terminated(default), Libc.EmptyPath)
        ?? throw FileFailure.FromLastCall($"cannot look at {Describe(name)}");

    public override Folder OpenFolder(byte[] name) => OpenAt(_descriptor, Terminated(name), Describe(name), follow: false);

    public override SafeFileHandle OpenFile(byte[] name)
    {
        int flags = Libc.OpenNoFollow | Libc.OpenNonBlocking | Libc.OpenCloseOnExec;
        return new SafeFileHandle(Require(Libc.OpenAt(_descriptor, Terminated(name), flags, 0), "cannot open", name), ownsHandle: true);
    }

    public override bool MayRead(byte[] name) =>
        Libc.AccessAt(_descriptor, Terminated(name), Libc.ReadAccess, Libc.EffectiveAccess) == 0;

    public override bool MayWrite() =>
        Libc.AccessAt(_descriptor, Terminated("."u8), Libc.WriteAccess | Libc.SearchAccess, Libc.EffectiveAccess) == 0;

    public override unsafe byte[] ReadLink(byte[] name)
    {
        byte[] buffer = new byte[4096 + 1]; // a target has at most PATH_MAX - 1 bytes
        fixed (byte* room = buffer)
        {
            nint length = Libc.ReadLinkAt(_descriptor, Terminated(name), room, (nuint)buffer.Length);
            Require((int)length, "cannot read the symbolic link", name);
            return buffer[..(int)length];
        }
    }

    /// <summary>llistxattr(2), which knows no open folders: so by their names in proc(5).</summary>
    public override unsafe IReadOnlyList<string> AttributeNames(byte[] name)
    {
        const int most = 64 * 1024; // XATTR_LIST_MAX
        byte[] path = Terminated([.. Encoding.ASCII.GetBytes($"/proc/self/fd/{_descriptor}/"), .. name]);
        if (Libc.ListAttributes(path, null, 0) <= 0)
            return [];
        byte[] names = new byte[most];
        fixed (byte* room = names)
        {
            nint length = Libc.ListAttributes(path, room, most);
            return length <= 0 ? [] : Encoding.UTF8.GetString(names, 0, (int)length).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        }
    }

    public override void CreateFolder(byte[] name) =>
        Require(Libc.MakeFolderAt(_descriptor, Terminated(name), 0b111_000_000), "cannot create the folder", name);

    public override SafeFileHandle CreateFile(byte[] name)
    {
        int flags = Libc.OpenWriteOnly | Libc.OpenCreate | Libc.OpenExclusive | Libc.OpenNoFollow | Libc.OpenCloseOnExec;
        return new SafeFileHandle(
            Require(Libc.OpenAt(_descriptor, Terminated(name), flags, 0b110_000_000), "cannot create", name), ownsHandle: true);
    }

    public override void CreateSymbolicLink(byte[] name, byte[] target) =>
        Require(Libc.SymbolicLinkAt(Terminated(target), _descriptor, Terminated(name)), "cannot create the symbolic link", name);

    public override void CreateFifo(byte[] name) =>
        Require(Libc.MakeFifoAt(_descriptor, Terminated(name), 0b110_000_000), "cannot create the fifo", name);

    public override void CreateHardLink(byte[] name, Folder existing, byte[] existingName) =>
        Require(
            Libc.LinkAt(((UnixFolder)existing)._descriptor, Terminated(existingName), _descriptor, Terminated(name), 0),
            "cannot create the hard link",
            name);

    public override void ApplyTo(SafeFileHandle file, byte[] name, FileTraits traits)
    {
        int descriptor = (int)file.DangerousGetHandle();
        if (traits.Owner is { } owner)
            Require(Libc.ChangeOwnerAt(descriptor, Terminated(default), owner.Uid, owner.Gid, Libc.EmptyPath), "cannot set the owner of", name);
        if (traits.Mode is { } mode)
            Require(Libc.ChangeMode(descriptor, (uint)mode), "cannot set the mode of", name);
        if (traits.Modified is { } time)
            SetTime(descriptor, time, name);
    }

    public override void Apply(byte[] name, FileKind kind, FileTraits traits)
    {
        // The owner first, because changing it clears setuid; the time last, because everything else may change it.
        if (traits.Owner is { } owner)
            Require(
                Libc.ChangeOwnerAt(_descriptor, Terminated(name), owner.Uid, owner.Gid, Libc.NoFollow), "cannot set the owner of", name);
        if (traits.Mode is { } mode && kind != FileKind.SymbolicLink)
            Require(Libc.ChangeModeAt(_descriptor, Terminated(name), (uint)mode, Libc.NoFollow), "cannot set the mode of", name);
        if (traits.Modified is { } time)
            SetTime(Terminated(name), time, Libc.NoFollow, name);
    }

    public override void ApplyToSelf(FileTraits traits)
    {
        if (traits.Owner is { } owner)
            Require(
                Libc.ChangeOwnerAt(_descriptor, Terminated(default), owner.Uid, owner.Gid, Libc.EmptyPath),
                "cannot set the owner of",
                default);
        if (traits.Mode is { } mode)
            Require(Libc.ChangeMode(_descriptor, (uint)mode), "cannot set the mode of", default);
        if (traits.Modified is { } time)
            SetTime(Terminated("."u8), time, 0, default);
    }

    public override void Rename(byte[] name, Folder to, byte[] newName)
    {
        UnixFolder target = (UnixFolder)to;
        if (Libc.RenameAt(_descriptor, Terminated(name), target._descriptor, Terminated(newName), Libc.RenameNoReplace) == 0)
            return;
        FileFailure failure = FileFailure.FromLastCall($"cannot rename {Describe(name)} to {to.Describe(newName)}");
        if (failure.Trouble != FileTrouble.Unsupported)
            throw failure;

        // Some network file systems cannot refuse to overwrite; then the look before is the best there is.
        if (target.Find(newName) is not null)
            throw new FileFailure(FileTrouble.Exists, $"cannot rename {Describe(name)} to {to.Describe(newName)}: the name is taken");
        Require(Libc.RenameAt(_descriptor, Terminated(name), target._descriptor, Terminated(newName), 0), "cannot rename", name);
    }

    public override void DeleteFile(byte[] name) => Require(Libc.UnlinkAt(_descriptor, Terminated(name), 0), "cannot delete", name);

    public override void DeleteFolder(byte[] name) =>
        Require(Libc.UnlinkAt(_descriptor, Terminated(name), Libc.RemoveFolder), "cannot delete the folder", name);

    public override void Flush()
    {
        if (Libc.Sync(_descriptor) == 0)
            return;
        FileFailure failure = FileFailure.FromLastCall($"cannot flush {Display}");
        if (failure.Trouble != FileTrouble.Unsupported)
            throw failure;
    }

    public override void FlushFilesystem() => Require(Libc.SyncFilesystem(_descriptor), "cannot flush the file system of", default);

    private static UnixFolder OpenAt(int folder, byte[] name, string display, bool follow)
    {
        int flags = Libc.OpenFolder | Libc.OpenCloseOnExec | (follow ? 0 : Libc.OpenNoFollow);
        int descriptor = Libc.OpenAt(folder, name, flags, 0);
        return descriptor < 0 ? throw FileFailure.FromLastCall($"cannot open {display}") : new UnixFolder(descriptor, display);
    }

    private unsafe void SetTime(byte[] terminated, FileTime time, int flags, byte[]? name)
    {
        long* times = stackalloc long[4] { 0, TimeKept, time.Seconds, time.Nanoseconds };
        Require(Libc.SetTimesAt(_descriptor, terminated, times, flags), "cannot set the time of", name);
    }

    private unsafe void SetTime(int descriptor, FileTime time, byte[] name)
    {
        long* times = stackalloc long[4] { 0, TimeKept, time.Seconds, time.Nanoseconds };
        Require(Libc.SetTimes(descriptor, times), "cannot set the time of", name);
    }

    private int Require(int result, string what, byte[]? name) =>
        result < 0 ? throw FileFailure.FromLastCall($"{what} {(name is null ? Display : Describe(name))}") : result;

    private static byte[] Terminated(ReadOnlySpan<byte> name)
    {
        byte[] copy = new byte[name.Length + 1];
        name.CopyTo(copy);
        return copy;
    }

    /// <summary>statx(2), whose structure is the same on every architecture; null where it fails.</summary>
    private static unsafe FileStatus? Statx(int folder, byte[] name, int flags)
    {
        byte* status = stackalloc byte[256];
        if (Libc.Statx(folder, name, flags, BasicStatus, status) != 0)
            return null;
        ReadOnlySpan<byte> from = new(status, 256);
        ushort mode = Read<ushort>(from, 28);
        return new FileStatus(
            KindOf(mode),
            mode & 0xFFF,
            new Owner(Read<uint>(from, 20), Read<uint>(from, 24)),
            Read<long>(from, 40),
            Read<long>(from, 48) * 512,
            new FileTime(Read<long>(from, 112), Read<int>(from, 120)),
            new FileTime(Read<long>(from, 96), Read<int>(from, 104)),
            Read<ulong>(from, 32),
            ((ulong)Read<uint>(from, 136) << 32) | Read<uint>(from, 140),
            Read<uint>(from, 16),
            (Read<ulong>(from, 8) & MountRoot) != 0);
    }

    private static T Read<T>(ReadOnlySpan<byte> from, int offset)
        where T : unmanaged => MemoryMarshal.Read<T>(from[offset..]);

    private static FileKind KindOf(ushort mode) => (mode & 0xF000) switch
    {
        0x8000 => FileKind.Regular,
        0x4000 => FileKind.Folder,
        0xA000 => FileKind.SymbolicLink,
        0x1000 => FileKind.Fifo,
        0xC000 => FileKind.Socket,
        _ => FileKind.Device,
    };
}
