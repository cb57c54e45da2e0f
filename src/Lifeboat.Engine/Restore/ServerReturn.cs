using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;

namespace Lifeboat.Engine.Restore;

/// <summary>
/// Waits for a server that is away while what was begun has to be brought to an end, one way or the other: it may restart just then, and until the end nobody may
/// be able to use the application.
/// </summary>
internal sealed class ServerReturn(RunContext run)
{
    private static readonly TimeSpan s_betweenTries = TimeSpan.FromSeconds(1);

    private static readonly ErrorCode[] s_away =
    [
        ErrorCodes.PostgresUnreachable, ErrorCodes.PostgresConnectionLost, ErrorCodes.PostgresOutOfResources,
        ErrorCodes.MySqlUnreachable, ErrorCodes.MySqlConnectionLost,
    ];

    private long? _since;

    /// <summary>Does something, and again while its server is away, for as long as a run may wait for that in all.</summary>
    /// <exception cref="LifeboatException">It failed for another reason, or the server did not come back.</exception>
    public async Task AwaitAsync(string? source, Func<CancellationToken, Task> work, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                await work(cancellation);
                return;
            }
            catch (LifeboatException e) when (s_away.Contains(e.Code) && MayWait(source, e))
            {
                await Task.Delay(s_betweenTries, run.Host.Time, cancellation);
            }
        }
    }

    private bool MayWait(string? source, LifeboatException away)
    {
        if (_since is null)
            run.Progress.Report(new Noted(source, $"waiting for the server, to bring this to its end: {away.Problems[0].Message}"));
        _since ??= run.Host.Time.GetTimestamp();
        return run.Host.Time.GetElapsedTime(_since.Value) < run.Host.LongestWaitForServer;
    }
}
