namespace Lifeboat.Engine.Sources.Servers;

/// <summary>
/// One thread that does a session's blocking reads and writes, one after another. Blocking a thread of the pool instead would starve
/// everything else on a machine with two cores, and a thread for each command would cost more than a small command itself.
/// </summary>
internal sealed class SessionThread : IDisposable
{
    private readonly Queue<Action> _work = [];
    private bool _disposed;

    public SessionThread(string name) => new Thread(Run) { IsBackground = true, Name = name }.Start();

    public Task<T> RunAsync<T>(Func<T> work)
    {
        TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_work)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _work.Enqueue(() => Complete(done, work));
            Monitor.Pulse(_work);
        }

        return done.Task;
    }

    /// <summary>Lets the thread end when it has done what it was given; does not wait for it.</summary>
    public void Dispose()
    {
        lock (_work)
        {
            _disposed = true;
            Monitor.Pulse(_work);
        }
    }

    private static void Complete<T>(TaskCompletionSource<T> done, Func<T> work)
    {
        try
        {
            done.SetResult(work());
        }
#pragma warning disable CA1031 // whatever it is, it belongs to whoever awaits the task
        catch (Exception e)
        {
            done.SetException(e);
        }
#pragma warning restore CA1031
    }

    private void Run()
    {
        while (Next() is { } work)
            work();
    }

    private Action? Next()
    {
        lock (_work)
        {
            while (_work.Count == 0 && !_disposed)
                Monitor.Wait(_work);
            return _work.TryDequeue(out Action? work) ? work : null;
        }
    }
}
