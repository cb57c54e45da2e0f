using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Sources.Sqlite.Parts;
using SQLitePCL;

namespace Lifeboat.Engine.Sources.Sqlite;

/// <summary>
/// Replaces the values of redacted columns in the private copy of a database, and then writes the copy anew: a page, free or not, could still hold what was in it.
/// </summary>
internal sealed class SqliteRedaction(SqliteSettings settings, HostEnvironment host)
{
    private const string MaskFunction = "lifeboat_mask";
    private const string HashFunction = "lifeboat_hash";
    private readonly string _key = Redacting.NewKey(host);

    /// <summary>Every column that is not there, or is none that has values of its own.</summary>
    public IReadOnlyList<Problem> Problems(SqliteDatabase database)
    {
        List<Problem> problems = [];
        HashSet<string> seen = new(StringComparer.OrdinalIgnoreCase);
        List<Table> tables = Tables(database);
        foreach (ColumnRedaction column in settings.Redact)
        {
            if (Fault(database, tables, column) is { } fault)
                problems.Add(fault);
            else if (!seen.Add($"{column.Path[0]}\n{column.Path[1]}"))
                problems.Add(Redacting.Twice(settings.Name, column.Name));
        }

        return problems;
    }

    /// <exception cref="LifeboatException">A column is not there, or the database does not take the replacements.</exception>
    /// <exception cref="SqliteFailure">The database cannot be read or written.</exception>
    public void Apply(string copy, CancellationToken cancellation)
    {
        bool wal = SqliteInspection.JournalModeOf(copy) == "wal";
        string clean = copy + ".clean";
        using (SqliteDatabase database = SqliteDatabase.OpenForWriting(copy, TimeSpan.Zero))
        {
            database.Execute("PRAGMA locking_mode = EXCLUSIVE");
            database.Execute("PRAGMA journal_mode = DELETE"); // leaves WAL mode, which OFF does not
            database.Execute("PRAGMA journal_mode = OFF");
            database.Execute("PRAGMA synchronous = OFF");
            database.Execute("PRAGMA secure_delete = ON");
            database.Execute("PRAGMA foreign_keys = OFF");
            // A trigger may write the old value somewhere: an audit table, say.
            _ = raw.sqlite3_db_config(database.Handle, raw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, out _);
            if (Problems(database) is { Count: > 0 } problems)
                throw new LifeboatException(problems);
            using CancellationTokenRegistration stop = cancellation.Register(database.Interrupt);
            Replace(database, cancellation);
            database.Execute($"VACUUM INTO {SqliteTable.Literal(clean)}");
        }

        cancellation.ThrowIfCancellationRequested();
        File.Move(clean, copy, overwrite: true);
        if (!wal)
            return;
        using SqliteDatabase written = SqliteDatabase.OpenForWriting(copy, TimeSpan.Zero);
        written.Execute("PRAGMA locking_mode = EXCLUSIVE");
        written.Execute("PRAGMA journal_mode = WAL");
    }

    private void Replace(SqliteDatabase database, CancellationToken cancellation)
    {
        AddFunctions(database.Handle);
        long? violations = SqliteInspection.CountForeignKeyViolations(database);
        foreach (ColumnRedaction column in settings.Redact)
        {
            cancellation.ThrowIfCancellationRequested();
            Replace(database, column);
        }

        if (SqliteInspection.CountForeignKeyViolations(database) > violations)
            throw new LifeboatException([.. settings.Redact.Take(1).Select(column => Refused(
                column with { Name = string.Join(", ", settings.Redact.Select(static c => c.Name)) }, "foreign keys refer to the values, or need them"))]);
        ForgetSamples(database);
        foreach (Table index in Tables(database).Where(static table => table.Virtual && SqliteTable.ReadsAnother().IsMatch(table.Sql)))
            Attempt(settings.Redact[0], () => database.Execute($"INSERT INTO {SqliteTable.Quote(index.Name)}({SqliteTable.Quote(index.Name)}) VALUES ('rebuild')"));
    }

    private void Replace(SqliteDatabase database, ColumnRedaction column)
    {
        string table = SqliteTable.Quote(column.Path[0]), name = SqliteTable.Quote(column.Path[1]);
        bool text = column.By is Replacement.Mask or Replacement.Hash;
        if (text && database.Number($"SELECT count(*) FROM {table} WHERE typeof({name}) NOT IN ('text', 'null')") > 0)
            throw new LifeboatException([Refused(column, "it has values that are not text")]);
        string value = column.By switch
        {
            Replacement.Null => "NULL",
            Replacement.Constant => SqliteTable.Literal(column.Constant!),
            Replacement.Mask => $"{MaskFunction}({name})",
            _ => $"{HashFunction}({name})",
        };
        Attempt(column, () => database.Execute($"UPDATE {table} SET {name} = {value} WHERE {name} IS NOT NULL"));
    }

    private void Attempt(ColumnRedaction column, Action work)
    {
        try
        {
            work();
        }
        catch (SqliteFailure e) when (e.PrimaryCode is raw.SQLITE_CONSTRAINT or raw.SQLITE_MISMATCH or raw.SQLITE_ERROR)
        {
            throw new LifeboatException([Refused(column, e.Message)], e);
        }
    }

    private Problem Refused(ColumnRedaction column, string why) => Redacting.Refused(
        settings.Name, column.Name, why, "write another replacement (`null` and `hash` fit unique columns), or leave the column as it is");

    /// <summary>ANALYZE may have kept values of indexed columns as samples.</summary>
    private static void ForgetSamples(SqliteDatabase database)
    {
        foreach (string samples in (string[])["sqlite_stat3", "sqlite_stat4"])
            if (database.Number($"SELECT count(*) FROM sqlite_master WHERE name = '{samples}'") > 0)
                database.Execute($"DELETE FROM {samples}");
    }

    private void AddFunctions(sqlite3 database)
    {
        raw.sqlite3_create_function(database, MaskFunction, 1, null, static (context, _, values) => Give(context, values[0], Redacting.Mask));
        raw.sqlite3_create_function(database, HashFunction, 1, null, (context, _, values) => Give(context, values[0], text => Redacting.Hash(_key, text)));
    }

    private static void Give(sqlite3_context context, sqlite3_value value, Func<string, string> replace) =>
        raw.sqlite3_result_text(context, utf8z.FromString(replace(raw.sqlite3_value_text(value).utf8_to_string() ?? "")));

    private Problem? Fault(SqliteDatabase database, List<Table> tables, ColumnRedaction column)
    {
        Table? table = tables.Find(t => t.Name.Equals(column.Path[0], StringComparison.OrdinalIgnoreCase));
        if (table is null or { Virtual: true })
            return Redacting.Unknown(
                settings.Name, column.Name, table is null ? "there is no such table" : "this is a virtual table, which has no rows of its own",
                [.. tables.Where(static t => !t.Virtual).Select(t => $"{t.Name}.{column.Path[1]}")]);
        if (tables.Find(t => t.Virtual && table.Name.StartsWith(t.Name + "_", StringComparison.OrdinalIgnoreCase)) is { } owner)
            return Redacting.Refused(
                settings.Name, column.Name, $"the table holds what the virtual table {owner.Name} has, and an index over it", "leave the column as it is");
        List<string> names = [];
        using SqliteRows rows = database.Query($"PRAGMA main.table_xinfo({SqliteTable.Quote(table.Name)})");
        while (rows.Next())
        {
            const int name = 1, hidden = 6;
            names.Add(rows.Text(name));
            if (rows.Text(name).Equals(column.Path[1], StringComparison.OrdinalIgnoreCase))
                return rows.Integer(hidden) == 0 ? null : Redacting.Refused(
                    settings.Name, column.Name, "it is generated from other columns", "redact the columns that it is made from");
        }

        return Redacting.Unknown(
            settings.Name, column.Name, $"table {table.Name} has no such column", [.. names.Select(name => $"{column.Path[0]}.{name}")]);
    }

    private static List<Table> Tables(SqliteDatabase database)
    {
        List<Table> tables = [];
        using SqliteRows rows = database.Query("SELECT name, rootpage = 0, sql FROM sqlite_master WHERE type = 'table' ORDER BY name");
        while (rows.Next())
            tables.Add(new Table(rows.Text(0), rows.Integer(1) != 0, rows.Text(2)));
        return tables;
    }

    private sealed record Table(string Name, bool Virtual, string Sql);
}
