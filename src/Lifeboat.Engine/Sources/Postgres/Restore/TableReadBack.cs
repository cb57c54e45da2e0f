using System.Collections.Concurrent;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Extensions;
using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>Reads the staged tables back, in parts over any number of sessions, and adds up what it read of each.</summary>
internal sealed class TableReadBack(RestoreTarget target)
{
    private const int BlocksPerPart = 16384; // 128 MB of a table in one COPY
    private const int BlockBytes = 8192; // as nearly every server is built; another size makes other parts, and no other rows

    private readonly ConcurrentDictionary<int, CopiedRows> _read = new();
    private readonly ExtensionRestore _extensions = new(target.Details);

    /// <summary>A part is read by its pages, and one whole part a session is what keeps all cores busy.</summary>
    public static async Task PrepareAsync(PsqlSession session, CancellationToken cancellation)
    {
        await session.RestrictRelationsAsync(cancellation);
        await session.ExecuteAsync("SET max_parallel_workers_per_gather = 0; SET enable_indexscan = off; SET enable_bitmapscan = off", cancellation);
    }

    /// <summary>Cuts a table for several sessions, by the size that it has now.</summary>
    /// <param name="index">The table's index among those captured.</param>
    public async Task<IReadOnlyList<TablePart>> CutAsync(int index, PsqlSession session, CatalogueRelation relation, CancellationToken cancellation)
    {
        PostgresTable table = target.Details.Tables[index];
        TableMetadata metadata = target.Captured.Tables![index];
        if (_extensions.CapturedRowsSql(table) is { } rows)
            return [new TablePart(index, table.QuotedName, $"COPY ({rows}) TO STDOUT (ENCODING '{target.Details.ServerEncoding}')", "", metadata.Bytes)];
        // The size is asked for only where it matters: a database may have thousands of small tables.
        long pages = metadata.Bytes < (long)BlocksPerPart * BlockBytes / 4
            ? 0
            : PostgresCatalogue.Number(await session.QueryOneAsync($"SELECT pg_catalog.pg_relation_size({relation.Oid}) / {BlockBytes}", cancellation));
        TablePartition partition = new(target.Folder, target.Details.ServerEncoding, session.ServerMajor, BlocksPerPart);
        return partition.Cut(index, relation with { Pages = pages, Bytes = metadata.Bytes }, table, "table"u8);
    }

    /// <summary>Reads one part.</summary>
    public async Task ReadAsync(PsqlSession session, TablePart part, CancellationToken cancellation)
    {
        CopiedRows rows = await session.CopyOutAsync(part.Sql, Stream.Null, Report, cancellation);
        _read.AddOrUpdate(part.Table, rows, (_, before) => before.Plus(rows));
    }

    /// <summary>What was read of a table; null where nothing was.</summary>
    public CopiedRows? Of(int index) => _read.TryGetValue(index, out CopiedRows rows) ? rows : null;

    /// <summary>Forgets what was read of a table, so that it can be read anew.</summary>
    public void Forget(int index) => _read.TryRemove(index, out _);

    private void Report(long bytes) => target.Context.Progress.Report(new BytesDone(target.Source, Phase.Verify, bytes));
}
