namespace Lifeboat.Engine.Sources.Postgres.Extensions;

/// <summary>
/// pg_cron. It lets itself be created only in the database that its setting names, which a staged database is not yet, or in the one that
/// its own tests use. Its worker reads the jobs of the former alone, so none runs before the switch.
/// </summary>
internal sealed class CronExtension : KnownExtension
{
    public override string Name => "pg_cron";

    public override string PreloadedLibrary => "pg_cron";

    public override string CreatedInDatabase => "contrib_regression";

    public override string DatabaseSetting => "cron.database_name";
}
