using System.Runtime.ExceptionServices;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>
/// Runs statements that may call functions of the database's: such a function may find what it calls by the database's own search path alone, so a statement that
/// fails is tried a second time under that. What the server has built in comes first in it all the same: the statement itself was written under no path.
/// </summary>
internal static class UnderOwnPath
{
    /// <exception cref="LifeboatException">It failed under both; the first one's error.</exception>
    public static async Task RunAsync(RestoreTarget target, PsqlSession session, string sql, CancellationToken cancellation)
    {
        if (await FailureAsync(session, sql, cancellation) is not { } first)
            return;
        string path = target.Details.Database.Settings.FirstOrDefault(static s => s.Role is null && s.Name == "search_path")?.Value ?? "public";
        await session.QueryAsync($"SELECT pg_catalog.set_config('search_path', {SqlText.Literal($"pg_catalog, {path}")}, false)", cancellation);
        try
        {
            if (await FailureAsync(session, sql, cancellation) is not null)
                first.Throw();
        }
        finally
        {
            await session.ExecuteAsync(SessionSettings.SearchPathSql, cancellation);
        }
    }

    /// <summary>A failure that may be the path's: rows break a constraint (23) whatever the path.</summary>
    private static async Task<ExceptionDispatchInfo?> FailureAsync(PsqlSession session, string sql, CancellationToken cancellation)
    {
        try
        {
            await session.ExecuteAsync(sql, cancellation);
            return null;
        }
        catch (LifeboatException e) when (PostgresError.Of(e) is { RefusesTheStatement: true, SqlState: not ['2', '3', ..] })
        {
            return ExceptionDispatchInfo.Capture(e);
        }
    }
}
