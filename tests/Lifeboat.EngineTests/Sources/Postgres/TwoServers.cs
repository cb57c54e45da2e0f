using Lifeboat.EngineTests.EndToEnd;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.Sources.Postgres;

/// <summary>A server to capture from and another to restore to, started once for a class of tests; each test has databases of its own.</summary>
public sealed class TwoServers : IAsyncLifetime
{
    /// <summary>A locale that writes money in another way than C does; both servers have it.</summary>
    public const string OtherCurrency = "de_DE.utf8";

    private const string LocaleSource = "/usr/share/i18n/locales/de_DE";
    private readonly TemporaryFolder _locales = new();

    public PostgresServer Source { get; }

    public PostgresServer Target { get; }

    public TwoServers()
    {
        Dictionary<string, string> variables = new() { ["LOCPATH"] = _locales.Path };
        Source = new() { Variables = variables };
        Target = new() { ServerSettings = ["timezone=Asia/Kolkata", $"lc_monetary={OtherCurrency}", "datestyle=German, DMY"], Variables = variables };
    }

    public async ValueTask InitializeAsync()
    {
        Needs.File(LocaleSource);
        LifeboatProgram.Shell(_locales.Path, $"chmod 755 .; localedef -i '{LocaleSource}' -f UTF-8 ./{OtherCurrency}");
        await Source.InitializeAsync();
        await Target.InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await Target.DisposeAsync();
        _locales.Dispose();
    }
}
