using System.Collections.Concurrent;
using System.Globalization;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Sources.MySql.Capture;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;
using Lifeboat.Engine.Sources.Servers;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>
/// Reads the staged tables back. A table may be read while others are loaded and keys are built; that counts only as long as the server says that no row
/// of it was changed since: InnoDB keeps the time of each table's last change, in seconds, and building keys does not touch it. A table that was changed,
/// rebuilt (it has no such time then) or emptied (MariaDB keeps the time) is read again.
/// </summary>
internal sealed class TableReadBack(RestoreTarget target)
{
    private const long PartBytes = 128 << 20;
    private const long WorthwhileBytes = 16 << 20;

    private readonly ConcurrentDictionary<string, EarlyRead> _early = new(StringComparer.Ordinal);

    private string Staging => target.Names.Staging;

    /// <summary>Whether to read a table before the end: a small one is read faster than its turn is waited for, and other engines keep no such time.</summary>
    public static bool IsWorthwhile(CatalogueTable table) => table.Bytes >= WorthwhileBytes && table.Engine.Equals("InnoDB", StringComparison.OrdinalIgnoreCase);

    /// <summary>Begins to read a table whose rows are all there.</summary>
    /// <returns>The parts to read, none where the server would not tell a change; null to ask again: its last change was in this second.</returns>
    public async Task<IReadOnlyList<TablePart>?> BeginAsync(MySqlSession session, CatalogueTable table, CancellationToken cancellation)
    {
        string?[] changed = (await session.SelectAsync(
            ["UPDATE_TIME", "UPDATE_TIME < NOW()", "CREATE_OPTIONS LIKE '%partitioned%'"],
            $"FROM information_schema.TABLES WHERE TABLE_SCHEMA = {SqlText.Literal(Staging)} AND TABLE_NAME = {SqlText.Literal(table.Name)}", cancellation))[0];
        if (changed[0] is null || changed[2] == "1")
            return []; // of a partition that is emptied the table's time says nothing
        if (changed[1] != "1")
            return null;
        EarlyRead early = new(changed[0]!, await CutAsync(session, table, cancellation));
        _early[table.Name] = early;
        return early.Parts;
    }

    /// <summary>Reads one of the parts that <see cref="BeginAsync"/> gave.</summary>
    public async Task ReadAsync(MySqlSession session, CatalogueTable table, TablePart part, CancellationToken cancellation) =>
        _early[table.Name].Read[part] = await ReadAsync(session, part, cancellation);

    /// <summary>Reads all that is left to read, and gives each table's rows by its name.</summary>
    /// <param name="tables">As they are now.</param>
    public async Task<IReadOnlyDictionary<string, CapturedRows>> CompleteAsync(
        MySqlSession session, IReadOnlyList<CatalogueTable> tables, CancellationToken cancellation)
    {
        ConcurrentDictionary<string, CapturedRows> read = new(
            tables.Where(static table => !table.OwnsRows).ToDictionary(static table => table.Name, static _ => default(CapturedRows)), StringComparer.Ordinal);
        List<(string Table, TablePart Part)> parts = [];
        foreach (CatalogueTable table in tables)
        {
            EarlyRead early = await UnchangedAsync(session, table, cancellation) ?? new EarlyRead("", await CutAsync(session, table, cancellation));
            foreach (DumpedRows rows in early.Read.Values)
                Add(read, table.Name, rows);
            parts.AddRange(early.Parts.Where(part => !early.Read.ContainsKey(part)).Select(part => (table.Name, part)));
        }

        ConcurrentQueue<(string Table, TablePart Part)> queue = new(parts.OrderByDescending(static one => one.Part.Bytes));
        async Task WorkAsync(CancellationToken token)
        {
            await using MySqlSession worker = await target.OpenStagingAsync(token);
            while (queue.TryDequeue(out (string Table, TablePart Part) next))
                Add(read, next.Table, await ReadAsync(worker, next.Part, token));
        }

        await Together.RunAsync(cancellation, [.. Enumerable.Repeat<Func<CancellationToken, Task>>(WorkAsync, Math.Min(target.Workers, queue.Count))]);
        return read;
    }

    /// <summary>What was read of a table before, where it is still true.</summary>
    private async Task<EarlyRead?> UnchangedAsync(MySqlSession session, CatalogueTable table, CancellationToken cancellation)
    {
        if (!_early.TryGetValue(table.Name, out EarlyRead? early))
            return null;
        string? changedAt = await session.SelectOneAsync(
            "UPDATE_TIME", $"FROM information_schema.TABLES WHERE TABLE_SCHEMA = {SqlText.Literal(Staging)} AND TABLE_NAME = {SqlText.Literal(table.Name)}", cancellation);
        bool unchanged = changedAt == early.ChangedAt
            && await session.SelectOneAsync("1", $"FROM {SqlText.Identifier(Staging, table.Name)}{CatalogueTable.NoView} LIMIT 1", cancellation) is not null;
        string what = unchanged
            ? string.Create(CultureInfo.InvariantCulture, $"read {early.Read.Count} of {early.Parts.Count} parts of table {table.Name} back while others were worked on")
            : $"table {table.Name} was changed since it was read back, and is read again";
        target.Context.Progress.Report(new Noted(target.Source, what));
        return unchanged ? early : null;
    }

    private static void Add(ConcurrentDictionary<string, CapturedRows> read, string table, DumpedRows rows) =>
        read.AddOrUpdate(table, _ => CapturedRows.Of(rows), (_, before) => before.Plus(rows));

    private Task<List<TablePart>> CutAsync(MySqlSession session, CatalogueTable table, CancellationToken cancellation) =>
        new TableParts(session, Staging, "staging", PartBytes).CutAsync([table], cancellation);

    private Task<DumpedRows> ReadAsync(MySqlSession session, TablePart part, CancellationToken cancellation) =>
        session.DumpAsync(part.Sql, part.Shape, Stream.Null, Report, cancellation);

    private void Report(long bytes) => target.Context.Progress.Report(new BytesDone(target.Source, Phase.Verify, bytes));

    /// <param name="ChangedAt">When the table's rows were changed last, as the server told it before the first part was read.</param>
    private sealed record EarlyRead(string ChangedAt, IReadOnlyList<TablePart> Parts)
    {
        public ConcurrentDictionary<TablePart, DumpedRows> Read { get; } = new();
    }
}
