using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Storage;

/// <summary>Turns what the system says about a failed read or write into a problem that a person can act on.</summary>
public static class StorageErrors
{
    // errno on Linux; macOS has the same ENOSPC and 69 for EDQUOT.
    private const int NoSpace = 28;
    private const int QuotaExceeded = 122;
    private const int QuotaExceededOnMac = 69;

    // HRESULTs of ERROR_HANDLE_DISK_FULL and ERROR_DISK_FULL.
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);
    private const int WindowsDiskFull = unchecked((int)0x80070070);

    /// <summary>Whether the destination ran out of space or of quota.</summary>
    public static bool IsDiskFull(Exception error) => error is IOException && (OperatingSystem.IsWindows()
        ? error.HResult is WindowsDiskFull or WindowsHandleDiskFull
        : error.HResult is NoSpace or QuotaExceeded or QuotaExceededOnMac);

    /// <summary>A failed write.</summary>
    /// <param name="what">What was being written, for the message: <c>the bundle</c>.</param>
    /// <param name="where">The path, where one is known.</param>
    public static LifeboatException Writing(Exception error, string what, string? where = null) => IsDiskFull(error)
        ? new LifeboatException(
            ErrorCodes.DiskFull, $"the disk is full: {what} could not be written",
                "free some space there, or choose another place, and run it again", where, error)
        : new LifeboatException(
            ErrorCodes.StorageFailed, $"{what} could not be written: {error.Message}",
                "see that the place exists, is mounted and may be written by this user, and run it again", where, error);

    /// <summary>A failed read.</summary>
    /// <inheritdoc cref="Writing"/>
    public static LifeboatException Reading(Exception error, string what, string? where = null) => new(
        ErrorCodes.StorageFailed, $"{what} could not be read: {error.Message}",
            "see that the place exists, is mounted and may be read by this user, and run it again", where, error);
}
