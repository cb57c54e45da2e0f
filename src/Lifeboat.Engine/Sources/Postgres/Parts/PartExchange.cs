using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres.Parts;

/// <summary>
/// Exchanges the live state of some tables for that of a schema of ours, in the transaction of its session. A table that is there stays what it is (views,
/// policies, rights and whatever else depends on it), and gets other rows; one that is not is made by its definition; one that the incoming state does not have is
/// dropped. What was live becomes the state of another schema, from which the same exchange brings it back.
/// </summary>
internal sealed class PartExchange(PartDatabase database, PsqlSession session, PartRecord record)
{
    private readonly PartSchema _from = new(session, record.Incoming);
    private readonly PartSchema _to = new(session, record.Outgoing);
    private readonly SetAside _aside = new(session);
    private IReadOnlyDictionary<RelationName, LiveTable> _live = new Dictionary<RelationName, LiveTable>();

    public async Task RunAsync(CancellationToken cancellation)
    {
        IReadOnlyList<StateTable> tables = await _from.TablesAsync(cancellation);
        LockedTables locked = new(database, session, _from);
        _live = await locked.LockAsync(tables, cancellation);
        StateTable[] there = [.. tables.Where(IsLive)];
        StateTable[] made = [.. tables.Where(one => one.Present && !IsLive(one))], dropped = [.. there.Where(static one => !one.Present)];
        // A partition that is made anew takes its triggers over from its parent as they are: what is the parent's stays enabled, and is not run for rows of partitions.
        foreach (StateTable table in there.Where(static one => one.HasRows))
            await _aside.DisableAsync(_live[table.Name], cancellation);
        await KeepAsync(tables, cancellation);

        await _aside.DropKeysAsync(await locked.KeysAsync(there, dropped, cancellation), cancellation);
        if (dropped.Length > 0)
            await session.ExecuteAsync($"DROP TABLE {string.Join(", ", dropped.Select(static one => one.Name.Quoted))}", cancellation);
        TableCreation creation = new(session, _from, made);
        await creation.BeginAsync(cancellation);
        foreach (StateTable table in tables.Where(static one => one is { Present: true, HasRows: true }))
        {
            await PutAsync(table, cancellation);
            await CompareAsync(table, cancellation);
        }

        await creation.FinishAsync(cancellation);
        await _aside.PutBackAsync(dropped.Select(static one => one.Name).ToHashSet(), cancellation);
        await _from.AdvanceSequencesAsync(cancellation);
        await _from.DropAsync(cancellation);
    }

    private bool IsLive(StateTable table) => _live.ContainsKey(table.Name);

    /// <summary>Copies what is live, with its types and all.</summary>
    private async Task KeepAsync(IReadOnlyList<StateTable> tables, CancellationToken cancellation)
    {
        await _to.CreateAsync(cancellation);
        await _to.AddAsync(tables.Select(one => one with { Present = IsLive(one), Digest = null, DigestedColumns = null }), cancellation);
        await _to.CopyDefinitionsAsync(_from, cancellation);
        foreach (StateTable table in tables.Where(static one => one.HasRows).Where(IsLive))
            await session.ExecuteAsync($"CREATE TABLE {table.Rows(_to.Name)} AS SELECT * FROM ONLY {table.Name.Quoted}", cancellation);
        await _to.KeepSequencesAsync(await _from.SequencesAsync(cancellation), cancellation);
    }

    private async Task PutAsync(StateTable table, CancellationToken cancellation)
    {
        LiveTable live = _live.GetValueOrDefault(table.Name) ?? (await LiveTable.FindAsync(session, [table.Name], cancellation))[table.Name];
        if (IsLive(table))
            await session.ExecuteAsync($"TRUNCATE ONLY {table.Name.Quoted}", cancellation);
        long rows = await session.ExecuteAsync(Insert(live, $"SELECT {live.Given()} FROM ONLY {table.Rows(_from.Name)}"), cancellation);
        await _to.NoteLiveAsync(table, rows, cancellation);
    }

    /// <summary>An INSERT of all that is not computed.</summary>
    public static string Insert(LiveTable live, string query) => live.Given() is { Length: > 0 } columns
        ? $"INSERT INTO {live.Name.Quoted} ({columns}) OVERRIDING SYSTEM VALUE {query}"
        : $"INSERT INTO {live.Name.Quoted} {query}";

    /// <summary>Reads the live rows once more.</summary>
    private async Task CompareAsync(StateTable table, CancellationToken cancellation)
    {
        LiveTable live = (await LiveTable.FindAsync(session, [table.Name], cancellation))[table.Name];
        string columns = table.DigestedColumns ?? live.Given();
        string expected = table.Digest ?? await DigestAsync(columns, table.Rows(_from.Name), cancellation);
        string found = await DigestAsync(columns, table.Name.Quoted, cancellation);
        if (expected != found)
            throw database.DoesNotFit($"the rows of table {table.Name} are not those that were put into it: expected {expected}, found {found}");
    }

    private async Task<string> DigestAsync(string columns, string table, CancellationToken cancellation) => StateTable.Describe(
        (await session.CopyOutAsync(
            $"COPY (SELECT {columns} FROM ONLY {table}) TO STDOUT (ENCODING '{record.Encoding}')", Stream.Null, null, cancellation)).Digest);
}
