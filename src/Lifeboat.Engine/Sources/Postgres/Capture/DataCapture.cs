using System.Collections.Concurrent;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;
using Lifeboat.Engine.Sources.Servers;

namespace Lifeboat.Engine.Sources.Postgres.Capture;

/// <summary>
/// Captures tables' rows over several sessions in one snapshot. Each worker is one session for its whole life; the parts of the
/// largest tables come first.
/// </summary>
/// <param name="tables">By the parts' table index; what has a higher one is no table.</param>
internal sealed class DataCapture(
    PostgresCut cut, IReadOnlyList<CatalogueRelation> tables, PostgresTools tools, RunContext context, ISnapshotWriter writer) : IDisposable
{
    // Refused so soon, a worker waits for nobody who in turn waits for our cut's lock; see CaptureFromCutAsync.
    private const string WorkerSettings =
        "SET lock_timeout = '300ms'; SET max_parallel_workers_per_gather = 0; "
        // Leaves the TID range scan as the only plan for a part.
        + "SET enable_seqscan = off; SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off; SET enable_tidscan = on";

    /// <summary>
    /// Lets go of the locks that the part before took. The cut holds one on every table anyway; thousands more of each worker would use the
    /// server's lock table up (<c>max_locks_per_transaction</c>).
    /// </summary>
    private const string ReleaseLocks = "ROLLBACK TO SAVEPOINT lifeboat";

    private readonly ConcurrentDictionary<int, bool> _lockedOut = new();
    private readonly ConcurrentDictionary<int, CopiedRows> _captured = new();
    private readonly SemaphoreSlim _cutSession = new(1);

    /// <summary>Captures all parts; gives what was captured by table index.</summary>
    public async Task<IReadOnlyDictionary<int, CopiedRows>> RunAsync(IReadOnlyList<TablePart> parts, CancellationToken cancellation)
    {
        ConcurrentQueue<TablePart> queue = new(parts.GroupBy(static p => p.Table).OrderByDescending(static g => g.Sum(static p => p.Bytes))
            .SelectMany(static g => g));
        int workers = Math.Max(1, Math.Min(context.Host.Workers, parts.Count));
        await Together.RunAsync(cancellation,
            [.. Enumerable.Repeat<Func<CancellationToken, Task>>(token => WorkAsync(queue, token), workers)]);
        return _captured;
    }

    public void Dispose() => _cutSession.Dispose();

    private async Task WorkAsync(ConcurrentQueue<TablePart> queue, CancellationToken cancellation)
    {
        if (queue.IsEmpty)
            return;
        await using PsqlSession session = await PsqlSession.OpenAsync(tools, cut.Session.Connection, cancellation);
        await session.RestrictRelationsAsync(cancellation);
        await session.ExecuteAsync(WorkerSettings, cancellation);
        await session.ExecuteAsync(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
            + $"SET TRANSACTION SNAPSHOT {SqlText.Literal(cut.Snapshot)}; SAVEPOINT lifeboat", cancellation);
        while (queue.TryDequeue(out TablePart? part))
            await CaptureAsync(session, part, cancellation);
    }

    private async Task CaptureAsync(PsqlSession session, TablePart part, CancellationToken cancellation)
    {
        if (!_lockedOut.ContainsKey(part.Table))
        {
            try
            {
                await WriteAsync(session, ReleaseLocks, part, cancellation);
                return;
            }
            catch (LifeboatException e) when (PostgresError.Of(e)?.SqlState == PostgresError.LockNotAvailable)
            {
                _lockedOut[part.Table] = true;
                context.Progress.Report(new Noted(
                    cut.Session.Connection.Source,
                    $"{part.TableName}: someone waits for it exclusively; it is read over the session that has it locked already"));
            }
        }

        await CaptureFromCutAsync(part, cancellation);
    }

    /// <summary>
    /// Whoever asks for an exclusive lock waits for the cut's lock, and everybody who asks later waits behind them: a worker that waited
    /// too would wait for ever. The cut's own session has its lock and need not ask.
    /// </summary>
    private async Task CaptureFromCutAsync(TablePart part, CancellationToken cancellation)
    {
        await _cutSession.WaitAsync(cancellation);
        try
        {
            await WriteAsync(cut.Session, "", part, cancellation);
        }
        finally
        {
            _cutSession.Release();
        }
    }

    private async Task WriteAsync(PsqlSession session, string before, TablePart part, CancellationToken cancellation)
    {
        CopiedRows rows = default;
        try
        {
            await writer.AddAsync(
                new EntryHeader(part.Path, cut.At, ExpectedBytes: part.Bytes),
                async (stream, token) => rows = await session.CopyOutAsync(part.Sql, stream, Report, token, before),
                cancellation);
            if (part.Table < tables.Count && await session.QueryOneAsync(RelationIdentities.WasReadSql(tables[part.Table]), cancellation) != "1")
                throw Renamed(part, "another table had its name while it was read");
        }
        catch (LifeboatException e) when (PostgresError.Of(e)?.SqlState is PostgresError.UndefinedTable or PostgresError.UndefinedSchema)
        {
            throw Renamed(part, e.Problems[0].Message); // The table itself is locked.
        }
        catch (LifeboatException e) when (PostgresError.Of(e) is { SqlState: not PostgresError.LockNotAvailable } error)
        {
            throw new LifeboatException(
                [.. e.Problems.Select(p => p with { Message = $"reading {part.TableName}: {p.Message}" })],
                new PostgresErrorException(error));
        }

        _captured.AddOrUpdate(part.Table, rows, (_, before) => before.Plus(rows));
    }

    private LifeboatException Renamed(TablePart part, string how) => new(
        ErrorCodes.PostgresObjectVanished,
        $"{cut.Session.Connection.Target}: the schema of {part.TableName} was renamed since the backup began: {how}",
        "run again when the change is done",
        cut.Session.Connection.Source);

    private void Report(long bytes) => context.Progress.Report(new BytesDone(cut.Session.Connection.Source, Phase.Capture, bytes));
}
