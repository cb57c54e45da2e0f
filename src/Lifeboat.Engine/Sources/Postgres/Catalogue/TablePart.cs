using System.Globalization;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Catalogue;

/// <summary>One file of a table's rows: all of them, or those of a range of pages.</summary>
/// <param name="Table">The index of its table among those captured.</param>
/// <param name="Sql">The COPY statement that gives its rows.</param>
/// <param name="Path">Its file in the snapshot.</param>
/// <param name="Bytes">About how many.</param>
internal sealed record TablePart(int Table, string TableName, string Sql, string Path, long Bytes);

/// <summary>
/// Cuts tables into parts at fixed page numbers, so that all workers share one huge table and an unchanged range is the same file next
/// time.
/// </summary>
internal sealed class TablePartition(string folder, string serverEncoding, int serverMajor, int blocksPerPart)
{
    private readonly HashSet<string> _names = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="name">The table's name as bytes: schema, dot, table.</param>
    /// <param name="replaced">Expressions that are selected in the place of columns, by these; null for none.</param>
    public IReadOnlyList<TablePart> Cut(
        int index, CatalogueRelation table, PostgresTable described, ReadOnlySpan<byte> name, IReadOnlyDictionary<string, string>? replaced = null)
    {
        string file = UniqueName(SnapshotPath.EscapeName(name));
        if (described.Where is not null)
            return [new TablePart(index, table.DisplayName, Select(described, replaced, described.Where), $"{folder}/{file}.copy", table.Bytes)];
        return Cut(index, table.DisplayName, table.Pages, table.Bytes, table.Heap, $"{folder}/{file}", condition => condition is null && replaced is null
            ? $"COPY {described.QuotedName}{described.ColumnList} TO STDOUT (ENCODING '{serverEncoding}')"
            : Select(described, replaced, condition is null ? "" : "WHERE " + condition));
    }

    /// <summary>Cuts whatever lies in a heap.</summary>
    /// <param name="sql">Writes the COPY statement, for all rows or with a condition.</param>
    public IReadOnlyList<TablePart> Cut(int index, string displayName, long pages, long bytes, bool heap, string stem, Func<string?,
        string> sql)
    {
        int blocks = BlocksPerPart(pages, bytes);
        // TID range scans came with 14: before, each part would read the whole table.
        if (!heap || serverMajor < 14 || pages <= blocks)
            return [new TablePart(index, displayName, sql(null), $"{stem}.copy", bytes)];
        int count = checked((int)((pages + blocks - 1) / blocks));
        return
        [
            .. Enumerable.Range(0, count).Select(part => new TablePart(
                index, displayName, sql(Condition(part, count, blocks)),
                    string.Create(CultureInfo.InvariantCulture, $"{stem}.{part + 1:D4}.copy"), bytes / count)),
        ];
    }

    /// <summary>
    /// Tables whose values are mostly out of line get fewer pages in a part, by powers of two so that the cuts stay where they are.
    /// </summary>
    private int BlocksPerPart(long pages, long bytes)
    {
        int blocks = blocksPerPart;
        for (long perBlock = pages == 0 ? 0 : bytes / pages; perBlock >= 2 * 8192 && blocks > 64; perBlock /= 2)
            blocks /= 2;
        return blocks;
    }

    private static string Condition(int part, int count, int blocks)
    {
        long first = (long)part * blocks;
        string from = string.Create(CultureInfo.InvariantCulture, $"ctid >= '({first},0)'");
        // The last one takes whatever was added since the pages were counted.
        return part == count - 1 ? from : string.Create(CultureInfo.InvariantCulture, $"{from} AND ctid < '({first + blocks},0)'");
    }

    private string Select(PostgresTable table, IReadOnlyDictionary<string, string>? replaced, string where) =>
        $"COPY (SELECT {string.Join(", ", table.Columns.Select(column => replaced?.GetValueOrDefault(column) ?? SqlText.Identifier(column)))} FROM ONLY {table.QuotedName} {where}) "
        + $"TO STDOUT (ENCODING '{serverEncoding}')";

    private string UniqueName(string name)
    {
        // A table that is called as another one's part would be.
        int dot = name.LastIndexOf('.');
        if (dot >= 0 && name.Length - dot > 4 && name.AsSpan(dot + 1).ContainsAnyExceptInRange('0', '9') is false)
            name += "~";
        string unique = name;
        for (int i = 2; !_names.Add(unique); i++)
            unique = string.Create(CultureInfo.InvariantCulture, $"{name}~{i}");
        return unique;
    }
}
