using System.Runtime.ExceptionServices;

namespace Lifeboat.Engine.Sources.Servers;

/// <summary>Runs things at once; the first failure stops the others and is the one that is passed on.</summary>
internal static class Together
{
    public static async Task RunAsync(CancellationToken cancellation, params IReadOnlyList<Func<CancellationToken, Task>> things)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        ExceptionDispatchInfo? first = null;
        async Task RunOneAsync(Func<CancellationToken, Task> thing)
        {
            try
            {
                await thing(stop.Token);
            }
#pragma warning disable CA1031 // passed on below
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref first, ExceptionDispatchInfo.Capture(e), null);
                await stop.CancelAsync();
            }
#pragma warning restore CA1031
        }

        await Task.WhenAll(things.Select(thing => Task.Run(() => RunOneAsync(thing), CancellationToken.None)));
        cancellation.ThrowIfCancellationRequested();
        first?.Throw();
    }
}
