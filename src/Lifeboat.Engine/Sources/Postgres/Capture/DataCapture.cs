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
    private const string ReleaseLocks = "ROLLBACK TO SAVEPOINT lifeboat; SAVEPOINT part";

    /// <summary>Keeps the locks of the parts before, until it was looked at what was read, and takes back this part's alone where it is not had.</summary>
    private const string KeepLocks = "RELEASE SAVEPOINT part; SAVEPOINT part";

    // With so many tables the server's list of locks, which is read as a whole each time, is too long to be looked at behind each part.
    private const int ManyTables = 500, PartsPerLookOfMany = 64;

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
        List<TablePart> read = [];
        while (queue.TryDequeue(out TablePart? part))
        {
            if (await CaptureAsync(session, part, read.Count == 0 ? ReleaseLocks : KeepLocks, cancellation))
                read.Add(part);
            if (read.Count < (tables.Count > ManyTables ? PartsPerLookOfMany : 1))
                continue;
            await RequireSameAsync(session, read, cancellation);
            read.Clear();
        }

        await RequireSameAsync(session, read, cancellation);
    }

    /// <returns>Whether this session read the part, and has its lock.</returns>
    private async Task<bool> CaptureAsync(PsqlSession session, TablePart part, string before, CancellationToken cancellation)
    {
        if (!_lockedOut.ContainsKey(part.Table))
        {
            try
            {
                await WriteAsync(session, before, part, cancellation);
                return true;
            }
            catch (LifeboatException e) when (PostgresError.Of(e)?.SqlState == PostgresError.LockNotAvailable)
            {
                _lockedOut[part.Table] = true;
                await session.ExecuteAsync("ROLLBACK TO SAVEPOINT part", cancellation);
                context.Progress.Report(new Noted(
                    cut.Session.Connection.Source,
                    $"{part.TableName}: someone waits for it exclusively; it is read over the session that has it locked already"));
            }
        }

        await CaptureFromCutAsync(part, cancellation);
        return false;
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
            await RequireSameAsync(cut.Session, [part], cancellation);
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

    /// <summary>Whether the tables that this session has read by their names were the ones that the cut has.</summary>
    /// <param name="read">Since the locks were last let go of.</param>
    private async Task RequireSameAsync(PsqlSession session, IReadOnlyList<TablePart> read, CancellationToken cancellation)
    {
        ILookup<uint, TablePart> parts = read.Where(part => part.Table < tables.Count).ToLookup(part => tables[part.Table].Oid);
        if (parts.Count == 0)
            return;
        IReadOnlyList<string?[]> same = await session.QueryAsync(RelationIdentities.WereReadSql(parts.Select(static one => one.Key)), cancellation);
        HashSet<uint> known = [.. same.Select(static row => PostgresCatalogue.Oid(row[0]))];
        if (parts.FirstOrDefault(one => !known.Contains(one.Key)) is { } other)
            throw Renamed(other.First(), "another table had its name while it was read");
    }

    private LifeboatException Renamed(TablePart part, string how) => new(
        ErrorCodes.PostgresObjectVanished,
        $"{cut.Session.Connection.Target}: the schema of {part.TableName} was renamed since the backup began: {how}",
        "run again when the change is done",
        cut.Session.Connection.Source);

    private void Report(long bytes) => context.Progress.Report(new BytesDone(cut.Session.Connection.Source, Phase.Capture, bytes));
}
