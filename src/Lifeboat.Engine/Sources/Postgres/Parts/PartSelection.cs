using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Apps.Validation;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Parts;

/// <summary>A table that is restored as a part.</summary>
/// <param name="Number">By which its rows are found in a schema of ours: table <c>tN</c>.</param>
/// <param name="Display">Its name for people, quoted where needed.</param>
/// <param name="Captured">What was captured of it; null for the parent of partitions, which has no rows of its own.</param>
internal sealed record SelectedTable(int Number, string Display, TableDefinition Definition, (PostgresTable Table, TableMetadata Rows)? Captured)
{
    public RelationName Name => Definition.Name;

    public long Rows => Captured?.Rows.Rows ?? 0;
}

/// <summary>Finds the tables that a scope asks for.</summary>
internal sealed class PartSelection(string source, PostgresDetails details, IReadOnlyList<TableMetadata> metadata, SchemaParts schema)
{
    private readonly List<Problem> _problems = [];
    private readonly HashSet<string> _graphs =
        [.. details.Extensions.SelectMany(static e => e.ObjectIds ?? []).Where(static id => id.Type == "regnamespace").Select(static id => id.Name)];

    /// <summary>What was left out, because it cannot be restored as a part, while no pattern meant it alone.</summary>
    public List<Problem> Warnings { get; } = [];

    /// <exception cref="LifeboatException">A pattern matches nothing, or nothing but what cannot be restored as a part; every such reason.</exception>
    public IReadOnlyList<SelectedTable> Select(IReadOnlyList<string> patterns)
    {
        List<Candidate> candidates = [.. Candidates()];
        HashSet<RelationName> chosen = [];
        foreach (string pattern in patterns.Count > 0 ? patterns : ["*"])
            chosen.UnionWith(Matching(pattern, candidates));
        chosen.UnionWith(chosen.SelectMany(schema.DescendantsOf).Select(static table => table.Name).ToArray());
        if (_problems.Count > 0)
            throw new LifeboatException(_problems);
        return [.. candidates.Where(one => one.Definition is not null && one.Refusal is null && chosen.Contains(one.Name))
            .Select((one, i) => new SelectedTable(i + 1, one.Display, one.Definition!, one.Captured))];
    }

    private IEnumerable<Candidate> Candidates()
    {
        HashSet<RelationName> withRows = [];
        foreach ((PostgresTable table, TableMetadata rows) in details.Tables.Zip(metadata))
        {
            RelationName name = new(table.Schema, table.Name);
            withRows.Add(name);
            TableDefinition? definition = schema.Tables.GetValueOrDefault(name);
            yield return new Candidate(name, rows.Name, definition, (table, rows), Refusal(table, definition));
        }

        foreach (TableDefinition table in schema.Tables.Values.Where(one => !withRows.Contains(one.Name)))
            yield return new Candidate(table.Name, table.Name.ToString(), table, null, table.IsPartitioned ? null : "has no rows in the snapshot");
        foreach ((RelationName name, string kind) in schema.Others)
            yield return new Candidate(name, name.ToString(), null, null, $"is a {kind}, which has no rows of its own");
    }

    private string? Refusal(PostgresTable table, TableDefinition? definition) =>
        table.Extension is not null ? $"belongs to extension {table.Extension}"
        : _graphs.Contains(table.Schema) || _graphs.Contains(SqlText.Identifier(table.Schema)) ? "belongs to a graph, whose rows hold each other's ids"
        : table.Schema.StartsWith("_timescaledb_", StringComparison.Ordinal)
          || (definition?.Statements.Any(static one => one.Sql.Contains("_timescaledb_", StringComparison.Ordinal)) ?? false) ? "is a hypertable or a chunk of one"
        : definition is null ? "is not in the snapshot's schema"
        : null;

    private IEnumerable<RelationName> Matching(string pattern, List<Candidate> candidates)
    {
        Glob glob = new(pattern);
        Candidate[] matching = [.. candidates.Where(one => glob.Matches(one.Display) || glob.Matches(one.Name.ToString()))];
        Candidate[] possible = [.. matching.Where(static one => one.Refusal is null)];
        if (matching.Length == 0)
            _problems.Add(new Problem(
                ErrorCodes.PartNotInSnapshot, $"no table of the snapshot is called {pattern}{Near(pattern, candidates)}",
                "write tables as SCHEMA.TABLE; `lifeboat show` lists them", source));
        else if (possible.Length == 0)
            _problems.AddRange(matching.Take(5).Select(one => new Problem(
                ErrorCodes.PartsUnsupported, $"{one.Display} cannot be restored as a part: it {one.Refusal}",
                one.Refusal!.Contains("materialised", StringComparison.Ordinal) ? $"run REFRESH MATERIALIZED VIEW {one.Name.Quoted}"
                    : $"restore the whole source to another place with `--target {source}=…` and take from there what is needed", source)));
        // Views are nobody's loss; a table that is left out is told of.
        else if (matching.Where(static one => one is { Refusal: not null, Captured: not null }).ToArray() is { Length: > 0 } left)
            Warnings.Add(new Problem(
                ErrorCodes.PartsUnsupported, $"left out, for they cannot be restored as parts: {string.Join(", ", left.Take(5).Select(static one => $"{one.Display} ({one.Refusal})"))}"
                + (left.Length > 5 ? ", …" : ""),
                "they stay as they are; only the restore of the whole source brings them back", source));
        return possible.Select(static one => one.Name);
    }

    private static string Near(string pattern, List<Candidate> candidates)
    {
        string[] names = [.. candidates.Select(static one => one.Display)];
        string[] near = [.. names.Where(name => name.EndsWith("." + pattern, StringComparison.OrdinalIgnoreCase)).Take(3)];
        if (near.Length == 0 && NearMiss.Find(pattern, names) is { } one)
            near = [one];
        return near.Length == 0 ? "" : $" (is {string.Join(" or ", near)} meant?)";
    }

    /// <param name="Refusal">Why it cannot be restored as a part; null where it can.</param>
    private sealed record Candidate(
        RelationName Name, string Display, TableDefinition? Definition, (PostgresTable Table, TableMetadata Rows)? Captured, string? Refusal);
}
