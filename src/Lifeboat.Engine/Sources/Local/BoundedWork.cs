using System.Diagnostics.CodeAnalysis;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>Runs pieces of work on the pool, a bounded number at once. The first failure stops the others and is what is thrown.</summary>
internal sealed class BoundedWork : IAsyncDisposable
{
    private readonly int _width;
    private readonly SemaphoreSlim _slots;
    private readonly CancellationTokenSource _stop;
    private Exception? _failure;

    public BoundedWork(int width, CancellationToken cancellation)
    {
        _width = width;
        _slots = new SemaphoreSlim(width);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
    }

    /// <summary>Waits for a free place and starts a piece of work there.</summary>
    public async Task AddAsync(Func<CancellationToken, Task> work)
    {
        try
        {
            await _slots.WaitAsync(_stop.Token);
        }
        catch (OperationCanceledException) when (_failure is { } failure)
        {
            throw Rethrown(failure);
        }

        _ = Task.Run(() => RunAsync(work), CancellationToken.None);
    }

    /// <summary>Waits until all is done.</summary>
    public async Task FinishAsync(CancellationToken cancellation)
    {
        await DrainAsync();
        if (_failure is { } failure)
            throw Rethrown(failure);
        cancellation.ThrowIfCancellationRequested();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await DrainAsync();
        _stop.Dispose();
        _slots.Dispose();
    }

    private async Task DrainAsync()
    {
        for (int i = 0; i < _width; i++)
            await _slots.WaitAsync(CancellationToken.None);
        _slots.Release(_width);
    }

    [SuppressMessage("Design", "CA1031", Justification = "kept, and thrown by the next call")]
    private async Task RunAsync(Func<CancellationToken, Task> work)
    {
        try
        {
            await work(_stop.Token);
        }
        catch (Exception e)
        {
            if (Interlocked.CompareExchange(ref _failure, e, null) is null)
                await _stop.CancelAsync();
        }
        finally
        {
            _slots.Release();
        }
    }

    private static Exception Rethrown(Exception failure)
    {
        System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        return failure;
    }
}
