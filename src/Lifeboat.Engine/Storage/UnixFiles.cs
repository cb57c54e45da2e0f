using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Lifeboat.Engine.Storage;

/// <summary>The calls of Unix for durable renames, which the framework does not offer.</summary>
[UnsupportedOSPlatform("windows")]
internal static partial class UnixFiles
{
    private const int CurrentFolder = -100; // AT_FDCWD
    private const uint NoReplace = 1; // RENAME_NOREPLACE
    private const int OpenForReading = 0; // O_RDONLY
    private const int Exists = 17; // EEXIST
    private const int Invalid = 22; // EINVAL

    /// <summary>Renames without ever replacing what has the new name.</summary>
    /// <exception cref="IOException">It exists, or the rename failed.</exception>
    public static void RenameWithoutReplacing(string from, string to)
    {
        if (TryRenameAtomically(from, to, out int error))
            return;
        if (error == Exists)
            throw Failure(error);

        // A file system without that flag: a hard link also refuses a name that exists; where there are no hard links
        // either (FAT, some network shares), look first. Each run has its own name, so nobody else is making this one.
        if (Link(from, to) == 0)
        {
            Check(Unlink(from));
            return;
        }

        error = Marshal.GetLastPInvokeError();
        if (error == Exists || Path.Exists(to))
            throw Failure(Exists);
        Check(Rename(from, to));
    }

    /// <summary>Makes the folder's names durable.</summary>
    public static void FlushFolder(string folder)
    {
        int descriptor = Open(folder, OpenForReading);
        Check(descriptor);
        try
        {
            // Some network file systems cannot flush a folder and say EINVAL; their names are durable at the server.
            if (Flush(descriptor) != 0 && Marshal.GetLastPInvokeError() is int error && error != Invalid)
                throw Failure(error);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static bool TryRenameAtomically(string from, string to, out int error)
    {
        error = 0;
        try
        {
            if (OperatingSystem.IsLinux())
            {
                if (RenameAt(CurrentFolder, from, CurrentFolder, to, NoReplace) == 0)
                    return true;
                error = Marshal.GetLastPInvokeError();
            }
        }
        catch (EntryPointNotFoundException)
        {
            // A C library older than glibc 2.28.
        }

        return false;
    }

    private static void Check(int result)
    {
        if (result < 0)
            throw Failure(Marshal.GetLastPInvokeError());
    }

    private static IOException Failure(int error) => new(Marshal.GetPInvokeErrorMessage(error), error);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int RenameAt(int fromFolder, string from, int toFolder, string to, uint flags);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Rename(string from, string to);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Link(string from, string to);

    [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Unlink(string path);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Flush(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int descriptor);
}
