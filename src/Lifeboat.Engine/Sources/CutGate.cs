namespace Lifeboat.Engine.Sources;

/// <summary>
/// Lets all sources of a run open their cuts at one moment: each gets ready (connects, looks for its programs, counts its files), and waits until all the others
/// have. Otherwise cuts would be as far apart as a slow server takes to answer.
/// </summary>
public sealed class CutGate
{
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _awaited;

    internal Task Opened => _open.Task;

    /// <summary>A turn for one more source. All are given out before the first source begins.</summary>
    public CutTurn Join()
    {
        Interlocked.Increment(ref _awaited);
        return new CutTurn(this);
    }

    internal void Arrive()
    {
        if (Interlocked.Decrement(ref _awaited) == 0)
            _open.TrySetResult();
    }
}

/// <summary>A source's place among those that open their cuts together. Disposed when it needs none any more, whatever became of it.</summary>
public sealed class CutTurn : IDisposable
{
    private readonly CutGate? _gate;
    private int _arrived;

    internal CutTurn(CutGate? gate) => _gate = gate;

    /// <summary>Of a source that is alone.</summary>
    public static CutTurn Alone => new(null);

    /// <summary>The source is ready: waits until all others are, or have given up.</summary>
    public Task WaitAsync(CancellationToken cancellation)
    {
        Dispose();
        return _gate?.Opened.WaitAsync(cancellation) ?? Task.CompletedTask;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _arrived, 1) == 0)
            _gate?.Arrive();
    }
}
