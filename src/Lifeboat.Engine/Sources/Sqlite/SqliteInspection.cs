using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Sqlite;

/// <summary>What a database file holds.</summary>
internal sealed record SqliteContents(
    IReadOnlyList<TableMetadata> Tables, string SchemaSha256, string Integrity, long? ForeignKeyViolations, string JournalMode);

/// <summary>Reads a database file that nobody changes: every row of every table, the schema, SQLite's own checks.</summary>
internal sealed class SqliteInspection(string path)
{
    private const string Ok = "ok";
    private readonly Lock _lock = new();
    private readonly SortedList<int, TableMetadata> _tables = [];

    public async Task<SqliteContents> ReadAsync(int workers, CancellationToken cancellation)
    {
        string integrity = "";
        long? violations = null;
        await using BoundedWork work = new(workers, cancellation);
        List<byte[]> tables = await OnDatabaseAsync(ListTables, cancellation);
        await work.AddAsync(token => OnDatabaseAsync(database => integrity = CheckIntegrity(database), token));
        for (int i = 0; i < tables.Count; i++)
        {
            int number = i;
            await work.AddAsync(token => OnDatabaseAsync(database => Digest(database, tables[number], number), token));
        }

        await work.AddAsync(token => OnDatabaseAsync(database => violations = CountForeignKeyViolations(database), token));
        await work.FinishAsync(cancellation);
        string schema = await OnDatabaseAsync(HashSchema, cancellation);
        return new SqliteContents([.. _tables.Values], schema, integrity, violations, JournalModeOf(path));
    }

    /// <summary>Whether a file starts as a SQLite database does; an empty one does not.</summary>
    public static bool HasHeader(string path) => ReadHeader(path).AsSpan().StartsWith("SQLite format 3\0"u8);

    /// <summary>The header's file format versions (sqlite.org/fileformat2.html, 1.3.3) say it: 2 for WAL.</summary>
    public static string JournalModeOf(string path) => ReadHeader(path) is { Length: 20 } header && header[19] == 2 ? "wal" : "rollback";

    /// <summary>The first 20 bytes, as far as the file has them. Not for a file on which this process holds SQLite's locks.</summary>
    private static byte[] ReadHeader(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
        byte[] header = new byte[20];
        return header[..file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false)];
    }

    private async Task<T> OnDatabaseAsync<T>(Func<SqliteDatabase, T> read, CancellationToken cancellation)
    {
        using SqliteDatabase database = SqliteDatabase.OpenUnchanging(path);
        await using CancellationTokenRegistration stop = cancellation.Register(database.Interrupt);
        try
        {
            return await Task.Run(() => read(database), cancellation);
        }
        catch (SqliteFailure) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellation);
        }
    }

    /// <summary>
    /// All ordinary tables; virtual ones have no rows of their own, but the tables that they keep theirs in are ordinary.
    /// </summary>
    private static List<byte[]> ListTables(SqliteDatabase database)
    {
        List<byte[]> tables = [];
        using SqliteRows rows = database.Query(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0 ORDER BY name COLLATE BINARY");
        while (rows.Next())
            tables.Add(rows.Utf8(0));
        return tables;
    }

    private object? Digest(SqliteDatabase database, byte[] table, int number)
    {
        SupplyCollations(database, table);
        (TableDigest digest, long bytes) = DigestOf(database, table, StoredColumns(database, table));
        lock (_lock)
            _tables.Add(number, new TableMetadata(DisplayName(table), digest.Rows, bytes, digest.ToString(), []));
        return null;
    }

    /// <summary>
    /// A table WITHOUT ROWID whose key has a collation of its application's is not even read by a program that does not know that. Reading all rows, in the
    /// order in which they are stored, compares none of them: so any collation of that name will do.
    /// </summary>
    private static void SupplyCollations(SqliteDatabase database, byte[] table)
    {
        List<string> missing = [];
        using (SqliteRows rows = database.Query(
        [
            .. "SELECT DISTINCT x.coll FROM pragma_index_list("u8, .. Quoted(table, (byte)'\''),
            .. ", 'main') l, pragma_index_xinfo(l.name, 'main') x WHERE l.origin = 'pk' AND x.coll COLLATE NOCASE NOT IN ('BINARY', 'NOCASE', 'RTRIM')"u8,
        ]))
        {
            while (rows.Next())
                missing.Add(rows.Text(0));
        }

        foreach (string collation in missing)
            database.SupplyCollation(collation);
    }

    /// <summary>The digest of a table's rows, with its columns in the order that is given.</summary>
    public static TableDigest DigestOf(SqliteDatabase database, byte[] table, IReadOnlyList<byte[]> columns) =>
        DigestOf(database, table, columns.Select(static column => Quoted(column)).Aggregate(static (all, one) => [.. all, (byte)',', .. one])).Digest;

    private static (TableDigest Digest, long Bytes) DigestOf(SqliteDatabase database, byte[] table, byte[] columns)
    {
        TableDigest digest = default;
        SqliteRow row = new();
        long bytes = 0;
        using SqliteRows rows = database.Query([.. "SELECT "u8, .. columns, .. " FROM main."u8, .. Quoted(table), .. " NOT INDEXED"u8]);
        while (rows.Next())
        {
            row.Read(rows);
            digest.Add(row.Bytes);
            bytes += row.Bytes.Length;
        }

        return (digest, bytes);
    }

    private static byte[] StoredColumns(SqliteDatabase database, byte[] table)
    {
        List<byte> columns = [];
        bool generated = false;
        using SqliteRows rows = database.Query([.. "PRAGMA main.table_xinfo("u8, .. Quoted(table), .. ")"u8]);
        while (rows.Next())
        {
            const int name = 1, hidden = 6; // 2 and 3 there are generated columns
            if (rows.Integer(hidden) != 0)
            {
                generated = true;
                continue;
            }

            if (columns.Count > 0)
                columns.Add((byte)',');
            columns.AddRange(Quoted(rows.Utf8(name)));
        }

        return generated ? [.. columns] : "*"u8.ToArray();
    }

    private static string HashSchema(SqliteDatabase database)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using SqliteRows rows = database.Query("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid");
        SqliteRow row = new();
        while (rows.Next())
        {
            row.Read(rows);
            hash.AppendData(row.Bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>What <c>PRAGMA integrity_check</c> says: <c>ok</c>, the first thing wrong, or why it could not be run.</summary>
    public static string CheckIntegrity(SqliteDatabase database)
    {
        try
        {
            return database.Text("PRAGMA integrity_check(1)");
        }
        catch (SqliteFailure e) when (e.PrimaryCode == SQLitePCL.raw.SQLITE_ERROR)
        {
            return $"not checked: {e.Message}"; // a collation or function that only the application has
        }
        catch (SqliteFailure e) when (e.IsNoDatabase)
        {
            return e.Message;
        }
    }

    /// <summary>Whether an integrity text says that something is wrong.</summary>
    public static bool IsWrong(string integrity) => integrity != Ok && !integrity.StartsWith("not checked: ", StringComparison.Ordinal);

    public static long? CountForeignKeyViolations(SqliteDatabase database)
    {
        try
        {
            long count = 0;
            using SqliteRows rows = database.Query("PRAGMA foreign_key_check");
            while (rows.Next())
                count++;
            return count;
        }
        catch (SqliteFailure e) when (e.PrimaryCode == SQLitePCL.raw.SQLITE_ERROR)
        {
            return null; // a foreign key that fits no unique key of its parent
        }
    }

    /// <param name="quote">That of names; a text has another one.</param>
    private static byte[] Quoted(ReadOnlySpan<byte> name, byte quote = (byte)'"')
    {
        List<byte> quoted = [quote];
        foreach (byte value in name)
        {
            if (value == quote)
                quoted.Add(value);
            quoted.Add(value);
        }

        return [.. quoted, quote];
    }

    internal static string DisplayName(byte[] table)
    {
        bool plain = table.Length > 0 && !char.IsAsciiDigit((char)table[0]) && table.All(
            static value => char.IsAsciiLetterOrDigit((char)value) || value == '_');
        return plain ? Encoding.ASCII.GetString(table) : string.Create(CultureInfo.InvariantCulture, $"{Folder.Readable(Quoted(table))}");
    }
}
