using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Sources.Chroma;
using Lifeboat.Engine.Sources.Files;
using Lifeboat.Engine.Sources.MySql;
using Lifeboat.Engine.Sources.MySql.Accounts;
using Lifeboat.Engine.Sources.Postgres;
using Lifeboat.Engine.Sources.Postgres.Roles;
using Lifeboat.Engine.Sources.Settings;
using Lifeboat.Engine.Sources.Sqlite;

namespace Lifeboat.Engine.Sources;

/// <summary>The one place where the kinds of source are listed.</summary>
public sealed class SourceFactory(App app, RunContext context, ISecretResolver secrets)
{
    private readonly MadeOnServers _made = new();
    private readonly MadeAccounts _accounts = new();

    public ISource Create(SourceSettings settings) => settings switch
    {
        PostgresSettings postgres => new PostgresSource(postgres, app.Tools.GetValueOrDefault("postgres"), context, secrets) { Made = _made },
        MySqlSettings mysql => new MySqlSource(mysql, app.Tools.GetValueOrDefault("mysql"), context, secrets) { Made = _accounts },
        SqliteSettings sqlite => new SqliteSource(sqlite, context),
        ChromaSettings chroma => new ChromaSource(chroma, context) { Reserved = ReservedPaths.For(app, chroma) },
        FilesSettings files => new FilesSource(files, context) { Reserved = ReservedPaths.For(app, files) },
        SettingsSettings values => new SettingsSource(values, context),
        _ => throw new ArgumentException($"no source of type {settings.Type}", nameof(settings)),
    };
}
