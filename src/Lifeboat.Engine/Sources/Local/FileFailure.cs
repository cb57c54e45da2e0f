using System.Runtime.InteropServices;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>Why the system refused something, where that decides what happens next.</summary>
internal enum FileTrouble
{
    Other,
    Missing,
    Denied,
    Exists,
    Full,

    /// <summary>Not what it was taken for: a symbolic link where none was expected, a file instead of a folder.</summary>
    WrongKind,
    Busy,
    ReadOnlyFilesystem,
    Unsupported,
}

/// <summary>A failed call to the file system, before it is told to a person.</summary>
internal sealed class FileFailure(FileTrouble trouble, string message, Exception? inner = null) : IOException(message, inner)
{
    public FileTrouble Trouble { get; } = trouble;

    /// <summary>The failure of the last call to the C library on this thread.</summary>
    public static FileFailure FromLastCall(string what)
    {
        int error = Marshal.GetLastPInvokeError();
        return new FileFailure(TroubleOf(error), $"{what}: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    public static FileTrouble TroubleOf(Exception e) => e switch
    {
        FileFailure failure => failure.Trouble,
        FileNotFoundException or DirectoryNotFoundException => FileTrouble.Missing,
        UnauthorizedAccessException => FileTrouble.Denied,
        _ when OperatingSystem.IsWindows() => (e.HResult & 0xFFFF) switch
        {
            0x70 or 0x27 => FileTrouble.Full, // ERROR_DISK_FULL, ERROR_HANDLE_DISK_FULL
            0x50 or 0xB7 => FileTrouble.Exists, // ERROR_FILE_EXISTS, ERROR_ALREADY_EXISTS
            0x20 or 0x21 => FileTrouble.Busy, // ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION
            _ => FileTrouble.Other,
        },
        _ => TroubleOf(e.HResult), // on Unix .NET keeps errno there
    };

    /// <summary>Runs work on files and tells its failures as a person should read them.</summary>
    /// <param name="where">The source's name.</param>
    public static async Task TellAsync(string where, Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Tell(e, where);
        }
    }

    /// <summary>As <see cref="TellAsync"/>, for what only looks at paths.</summary>
    public static T Tell<T>(string where, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (IOException e)
        {
            throw Tell(e, where);
        }
    }

    public static LifeboatException Tell(Exception e, string where) => TroubleOf(e) switch
    {
        FileTrouble.Full => new LifeboatException(
            ErrorCodes.DiskFull, $"the disk is full: {e.Message}", "free some space on that file system and run again", where, e),
        FileTrouble.Denied => new LifeboatException(
            ErrorCodes.FileUnreadable, e.Message, "run as root or as the files' owner, or correct their modes", where, e),
        FileTrouble.ReadOnlyFilesystem => new LifeboatException(
            ErrorCodes.TargetUnusable, e.Message, "mount the file system writable, or choose another target", where, e),
        _ => new LifeboatException(
            ErrorCodes.FileOperationFailed, e.Message, "the system's own message says what is wrong; mend that and run again", where, e),
    };

    private static FileTrouble TroubleOf(int error) => error switch
    {
        2 => FileTrouble.Missing, // ENOENT
        1 or 13 => FileTrouble.Denied, // EPERM, EACCES
        16 or 26 => FileTrouble.Busy, // EBUSY, ETXTBSY
        17 or 39 => FileTrouble.Exists, // EEXIST, ENOTEMPTY
        20 or 21 or 40 or 6 => FileTrouble.WrongKind, // ENOTDIR, EISDIR, ELOOP, ENXIO (a socket, or a fifo that nobody reads)
        28 or 122 => FileTrouble.Full, // ENOSPC, EDQUOT
        30 => FileTrouble.ReadOnlyFilesystem, // EROFS
        22 or 38 or 95 => FileTrouble.Unsupported, // EINVAL, ENOSYS, EOPNOTSUPP
        _ => FileTrouble.Other,
    };
}
