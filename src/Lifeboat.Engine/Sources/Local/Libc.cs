using System.Runtime.InteropServices;

[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]

namespace Lifeboat.Engine.Sources.Local;

/// <summary>
/// The few calls of Linux's C library that .NET does not have: relative to open folders, with names as bytes, never following
/// symbolic links. Names are NUL-terminated. Only 64-bit Linux; callers ask <see cref="OperatingSystem.IsWindows()"/> first.
/// </summary>
internal static partial class Libc
{
    public const int CurrentFolder = -100; // AT_FDCWD
    public const int NoFollow = 0x100; // AT_SYMLINK_NOFOLLOW
    public const int EmptyPath = 0x1000; // AT_EMPTY_PATH
    public const int RemoveFolder = 0x200; // AT_REMOVEDIR
    public const int EffectiveAccess = 0x200; // AT_EACCESS
    public const int RenameNoReplace = 1; // RENAME_NOREPLACE
    public const int ReadAccess = 4;
    public const int WriteAccess = 2;
    public const int SearchAccess = 1;

    public const int OpenWriteOnly = 1;
    public const int OpenReadWrite = 2;
    public const int OpenCreate = 0x40;
    public const int OpenExclusive = 0x80;
    public const int OpenNonBlocking = 0x800;
    public const int OpenCloseOnExec = 0x80000;

    private const string Library = "libc";

    /// <summary>O_DIRECTORY; ARM and POWER have numbers of their own.</summary>
    public static int OpenFolder => HasArmNumbers ? 0x4000 : 0x10000;

    /// <summary>O_NOFOLLOW.</summary>
    public static int OpenNoFollow => HasArmNumbers ? 0x8000 : 0x20000;

    private static bool HasArmNumbers => RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Ppc64le;

    [LibraryImport(Library, EntryPoint = "openat", SetLastError = true)]
    public static partial int OpenAt(int folder, [In] byte[] name, int flags, uint mode);

    [LibraryImport(Library, EntryPoint = "close")]
    public static partial int Close(int descriptor);

    [LibraryImport(Library, EntryPoint = "statx", SetLastError = true)]
    public static unsafe partial int Statx(int folder, [In] byte[] name, int flags, uint mask, byte* status);

    [LibraryImport(Library, EntryPoint = "fdopendir", SetLastError = true)]
    public static partial nint OpenStream(int descriptor);

    [LibraryImport(Library, EntryPoint = "readdir", SetLastError = true)]
    public static unsafe partial byte* ReadStream(nint stream);

    [LibraryImport(Library, EntryPoint = "closedir")]
    public static partial int CloseStream(nint stream);

    [LibraryImport(Library, EntryPoint = "readlinkat", SetLastError = true)]
    public static unsafe partial nint ReadLinkAt(int folder, [In] byte[] name, byte* target, nuint size);

    [LibraryImport(Library, EntryPoint = "mkdirat", SetLastError = true)]
    public static partial int MakeFolderAt(int folder, [In] byte[] name, uint mode);

    [LibraryImport(Library, EntryPoint = "mkfifoat", SetLastError = true)]
    public static partial int MakeFifoAt(int folder, [In] byte[] name, uint mode);

    [LibraryImport(Library, EntryPoint = "symlinkat", SetLastError = true)]
    public static partial int SymbolicLinkAt([In] byte[] target, int folder, [In] byte[] name);

    [LibraryImport(Library, EntryPoint = "linkat", SetLastError = true)]
    public static partial int LinkAt(int fromFolder, [In] byte[] fromName, int toFolder, [In] byte[] toName, int flags);

    [LibraryImport(Library, EntryPoint = "unlinkat", SetLastError = true)]
    public static partial int UnlinkAt(int folder, [In] byte[] name, int flags);

    [LibraryImport(Library, EntryPoint = "renameat2", SetLastError = true)]
    public static partial int RenameAt(int fromFolder, [In] byte[] fromName, int toFolder, [In] byte[] toName, uint flags);

    [LibraryImport(Library, EntryPoint = "fchownat", SetLastError = true)]
    public static partial int ChangeOwnerAt(int folder, [In] byte[] name, uint uid, uint gid, int flags);

    [LibraryImport(Library, EntryPoint = "fchmodat", SetLastError = true)]
    public static partial int ChangeModeAt(int folder, [In] byte[] name, uint mode, int flags);

    [LibraryImport(Library, EntryPoint = "fchmod", SetLastError = true)]
    public static partial int ChangeMode(int descriptor, uint mode);

    /// <param name="times">Two <c>struct timespec</c>: access and modification, each seconds and nanoseconds.</param>
    [LibraryImport(Library, EntryPoint = "utimensat", SetLastError = true)]
    public static unsafe partial int SetTimesAt(int folder, [In] byte[] name, long* times, int flags);

    /// <inheritdoc cref="SetTimesAt"/>
    [LibraryImport(Library, EntryPoint = "futimens", SetLastError = true)]
    public static unsafe partial int SetTimes(int descriptor, long* times);

    [LibraryImport(Library, EntryPoint = "faccessat", SetLastError = true)]
    public static partial int AccessAt(int folder, [In] byte[] name, int mode, int flags);

    [LibraryImport(Library, EntryPoint = "fsync", SetLastError = true)]
    public static partial int Sync(int descriptor);

    [LibraryImport(Library, EntryPoint = "syncfs", SetLastError = true)]
    public static partial int SyncFilesystem(int descriptor);

    [LibraryImport(Library, EntryPoint = "llistxattr")]
    public static unsafe partial nint ListAttributes([In] byte[] path, byte* names, nuint size);

    [LibraryImport(Library, EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();

    /// <param name="argument">For F_OFD_SETLK a <c>struct flock</c>.</param>
    [LibraryImport(Library, EntryPoint = "fcntl", SetLastError = true)]
    public static unsafe partial int Control(int descriptor, int command, byte* argument);

    /// <param name="entry">A <c>struct passwd</c>, whose first member is the name.</param>
    [LibraryImport(Library, EntryPoint = "getpwuid_r")]
    public static unsafe partial int FindUser(uint uid, byte** entry, byte* text, nuint size, out nint found);

    /// <param name="entry">A <c>struct group</c>, whose first member is the name.</param>
    [LibraryImport(Library, EntryPoint = "getgrgid_r")]
    public static unsafe partial int FindGroup(uint gid, byte** entry, byte* text, nuint size, out nint found);
}
