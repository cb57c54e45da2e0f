using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres.Capture;

/// <summary>
/// One exporting transaction and what it saw: everything else that is captured imports its snapshot. It holds a lock on every table,
/// so that none can be dropped or altered before the session's end.
/// </summary>
internal sealed class PostgresCut
{
    private const int Attempts = 8;
    private const int NamesPerStatement = 500;

    private PostgresCut(PsqlSession session, PostgresCatalogue catalogue, string snapshot, string? lsn, DateTimeOffset at)
    {
        Session = session;
        Catalogue = catalogue;
        Snapshot = snapshot;
        Lsn = lsn;
        At = at;
    }

    /// <summary>The session that exports the snapshot and holds the locks.</summary>
    public PsqlSession Session { get; }

    public PostgresCatalogue Catalogue { get; }

    /// <summary>For SET TRANSACTION SNAPSHOT.</summary>
    public string Snapshot { get; }

    public string? Lsn { get; }

    public DateTimeOffset At { get; }

    public required IReadOnlyList<PostgresSequence> Sequences { get; init; }

    /// <summary>Opens a cut. A table that is dropped, replaced or altered between the snapshot and its lock makes a new attempt.</summary>
    /// <param name="watch">Another session with the database, in no transaction.</param>
    /// <param name="lockTimeout">How long to wait for someone who has a table for himself.</param>
    /// <exception cref="LifeboatException">A table may not be read, or is locked by someone else.</exception>
    public static async Task<PostgresCut> OpenAsync(
        PsqlSession session, PsqlSession watch, TimeProvider time, TimeSpan lockTimeout, CancellationToken cancellation)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                if (await TryOpenAsync(session, watch, time, lockTimeout, cancellation) is { } cut)
                    return cut;
                await session.ExecuteAsync("ROLLBACK", cancellation);
                if (attempt == Attempts)
                    throw new LifeboatException(
                        ErrorCodes.PostgresObjectVanished,
                        $"{session.Connection.Target}: tables are replaced, altered or truncated faster than they can be locked",
                        "run again when the changes to the schema are done",
                        session.Connection.Source);
            }
            catch (LifeboatException e) when (PostgresError.Of(e)?.SqlState is PostgresError.UndefinedTable
                or PostgresError.UndefinedSchema or "XX000" or "42809" or PostgresError.DeadlockDetected)
            {
                await session.ExecuteAsync("ROLLBACK", cancellation);
                if (attempt == Attempts)
                    throw new LifeboatException(
                        ErrorCodes.PostgresObjectVanished,
                        $"{session.Connection.Target}: tables or sequences are dropped or replaced faster than they can be locked: "
                        + $"{PostgresError.Of(e)}",
                        "run again when the changes to the schema are done",
                        session.Connection.Source,
                        e);
            }
            catch (LifeboatException e) when (PostgresError.Of(e)?.SqlState == PostgresError.LockNotAvailable)
            {
                await session.ExecuteAsync("ROLLBACK", cancellation);
                throw await LockedAsync(session, lockTimeout, e, cancellation);
            }
        }
    }

    /// <summary>
    /// Null where a table was replaced, altered, emptied or rewritten between the snapshot and the lock. The lock is asked for by name, and so may be on another
    /// table than the snapshot shows under it. TRUNCATE and some forms of ALTER TABLE give a table a new file, which a snapshot from before sees as empty (PostgreSQL
    /// manual, 13.6 "Caveats"); others change what a column's name means. Null too where a sequence is not what it was.
    /// </summary>
    private static async Task<PostgresCut?> TryOpenAsync(
        PsqlSession session, PsqlSession watch, TimeProvider time, TimeSpan lockTimeout, CancellationToken cancellation)
    {
        await session.ExecuteAsync(
            $"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = '{lockTimeout.TotalMilliseconds:F0}ms'",
            cancellation);
        string snapshot = (await session.QueryOneAsync("SELECT pg_export_snapshot()", cancellation))!;
        DateTimeOffset at = time.GetUtcNow();
        PostgresCatalogue catalogue = await PostgresCatalogue.ReadAsync(session, cancellation);
        IReadOnlyList<Problem> blockers = CaptureChecks.Blockers(session, catalogue);
        if (blockers.Count > 0)
            throw new LifeboatException(blockers);
        foreach (CatalogueRelation[] some in catalogue.Locked.Chunk(NamesPerStatement))
        {
            string names = string.Join(", ", some.Select(static t => "ONLY " + t.QuotedName));
            await session.ExecuteAsync($"LOCK TABLE {names} IN ACCESS SHARE MODE", cancellation);
        }

        if (!await RelationIdentities.AreUnchangedAsync(session, watch, catalogue.Locked, cancellation))
            return null;
        catalogue = await catalogue.WithSizesAsync(session, cancellation);
        if (await SequenceReader.ReadAsync(session, [.. catalogue.Sequences], cancellation) is not { } sequences)
            return null;
        string? lsn = await session.QueryOneAsync(
            session.InRecovery ? "SELECT pg_last_wal_replay_lsn()" : "SELECT pg_current_wal_lsn()", cancellation);
        return new PostgresCut(session, catalogue, snapshot, lsn, at) { Sequences = sequences };
    }

    /// <summary>Lets go of the locks and the snapshot.</summary>
    public Task CloseAsync(CancellationToken cancellation) => Session.ExecuteAsync("ROLLBACK", cancellation);

    /// <summary>The error for tables that somebody has, or wants, for himself; names who. Asked outside a transaction.</summary>
    public static async Task<LifeboatException> LockedAsync(
        PsqlSession session, TimeSpan lockTimeout, LifeboatException? cause, CancellationToken cancellation)
    {
        IReadOnlyList<string?[]> holders = await session.QueryAsync(
            """
            SELECT DISTINCT quote_ident(n.nspname) || '.' || quote_ident(c.relname), a.pid, a.application_name, a.usename
            FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_stat_activity a
                ON a.pid = l.pid
            WHERE l.mode = 'AccessExclusiveLock' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND c.relkind IN ('r', 'p') AND a.pid <> pg_backend_pid() ORDER BY 1 LIMIT 5
            """,
            cancellation);
        string inTheWay = holders.Count == 0
            ? "they are free again meanwhile"
            : string.Join("; ", holders
                .Select(static h => $"process {h[1]} (user {h[3]}, application \"{h[2]}\") has or wants {h[0]} for itself"));
        return new LifeboatException(
            ErrorCodes.PostgresLockTimeout,
            $"{session.Connection.Target}: the tables could not be locked for reading within {lockTimeout.TotalSeconds} s: {inTheWay}",
            "run again when that is done, or end it with pg_terminate_backend(PROCESS)",
            session.Connection.Source,
            cause);
    }
}
