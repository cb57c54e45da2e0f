using Lifeboat.Engine.Progress;

namespace Lifeboat.Output;

/// <summary>One phase of one source as it stands.</summary>
/// <param name="Source">Null for the run as a whole.</param>
/// <param name="Total">Expected bytes; 0 where unknown.</param>
/// <param name="Rate">Bytes per second over the last seconds.</param>
internal sealed record PhaseState(string? Source, Phase Phase, long Done, long Total, double Rate, TimeSpan Elapsed)
{
    /// <summary>0 to 1; null where the total is unknown. Never 1 before the end: an estimate may be too low.</summary>
    public double? Fraction => Total > 0 ? Math.Min((double)Done / Total, 0.99) : null;

    public TimeSpan? Remaining => Fraction is not null && Rate >= 1
        ? TimeSpan.FromSeconds(Math.Clamp(Math.Max(Total - Done, 0) / Rate, 0, 359999))
        : null;
}

/// <summary>Adds up what operations report. Thread-safe.</summary>
internal sealed class ProgressTracker(TimeProvider time)
{
    private static readonly TimeSpan RateWindow = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SampleInterval = TimeSpan.FromMilliseconds(100);
    private readonly Lock _lock = new();
    private readonly Dictionary<(string? Source, Phase Phase), Running> _running = [];
    private readonly List<(string? Source, Phase Phase)> _order = [];
    private readonly long _started = time.GetTimestamp();

    public TimeSpan Elapsed => time.GetElapsedTime(_started);

    /// <summary>Takes an event in; gives the phase's last state where the event ends it.</summary>
    public PhaseState? Add(RunEvent happened)
    {
        lock (_lock)
        {
            switch (happened)
            {
                case PhaseStarted started:
                    // A source may tell its total after the run has announced the phase without one.
                    Running running = Find(started.Source, started.Phase);
                    running.Total = Math.Max(running.Total, started.TotalBytes);
                    return null;
                case BytesDone done:
                    FindFor(done).Advance(done.Bytes, time);
                    return null;
                case PhaseFinished finished:
                    if (!_running.ContainsKey((finished.Source, finished.Phase)))
                        return null;
                    // A source may have begun the phase before the run announced it.
                    PhaseState last = Finish((finished.Source, finished.Phase));
                    return last with { Elapsed = last.Elapsed > finished.Elapsed ? last.Elapsed : finished.Elapsed };
                default:
                    return null;
            }
        }
    }

    /// <summary>What runs now, in the order in which it started.</summary>
    public IReadOnlyList<PhaseState> Snapshot()
    {
        lock (_lock)
            return [.. _order.Select(key => State(key, _running[key]))];
    }

    private PhaseState Finish((string? Source, Phase Phase) key)
    {
        PhaseState last = State(key, _running[key]);
        _running.Remove(key);
        _order.Remove(key);
        return last;
    }

    /// <summary>
    /// A source may name its bytes after a finer phase (write) than the one that the run has announced (capture): they count for the
    /// announced one.
    /// </summary>
    private Running FindFor(BytesDone done)
    {
        if (!_running.ContainsKey((done.Source, done.Phase)))
        {
            int announced = _order.FindLastIndex(key => key.Source == done.Source);
            if (announced >= 0)
                return _running[_order[announced]];
        }

        return Find(done.Source, done.Phase);
    }

    private Running Find(string? source, Phase phase)
    {
        if (_running.TryGetValue((source, phase), out Running? running))
            return running;
        running = new Running(time.GetTimestamp());
        _running.Add((source, phase), running);
        _order.Add((source, phase));
        return running;
    }

    private PhaseState State((string? Source, Phase Phase) key, Running running)
    {
        long now = time.GetTimestamp();
        return new PhaseState(key.Source, key.Phase, running.Done, running.Total, running.Rate(time, now),
            time.GetElapsedTime(running.Started, now));
    }

    /// <summary>A phase that runs; samples of the last seconds give its rate.</summary>
    private sealed class Running(long started)
    {
        private long _lastSample = started;
        private readonly Queue<(long At, long Done)> _samples = new([(started, 0)]);

        public long Started { get; } = started;

        public long Total { get; set; }

        public long Done { get; private set; }

        public void Advance(long bytes, TimeProvider time)
        {
            Done += bytes;
            long now = time.GetTimestamp();
            if (time.GetElapsedTime(_lastSample, now) < SampleInterval)
                return;
            _samples.Enqueue((now, Done));
            _lastSample = now;
        }

        public double Rate(TimeProvider time, long now)
        {
            // The oldest sample stays as long as the next one is still within the window: after a pause the rate is that of the pause.
            while (_samples.Count > 1 && time.GetElapsedTime(_samples.ElementAt(1).At, now) > RateWindow)
                _samples.Dequeue();
            (long at, long done) = _samples.Peek();
            double seconds = time.GetElapsedTime(at, now).TotalSeconds;
            return seconds > 0.05 ? (Done - done) / seconds : 0;
        }
    }
}
