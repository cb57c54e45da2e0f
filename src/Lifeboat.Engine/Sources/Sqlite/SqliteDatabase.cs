using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using SQLitePCL;

namespace Lifeboat.Engine.Sources.Sqlite;

/// <summary>An open SQLite database, with text as the bytes that it is. Failures are <see cref="SqliteFailure"/>s.</summary>
internal sealed class SqliteDatabase : IDisposable
{
    private readonly sqlite3 _handle;

    private SqliteDatabase(sqlite3 handle) => _handle = handle;

    public sqlite3 Handle => _handle;

    /// <summary>Opens for reading what others may be writing.</summary>
    public static SqliteDatabase OpenForReading(string path, TimeSpan busy) => Open(path, "mode=ro", raw.SQLITE_OPEN_READONLY, busy);

    /// <summary>Opens for reading what nobody changes; reads the file alone and creates nothing beside it.</summary>
    public static SqliteDatabase OpenUnchanging(string path) => Open(path, "mode=ro&immutable=1", raw.SQLITE_OPEN_READONLY, TimeSpan.Zero);

    /// <summary>Opens an existing database for writing.</summary>
    public static SqliteDatabase OpenForWriting(string path, TimeSpan busy) => Open(path, "mode=rw", raw.SQLITE_OPEN_READWRITE, busy);

    /// <summary>Attaches a database that nobody changes, to be read.</summary>
    /// <param name="schema">The name that it gets; not one that needs quotes.</param>
    public void AttachUnchanging(string path, string schema) =>
        Execute($"ATTACH 'file:{Encoded(path)}?mode=ro&immutable=1' AS {schema}");

    public void Execute(string sql)
    {
        using SqliteRows rows = Query(sql);
        while (rows.Next())
        {
        }
    }

    /// <summary>Runs statements without rows, as many as there are in the text.</summary>
    public void ExecuteAll(string sql)
    {
        int result = raw.sqlite3_exec(_handle, sql);
        if (result != raw.SQLITE_OK)
            throw Failure(result);
    }

    public SqliteRows Query(string sql) => Query(Encoding.UTF8.GetBytes(sql));

    public SqliteRows Query(ReadOnlySpan<byte> sql) => new(this, sql);

    /// <summary>The first value of the first row as a number.</summary>
    public long Number(string sql)
    {
        using SqliteRows rows = Query(sql);
        return rows.Next() ? rows.Integer(0) : 0;
    }

    /// <summary>The first value of the first row as text.</summary>
    public string Text(string sql)
    {
        using SqliteRows rows = Query(sql);
        return rows.Next() ? rows.Text(0) : "";
    }

    /// <summary>Makes a collation known by its name, so that statements can be prepared which do not compare by it.</summary>
    public void SupplyCollation(string name)
    {
        int result = raw.sqlite3_create_collation(
            _handle, name, null, static (_, _, _) => throw new InvalidOperationException("rows were to be compared by a collation that is not known"));
        if (result != raw.SQLITE_OK)
            throw Failure(result);
    }

    /// <summary>Lets a running statement fail; may be called from any thread while the database is open.</summary>
    public void Interrupt() => raw.sqlite3_interrupt(_handle);

    public SqliteFailure Failure(int result)
    {
        int extended = raw.sqlite3_extended_errcode(_handle);
        return new SqliteFailure((extended & 0xFF) == (result & 0xFF) ? extended : result, raw.sqlite3_errmsg(_handle).utf8_to_string());
    }

    public void Dispose() => _handle.Dispose();

    private static SqliteDatabase Open(string path, string parameters, int flags, TimeSpan busy)
    {
        _ = SqliteLibrary.Origin;
        int result = raw.sqlite3_open_v2($"file:{Encoded(path)}?{parameters}", out sqlite3 handle, flags | raw.SQLITE_OPEN_URI, null);
        SqliteDatabase database = new(handle);
        if (result != raw.SQLITE_OK)
        {
            SqliteFailure failure = database.Failure(result);
            database.Dispose();
            throw failure;
        }

        _ = raw.sqlite3_extended_result_codes(handle, 1);
        _ = raw.sqlite3_busy_timeout(handle, (int)busy.TotalMilliseconds);
        return database;
    }

    /// <summary>A path for a URI (sqlite.org/uri.html); Windows drives get a slash before them.</summary>
    private static string Encoded(string path)
    {
        string slashed = OperatingSystem.IsWindows() ? "/" + path.Replace('\\', '/') : path;
        StringBuilder text = new();
        foreach (byte value in Encoding.UTF8.GetBytes(slashed))
        {
            if (char.IsAsciiLetterOrDigit((char)value) || "/-._:".Contains((char)value, StringComparison.Ordinal))
                text.Append((char)value);
            else
                text.Append(CultureInfo.InvariantCulture, $"%{value:X2}");
        }

        return text.ToString();
    }
}

/// <summary>A statement's rows, one at a time.</summary>
internal sealed class SqliteRows : IDisposable
{
    private readonly SqliteDatabase _database;
    private readonly sqlite3_stmt _statement;

    public SqliteRows(SqliteDatabase database, ReadOnlySpan<byte> sql)
    {
        _database = database;
        int result = raw.sqlite3_prepare_v2(database.Handle, sql, out _statement, out _);
        if (result != raw.SQLITE_OK)
        {
            SqliteFailure failure = database.Failure(result);
            _statement?.Dispose();
            throw failure;
        }

        Columns = raw.sqlite3_column_count(_statement);
    }

    public int Columns { get; }

    public bool Next()
    {
        int result = raw.sqlite3_step(_statement);
        return result switch
        {
            raw.SQLITE_ROW => true,
            raw.SQLITE_DONE => false,
            _ => throw _database.Failure(result),
        };
    }

    /// <summary>SQLITE_INTEGER, SQLITE_FLOAT, SQLITE_TEXT, SQLITE_BLOB or SQLITE_NULL.</summary>
    public int Type(int column) => raw.sqlite3_column_type(_statement, column);

    public long Integer(int column) => raw.sqlite3_column_int64(_statement, column);

    public double Real(int column) => raw.sqlite3_column_double(_statement, column);

    /// <summary>A text's or blob's bytes, in the database's encoding; valid until the next row.</summary>
    public ReadOnlySpan<byte> Bytes(int column) => raw.sqlite3_column_blob(_statement, column);

    /// <summary>A name's bytes as UTF-8, whatever encoding the database has, even where they are not valid.</summary>
    public unsafe byte[] Utf8(int column)
    {
        fixed (byte* text = raw.sqlite3_column_text(_statement, column))
            return text == null ? [] : MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text).ToArray();
    }

    public string Text(int column) => raw.sqlite3_column_text(_statement, column).utf8_to_string() ?? "";

    public void Dispose() => _statement.Dispose();
}
