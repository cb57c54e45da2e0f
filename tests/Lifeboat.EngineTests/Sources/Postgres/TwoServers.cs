namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>A server to capture from and another to restore to, started once for a class of tests; each test has databases of its own.</summary>
public sealed class TwoServers : IAsyncLifetime
{
    public PostgresServer Source { get; } = new();

    public PostgresServer Target { get; } = new() { ServerSettings = ["timezone=Asia/Kolkata", "lc_monetary=C.UTF-8", "datestyle=German, DMY"] };

    public async ValueTask InitializeAsync()
    {
        await Source.InitializeAsync();
        await Target.InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await Target.DisposeAsync();
    }
}
