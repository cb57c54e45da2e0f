using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres.Parts;

/// <summary>Work within a transaction that may be refused without ending it, so that the next can be tried too.</summary>
internal static class Trial
{
    /// <returns>The server's refusal; null where it took the work.</returns>
    /// <exception cref="LifeboatException">A lock was not had in time, or the server is in trouble: that says nothing about the work.</exception>
    public static async Task<LifeboatException?> RunAsync(PsqlSession session, Func<CancellationToken, Task> work, CancellationToken cancellation)
    {
        await session.ExecuteAsync("SAVEPOINT lifeboat_trial", cancellation);
        try
        {
            await work(cancellation);
            await session.ExecuteAsync("RELEASE SAVEPOINT lifeboat_trial", cancellation);
            return null;
        }
        catch (LifeboatException e) when (PartDatabase.IsRefusal(e))
        {
            await session.ExecuteAsync("ROLLBACK TO SAVEPOINT lifeboat_trial", cancellation);
            return e;
        }
    }
}
