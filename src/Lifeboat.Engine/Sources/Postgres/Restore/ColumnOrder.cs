using System.Globalization;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>
/// Compares the order of every table's columns. pg_dump gives a child of inheritance its parents' columns first, in their order; a parent's column that came
/// later, or a child that was made first and joined afterwards, had another. That is said; any other table with another order is a difference.
/// </summary>
internal sealed class ColumnOrder(RestoreTarget target)
{
    private const int ShownTables = 5;

    public async Task<IReadOnlyList<VerifyCheck>> CompareAsync(PsqlSession session, PostgresCatalogue catalogue, CancellationToken cancellation)
    {
        Dictionary<(string, string), CatalogueRelation> there = catalogue.Relations.Where(static r => r.Kind == 'r').ToDictionary(static r => (r.Schema, r.Name));
        List<Difference> different = [];
        foreach (PostgresTable table in target.Details.Tables)
        {
            if (there.TryGetValue((table.Schema, table.Name), out CatalogueRelation? relation)
                && catalogue.Columns.GetValueOrDefault(relation.Oid, []) is var found && !found.SequenceEqual(table.Columns))
                different.Add(new Difference(relation, table.Columns, found));
        }

        if (different.Count == 0)
            return [];
        IEnumerable<uint> oids = different.Select(static d => d.Table.Oid);
        HashSet<uint> children = [.. (await session.QueryAsync(
            $"SELECT DISTINCT inhrelid FROM pg_catalog.pg_inherits WHERE inhrelid IN ({string.Join(", ", oids)})", cancellation))
            .Select(static row => PostgresCatalogue.Oid(row[0]))];
        ILookup<bool, Difference> explained = different.ToLookup(d => d.IsOrderAlone && children.Contains(d.Table.Oid));
        Warn([.. explained[true].Select(static d => d.Table.DisplayName)]);
        return [.. explained[false].Select(static d => new VerifyCheck($"columns of table {d.Table.DisplayName}", Listed(d.Expected), Listed(d.Found)))];
    }

    private void Warn(IReadOnlyList<string> tables)
    {
        if (tables.Count == 0)
            return;
        string more = tables.Count > ShownTables ? string.Create(CultureInfo.InvariantCulture, $" and {tables.Count - ShownTables} more") : "";
        target.Context.Progress.Report(new Warned(target.Source, new Problem(
            ErrorCodes.PostgresColumnOrder,
            $"the columns of {string.Join(", ", tables.Take(ShownTables))}{more} come in another order than they had: the parents' first, as pg_dump makes children of inheritance",
            "only what relies on that order is concerned: SELECT *, and INSERT without names of columns",
            target.Source)));
    }

    private static string Listed(IEnumerable<string> columns) => string.Join(", ", columns.Select(SqlText.Identifier));

    private sealed record Difference(CatalogueRelation Table, IReadOnlyList<string> Expected, IReadOnlyList<string> Found)
    {
        public bool IsOrderAlone => Expected.Count == Found.Count && Expected.ToHashSet().SetEquals(Found);
    }
}
