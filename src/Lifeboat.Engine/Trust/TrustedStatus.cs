using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Lifeboat.Engine.Trust;

/// <summary>Whose a file is and who may write to it, as Linux says (statx(2), whose structure is the same on every architecture).</summary>
/// <param name="Mode">With the bits that tell the kind.</param>
internal readonly partial record struct TrustedStatus(ulong Inode, ulong Device, uint Uid, uint Gid, int Mode)
{
    private const int CurrentFolder = -100; // AT_FDCWD
    private const int NoFollow = 0x100; // AT_SYMLINK_NOFOLLOW
    private const int EmptyPath = 0x1000; // AT_EMPTY_PATH
    private const uint BasicStatus = 0x7FF; // STATX_BASIC_STATS
    private const int KindMask = 0xF000;

    public bool IsLink => (Mode & KindMask) == 0xA000;

    public bool IsFolder => (Mode & KindMask) == 0x4000;

    public bool IsRegular => (Mode & KindMask) == 0x8000;

    public bool IsSticky => (Mode & 0x200) != 0;

    public bool IsGroupWritable => (Mode & 0b000_010_000) != 0;

    public bool IsWorldWritable => (Mode & 0b000_000_010) != 0;

    /// <summary>The user whose rights this process has.</summary>
    public static uint Self => EffectiveUser();

    /// <summary>The status of what a path leads to; null where nothing is there, or it may not be looked at.</summary>
    public static TrustedStatus? Of(string path) => Read(CurrentFolder, path, 0);

    /// <summary>As <see cref="Of(string)"/>, of a symbolic link itself.</summary>
    public static TrustedStatus? OfLink(string path) => Read(CurrentFolder, path, NoFollow);

    public static TrustedStatus? Of(SafeFileHandle file) => Read((int)file.DangerousGetHandle(), "", EmptyPath);

    private static unsafe TrustedStatus? Read(int folder, string path, int flags)
    {
        byte* status = stackalloc byte[256];
        if (Statx(folder, Encoding.UTF8.GetBytes(path + '\0'), flags, BasicStatus, status) != 0)
            return null;
        ReadOnlySpan<byte> from = new(status, 256);
        return new TrustedStatus(
            MemoryMarshal.Read<ulong>(from[32..]),
            ((ulong)MemoryMarshal.Read<uint>(from[136..]) << 32) | MemoryMarshal.Read<uint>(from[140..]),
            MemoryMarshal.Read<uint>(from[20..]),
            MemoryMarshal.Read<uint>(from[24..]),
            MemoryMarshal.Read<ushort>(from[28..]));
    }

    [LibraryImport("libc", EntryPoint = "statx")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial int Statx(int folder, [In] byte[] name, int flags, uint mask, byte* status);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial uint EffectiveUser();
}
