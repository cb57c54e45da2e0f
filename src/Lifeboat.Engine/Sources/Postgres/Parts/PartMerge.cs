using System.Globalization;
using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Parts;

/// <summary>
/// Adds rows of a schema of ours that are missing in live tables, and changes none that is there; or removes what was added. In the transaction of its session.
/// All tables' rows come by one statement, so a foreign key is checked when those of all tables are there, whatever their order.
/// </summary>
internal sealed class PartMerge(PartDatabase database, PsqlSession session, PartRecord record)
{
    private const int Examples = 5;
    private const int ExampleLength = 60;
    private readonly PartSchema _from = new(session, record.Incoming);
    private readonly PartSchema _to = new(session, record.Outgoing);
    private readonly SetAside _aside = new(session);

    /// <summary>Adds what is missing; the outgoing schema then holds what was added.</summary>
    public async Task<IReadOnlyList<MergeCount>> AddAsync(CancellationToken cancellation)
    {
        IReadOnlyList<StateTable> tables = [.. (await _from.TablesAsync(cancellation)).Select(static one => one with { Present = true })];
        IReadOnlyDictionary<RelationName, LiveTable> live = await new LockedTables(database, session, _from).LockAsync(tables, cancellation);
        foreach (StateTable table in tables.Where(one => one.HasRows && live.ContainsKey(one.Name)))
            await _aside.DisableAsync(live[table.Name], cancellation);
        await _to.CreateAsync(cancellation);
        await _to.AddAsync(tables.Select(one => one with { Present = live.ContainsKey(one.Name), Digest = null, DigestedColumns = null }), cancellation);
        await _to.CopyDefinitionsAsync(_from, cancellation);
        await _to.KeepSequencesAsync(await _from.SequencesAsync(cancellation), cancellation);
        TableCreation creation = new(session, _from, [.. tables.Where(one => !live.ContainsKey(one.Name))]);
        await creation.BeginAsync(cancellation);
        IReadOnlyList<(StateTable Table, RowMatch Match)> matches = await MatchesAsync(tables, cancellation);
        List<(long Equal, List<string> Examples)> found = [];
        foreach ((StateTable table, RowMatch match) in matches)
        {
            await session.ExecuteAsync($"CREATE TABLE {table.Rows(_to.Name)} AS SELECT * FROM ONLY {table.Name.Quoted} WITH NO DATA", cancellation);
            found.Add(await CompareAsync(table, match, cancellation));
        }

        if (matches.Count > 0)
            await session.ExecuteAsync(AddSql(matches), cancellation);
        await creation.FinishAsync(cancellation);
        await _aside.PutBackAsync(new HashSet<RelationName>(), cancellation);
        List<MergeCount> counts = [];
        foreach (((StateTable table, RowMatch match), (long equal, List<string> examples)) in matches.Zip(found))
            counts.Add(await CountAsync(table, match, equal, examples, cancellation));
        await _from.AdvanceSequencesAsync(cancellation);
        await _from.DropAsync(cancellation);
        return counts;
    }

    /// <summary>Removes rows that were added, and tables that were made for them.</summary>
    /// <param name="isBack">Whether a restore is taken back that was never finished: then what somebody has changed since stays, with a warning.</param>
    public async Task RemoveAsync(bool isBack, CancellationToken cancellation)
    {
        IReadOnlyList<StateTable> tables = await _from.TablesAsync(cancellation);
        LockedTables locked = new(database, session, _from);
        IReadOnlyDictionary<RelationName, LiveTable> live = await locked.LockAsync(tables, cancellation);
        StateTable[] there = [.. tables.Where(one => live.ContainsKey(one.Name))], made = [.. there.Where(static one => !one.Present)];
        foreach (StateTable table in there.Where(static one => one.HasRows))
            await _aside.DisableAsync(live[table.Name], cancellation);
        await _aside.DropKeysAsync(await locked.KeysAsync(there, made, cancellation), cancellation);
        HashSet<StateTable> dropped = [.. made.Where(static one => !one.HasRows)];
        foreach ((StateTable table, RowMatch match) in await MatchesAsync(there, cancellation))
        {
            bool changed = await RemoveAsync(table, match, isBack, cancellation);
            bool empty = !made.Contains(table) || await session.QueryOneAsync($"SELECT count(*) FROM ONLY {table.Name.Quoted}", cancellation) == "0";
            if ((changed || !empty) && !isBack)
                throw Changed(table, changed ? "rows that the merge added to it were changed since" : "the merge made it, and other rows were written into it since");
            if (changed || !empty)
                database.Context.Progress.Report(new Warned(database.Source, new Problem(
                    ErrorCodes.StrayState, $"rows of table {table.Name}, which a merge had added, were changed before it was taken back; they stay",
                    "look whether they are needed, then remove them by hand", database.Source)));
            else if (made.Contains(table))
                dropped.Add(table);
        }

        await _from.RenewSequencesAsync(cancellation);
        if (dropped.Count > 0)
            await session.ExecuteAsync($"DROP TABLE {string.Join(", ", dropped.Select(static one => one.Name.Quoted))}", cancellation);
        await _aside.PutBackAsync(dropped.Select(static one => one.Name).ToHashSet(), cancellation);
        await session.ExecuteAsync($"ALTER SCHEMA {SqlText.Identifier(_from.Name)} RENAME TO {SqlText.Identifier(_to.Name)}", cancellation);
    }

    private async Task<IReadOnlyList<(StateTable Table, RowMatch Match)>> MatchesAsync(IEnumerable<StateTable> tables, CancellationToken cancellation)
    {
        StateTable[] rows = [.. tables.Where(static one => one.HasRows)];
        IReadOnlyDictionary<RelationName, LiveTable> live = await LiveTable.FindAsync(session, [.. rows.Select(static one => one.Name)], cancellation);
        List<(StateTable, RowMatch)> matches = [];
        foreach (StateTable table in rows)
            matches.Add((table, await RowMatch.OfAsync(session, live[table.Name], cancellation)));
        return matches;
    }

    /// <summary>Whether its rows were added once, and taken away: only of captured ones the digest is known.</summary>
    private static bool WereRemoved(StateTable table) => table.Digest is null;

    private string AddSql(IReadOnlyList<(StateTable Table, RowMatch Match)> matches)
    {
        StringBuilder sql = new("WITH ");
        foreach ((StateTable table, RowMatch match) in matches)
        {
            string insert = PartExchange.Insert(match.Live, match.Missing(table.Rows(_from.Name), WereRemoved(table)));
            sql.Append(CultureInfo.InvariantCulture, $"a{table.Number} AS ({insert}{(match.SkipsCollisions ? " ON CONFLICT DO NOTHING" : "")} RETURNING {(match.Live.Columns.Count > 0 ? "*" : "1")}),\n");
            sql.Append(CultureInfo.InvariantCulture, $"k{table.Number} AS (INSERT INTO {table.Rows(_to.Name)} SELECT {(match.Live.Columns.Count > 0 ? "*" : "")} FROM a{table.Number})");
            sql.Append(table == matches[^1].Table ? "\n" : ",\n");
        }

        // The statement itself has nothing left to do.
        return sql.Append(CultureInfo.InvariantCulture, $"INSERT INTO {matches[0].Table.Rows(_to.Name)} SELECT * FROM {matches[0].Table.Rows(_to.Name)} WHERE false").ToString();
    }

    /// <summary>How many rows of ours are there as they are, and some keys of those that are there with other values.</summary>
    private async Task<(long Equal, List<string> Examples)> CompareAsync(StateTable table, RowMatch match, CancellationToken cancellation)
    {
        string rows = table.Rows(_from.Name);
        if (match.Key.Count == 0)
            return (await NumberAsync($"SELECT (SELECT count(*) FROM ONLY {rows}) - (SELECT count(*) FROM ({match.Missing(rows, WereRemoved(table))}) m)", cancellation), []);
        string join = $"FROM ONLY {rows} s JOIN ONLY {table.Name.Quoted} l ON {match.SameKey}";
        long equal = await NumberAsync($"SELECT count(*) {join} WHERE {match.SameValues}", cancellation);
        return (equal, await KeysAsync($"SELECT {match.KeyText} {join} WHERE NOT {match.SameValues}", cancellation));
    }

    private async Task<MergeCount> CountAsync(StateTable table, RowMatch match, long equal, List<string> examples, CancellationToken cancellation)
    {
        long all = await NumberAsync($"SELECT count(*) FROM ONLY {table.Rows(_from.Name)}", cancellation);
        long added = await NumberAsync($"SELECT count(*) FROM ONLY {table.Rows(_to.Name)}", cancellation);
        long different = all - added - equal;
        // Whoever collides with another key is not there by its own.
        if (different > examples.Count && match.Key.Count > 0)
            examples.AddRange(await KeysAsync(
                $"SELECT {match.KeyText} FROM ONLY {table.Rows(_from.Name)} s WHERE NOT EXISTS (SELECT FROM ONLY {table.Name.Quoted} l WHERE {match.SameKey})", cancellation));
        return new MergeCount($"table {table.Name}", added, equal, different, [.. examples.Take(Examples)]);
    }

    private async Task<List<string>> KeysAsync(string query, CancellationToken cancellation) =>
        [.. (await session.QueryAsync($"{query} LIMIT {Examples}", cancellation)).Select(static row => row[0]!.Length > ExampleLength ? row[0]![..ExampleLength] + "…" : row[0]!)];

    private async Task<long> NumberAsync(string query, CancellationToken cancellation) =>
        long.Parse(await session.QueryOneAsync(query, cancellation) ?? "0", CultureInfo.InvariantCulture);

    /// <returns>Whether rows were changed since.</returns>
    private async Task<bool> RemoveAsync(StateTable table, RowMatch match, bool isBack, CancellationToken cancellation)
    {
        string rows = table.Rows(_from.Name);
        if (match.Key.Count == 0)
        {
            long expected = await NumberAsync($"SELECT count(*) FROM ONLY {rows}", cancellation);
            return await session.ExecuteAsync(match.Delete(rows), cancellation) != expected;
        }

        bool changed = await NumberAsync($"SELECT count(*) FROM ONLY {rows} s JOIN ONLY {table.Name.Quoted} l ON {match.SameKey} WHERE NOT {match.SameValues}", cancellation) > 0;
        if (changed && !isBack)
            return true;
        // One that was deleted since is not to be added again by an undo of this.
        await session.ExecuteAsync($"DELETE FROM ONLY {rows} s WHERE NOT EXISTS (SELECT FROM ONLY {table.Name.Quoted} l WHERE {match.SameKey} AND {match.SameValues})", cancellation);
        await session.ExecuteAsync(match.Delete(rows), cancellation);
        return changed;
    }

    private LifeboatException Changed(StateTable table, string why) => database.DoesNotFit(
        $"what was merged into table {table.Name} cannot be taken away: {why}",
        "nothing was changed; remove by hand what is not wanted (the added rows are in the schema that `lifeboat restore --status` names), then run `lifeboat discard`");
}
