using System.Runtime.InteropServices;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Sources.Local;
using Microsoft.Win32.SafeHandles;

namespace Lifeboat.Engine.Sources.Sqlite;

/// <summary>
/// The exclusive lock on a live database while it is renamed. First SQLite itself empties its log and proves that no other process has it
/// open in WAL mode; then the lock bytes are held through an open file description, so that SQLite's own connection can be
/// closed, which would otherwise delete side files by their names after these belong to the restored database.
/// </summary>
internal sealed class SqliteLiveLock : IDisposable
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private readonly SafeFileHandle _file;

    private SqliteLiveLock(SafeFileHandle file) => _file = file;

    /// <summary>Null where nothing is there, or nothing that SQLite could use.</summary>
    /// <param name="watch">What knows whether the database has changed since it was copied; null where it may have.</param>
    /// <exception cref="LifeboatException">Another process keeps the database locked, or has written to it.</exception>
    public static async Task<SqliteLiveLock?> TakeAsync(string path, string source, RunContext run, CancellationToken cancellation, SqliteWatch? watch = null)
    {
        long started = run.Host.Time.GetTimestamp();
        // Whoever watches has it open: to look into the file then would give SQLite's locks away, as POSIX has it.
        while (File.Exists(path) && (watch is not null || SqliteInspection.HasHeader(path)))
        {
            try
            {
                await Task.Run(watch is null ? () => Settle(path) : watch.Settle, cancellation);
                if (OperatingSystem.IsWindows())
                    return null; // there an open file cannot be renamed at all
#pragma warning disable CA2000 // the caller gets it and disposes of it
                SqliteLiveLock? held = TryLock(path);
#pragma warning restore CA2000
                if (held is not null && watch is { IsAsItWas: false })
                {
                    held.Dispose();
                    throw watch.Changed();
                }

                if (held is not null)
                    return held;
            }
            catch (SqliteFailure e) when (e.IsNoDatabase)
            {
                return null;
            }
            catch (SqliteFailure e) when (!e.IsBusy)
            {
                throw e.Tell(path, source);
            }
            catch (SqliteFailure)
            {
                // Busy: somebody reads or writes just now.
            }

            if (run.Host.Time.GetElapsedTime(started) > LongestWait)
                throw InUse(path, source, run);
            await Task.Delay(Pause, run.Host.Time, cancellation);
        }

        return null;
    }

    public void Dispose() => _file.Dispose();

    private static LifeboatException InUse(string path, string source, RunContext run)
    {
        IReadOnlyList<int> holders = OpenFiles.HoldersOf(path, run.Host.ProcessId);
        string who = holders.Count == 0 ? "another process" : $"process {string.Join(", ", holders)}";
        return new LifeboatException(
            ErrorCodes.SqliteInUse, $"{path} is in use by {who}, so it cannot be switched", "stop the application and restore again; nothing was changed", source);
    }

    /// <summary>Takes the exclusive lock by SQLite's means, empties the log, and closes.</summary>
    private static void Settle(string path)
    {
        using SqliteDatabase live = SqliteDatabase.OpenForWriting(path, TimeSpan.Zero);
        Settle(live, static () => { });
    }

    /// <param name="held">Called when nobody else can read or write.</param>
    internal static void Settle(SqliteDatabase live, Action held)
    {
        live.Execute("PRAGMA locking_mode = EXCLUSIVE");
        live.Execute("BEGIN EXCLUSIVE");
        held();
        live.Execute("COMMIT");
        live.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
    }

    private static SqliteLiveLock? TryLock(string path)
    {
        SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        if (LockWholly(file) && new FileInfo(path + "-wal") is { Exists: false } or { Length: 0 })
            return new SqliteLiveLock(file);
        file.Dispose();
        return null;
    }

    /// <summary>SQLite's lock bytes: pending, reserved and the shared range (sqlite.org, os.h), 512 from 1 GiB on.</summary>
    private static unsafe bool LockWholly(SafeFileHandle file)
    {
        const int setLock = 37; // F_OFD_SETLK
        const short writeLock = 1; // F_WRLCK
        const long firstByte = 0x40000000;
        const long bytes = 512;
        byte* request = stackalloc byte[32]; // struct flock of 64-bit Linux: type, whence, start at 8, length at 16, pid
        new Span<byte>(request, 32).Clear();
        Span<byte> fields = new(request, 32);
        MemoryMarshal.Write(fields, writeLock);
        MemoryMarshal.Write(fields[8..], firstByte);
        MemoryMarshal.Write(fields[16..], bytes);
        return Libc.Control((int)file.DangerousGetHandle(), setLock, request) == 0;
    }
}
