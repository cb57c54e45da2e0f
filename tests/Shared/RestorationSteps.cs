using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources;

namespace Lifeboat.Tests.Shared;

/// <summary>One source's restore from the staged state on, as the operation does it for all.</summary>
internal static class RestorationSteps
{
    /// <summary>Switches; on failure takes that back.</summary>
    public static async Task CommitAsync(this IRestoration restoration, CancellationToken cancellation)
    {
        try
        {
            await restoration.Switch.ForwardAsync(cancellation);
            await restoration.Switch.OpenAsync(cancellation);
        }
        catch (LifeboatException)
        {
            await restoration.Switch.BackAsync(CancellationToken.None);
            throw;
        }
    }

    public static async Task RevertAsync(this IRestoration restoration, CancellationToken cancellation)
    {
        await restoration.Switch.BackAsync(cancellation);
        await restoration.Switch.DropIncomingAsync(cancellation);
    }

    public static Task DiscardAsync(this IRestoration restoration, CancellationToken cancellation) => restoration.Switch.DropIncomingAsync(cancellation);
}
