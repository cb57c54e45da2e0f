using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>A piece of work for one session: some parts of one table, in one transaction.</summary>
/// <param name="Index">The table's index among those captured.</param>
/// <param name="Paths">The snapshot's files, in order.</param>
/// <param name="Freeze">Whether the rows can be written frozen: by truncating the table in the same transaction, so only where one session loads all of it.</param>
internal sealed record LoadJob(int Index, PostgresTable Table, IReadOnlyList<string> Paths, long Bytes, bool Freeze, string Encoding)
{
    public string Sql => $"COPY {Table.QuotedName}{Table.ColumnList} FROM STDIN WITH (ENCODING {SqlText.Literal(Encoding)}{(Freeze ? ", FREEZE" : "")})";
}

/// <summary>
/// In which order tables are loaded, and by how many sessions. Tables that a foreign key ties together before the data is there (only
/// extensions' own tables) are loaded in turns: a referenced table first.
/// </summary>
/// <param name="Turns">Jobs of one turn can run at the same time, the first ones first.</param>
internal sealed record LoadPlan(IReadOnlyList<IReadOnlyList<LoadJob>> Turns)
{
    /// <param name="references">Foreign keys that are there already: from a table's quoted name to the referenced one's.</param>
    /// <param name="workers">How many sessions load at once.</param>
    /// <param name="encoding">Of the captured files: the database's own.</param>
    public static LoadPlan Of(
        IReadOnlyList<PostgresTable> tables,
        IReadOnlyList<TableMetadata> metadata,
        ILookup<string, string> references,
        int workers,
        string encoding)
    {
        Dictionary<string, int> turns = [];
        HashSet<string> referenced = [.. references.SelectMany(static group => group)];
        long total = metadata.Sum(static table => table.Bytes);
        return new LoadPlan([.. tables.Zip(metadata, Enumerable.Range(0, tables.Count))
            .Where(static table => table.Second.Rows > 0)
            .SelectMany(pair => Jobs(pair.Third, pair.First, pair.Second, total, workers, encoding, mayTruncate: pair.First.Extension is null && !referenced.Contains(pair.First.QuotedName))
                .Select(job => (Turn: TurnOf(pair.First.QuotedName, references, turns, []), Job: job)))
            .GroupBy(static item => item.Turn)
            .OrderBy(static group => group.Key)
            .Select(static group => (IReadOnlyList<LoadJob>)[.. group.Select(static item => item.Job).OrderByDescending(static job => job.Bytes)])]);
    }

    /// <summary>
    /// Frozen rows need no second writing, and one session is enough as long as the others have as much to do meanwhile. A table that would
    /// keep one session busy while the others have nothing left is loaded by all of them.
    /// </summary>
    private static IEnumerable<LoadJob> Jobs(int index, PostgresTable table, TableMetadata metadata, long total, int workers, string encoding, bool mayTruncate)
    {
        bool dominates = metadata.Paths.Count > 1 && workers > 1 && metadata.Bytes > total / workers * 3 / 2;
        return dominates
            ? metadata.Paths.Select(path => new LoadJob(index, table, [path], metadata.Bytes / metadata.Paths.Count, Freeze: false, encoding))
            : [new LoadJob(index, table, metadata.Paths, metadata.Bytes, mayTruncate, encoding)];
    }

    private static int TurnOf(string table, ILookup<string, string> references, Dictionary<string, int> turns, HashSet<string> above)
    {
        if (turns.TryGetValue(table, out int known))
            return known;
        if (!above.Add(table))
            return 0; // A cycle has no order; the server will say whether it minds.
        int turn = references[table].Where(other => other != table).Select(other => TurnOf(other, references, turns, above) + 1).DefaultIfEmpty(0).Max();
        above.Remove(table);
        return turns[table] = turn;
    }
}
