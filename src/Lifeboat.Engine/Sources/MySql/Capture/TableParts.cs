using System.Globalization;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Capture;

/// <summary>One data file's query.</summary>
/// <param name="Table">The table's index.</param>
internal sealed record TablePart(int Table, string Path, string Sql, RowShape Shape, long Bytes);

/// <summary>Cuts large tables into ranges of their primary key, so that all workers share one.</summary>
internal sealed class TableParts(MySqlSession session, string database, string folder, long partBytes)
{
    private const int MostParts = 9999;

    public async Task<List<TablePart>> CutAsync(IReadOnlyList<CatalogueTable> tables, CancellationToken cancellation)
    {
        HashSet<string> taken = new(StringComparer.OrdinalIgnoreCase);
        List<TablePart> parts = [];
        for (int i = 0; i < tables.Count; i++)
        {
            CatalogueTable table = tables[i];
            if (!table.OwnsRows)
                continue;
            string name = SnapshotPath.EscapeName(table.Name);
            // Two tables whose names differ only by case must not become one file where it is unpacked.
            for (int number = 2; !taken.Add(name); number++)
                name = string.Create(CultureInfo.InvariantCulture, $"{SnapshotPath.EscapeName(table.Name)}~{number}");
            IReadOnlyList<string?> ranges = await RangesAsync(table, cancellation);
            for (int part = 0; part < ranges.Count; part++)
            {
                string file = ranges.Count == 1 ? $"{name}.tsv" : string.Create(CultureInfo.InvariantCulture, $"{name}.{part + 1:0000}.tsv");
                parts.Add(new TablePart(i, $"{folder}/{file}", table.Select(database, ranges[part]), table.Shape, table.Bytes / ranges.Count));
            }
        }

        return parts;
    }

    /// <summary>Conditions, each for a part; one that is null for the whole table.</summary>
    private async Task<IReadOnlyList<string?>> RangesAsync(CatalogueTable table, CancellationToken cancellation)
    {
        int parts = (int)Math.Min(MostParts, table.Bytes / partBytes);
        if (parts < 2 || table.KeyColumn is null || !table.Transactional)
            return [null];
        string key = SqlText.Identifier(table.KeyColumn);
        string?[] ends = (await session.SelectAsync([$"MIN({key})", $"MAX({key})"], $"FROM {SqlText.Identifier(database, table.Name)}{CatalogueTable.NoViewByKey}", cancellation))[0];
        if (ends[0] is null)
            return [null];
        Int128 least = Int128.Parse(ends[0]!, CultureInfo.InvariantCulture);
        Int128 width = (Int128.Parse(ends[1]!, CultureInfo.InvariantCulture) - least + 1) / parts;
        if (width == 0)
            return [null];
        string Bound(int i) => (least + (width * i)).ToString(CultureInfo.InvariantCulture);
        return
        [
            .. Enumerable.Range(0, parts).Select(i => string.Join(
                " AND ", ((string[])[i == 0 ? "" : $"{key} >= {Bound(i)}", i == parts - 1 ? "" : $"{key} < {Bound(i + 1)}"]).Where(static c => c.Length > 0))),
        ];
    }
}
