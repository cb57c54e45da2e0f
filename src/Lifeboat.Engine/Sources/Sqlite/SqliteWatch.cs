using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Sqlite;

/// <summary>
/// A live database that was copied and is to be switched later. The connection that copied it stays open, because only to the same connection does SQLite tell
/// whether anybody has written since (PRAGMA data_version). Writers are not held up.
/// </summary>
internal sealed class SqliteWatch : IDisposable
{
    private readonly string _path;
    private readonly string _source;
    private SqliteDatabase? _live;
    private long _version;
    private FileStatus? _settled;

    private SqliteWatch(string path, string source, SqliteDatabase live)
    {
        _path = path;
        _source = source;
        _live = live;
    }

    /// <summary>Whether the file is as it was when the connection was closed.</summary>
    public bool IsAsItWas => Status() is { } now && _settled is { } then && now.Size == then.Size && now.Modified == then.Modified;

    /// <summary>Copies a live database into an empty file.</summary>
    public static SqliteWatch Copy(string path, string copy, string source, RunContext run, CancellationToken cancellation)
    {
        SqliteWatch watch = new(path, source, SqliteDatabase.OpenForWriting(path, TimeSpan.Zero));
        try
        {
            SqliteDatabase live = watch._live!;
            live.Execute("BEGIN");
            SqliteCut.TakeLock(live, run, cancellation);
            watch._version = live.Number("PRAGMA data_version");
            SqliteCopy.Pour(live, copy, cancellation);
            live.Execute("COMMIT");
            return watch;
        }
        catch
        {
            watch.Dispose();
            throw;
        }
    }

    /// <summary>Takes the exclusive lock by SQLite's means, makes sure that nobody has written, empties the log, and closes.</summary>
    /// <exception cref="LifeboatException">Somebody has written.</exception>
    public void Settle()
    {
        SqliteDatabase live = _live ?? throw Changed(); // somebody came in between
        bool changed = false;
        SqliteLiveLock.Settle(live, () => changed = live.Number("PRAGMA data_version") != _version);
        _settled = Status();
        Dispose();
        if (changed)
            throw Changed();
    }

    public LifeboatException Changed() => new(
        ErrorCodes.SqliteInUse, $"{_path} was written to after its copy was made, and that would be lost", "stop the application and restore again; nothing was changed", _source);

    public void Dispose()
    {
        _live?.Dispose();
        _live = null;
    }

    private FileStatus? Status()
    {
        using Folder folder = Folder.Open(Path.GetDirectoryName(_path)!);
        return folder.Find(Folder.Name(Path.GetFileName(_path)));
    }
}
