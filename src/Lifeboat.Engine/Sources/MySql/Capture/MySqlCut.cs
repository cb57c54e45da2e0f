using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Capture;

/// <summary>Several sessions that see one moment of a database, and what stood in its catalogue then.</summary>
internal sealed class MySqlCut : IAsyncDisposable
{
    private const int LockAttempts = 3;
    private const int QuietLooks = 20;
    /// <summary>For questions to the catalogue: a table that somebody fills by CREATE TABLE … SELECT makes each of them wait on MariaDB.</summary>
    public const string ShortWait = "SET lock_wait_timeout = 5";

    private const string Snapshot = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

    private static readonly TimeSpan s_betweenAttempts = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_betweenLooks = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_longestAgreement = TimeSpan.FromSeconds(5);

    private readonly RunContext _context;
    private readonly Func<CancellationToken, Task<MySqlSession>> _open;
    private readonly List<MySqlSession> _workers = [];

    private MySqlCut(RunContext context, Func<CancellationToken, Task<MySqlSession>> open, string database, MySqlSession side, MySqlSession watch) =>
        (_context, _open, Database, Side, Watch) = (context, open, database, side, watch);

    public string Database { get; }

    /// <summary>Each is in a transaction that sees the cut; the first is never missing.</summary>
    public IReadOnlyList<MySqlSession> Workers => _workers;

    /// <summary>
    /// In no transaction: for what has none (the catalogue, some storage engines), whose tables would keep a transaction from letting go of others.
    /// </summary>
    public MySqlSession Side { get; }

    /// <summary>In no transaction either, and never long at work: sees tables that are replaced while others are read.</summary>
    public MySqlSession Watch { get; }

    public DateTimeOffset At { get; private set; }

    public TimeSpan? LockHeld { get; private set; }

    /// <summary>The transactions that the cut holds, neither more nor fewer; null where that cannot be known.</summary>
    public string? Gtid { get; private set; }

    /// <summary>The binary log's end at the cut; null where that cannot be known.</summary>
    public string? Position { get; private set; }

    public Problem? Warning { get; private set; }

    /// <summary>Opens a cut over as many sessions as the host has workers, or over one where they could not be made to see the same.</summary>
    public static async Task<MySqlCut> OpenAsync(
        RunContext context, Func<CancellationToken, Task<MySqlSession>> open, string database, CaptureRights rights, CutTurn turn,
        CancellationToken cancellation)
    {
        MySqlSession side = await open(cancellation);
        MySqlCut? cut = null;
        try
        {
            cut = new MySqlCut(context, open, database, side, await open(cancellation));
            CutMethod method = await CutMethod.ChooseAsync(side, rights, cancellation);
            await cut.AddWorkersAsync(method.Kind == CutKind.Alone ? 1 : Math.Max(1, context.Host.Workers), cancellation);
            await turn.WaitAsync(cancellation);
            (string Why, string Hint)? obstacle = await cut.OpenTogetherAsync(method, cancellation);
            if (obstacle is not null)
                await cut.OpenAloneAsync(cancellation);
            if (obstacle is { } one && context.Host.Workers > 1)
                cut.Warning = OneWorker(one.Why, one.Hint);
            foreach (MySqlSession session in (MySqlSession[])[side, cut.Watch])
                await session.ExecuteAsync(ShortWait, cancellation);
            foreach (MySqlSession session in cut.All)
                await session.ExecuteAsync($"USE {SqlText.Identifier(database)}", cancellation);
            return cut;
        }
        catch
        {
            await (cut?.DisposeAsync() ?? side.DisposeAsync());
            throw;
        }
    }

    public static Problem OneWorker(string why, string hint) => new(ErrorCodes.MySqlOneWorker, $"the rows are read by one session only: {why}", hint);

    private IEnumerable<MySqlSession> All => [.. _workers, Side, Watch];

    public async ValueTask DisposeAsync()
    {
        foreach (MySqlSession session in All)
            await session.DisposeAsync();
        _workers.Clear();
    }

    private async Task AddWorkersAsync(int count, CancellationToken cancellation)
    {
        for (int i = 0; i < count; i++)
        {
            _workers.Add(await _open(cancellation));
            await _workers[i].ExecuteAsync("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", cancellation);
        }
    }

    /// <summary>Gives why it could not be done, or null.</summary>
    private Task<(string Why, string Hint)?> OpenTogetherAsync(CutMethod method, CancellationToken cancellation) => method.Kind switch
    {
        CutKind.SameTransactions => OpenAgreedAsync(method, cancellation),
        CutKind.WritesHeld or CutKind.WritesHeldWhenQuiet when _workers.Count > 1 => OpenLockedAsync(method, cancellation),
        _ => Task.FromResult<(string, string)?>((method.Why, method.Hint)),
    };

    private async Task BeginAsync(CancellationToken cancellation)
    {
        await Task.WhenAll(_workers.Select(worker => worker.ExecuteAsync(Snapshot, cancellation)));
        At = _context.Host.Time.GetUtcNow();
    }

    private async Task OpenAloneAsync(CancellationToken cancellation)
    {
        foreach (MySqlSession spare in _workers.Skip(1))
            await spare.DisposeAsync();
        _workers.RemoveRange(1, _workers.Count - 1);
        await BeginAsync(cancellation);
        // MariaDB keeps the binary log's end of the moment at which a session's snapshot was made. MySQL tells only where it is now, which may be later.
        await ReadStatusAsync(_workers[0], cancellation);
        if (Position?.Split(':') is [var file, var offset])
            Gtid = Present(await _workers[0].SelectOneAsync($"BINLOG_GTID_POS({SqlText.Literal(file)}, {offset})", "", cancellation));
    }

    /// <summary>
    /// Every worker begins its transaction, and nobody committed meanwhile. A GTID is owned from before its transaction is written to the binary log until behind
    /// its commit in the storage engine, and only then executed (manual, 19.1.3): so if none is owned behind the snapshots, and afterwards the same are executed
    /// as before them, all snapshots hold these transactions and no other. What is owned must be asked first: what ends between the two questions is seen then.
    /// </summary>
    private async Task<(string Why, string Hint)?> OpenAgreedAsync(CutMethod method, CancellationToken cancellation)
    {
        long since = _context.Host.Time.GetTimestamp();
        while (_context.Host.Time.GetElapsedTime(since) < s_longestAgreement)
        {
            string? unlogged = await Side.SelectOneAsync(CutMethod.Unlogged, "", cancellation);
            string? before = await Side.SelectOneAsync("@@GLOBAL.gtid_executed", "", cancellation);
            await BeginAsync(cancellation);
            IReadOnlyList<string[]> status = await Side.ShowAsync(method.Status!, cancellation);
            string? owned = await Side.SelectOneAsync("@@GLOBAL.gtid_owned", "", cancellation);
            string? after = await Side.SelectOneAsync("@@GLOBAL.gtid_executed", "", cancellation);
            if (unlogged != "0" || await Side.SelectOneAsync(CutMethod.Unlogged, "", cancellation) != "0")
                return ("another session may write what the binary log is not told (sql_log_bin = 0)", "back up when no session has sql_log_bin = 0, and reading uses all cores");
            if (status is not [[var file, var offset, "", "", ..], ..])
                return ("the binary log is not told of all databases (binlog-do-db, binlog-ignore-db)", "leave these options away, and reading uses all cores");
            if (!string.IsNullOrEmpty(owned) || before != after)
                continue;
            (Gtid, Position) = (Present(after), $"{file}:{offset}");
            return null;
        }

        return ("transactions were committed all the time, so that no two sessions could see the same", "back up at a quieter time, and reading uses all cores");
    }

    /// <summary>
    /// While no transaction can commit, every worker begins its own. FLUSH TABLES WITH READ LOCK waits for running statements, and everybody's writes
    /// wait behind it: so it gives up soon, and lets them pass before it tries again.
    /// </summary>
    private async Task<(string Why, string Hint)?> OpenLockedAsync(CutMethod method, CancellationToken cancellation)
    {
        for (int attempt = 1; attempt <= LockAttempts; attempt++)
        {
            if (attempt > 1)
                await Task.Delay(s_betweenAttempts, _context.Host.Time, cancellation);
            await using MySqlSession locker = await _open(cancellation);
            await locker.ExecuteAsync("SET lock_wait_timeout = 2", cancellation);
            if (method.Kind == CutKind.WritesHeldWhenQuiet && !await IsQuietAsync(locker, cancellation))
                continue;
            long since = _context.Host.Time.GetTimestamp();
            try
            {
                await locker.ExecuteAsync("FLUSH TABLES WITH READ LOCK", cancellation);
            }
            catch (LifeboatException e) when (MySqlError.Of(e)?.Number == MySqlError.LockWaitTimeout)
            {
                continue;
            }

            await BeginAsync(cancellation);
            await ReadPositionAsync(locker, method, cancellation);
            await locker.ExecuteAsync("UNLOCK TABLES", cancellation);
            LockHeld = _context.Host.Time.GetElapsedTime(since);
            return null;
        }

        return (
            "a statement that ran for longer than writes may be held up kept the lock for several sessions from being had",
            "back up when no long statement runs (SHOW PROCESSLIST shows them), and reading uses all cores");
    }

    /// <summary>Waits for a moment at which nobody runs a statement or has locked a table; gives whether there was one.</summary>
    private async Task<bool> IsQuietAsync(MySqlSession session, CancellationToken cancellation)
    {
        for (int look = 0; look < QuietLooks; look++)
        {
            bool alone = (await session.ShowAsync("SHOW PROCESSLIST", cancellation))
                .Count(static row => row[4] is not ("Sleep" or "Daemon" or "Binlog Dump" or "Binlog Dump GTID")) <= 1;
            if (alone && (await session.ShowAsync("SHOW OPEN TABLES WHERE In_use > 0", cancellation)).Count == 0)
                return true;
            await Task.Delay(s_betweenLooks, _context.Host.Time, cancellation);
        }

        return false;
    }

    /// <summary>Where nobody can commit.</summary>
    private async Task ReadPositionAsync(MySqlSession session, CutMethod method, CancellationToken cancellation)
    {
        if (method.Status is null)
            await ReadStatusAsync(session, cancellation);
        else if (await session.ShowAsync(method.Status, cancellation) is [[var file, var offset, ..], ..])
            Position = $"{file}:{offset}";
        if (session.Server.Variables.Contains("gtid_binlog_pos"))
            Gtid = Present(await session.SelectOneAsync("@@GLOBAL.gtid_binlog_pos", "", cancellation));
    }

    /// <summary>MariaDB tells the binary log's end, that of a session's snapshot where it has one, in a status that anybody may read.</summary>
    private async Task ReadStatusAsync(MySqlSession session, CancellationToken cancellation)
    {
        IReadOnlyList<string[]> status = await session.ShowAsync(
            "SHOW STATUS WHERE Variable_name IN ('Binlog_snapshot_file', 'Binlog_snapshot_position')", cancellation);
        Dictionary<string, string> values = status.ToDictionary(static row => row[0].ToUpperInvariant(), static row => row[1]);
        if (values.GetValueOrDefault("BINLOG_SNAPSHOT_FILE") is { Length: > 0 } file)
            Position = $"{file}:{values.GetValueOrDefault("BINLOG_SNAPSHOT_POSITION")}";
    }

    private static string? Present(string? gtid) => string.IsNullOrEmpty(gtid) ? null : gtid.Replace("\n", "", StringComparison.Ordinal);
}
