using Lifeboat.Engine.Errors;
using SQLitePCL;

namespace Lifeboat.Engine.Sources.Sqlite;

/// <summary>What SQLite refused, with its extended result code (sqlite.org/rescode.html).</summary>
internal sealed class SqliteFailure(int code, string message) : IOException(message)
{
    private const int ReadOnlyRecovery = 264; // SQLITE_READONLY_RECOVERY
    private const int ReadOnlyRollback = 776; // SQLITE_READONLY_ROLLBACK
    private const int ReadOnlyCannotInitialise = 1288; // SQLITE_READONLY_CANTINIT
    private const int ReadOnlyDirectory = 1544; // SQLITE_READONLY_DIRECTORY

    public int ExtendedCode { get; } = code;

    public int PrimaryCode => ExtendedCode & 0xFF;

    public bool IsBusy => PrimaryCode is raw.SQLITE_BUSY or raw.SQLITE_LOCKED;

    /// <summary>Whether the file is none that any program could use.</summary>
    public bool IsNoDatabase => PrimaryCode is raw.SQLITE_NOTADB or raw.SQLITE_CORRUPT;

    public bool NeedsSideFiles =>
        PrimaryCode == raw.SQLITE_CANTOPEN || ExtendedCode is ReadOnlyRecovery or ReadOnlyCannotInitialise or ReadOnlyDirectory;

    /// <param name="source">The source's name.</param>
    public LifeboatException Tell(string path, string source)
    {
        Problem problem = Describe(path, source);
        return new LifeboatException(problem.Code, problem.Message, problem.Hint, source, this);
    }

    private Problem Describe(string path, string source) => PrimaryCode switch
    {
        raw.SQLITE_NOTADB => new Problem(
            ErrorCodes.SqliteNotADatabase, $"{path} is not a SQLite database, or it is encrypted", $"correct sources.{source}.path; capture an encrypted database as a files source"),
        raw.SQLITE_CORRUPT => new Problem(
            ErrorCodes.SqliteDamaged, $"{path} is damaged: {Message}", "restore the last good snapshot, or recover what is readable with `sqlite3 FILE .recover`"),
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED => new Problem(
            ErrorCodes.SqliteBusy, $"{path} stayed locked by another process: {Message}", "run again when its application is less busy, or stop the application"),
        raw.SQLITE_FULL => new Problem(
            ErrorCodes.DiskFull, $"the disk is full: {Message}", "free some space in the temporary folder and run again"),
        raw.SQLITE_READONLY when ExtendedCode == ReadOnlyRollback => new Problem(
            ErrorCodes.SqliteUnreadable,
            $"{path} was left in the middle of a transaction by a crash, and reading it would mean changing it",
            $"start its application once, or run `sqlite3 {path} 'PRAGMA schema_version'`, and run again"),
        _ when NeedsSideFiles => new Problem(
            ErrorCodes.SqliteUnreadable,
            $"{path} cannot be opened for reading: {Message}",
            "a database in WAL mode needs its -wal and -shm files or the right to create them: run as the database's owner or as root"),
        raw.SQLITE_PERM or raw.SQLITE_AUTH => new Problem(
            ErrorCodes.SqliteUnreadable, $"no right to read {path}", "run as the database's owner or as root"),
        _ => new Problem(
            ErrorCodes.SqliteFailed, $"SQLite refused on {path}: {Message}", "its message says what is wrong; mend that and run again"),
    };
}
