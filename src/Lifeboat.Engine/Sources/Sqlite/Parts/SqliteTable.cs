using System.Text.RegularExpressions;

namespace Lifeboat.Engine.Sources.Sqlite.Parts;

/// <param name="Kind">0 for a stored column; else hidden or generated (sqlite.org/pragma.html, table_xinfo).</param>
/// <param name="Key">The column's place in the primary key, from 1; 0 where it is not in it.</param>
internal sealed record SqliteColumn(string Name, string Type, long Kind, long Key, bool NotNull)
{
    /// <summary>What must be the same for one table's rows to fit another.</summary>
    public string Fit => $"{Name.ToUpperInvariant()} {Type.ToUpperInvariant()} {Kind}";
}

/// <summary>A table of an attached database.</summary>
/// <param name="Schema"><c>main</c>, or the name that it is attached under.</param>
/// <param name="IsVirtual">Whether a module has its rows.</param>
internal sealed partial record SqliteTable(string Schema, string Name, string Sql, bool IsVirtual)
{
    private static readonly string[] RowIds = ["_rowid_", "rowid", "oid"];

    public required IReadOnlyList<SqliteColumn> Columns { get; init; }

    /// <summary>By what name its row id can be read and set; null where it has none, or none that can be named.</summary>
    public string? RowId { get; init; }

    /// <summary>Columns that tell its rows apart; none where nothing does.</summary>
    public IReadOnlyList<string> Key { get; init; } = [];

    public string Quoted => $"{Schema}.{Quote(Name)}";

    /// <summary>The names of the columns that have values of their own.</summary>
    public IReadOnlyList<string> Stored => [.. Columns.Where(static column => column.Kind == 0).Select(static column => column.Name)];

    /// <summary>Whether it is a full-text index over rows of another table, which is made anew from these (FTS5 4.4.3, FTS4 6.2).</summary>
    public bool IsIndexOfAnother => IsVirtual && ReadsAnother().IsMatch(Sql);

    public static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    public static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>All tables of a database but SQLite's own.</summary>
    public static IReadOnlyList<SqliteTable> List(SqliteDatabase database, string schema)
    {
        List<(string Name, string Sql, bool IsVirtual)> tables = [];
        using (SqliteRows rows = database.Query($"SELECT name, sql, rootpage = 0 FROM {schema}.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"))
        {
            while (rows.Next())
                tables.Add((rows.Text(0), rows.Text(1), rows.Integer(2) != 0));
        }

        return [.. tables.Select(table => Read(database, schema, table.Name, table.Sql, table.IsVirtual))];
    }

    /// <summary>The virtual table whose rows or index this one holds; null where it is a table of its own.</summary>
    public SqliteTable? Owner(IEnumerable<SqliteTable> all) =>
        all.FirstOrDefault(one => one.IsVirtual && !IsVirtual && Name.StartsWith(one.Name + "_", StringComparison.OrdinalIgnoreCase));

    private static SqliteTable Read(SqliteDatabase database, string schema, string name, string sql, bool isVirtual)
    {
        SqliteTable table = new(schema, name, sql, isVirtual) { Columns = [] };
        if (isVirtual)
            return table; // its module may be the application's
        List<SqliteColumn> columns = [];
        using (SqliteRows rows = database.Query($"PRAGMA {schema}.table_xinfo({Quote(name)})"))
        {
            while (rows.Next())
                columns.Add(new SqliteColumn(rows.Text(1), rows.Text(2), rows.Integer(6), rows.Integer(5), rows.Integer(3) != 0));
        }

        return table with { Columns = columns, RowId = FindRowId(database, table, columns), Key = FindKey(database, table, columns) };
    }

    private static string? FindRowId(SqliteDatabase database, SqliteTable table, List<SqliteColumn> columns)
    {
        string? name = RowIds.FirstOrDefault(one => !columns.Exists(column => column.Name.Equals(one, StringComparison.OrdinalIgnoreCase)));
        try
        {
            if (name is not null)
                database.Execute($"SELECT {name} FROM {table.Quoted} LIMIT 0");
            return name;
        }
        catch (SqliteFailure)
        {
            return null; // WITHOUT ROWID
        }
    }

    private static IReadOnlyList<string> FindKey(SqliteDatabase database, SqliteTable table, List<SqliteColumn> columns)
    {
        string[] primary = [.. columns.Where(static column => column.Key > 0).OrderBy(static column => column.Key).Select(static column => column.Name)];
        return primary.Length > 0 ? primary : Unique(database, table, columns);
    }

    /// <summary>The first unique index over columns that are never null.</summary>
    private static IReadOnlyList<string> Unique(SqliteDatabase database, SqliteTable table, List<SqliteColumn> columns)
    {
        List<string> indexes = [];
        using (SqliteRows rows = database.Query($"PRAGMA {table.Schema}.index_list({Quote(table.Name)})"))
        {
            while (rows.Next())
            {
                const int name = 1, unique = 2, partial = 4;
                if (rows.Integer(unique) != 0 && rows.Integer(partial) == 0)
                    indexes.Add(rows.Text(name));
            }
        }

        foreach (string index in indexes)
        {
            List<SqliteColumn?> indexed = [];
            using SqliteRows rows = database.Query($"PRAGMA {table.Schema}.index_info({Quote(index)})");
            while (rows.Next())
            {
                string name = rows.Text(2);
                indexed.Add(columns.Find(column => column.Name == name && column is { NotNull: true, Kind: 0 }));
            }

            if (indexed.Count > 0 && indexed.TrueForAll(static column => column is not null))
                return [.. indexed.Select(static column => column!.Name)];
        }

        return [];
    }

    /// <summary>Matches what makes a full-text index over rows of another table.</summary>
    [GeneratedRegex(@"\bfts[45]\b.*\bcontent\s*=\s*(?!''|"""")\S", RegexOptions.IgnoreCase | RegexOptions.Singleline)]
    internal static partial Regex ReadsAnother();
}
