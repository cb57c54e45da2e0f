using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Sqlite;

/// <summary>
/// A read transaction on a live database: everything read through it is of one moment. In WAL mode writers go on meanwhile; with a
/// rollback journal they wait.
/// </summary>
internal sealed class SqliteCut : IDisposable
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);
    private readonly string _path;
    private readonly bool _hadSideFiles;

    private SqliteCut(string path, SqliteDatabase database, FileStatus status, DateTimeOffset at, bool hadSideFiles)
    {
        _path = path;
        _hadSideFiles = hadSideFiles;
        Database = database;
        Status = status;
        At = at;
        IsWal = database.Text("PRAGMA main.journal_mode") == "wal";
        Bytes = database.Number("PRAGMA main.page_count") * database.Number("PRAGMA main.page_size");
    }

    public SqliteDatabase Database { get; }

    public FileStatus Status { get; }

    public DateTimeOffset At { get; }

    public bool IsWal { get; }

    public long Bytes { get; }

    /// <exception cref="LifeboatException">The database is missing, is none, or cannot be read now.</exception>
    public static async Task<SqliteCut> OpenAsync(SqliteSettings settings, RunContext run, CancellationToken cancellation)
    {
        try
        {
            return await Task.Run(() => Open(settings, run, cancellation), cancellation);
        }
        catch (SqliteFailure e)
        {
            throw e.Tell(settings.Path, settings.Name);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileFailure.Tell(e, settings.Name);
        }
    }

    public void Dispose()
    {
        Database.Dispose();
        if (!_hadSideFiles && IsWal)
            RemoveSideFiles();
    }

    private static SqliteCut Open(SqliteSettings settings, RunContext run, CancellationToken cancellation)
    {
        string path = settings.Path;
        if (!File.Exists(path))
            throw new LifeboatException(
                ErrorCodes.SqliteMissing,
                Directory.Exists(path) ? $"{path} is a folder, not a SQLite database" : $"the SQLite database {path} is not there",
                $"correct sources.{settings.Name}.path, or remove the source",
                settings.Name);
        string real = new FileInfo(path).LinkTarget is null ? path : File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;
        FileStatus status;
        using (Folder folder = Folder.Open(Path.GetDirectoryName(real)!))
            status = folder.Find(Folder.Name(Path.GetFileName(real)))!.Value;
        RequireHeader(path, settings.Name);
        bool hadSideFiles = File.Exists(real + "-wal") || File.Exists(real + "-shm");
        try
        {
            return Begin(real, SqliteDatabase.OpenForReading(real, TimeSpan.Zero), status, run, hadSideFiles, cancellation);
        }
        catch (SqliteFailure e) when (e.NeedsSideFiles && CannotChange(real))
        {
            return Begin(real, SqliteDatabase.OpenUnchanging(real), status, run, hadSideFiles: true, cancellation);
        }
    }

    private static SqliteCut Begin(
        string path, SqliteDatabase database, FileStatus status, RunContext run, bool hadSideFiles, CancellationToken cancellation)
    {
        try
        {
            database.Execute("BEGIN");
            TakeLock(database, run, cancellation);
            return new SqliteCut(path, database, status, run.Host.Time.GetUtcNow(), hadSideFiles);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Takes the read lock, which BEGIN alone does not. Asks often: SQLite's own waiting pauses for 100 ms, and a writer that commits
    /// all the time to a rollback journal leaves gaps of a few milliseconds only.
    /// </summary>
    internal static void TakeLock(SqliteDatabase database, RunContext run, CancellationToken cancellation)
    {
        long started = run.Host.Time.GetTimestamp();
        while (true)
        {
            try
            {
                database.Number("SELECT count(*) FROM sqlite_master");
                return;
            }
            catch (SqliteFailure e) when (e.IsBusy && run.Host.Time.GetElapsedTime(started) < LongestWait)
            {
                cancellation.WaitHandle.WaitOne(Pause);
                cancellation.ThrowIfCancellationRequested();
            }
        }
    }

    /// <summary>Tells a file of another kind before SQLite creates anything beside it. An empty file is an empty database.</summary>
    private static void RequireHeader(string path, string source)
    {
        if (new FileInfo(path).Length != 0 && !SqliteInspection.HasHeader(path))
            throw new SqliteFailure(SQLitePCL.raw.SQLITE_NOTADB, "its header is another one").Tell(path, source);
    }

    /// <summary>
    /// On a file system that is mounted read-only nobody writes; without a log in WAL mode the file alone is the database.
    /// </summary>
    private static bool CannotChange(string path)
    {
        FileInfo log = new(path + "-wal");
        return OperatingSystem.IsLinux() && log is { Exists: false } or { Length: 0 } && UnixFolder.IsReadOnlyFilesystem(path);
    }

    /// <summary>
    /// Reading a WAL database that nobody has open leaves an empty log and index beside it. Only SQLite itself can know that
    /// nobody uses them by now: whoever closes a database last, with the right to write, removes them.
    /// </summary>
    private void RemoveSideFiles()
    {
        if (new FileInfo(_path + "-wal") is not { Exists: true, Length: 0 })
            return;
        try
        {
            using SqliteDatabase last = SqliteDatabase.OpenForWriting(_path, TimeSpan.Zero);
            last.Number("SELECT count(*) FROM sqlite_master");
        }
        catch (SqliteFailure)
        {
            // They stay: they are empty, harmless, and the application's next start takes them over.
        }
    }
}
