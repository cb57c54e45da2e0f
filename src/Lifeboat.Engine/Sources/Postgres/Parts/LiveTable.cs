using System.Globalization;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Parts;

/// <param name="Type">The type's object id and modifier.</param>
/// <param name="Words">The type as people write it.</param>
internal sealed record LiveColumn(string Name, string Type, string Words, bool Generated);

/// <summary>What there is under a table's name.</summary>
/// <param name="Kind"><c>pg_class.relkind</c>: <c>r</c> for a table, <c>p</c> for the parent of partitions.</param>
/// <param name="OurOwn">Whether we may do what its owner may.</param>
internal sealed record LiveTable(RelationName Name, uint Oid, char Kind, string Owner, bool OurOwn, IReadOnlyList<LiveColumn> Columns)
{
    /// <summary>The columns that are given, not computed, with a separator; for SQL.</summary>
    public string Given(string prefix = "") =>
        string.Join(", ", Columns.Where(static c => !c.Generated).Select(column => prefix + SqlText.Identifier(column.Name)));

    /// <summary>Those of some names that there are, also under the names of our own tables.</summary>
    public static async Task<IReadOnlyDictionary<RelationName, LiveTable>> FindAsync(PsqlSession session, IReadOnlyCollection<RelationName> names, CancellationToken cancellation)
    {
        Dictionary<RelationName, LiveTable> found = [];
        foreach (RelationName[] some in names.Chunk(200))
        {
            string list = string.Join(", ", some.Select(static name => $"({SqlText.Literal(name.Schema)}, {SqlText.Literal(name.Name)})"));
            IReadOnlyList<string?[]> rows = await session.QueryAsync(
                $"""
                SELECT n.nspname, c.relname, c.oid, c.relkind, r.rolname, pg_catalog.pg_has_role(current_user, c.relowner, 'USAGE'),
                  a.attname, a.atttypid || '.' || a.atttypmod || '.' || a.attcollation, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attgenerated <> ''
                FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
                LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                WHERE (n.nspname, c.relname) IN ({list}) ORDER BY c.oid, a.attnum
                """, cancellation);
            foreach (IGrouping<string, string?[]> table in rows.GroupBy(static row => row[2]!))
            {
                string?[] first = table.First();
                RelationName name = new(first[0]!, first[1]!);
                found[name] = new LiveTable(
                    name, uint.Parse(first[2]!, CultureInfo.InvariantCulture), first[3]![0], first[4]!, first[5] == "t",
                    [.. table.Where(static row => row[6] is not null).Select(static row => new LiveColumn(row[6]!, row[7]!, row[8]!, row[9] == "t"))]);
            }
        }

        return found;
    }

    /// <summary>What keeps rows of another table from going into this one; nothing where they fit.</summary>
    /// <param name="other">A table of ours with rows.</param>
    /// <param name="alsoGenerated">Whether what is computed there must be computed here.</param>
    public IEnumerable<string> Differences(LiveTable other, bool alsoGenerated)
    {
        Dictionary<string, LiveColumn> theirs = other.Columns.ToDictionary(static column => column.Name);
        foreach (LiveColumn column in Columns)
        {
            if (!theirs.Remove(column.Name, out LiveColumn? there))
                yield return $"column {column.Name} is not in the snapshot";
            else if (there.Type != column.Type)
                yield return $"column {column.Name} is {column.Words} and was {there.Words}{(there.Words == column.Words ? " with another collation" : "")}";
            else if (alsoGenerated && there.Generated != column.Generated)
                yield return $"column {column.Name} is {(column.Generated ? "computed now" : "not computed any more")}";
        }

        foreach (string name in theirs.Keys)
            yield return $"column {name} is missing";
    }
}
