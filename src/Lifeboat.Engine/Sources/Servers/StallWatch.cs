using System.Diagnostics;
using System.Globalization;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Sources.Servers;

/// <summary>What a server says, over another connection, of the session that we wait for.</summary>
/// <param name="IsAtWork">Whether it works, or waits for something else than for us.</param>
/// <param name="Mark">Another text as soon as it has done anything since.</param>
internal sealed record SessionLook(bool IsAtWork, string Mark);

/// <summary>
/// Notices a connection that has stalled: a proxy that forwards nothing any more, a machine that is gone. Silence alone tells nothing, since a statement may take
/// hours. So when nothing has come or gone for a time, the server is asked over another connection. Where it is at work, it may be as long as it likes. Where it
/// believes that it waits for us while we wait for it, or cannot be reached, several times over, the connection is given up.
/// </summary>
/// <remarks>
/// Only the time is counted in which a read or a write of the connection is waited for, by the system's own clock, as the connection's own limits are. So a
/// destination that takes its time is no silence.
/// </remarks>
internal sealed class StallWatch : IAsyncDisposable
{
    /// <summary>How many looks in a row must find the connection stalled: one may fall into the moment in which an answer is on its way.</summary>
    private const int Looks = 3;

    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_longestLook = TimeSpan.FromSeconds(20);

    private readonly TimeSpan _limit;
    private readonly Func<CancellationToken, Task<SessionLook?>> _look;
    private readonly Action<string> _giveUp;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watching;
    private long _waitingSince;
    private long _fineSince;
    private int _silent;
    private string _mark = "";

    /// <param name="look">Asks; null where that cannot be told, which counts as work. Fails where the server cannot be reached.</param>
    /// <param name="giveUp">Ends whoever waits; told why.</param>
    public StallWatch(TimeSpan limit, Func<CancellationToken, Task<SessionLook?>> look, Action<string> giveUp)
    {
        _limit = limit;
        _look = look;
        _giveUp = giveUp;
        _watching = Task.Run(WatchAsync);
    }

    /// <summary>A connection's stream whose reads and writes are watched.</summary>
    public Stream Watched(Stream inner) => new WatchedStream(inner, this);

    public void BeginWait() => Volatile.Write(ref _waitingSince, Stopwatch.GetTimestamp());

    public void EndWait() => Volatile.Write(ref _waitingSince, 0);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _stop.Dispose();
    }

    private static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private async Task WatchAsync()
    {
        using PeriodicTimer timer = new(Least(s_longestPause, _limit / 4));
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                long since = Volatile.Read(ref _waitingSince);
                if (since == 0 || Stopwatch.GetElapsedTime(Math.Max(since, _fineSince)) < _limit)
                {
                    _silent = 0;
                }
                else if (await FindAsync() is not { } found)
                {
                    _fineSince = Stopwatch.GetTimestamp();
                }
                else if (Volatile.Read(ref _waitingSince) == since && ++_silent >= Looks)
                {
                    _giveUp(string.Create(CultureInfo.InvariantCulture, $"nothing has come or gone for {Stopwatch.GetElapsedTime(since).TotalSeconds:0} seconds, and {found}"));
                    return;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Nobody waits any more.
        }
    }

    /// <summary>What is wrong with the connection; null where nothing is, as far as can be told.</summary>
    private async Task<string?> FindAsync()
    {
        using CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        enough.CancelAfter(Least(s_longestLook, _limit));
        try
        {
            SessionLook? found = await _look(enough.Token);
            if (found is { IsAtWork: false } && found.Mark == _mark)
                return "the server waits for us, says another connection: something between forwards nothing any more";
            (_mark, _silent) = (found?.Mark ?? "", 0);
            return found is { IsAtWork: false } ? "the server waits for us" : null;
        }
        catch (LifeboatException e)
        {
            return $"another connection fails: {e.Problems[0].Message}";
        }
        catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
        {
            return "another connection is not answered either";
        }
    }
}
