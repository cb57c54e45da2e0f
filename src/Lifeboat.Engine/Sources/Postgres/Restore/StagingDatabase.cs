using System.Globalization;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>The SQL that makes the staged database what the captured one was: how it is created, and what is set on it at the end.</summary>
/// <param name="name">The staged database's name.</param>
/// <param name="captured">The database as it was captured.</param>
internal sealed class StagingDatabase(string name, PostgresDatabase captured)
{
    private string Name => SqlText.Identifier(name);

    /// <summary>
    /// Settings for the time of the restore, for our own sessions and pg_restore's alike; <see cref="FinishSql"/> takes them back. They are the
    /// database's because no environment crosses a <c>via:</c> prefix.
    /// </summary>
    /// <param name="workers">How many sessions build indexes at once; they share the memory.</param>
    public IEnumerable<string> SpeedSql(int workers)
    {
        int megabytes = Math.Clamp(1024 / Math.Max(1, workers), 64, 512);
        yield return Set("synchronous_commit", "off");
        yield return Set("maintenance_work_mem", string.Create(CultureInfo.InvariantCulture, $"{megabytes}MB"));
        yield return Set("default_transaction_read_only", "off");
    }

    /// <summary>Settings, comment and labels, as they were captured; what <see cref="DatabaseAccess"/> holds comes later. Run by a session with the staged database itself.</summary>
    /// <param name="roles">The roles that there are on the target: what names another one is left out, and reported by verification.</param>
    public IEnumerable<string> FinishSql(Func<string, bool> roles)
    {
        PostgresDatabase known = captured with { Settings = [.. captured.Settings.Where(s => s.Role is null || roles(s.Role))] };
        return [$"ALTER DATABASE {Name} RESET ALL", .. DatabaseSql.Descriptions(known, name)];
    }

    private string Set(string parameter, string value) => $"ALTER DATABASE {Name} SET {parameter} TO {SqlText.Literal(value)}";
}
