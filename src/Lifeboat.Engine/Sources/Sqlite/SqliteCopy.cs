using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Sources.Local;
using SQLitePCL;

namespace Lifeboat.Engine.Sources.Sqlite;

/// <summary>A private copy of a database in the temporary folder.</summary>
internal sealed class SqliteCopy
{
    private const int PagesAtOnce = 4096;
    private const string FileName = "copy.sqlite";
    private readonly string _folder;

    private SqliteCopy(string folder) => _folder = folder;

    public string Path => System.IO.Path.Combine(_folder, FileName);

    /// <summary>Copies what is in an open cut.</summary>
    public static async Task<SqliteCopy> MakeAsync(SqliteCut cut, SqliteSettings settings, RunContext run, CancellationToken cancellation)
    {
        string folder = System.IO.Path.Combine(run.Host.TempDirectory, $"lifeboat-{settings.Name}-{run.Host.NewId()}");
        try
        {
            // A redacted copy is written anew.
            TemporarySpace.Require(run.Host, cut.Bytes * (settings.Redact.Count > 0 ? 2 : 1), settings.Path, settings.Name);
            SqliteCopy copy = new(folder);
            await Task.Run(
                () =>
                {
                    Copy(cut.Database, folder, cancellation);
                    if (settings.Redact.Count > 0)
                        new SqliteRedaction(settings, run.Host).Apply(copy.Path, cancellation);
                },
                cancellation);
            return copy;
        }
        catch (Exception e)
        {
            PrivateCopy.DeleteFolder(folder);
            if (e is SqliteFailure failure)
                throw failure.Tell(settings.Path, settings.Name);
            if (e is IOException or UnauthorizedAccessException)
                throw FileFailure.Tell(e, settings.Name);
            throw;
        }
    }

    /// <summary>Deletes the copy; whoever has it does so.</summary>
    public void Delete() => PrivateCopy.DeleteFolder(_folder);

    private static void Copy(SqliteDatabase live, string folder, CancellationToken cancellation) => Pour(live, CreatePrivately(folder), cancellation);

    /// <summary>
    /// Copies a database with an open read transaction into an empty file. Within it no other process's write restarts the backup, so it may be made in
    /// steps, and stopped between them.
    /// </summary>
    public static void Pour(SqliteDatabase live, string path, CancellationToken cancellation)
    {
        using SqliteDatabase copy = SqliteDatabase.OpenForWriting(path, TimeSpan.Zero);
        copy.Execute("PRAGMA journal_mode = OFF");
        copy.Execute("PRAGMA synchronous = OFF");
        copy.Execute("PRAGMA locking_mode = EXCLUSIVE");
        using sqlite3_backup backup = raw.sqlite3_backup_init(copy.Handle, "main", live.Handle, "main")
            ?? throw copy.Failure(raw.SQLITE_ERROR);
        while (raw.sqlite3_backup_step(backup, PagesAtOnce) is var result && result != raw.SQLITE_DONE)
        {
            if (result != raw.SQLITE_OK)
                throw new SqliteFailure(result, raw.sqlite3_errstr(result).utf8_to_string());
            cancellation.ThrowIfCancellationRequested();
        }
    }

    private static string CreatePrivately(string folder)
    {
        PrivateCopy.CreateFolder(folder);
        using Folder opened = Folder.Open(folder);
        opened.CreateFile(Folder.Name(FileName)).Dispose();
        return System.IO.Path.Combine(folder, FileName);
    }
}
