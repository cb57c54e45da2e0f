using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres.Parts;

/// <summary>The live tables that a switch is about, held for it until the transaction of its session ends.</summary>
/// <param name="from">The state that comes in.</param>
internal sealed class LockedTables(PartDatabase database, PsqlSession session, PartSchema from)
{
    private IReadOnlyDictionary<RelationName, LiveTable> _live = new Dictionary<RelationName, LiveTable>();

    /// <summary>
    /// From here on nobody reads or writes the tables, nor those with foreign keys to or from them, which are checked at the end. Gives those that are there;
    /// the incoming rows fit into them.
    /// </summary>
    public async Task<IReadOnlyDictionary<RelationName, LiveTable>> LockAsync(IReadOnlyList<StateTable> tables, CancellationToken cancellation)
    {
        RelationName[] names = [.. tables.Select(static one => one.Name)];
        LiveTable[] before = [.. (await LiveTable.FindAsync(session, names, cancellation)).Values.OrderBy(static one => one.Oid)];
        if (before.Length == 0)
            return _live;
        // A parent of partitions is not changed itself.
        RelationName[] own = [.. before.Where(static one => one.Kind == 'r').Select(static one => one.Name)];
        IReadOnlyList<ForeignKey> keys = await SetAside.KeysAsync(session, before.Select(static one => one.Oid), cancellation);
        string[] locks =
        [
            .. own.Select(static name => "ONLY " + name.Quoted),
            .. keys.SelectMany(static key => new[] { key.Table, key.References }).Distinct().Except(own).Select(static name => name.Quoted),
        ];
        if (locks.Length > 0)
            await session.ExecuteAsync($"LOCK TABLE {string.Join(", ", locks)} IN ACCESS EXCLUSIVE MODE", cancellation);
        _live = await LiveTable.FindAsync(session, names, cancellation);
        if (!before.Select(static one => one.Oid).ToHashSet().SetEquals(_live.Values.Select(static one => one.Oid)))
            throw database.DoesNotFit("somebody dropped or created one of the tables meanwhile", "run the restore again");
        await CheckAsync(tables.Where(one => one is { HasRows: true, Present: true } && _live.ContainsKey(one.Name)), cancellation);
        return _live;
    }

    /// <summary>
    /// The foreign keys that are in the way. One to a table that is dropped goes with it only if its definition brings it back; any other stops the drop, as it should.
    /// </summary>
    public async Task<IReadOnlyList<ForeignKey>> KeysAsync(IEnumerable<StateTable> there, IReadOnlyCollection<StateTable> dropped, CancellationToken cancellation)
    {
        IReadOnlyList<ForeignKey> keys = await SetAside.KeysAsync(session, there.Select(one => _live[one.Name].Oid), cancellation);
        if (dropped.Count == 0)
            return keys;
        HashSet<RelationName> going = [.. dropped.Select(static one => one.Name)];
        IReadOnlyList<(string Sql, string? Unless)> rest = await from.DefinitionsAsync(DefinitionPhase.Rest, dropped, cancellation);
        return [.. keys.Where(key => !going.Contains(key.References) || going.Contains(key.Table)
            || rest.Any(one => one.Unless == DefinitionStatement.UnlessKey(key.Table, key.Name)))];
    }

    private async Task CheckAsync(IEnumerable<StateTable> tables, CancellationToken cancellation)
    {
        Dictionary<RelationName, StateTable> rows = tables.ToDictionary(table => new RelationName(from.Name, $"t{table.Number}"));
        IReadOnlyDictionary<RelationName, LiveTable> staged = await LiveTable.FindAsync(session, rows.Keys, cancellation);
        foreach ((RelationName name, StateTable table) in rows)
        {
            string[] differences = [.. _live[table.Name].Differences(staged[name], alsoGenerated: false)];
            if (differences.Length > 0 || _live[table.Name].Kind != 'r')
                throw database.DoesNotFit($"table {table.Name} has changed meanwhile: {string.Join("; ", differences)}");
        }
    }
}
