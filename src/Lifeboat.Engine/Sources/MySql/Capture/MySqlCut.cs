using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Capture;

/// <summary>Several sessions that see one moment of a database, and what stood in its catalogue then.</summary>
internal sealed class MySqlCut : IAsyncDisposable
{
    private const int LockAttempts = 3;
    private const string LockSeconds = "2";
    private static readonly TimeSpan s_betweenAttempts = TimeSpan.FromSeconds(1);
    private const string Snapshot = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

    private static readonly string[] s_gtidVariables = ["gtid_binlog_pos", "gtid_executed"];

    private readonly List<MySqlSession> _workers = [];

    private MySqlCut(string database, MySqlSession side) => (Database, Side) = (database, side);

    public string Database { get; }

    /// <summary>Each is in a transaction that sees the cut; the first is never missing.</summary>
    public IReadOnlyList<MySqlSession> Workers => _workers;

    /// <summary>
    /// In no transaction: for what has none (the catalogue, some storage engines), whose tables would keep a transaction from letting go of others.
    /// </summary>
    public MySqlSession Side { get; }

    public DateTimeOffset At { get; private set; }

    public TimeSpan? LockHeld { get; private set; }

    public string? Gtid { get; private set; }

    public string? Position { get; private set; }

    public Problem? Warning { get; private set; }

    /// <summary>Opens a cut over as many sessions as the host has workers, or over one where writes cannot be held up for a moment.</summary>
    public static async Task<MySqlCut> OpenAsync(
        RunContext context, Func<CancellationToken, Task<MySqlSession>> open, string database, bool mayLock, CancellationToken cancellation)
    {
        MySqlCut cut = new(database, await open(cancellation));
        try
        {
            cut._workers.Add(await open(cancellation));
            if (context.Host.Workers > 1 && mayLock)
                await cut.OpenTogetherAsync(context, open, cancellation);
            else if (context.Host.Workers > 1)
                cut.Warn("the account may not hold up writes for a moment (RELOAD)", "grant RELOAD to the account, and reading uses all cores");
            if (cut.LockHeld is null)
                await cut.OpenAloneAsync(context, cancellation);
            foreach (MySqlSession worker in cut._workers.Append(cut.Side))
                await worker.ExecuteAsync($"USE {SqlText.Identifier(database)}", cancellation);
            return cut;
        }
        catch
        {
            await cut.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (MySqlSession session in _workers.Append(Side))
            await session.DisposeAsync();
        _workers.Clear();
    }

    private async Task OpenAloneAsync(RunContext context, CancellationToken cancellation)
    {
        await BeginAsync(_workers[0], cancellation);
        At = context.Host.Time.GetUtcNow();
        await ReadPositionAsync(_workers[0], cancellation);
    }

    /// <summary>
    /// While no transaction can commit, every worker begins its own. FLUSH TABLES WITH READ LOCK waits for running statements, and everybody's writes
    /// wait behind it: so it gives up soon, and lets them pass before it tries again.
    /// </summary>
    private async Task OpenTogetherAsync(RunContext context, Func<CancellationToken, Task<MySqlSession>> open, CancellationToken cancellation)
    {
        for (int i = 1; i < context.Host.Workers; i++)
            _workers.Add(await open(cancellation));
        for (int attempt = 1; attempt <= LockAttempts; attempt++)
        {
            await using MySqlSession locker = await open(cancellation);
            await locker.ExecuteAsync($"SET lock_wait_timeout = {LockSeconds}", cancellation);
            try
            {
                await locker.ExecuteAsync("FLUSH TABLES WITH READ LOCK", cancellation);
            }
            catch (LifeboatException e) when (MySqlError.Of(e)?.Number == MySqlError.LockWaitTimeout)
            {
                if (attempt < LockAttempts)
                    await Task.Delay(s_betweenAttempts, context.Host.Time, cancellation);
                continue;
            }

            long since = context.Host.Time.GetTimestamp();
            await Task.WhenAll(_workers.Select(worker => BeginAsync(worker, cancellation)));
            At = context.Host.Time.GetUtcNow();
            await ReadPositionAsync(locker, cancellation);
            await locker.ExecuteAsync("UNLOCK TABLES", cancellation);
            LockHeld = context.Host.Time.GetElapsedTime(since);
            return;
        }

        foreach (MySqlSession spare in _workers.Skip(1))
            await spare.DisposeAsync();
        _workers.RemoveRange(1, _workers.Count - 1);
        Warn(
            "a statement that ran for longer than writes may be held up kept the lock for several sessions from being had",
            "back up when no long statement runs (SHOW PROCESSLIST shows them), and reading uses all cores");
    }

    private static async Task BeginAsync(MySqlSession worker, CancellationToken cancellation)
    {
        await worker.ExecuteAsync("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", cancellation);
        await worker.ExecuteAsync(Snapshot, cancellation);
    }

    private async Task ReadPositionAsync(MySqlSession session, CancellationToken cancellation)
    {
        string? variable = s_gtidVariables.FirstOrDefault(session.Server.Variables.Contains);
        if (variable is not null)
            Gtid = await session.SelectOneAsync($"@@GLOBAL.{variable}", "", cancellation) is { Length: > 0 } gtid ? gtid.Replace("\n", "", StringComparison.Ordinal) : null;
        // Both servers tell the binary log's end in a status that anybody may read.
        IReadOnlyList<string[]> status = await session.ShowAsync(
            "SHOW GLOBAL STATUS WHERE Variable_name IN ('Binlog_snapshot_file', 'Binlog_snapshot_position')", cancellation);
        Dictionary<string, string> values = status.ToDictionary(static row => row[0].ToUpperInvariant(), static row => row[1]);
        if (values.GetValueOrDefault("BINLOG_SNAPSHOT_FILE") is { Length: > 0 } file)
            Position = $"{file}:{values.GetValueOrDefault("BINLOG_SNAPSHOT_POSITION")}";
    }

    private void Warn(string why, string hint) => Warning = new Problem(ErrorCodes.MySqlOneWorker, $"the rows are read by one session only: {why}", hint);
}
