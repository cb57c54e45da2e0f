using System.Globalization;
using Lifeboat.Engine.Sources.Sqlite;
using Microsoft.Data.Sqlite;

namespace Lifeboat.Demo;

/// <summary>The sample app's SQLite database, in WAL mode and held open, as a running app holds it.</summary>
internal sealed class DemoLedger(string file) : IDisposable
{
    private static readonly string[] Statements =
    [
        "PRAGMA journal_mode = WAL",
        "CREATE TABLE entry (id INTEGER PRIMARY KEY, day TEXT NOT NULL, amount REAL NOT NULL, attachment BLOB)",
        "CREATE VIRTUAL TABLE search USING fts5(body)",
        """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
            INSERT INTO entry SELECT i, date('2026-01-01', (i % 365) || ' days'), i / 7.0, CASE i % 10 WHEN 0 THEN zeroblob(200) END FROM n
        """,
        "INSERT INTO search SELECT 'entry number ' || id FROM entry WHERE id % 20 = 0",
        "PRAGMA wal_checkpoint(TRUNCATE)",
        "PRAGMA wal_autocheckpoint = 0",
        "INSERT INTO entry (day, amount) VALUES ('2026-12-31', 1e300), ('2026-12-31', -0.1)",
    ];

    private SqliteConnection? _running;

    /// <summary>Makes it and leaves it open, with rows that are in the write-ahead log alone.</summary>
    public void Create()
    {
        // The engine's choice of library: two copies of SQLite in one process would undo each other's locks.
        SqliteLibrary.Use();
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        _running = Open(SqliteOpenMode.ReadWriteCreate);
        foreach (string statement in Statements)
            Run(_running, statement);
        if (Rows(_running, "SELECT count(*) FROM entry") is not ["20002"])
            throw new InvalidOperationException("the sample database was not made");
    }

    /// <summary>Stops the app's use of it and deletes it.</summary>
    public void Destroy()
    {
        Dispose();
        foreach (string part in (string[])["", "-wal", "-shm"])
            File.Delete(file + part);
    }

    /// <summary>Every row of every table, and the index's answer.</summary>
    public IReadOnlyList<(string What, string Value)> Fingerprint()
    {
        using SqliteConnection database = Open(SqliteOpenMode.ReadWrite);
        return
        [
            ("SQLite: every row", Digest.OfLines(Rows(database, "SELECT id, day, quote(amount), quote(attachment) FROM entry"))),
            ("SQLite: full-text search", string.Join(',', Rows(database, "SELECT rowid FROM search WHERE search MATCH '1000'"))),
            ("SQLite: integrity_check", string.Join(',', Rows(database, "PRAGMA integrity_check"))),
        ];
    }

    public void Dispose()
    {
        _running?.Dispose();
        _running = null;
    }

    private SqliteConnection Open(SqliteOpenMode mode)
    {
        SqliteConnectionStringBuilder settings = new() { DataSource = file, Mode = mode, Pooling = false };
        SqliteConnection connection = new(settings.ConnectionString);
        connection.Open();
        return connection;
    }

    private static void Run(SqliteConnection database, string sql)
    {
        using SqliteCommand command = database.CreateCommand();
#pragma warning disable CA2100 // the demo's own constant text
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private static List<string> Rows(SqliteConnection database, string sql)
    {
        using SqliteCommand command = database.CreateCommand();
#pragma warning disable CA2100 // the demo's own constant text
        command.CommandText = sql;
#pragma warning restore CA2100
        using SqliteDataReader reader = command.ExecuteReader();
        List<string> rows = [];
        while (reader.Read())
            rows.Add(string.Join('\t', Enumerable.Range(0, reader.FieldCount)
                .Select(i => Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture))));
        return rows;
    }
}
