using System.Globalization;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Catalogue;

/// <summary>A column whose values a data file holds.</summary>
/// <param name="Expression">What is selected for it.</param>
internal sealed record CatalogueColumn(string Name, ValueForm Form, bool Nullable, string Expression)
{
    /// <summary>What tells whether the value is NULL.</summary>
    public string NullTest { get; init; } = $"{SqlText.Identifier(Name)} IS NULL";
}

/// <summary>A table as the server lists it.</summary>
/// <param name="Bytes">About how many bytes its rows have.</param>
/// <param name="KeyColumn">The primary key's first column where it is an integer; else null.</param>
internal sealed record CatalogueTable(string Name, string Engine, bool Versioned, long Bytes, string? KeyColumn, IReadOnlyList<CatalogueColumn> Columns)
{
    /// <summary>Storage engines whose tables are as they were at the cut, whatever is written meanwhile.</summary>
    private static readonly string[] s_transactional = ["InnoDB", "RocksDB"];

    /// <summary>Storage engines whose tables show rows that are elsewhere: in other tables, files or servers. To write such rows would write there.</summary>
    private static readonly string[] s_showing = ["MRG_MyISAM", "FEDERATED", "CONNECT", "SPIDER"];

    /// <summary>
    /// Behind a table's name in a query: a view, which somebody may have put in the table's place meanwhile, is refused then, and none of its functions runs with
    /// our rights.
    /// </summary>
    public const string NoView = " USE INDEX ()";

    /// <summary>The same, where rows are found by the primary key.</summary>
    public const string NoViewByKey = " FORCE INDEX (PRIMARY)";

    /// <summary>Whether the rows are the table's own. Where not, only its definition is captured.</summary>
    public bool OwnsRows => !s_showing.Contains(Engine, StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether its history is told by ids of transactions, which no statement can write (MariaDB).</summary>
    public bool TransactionHistory { get; init; }

    public bool Transactional => s_transactional.Contains(Engine, StringComparer.OrdinalIgnoreCase);

    public MySqlTable Described =>
        new(Name, Engine, [.. Columns.Select(static c => new MySqlColumn(c.Name, c.Form))], Versioned) { TransactionHistory = TransactionHistory ? true : null };

    /// <summary>How rows are marked that <see cref="Select"/> gives.</summary>
    public RowShape Shape
    {
        get
        {
            int next = 0;
            int[] bits = [.. Columns.Select(c => c.Nullable ? next++ : -1)];
            return new RowShape((next + RowShape.BitsPerMask - 1) / RowShape.BitsPerMask, bits);
        }
    }

    /// <summary>The query for the table's rows, or for those that a condition names.</summary>
    public string Select(string schema, string? where)
    {
        IEnumerable<string> masks = Columns.Where(static c => c.Nullable).Chunk(RowShape.BitsPerMask)
            .Select(static some => string.Join('+', some.Select(static (c, bit) => $"(({c.NullTest})<<{bit})")));
        string history = Versioned ? " FOR SYSTEM_TIME ALL" : "";
        return $"SELECT {string.Join(", ", masks.Concat(Columns.Select(static c => c.Expression)))} FROM {SqlText.Identifier(schema, Name)}{history}"
            + (where is null ? NoView : $"{NoViewByKey} WHERE {where}");
    }

    /// <summary>The head of INSERT statements for the table's data files.</summary>
    public static string Insert(string schema, MySqlTable table) =>
        $"INSERT INTO {SqlText.Identifier(schema, table.Name)} ({string.Join(",", table.Columns.Select(static c => SqlText.Identifier(c.Name)))}) VALUES ";
}

/// <summary>Reads a database's tables from <c>information_schema</c>.</summary>
internal static class TableCatalogue
{
    private static readonly HashSet<string> s_bytes = new(StringComparer.OrdinalIgnoreCase)
    {
        "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "bit",
        "enum", "set", "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection",
        "geomcollection", "vector",
    };

    private static readonly HashSet<string> s_integers = new(StringComparer.OrdinalIgnoreCase) { "tinyint", "smallint", "mediumint", "int", "bigint" };

    /// <summary>Tables (no views, no sequences), by name.</summary>
    public static async Task<IReadOnlyList<CatalogueTable>> ReadAsync(MySqlSession session, string schema, CancellationToken cancellation)
    {
        string here = $"TABLE_SCHEMA = {SqlText.Literal(schema)}";
        IReadOnlyList<string?[]> tables = await session.SelectAsync(
            ["TABLE_NAME", "TABLE_TYPE", "ENGINE", "DATA_LENGTH"],
            $"FROM information_schema.TABLES WHERE {here} AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY TABLE_NAME", cancellation);
        ILookup<string, string?[]> columns = (await session.SelectAsync(
            ["TABLE_NAME", "COLUMN_NAME", "DATA_TYPE", "COLUMN_TYPE", "IS_NULLABLE", "EXTRA", "GENERATION_EXPRESSION"],
            $"FROM information_schema.COLUMNS WHERE {here} ORDER BY TABLE_NAME, ORDINAL_POSITION", cancellation)).ToLookup(static row => row[0]!);
        Dictionary<string, string> keys = (await session.SelectAsync(
            ["TABLE_NAME", "COLUMN_NAME"], $"FROM information_schema.STATISTICS WHERE {here} AND INDEX_NAME = 'PRIMARY' AND SEQ_IN_INDEX = 1", cancellation))
            .ToDictionary(static row => row[0]!, static row => row[1]!);
        return [.. tables.Select(row => Table(row, [.. columns[row[0]!]], keys.GetValueOrDefault(row[0]!)))];
    }

    private static CatalogueTable Table(string?[] row, IReadOnlyList<string?[]> columns, string? key)
    {
        bool versioned = row[1] == "SYSTEM VERSIONED";
        List<CatalogueColumn> kept = [.. columns.Where(static c => !IsGenerated(c) || IsPeriod(c)).Select(static c => Column(c))];
        if (versioned && !columns.Any(IsPeriod))
            kept.AddRange([Pseudo("ROW_START"), Pseudo("ROW_END")]);
        string? integer = columns.FirstOrDefault(c => c[1] == key) is { } first && s_integers.Contains(first[2]!) ? key : null;
        return new CatalogueTable(
            row[0]!, row[2] ?? "", versioned, row[3] is null ? 0 : long.Parse(row[3]!, CultureInfo.InvariantCulture), versioned ? null : integer, kept)
        {
            TransactionHistory = columns.Any(static c => IsPeriod(c) && c[2] == "bigint"),
        };
    }

    private static CatalogueColumn Pseudo(string name) => new(name, ValueForm.Plain, false, name);

    private static bool IsGenerated(string?[] column) =>
        !string.IsNullOrEmpty(column[6]) || column[5]!.Contains("VIRTUAL GENERATED", StringComparison.Ordinal) || column[5]!.Contains("STORED GENERATED", StringComparison.Ordinal);

    private static bool IsPeriod(string?[] column) => column[6] is "ROW START" or "ROW END";

    private static CatalogueColumn Column(string?[] column)
    {
        string name = column[1]!;
        string type = column[2]!;
        string quoted = SqlText.Identifier(name);
        bool nullable = column[4] == "YES";
        return type.ToUpperInvariant() switch
        {
            // As DOUBLE the server prints all digits that tell one value from the next; FLOAT it prints with six.
            "FLOAT" or "DOUBLE" or "REAL" => new CatalogueColumn(name, ValueForm.Plain, nullable, $"{quoted}*1e0"),
            // Where the empty text is a member, it is also what an invalid value looks like.
            "ENUM" or "SET" when HasEmptyMember(column[3]!) => new CatalogueColumn(name, ValueForm.Number, nullable, $"{quoted}+0"),
            // What a text without a character set would be taken for: raw bytes of an address, or not JSON at all.
            "JSON" or "INET4" or "INET6" or "UUID" => new CatalogueColumn(name, ValueForm.Utf8, nullable, quoted),
            _ => new CatalogueColumn(name, s_bytes.Contains(type) ? ValueForm.Bytes : ValueForm.Plain, nullable, quoted),
        };
    }

    private static bool HasEmptyMember(string type)
    {
        ReadOnlySpan<char> rest = type.AsSpan(type.IndexOf('(', StringComparison.Ordinal) + 1);
        while (rest is ['\'', ..])
        {
            int length = 0;
            int at = 1;
            for (; at < rest.Length && (rest[at] != '\'' || (at + 1 < rest.Length && rest[at + 1] == '\'')); length++)
                at += rest[at] == '\'' ? 2 : 1;
            if (length == 0)
                return true;
            rest = at + 2 < rest.Length ? rest[(at + 2)..] : [];
        }

        return false;
    }
}
