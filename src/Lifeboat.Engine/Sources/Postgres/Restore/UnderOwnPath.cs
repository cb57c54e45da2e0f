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
        await SetAsync(target, session, cancellation);
        try
        {
            if (await FailureAsync(session, sql, cancellation) is not null)
                first.Throw();
        }
        finally
        {
            await ResetAsync(session, cancellation);
        }
    }

    /// <summary>For what cannot be tried twice in one session, as COPY: what follows runs under the database's own path.</summary>
    public static async Task SetAsync(RestoreTarget target, PsqlSession session, CancellationToken cancellation)
    {
        string path = target.Details.Database.Settings.FirstOrDefault(static s => s.Role is null && s.Name == "search_path")?.Value ?? "public";
        await session.QueryAsync($"SELECT pg_catalog.set_config('search_path', {SqlText.Literal($"pg_catalog, {path}, pg_temp")}, false)", cancellation);
    }

    public static Task ResetAsync(PsqlSession session, CancellationToken cancellation) => session.ExecuteAsync(SessionSettings.SearchPathSql, cancellation);

    /// <summary>Whether an error may be the path's: rows break a constraint (23) whatever the path.</summary>
    public static bool MayHelp(PostgresError? error) => error is { RefusesTheStatement: true, SqlState: not ['2', '3', ..] };

    private static async Task<ExceptionDispatchInfo?> FailureAsync(PsqlSession session, string sql, CancellationToken cancellation)
    {
        try
        {
            await session.ExecuteAsync(sql, cancellation);
            return null;
        }
        catch (LifeboatException e) when (MayHelp(PostgresError.Of(e)))
        {
            return ExceptionDispatchInfo.Capture(e);
        }
    }
}
