using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Lifeboat.Engine.Processes;

/// <summary>What Linux can do with a pipe (fcntl(2)).</summary>
internal static partial class NativePipe
{
    private const int SetPipeSize = 1031; // F_SETPIPE_SZ

    /// <summary>Sets a pipe's capacity; gives the new one, or -1 where the system refuses (the pipe then stays as it was).</summary>
    public static int SetSize(SafePipeHandle pipe, int bytes) => Fcntl(pipe, SetPipeSize, bytes);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Fcntl(SafePipeHandle handle, int command, int argument);
}
