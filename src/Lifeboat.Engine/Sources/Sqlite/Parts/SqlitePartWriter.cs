using System.Globalization;
using Lifeboat.Engine.Errors;
using SQLitePCL;

namespace Lifeboat.Engine.Sources.Sqlite.Parts;

/// <summary>What was done to one table of the staged database.</summary>
/// <param name="Rows">How many rows it must have.</param>
/// <param name="Missing">How many of the captured rows are not in it, because another row has a value that is unique.</param>
internal sealed record SqliteTableDone(SqliteTable Captured, long Rows, long Missing, MergeCount? Merged);

/// <summary>
/// Puts captured tables' rows into a copy of the live database, to which the captured one is attached: in their place, or those that are missing. No trigger
/// fires: what they did when the rows were written is in the rows already.
/// </summary>
/// <param name="source">The source's name.</param>
internal sealed class SqlitePartWriter(SqliteDatabase database, string source, bool merges)
{
    /// <summary>The name that the captured database is attached under.</summary>
    public const string Captured = "lifeboat_captured";

    private const int ExamplesShown = 10;
    private const int NamesShown = 5;

    /// <summary>Puts all tables in, and makes sure that the database holds together.</summary>
    /// <exception cref="LifeboatException">It does not take them.</exception>
    public IReadOnlyList<SqliteTableDone> Write(IReadOnlyList<SqliteTable> tables, CancellationToken cancellation)
    {
        // A trigger would count, log or copy what was counted, logged and copied before.
        _ = raw.sqlite3_db_config(database.Handle, raw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, out _);
        database.Execute("PRAGMA foreign_keys = OFF");
        long? violations = SqliteInspection.CountForeignKeyViolations(database);
        List<SqliteTableDone> done = [];
        database.Execute("BEGIN");
        foreach (SqliteTable table in tables)
        {
            cancellation.ThrowIfCancellationRequested();
            done.Add(Attempt(table.Name, () => Write(table)));
        }

        foreach (SqliteTable index in SqliteTable.List(database, "main").Where(static table => table.IsIndexOfAnother))
            Attempt(index.Name, () => Rebuild(index));
        database.Execute("COMMIT");
        if (SqliteInspection.CountForeignKeyViolations(database) is { } now && now > (violations ?? 0))
            throw DoesNotFit($"{now - (violations ?? 0)} rows would refer to rows that are not there{Violated()}", "restore the tables that they refer to, or that refer to them, too");
        return done;
    }

    private SqliteTableDone Write(SqliteTable table)
    {
        SqliteTable? live = SqliteTable.List(database, "main").FirstOrDefault(one => one.Name.Equals(table.Name, StringComparison.OrdinalIgnoreCase));
        if (live is null)
            Create(table);
        SqliteTable target = live ?? table with { Schema = "main" };
        long captured = Count(table);
        SqliteTableDone done;
        if (live is null || !merges)
        {
            Replace(table, target);
            done = new SqliteTableDone(table, captured, 0, merges ? new MergeCount($"table {table.Name}", captured, 0, 0, []) : null);
        }
        else
        {
            done = IsKeyed(table, target) ? MergeByKey(table, target, captured) : MergeWhole(table, target, captured);
        }

        KeepSequence(table);
        if (live is null)
            CreateRest(table);
        return done;
    }

    private void Create(SqliteTable table) => database.ExecuteAll(table.Sql);

    /// <summary>Indexes and triggers of a table that was not there.</summary>
    private void CreateRest(SqliteTable table)
    {
        List<string> statements = [];
        using (SqliteRows rows = database.Query(
            $"SELECT sql FROM {Captured}.sqlite_master WHERE tbl_name = {SqliteTable.Literal(table.Name)} COLLATE NOCASE AND type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY type, name"))
        {
            while (rows.Next())
                statements.Add(rows.Text(0));
        }

        statements.ForEach(database.ExecuteAll);
    }

    private void Replace(SqliteTable table, SqliteTable target)
    {
        string rowId = table.RowId is not null && target.RowId is not null ? target.RowId + ", " : "";
        string from = table.RowId is not null && target.RowId is not null ? table.RowId + ", " : "";
        database.Execute($"DELETE FROM {target.Quoted}");
        database.Execute($"INSERT INTO {target.Quoted} ({rowId}{List(table)}) SELECT {from}{List(table)} FROM {table.Quoted}");
    }

    /// <summary>Whether the live table's key tells the captured rows apart, which one with nulls does not.</summary>
    private bool IsKeyed(SqliteTable table, SqliteTable target) => target.Key.Count > 0
        && database.Number($"SELECT EXISTS (SELECT 1 FROM {table.Quoted} WHERE {string.Join(" OR ", target.Key.Select(static name => $"{SqliteTable.Quote(name)} IS NULL"))})") == 0;

    private SqliteTableDone MergeByKey(SqliteTable table, SqliteTable target, long captured)
    {
        string key = string.Join(" AND ", target.Key.Select(static name => $"m.{SqliteTable.Quote(name)} = c.{SqliteTable.Quote(name)}"));
        string same = string.Join(" AND ", table.Stored.Select(static name =>
            $"m.{SqliteTable.Quote(name)} COLLATE BINARY IS c.{SqliteTable.Quote(name)} AND typeof(m.{SqliteTable.Quote(name)}) = typeof(c.{SqliteTable.Quote(name)})"));
        string both = $"FROM {table.Quoted} c CROSS JOIN {target.Quoted} m ON {key}";
        string missing = $"FROM {table.Quoted} c WHERE NOT EXISTS (SELECT 1 FROM {target.Quoted} m WHERE {key})";
        long there = database.Number($"SELECT count(*) {both}");
        long equal = database.Number($"SELECT count(*) {both} WHERE {same}");
        List<string> examples = there == equal ? [] : Examples(target.Key, $"{both} WHERE NOT ({same})");
        long before = Count(target);
        database.Execute($"INSERT OR IGNORE INTO {target.Quoted} ({List(table)}) SELECT {List(table, "c.")} {missing}");
        long added = Count(target) - before;
        long left = captured - there - added;
        if (left > 0)
            examples.AddRange(Examples(target.Key, missing));
        return new SqliteTableDone(
            table, before + added, left, new MergeCount($"table {table.Name}", added, equal, there - equal + left, [.. examples.Take(ExamplesShown)]));
    }

    /// <summary>Without a key, each row as often as it was captured, if it is not there so often already.</summary>
    private SqliteTableDone MergeWhole(SqliteTable table, SqliteTable target, long captured)
    {
        string group = string.Join(", ", table.Stored.Select(static name => $"{SqliteTable.Quote(name)} COLLATE BINARY, typeof({SqliteTable.Quote(name)})"));
        string counted = $"""
            SELECT {List(table)}, sum(lifeboat_n) AS lifeboat_n
            FROM (SELECT {List(table)}, 1 AS lifeboat_n FROM {table.Quoted} UNION ALL SELECT {List(table)}, -1 FROM {target.Quoted})
            GROUP BY {group} HAVING sum(lifeboat_n) > 0
            """;
        long before = Count(target);
        database.Execute($"""
            WITH lifeboat_rows AS ({counted}),
                lifeboat_numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM lifeboat_numbers WHERE i < (SELECT max(lifeboat_n) FROM lifeboat_rows))
            INSERT OR IGNORE INTO {target.Quoted} ({List(table)})
            SELECT {List(table)} FROM lifeboat_rows JOIN lifeboat_numbers ON i <= lifeboat_n
            """);
        long added = Count(target) - before;
        long missing = database.Number($"SELECT coalesce(sum(lifeboat_n), 0) FROM ({counted})");
        return new SqliteTableDone(table, before + added, missing, new MergeCount($"table {table.Name}", added, captured - added - missing, missing, []));
    }

    private List<string> Examples(IReadOnlyList<string> key, string from)
    {
        List<string> examples = [];
        using SqliteRows rows = database.Query($"SELECT {string.Join(", ", key.Select(static name => $"c.{SqliteTable.Quote(name)}"))} {from} LIMIT {ExamplesShown}");
        while (rows.Next())
            examples.Add(Local.Folder.Readable(System.Text.Encoding.UTF8.GetBytes(string.Join(", ", key.Select((name, i) => $"{name}={rows.Text(i)}")))));
        return examples;
    }

    /// <summary>AUTOINCREMENT's next number is never below what either database has given away.</summary>
    private void KeepSequence(SqliteTable table)
    {
        if (database.Number($"SELECT count(*) FROM {Captured}.sqlite_master WHERE name = 'sqlite_sequence'") == 0
            || database.Number("SELECT count(*) FROM main.sqlite_master WHERE name = 'sqlite_sequence'") == 0)
            return;
        string name = SqliteTable.Literal(table.Name);
        database.Execute($"""
            UPDATE main.sqlite_sequence SET seq = max(seq, (SELECT seq FROM {Captured}.sqlite_sequence WHERE name = {name}))
            WHERE name = {name} AND EXISTS (SELECT 1 FROM {Captured}.sqlite_sequence WHERE name = {name})
            """);
    }

    private void Rebuild(SqliteTable index) => database.Execute($"INSERT INTO main.{SqliteTable.Quote(index.Name)} ({SqliteTable.Quote(index.Name)}) VALUES ('rebuild')");

    private string Violated()
    {
        SortedSet<string> names = [];
        using SqliteRows rows = database.Query("PRAGMA foreign_key_check");
        while (names.Count < NamesShown && rows.Next())
            names.Add($"{rows.Text(0)} to {rows.Text(2)}");
        return $" ({string.Join(", ", names)})";
    }

    private long Count(SqliteTable table) => database.Number($"SELECT count(*) FROM {table.Quoted}");

    private static string List(SqliteTable table, string prefix = "") => string.Join(", ", table.Stored.Select(name => prefix + SqliteTable.Quote(name)));

    private SqliteTableDone Attempt(string table, Func<SqliteTableDone> work)
    {
        SqliteTableDone? done = null;
        Attempt(table, () => { done = work(); });
        return done!;
    }

    private void Attempt(string table, Action work)
    {
        try
        {
            work();
        }
        catch (SqliteFailure e) when (e.PrimaryCode is raw.SQLITE_CONSTRAINT or raw.SQLITE_MISMATCH or raw.SQLITE_ERROR)
        {
            throw DoesNotFit(string.Create(CultureInfo.InvariantCulture, $"the table {table} cannot be put into the live database: {e.Message}"), "restore the whole database to another place with --target, and take from there what is needed");
        }
    }

    private LifeboatException DoesNotFit(string message, string hint) => new(ErrorCodes.PartDoesNotFit, message, hint, source);
}
