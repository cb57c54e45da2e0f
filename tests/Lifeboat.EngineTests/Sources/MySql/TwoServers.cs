namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>A server that snapshots are made of, and another of the same kind that they are restored to; both for all tests of a class.</summary>
public sealed class TwoServers<T> : IAsyncLifetime
    where T : MariaDbServer, new()
{
    public T Source { get; } = new();

    public T Target { get; } = new();

    public async ValueTask InitializeAsync() => await Task.WhenAll(Source.InitializeAsync().AsTask(), Target.InitializeAsync().AsTask());

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await Target.DisposeAsync();
    }
}
