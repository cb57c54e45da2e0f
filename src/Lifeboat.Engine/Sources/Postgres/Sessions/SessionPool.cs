using Lifeboat.Engine.Sources.Servers;

namespace Lifeboat.Engine.Sources.Postgres.Sessions;

/// <summary>Runs the same work on several sessions at once.</summary>
internal static class SessionPool
{
    /// <summary>Opens sessions and runs <paramref name="work"/> on each; when one fails the others are stopped, and its error is the one that is thrown.</summary>
    public static Task RunAsync(
        int sessions, Func<CancellationToken, Task<PsqlSession>> open, Func<PsqlSession, CancellationToken, Task> work, CancellationToken cancellation)
    {
        async Task OneAsync(CancellationToken token)
        {
            await using PsqlSession session = await open(token);
            await work(session, token);
        }

        return Together.RunAsync(cancellation, [.. Enumerable.Repeat<Func<CancellationToken, Task>>(OneAsync, sessions)]);
    }
}
