using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Sources.Postgres.Restore;
using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres.Parts;

/// <summary>
/// The live database, in which parts are staged and switched by transactions. They wait for no lock longer than others notice, and so can stand in no deadlock:
/// one that does not get its locks is taken back and tried again. No two of them run at a time, so what one finds is what another has wholly done or not begun.
/// </summary>
/// <param name="patience">How long to try for the locks.</param>
internal sealed class PartDatabase(RunContext context, string source, Func<CancellationToken, Task<PsqlSession>> open, TimeSpan patience)
{
    // Shorter than deadlock_timeout (1 s): whoever waits for us has it before the server looks for whom to end.
    private const int LockMilliseconds = 500;
    private const string Deadlock = "40P01";
    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromMilliseconds(300);

    public string Source => source;

    public RunContext Context => context;

    public async Task<PsqlSession> OpenAsync(CancellationToken cancellation)
    {
        PsqlSession session = await open(cancellation);
        await session.CommitToDiskAsync(cancellation);
        return session;
    }

    /// <summary>Does some work in one transaction.</summary>
    /// <param name="name">Of the transaction, for messages.</param>
    /// <param name="work">May be done several times over, each time from the start.</param>
    /// <param name="trial">Whether all of it is rolled back.</param>
    /// <exception cref="LifeboatException">It failed: nothing of it was done, unless the connection was lost.</exception>
    public async Task RunAsync(string name, Func<PsqlSession, CancellationToken, Task> work, CancellationToken cancellation, bool trial = false)
    {
        long began = context.Host.Time.GetTimestamp();
        while (true)
        {
            try
            {
                await using PsqlSession session = await open(cancellation);
                await session.ExecuteAsync("BEGIN", cancellation);
                await session.QueryAsync("SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('lifeboat parts', 0))", cancellation);
                await session.ExecuteAsync($"SET LOCAL lock_timeout = {LockMilliseconds}", cancellation);
                EventTriggers triggers = new();
                if (session.IsSuperuser)
                    await triggers.DisableAsync(session, cancellation);
                await work(session, cancellation);
                await triggers.EnableAsync(session, cancellation);
                if (trial)
                    await session.ExecuteAsync("ROLLBACK", cancellation);
                else
                    await context.StepAsync(name, () => session.ExecuteAsync("COMMIT", cancellation));
                return;
            }
            catch (LifeboatException e) when (PostgresError.Of(e) is { } error)
            {
                if (error.SqlState is not (PostgresError.LockNotAvailable or Deadlock))
                    throw Judged(e);
                if (context.Host.Time.GetElapsedTime(began) > patience)
                    throw new LifeboatException(
                        ErrorCodes.PostgresLockTimeout, $"{name}: others held the tables for all the time that was waited for them: {error}",
                        "pg_locks and pg_stat_activity show who; run again when they are done, or stop the application", source, e);
            }

            await Task.Delay(BetweenAttempts, context.Host.Time, cancellation);
        }
    }

    public LifeboatException DoesNotFit(string message, string? hint = null, Exception? inner = null) => new(
        ErrorCodes.PartDoesNotFit, message,
        hint ?? "nothing was changed; restore beside the live tables (--beside) or to another place (--target) and take from there what is needed", source, inner);

    /// <summary>What the server refuses because of rows, definitions or dependents is no failure of its own: the part does not fit.</summary>
    /// <param name="what">What did not fit, for the message; null where the server's words say it.</param>
    public LifeboatException Judged(LifeboatException exception, string? what = null) => IsRefusal(exception)
        ? DoesNotFit((what is null ? "" : what + ": ") + PostgresError.Of(exception), inner: exception.InnerException)
        : exception;

    /// <summary>Whether the server refused it because of rows, definitions or dependents.</summary>
    public static bool IsRefusal(LifeboatException exception) => PostgresError.Of(exception) is
        { SqlState: (['2', '2' or '3' or 'B', ..] or ['4', '2' or '4', ..] or ['P', '0', ..] or "55000" or "0A000") and not PostgresError.InsufficientPrivilege };
}
