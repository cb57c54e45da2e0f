using System.Globalization;
using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>
/// A database that is held by a restore, undo or discard: an advisory lock by the database's name, in the maintenance database, since the one that is held is renamed
/// and may not be there. It belongs to a session of its own, whose <c>application_name</c> says whose it is.
/// </summary>
internal static class DatabaseHold
{
    /// <summary>Gives the session that holds it; null where the same holder has it already.</summary>
    public static async Task<IAsyncDisposable?> TakeAsync(
        PostgresConnection connection, PostgresTools tools, TargetHolder holder, CancellationToken cancellation)
    {
        string database = connection.Database ?? await DefaultAsync(connection, tools, cancellation);
        PsqlSession session = await OpenAsync(connection.WithApplicationName(holder.Name), tools, database, cancellation);
        try
        {
            ulong key = XxHash64.Hash(Encoding.UTF8.GetBytes("lifeboat " + database), 0, 0).First;
            string taken = string.Create(CultureInfo.InvariantCulture, $"SELECT pg_catalog.pg_try_advisory_lock({(long)key})");
            if (await session.QueryOneAsync(taken, cancellation) == "t")
                return session;
            string? other = await HolderAsync(session, key, cancellation);
            if (other?.StartsWith($"\"{holder.Name}\"", StringComparison.Ordinal) != true)
                throw new LifeboatException(
                    ErrorCodes.Locked,
                    $"{connection.WithDatabase(database).Target} is being restored by another run: {other ?? "it has just ended"}",
                    "wait for it to end; a run that is killed lets go of the database by itself", connection.Source);
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }

        await session.DisposeAsync();
        return null;
    }

    /// <summary>In the maintenance database; or, for a user who may not connect to it and so can restore parts alone, in the database itself.</summary>
    private static async Task<PsqlSession> OpenAsync(PostgresConnection connection, PostgresTools tools, string database, CancellationToken cancellation)
    {
        try
        {
            return await RestoreTarget.OpenAnyAsync(tools, connection, database, cancellation);
        }
        catch (LifeboatException e) when (e.Code == ErrorCodes.PostgresPermissionDenied || e.Code == ErrorCodes.PostgresLoginRefused)
        {
            return await PsqlSession.OpenAsync(tools, connection.WithDatabase(database), cancellation);
        }
    }

    private static async Task<string> DefaultAsync(PostgresConnection connection, PostgresTools tools, CancellationToken cancellation)
    {
        await using PsqlSession session = await PsqlSession.OpenAsync(tools, connection, cancellation);
        return session.Database;
    }

    private static async Task<string?> HolderAsync(PsqlSession session, ulong key, CancellationToken cancellation)
    {
        IReadOnlyList<string?[]> rows = await session.QueryAsync(
            string.Create(CultureInfo.InvariantCulture, $"""
            SELECT a.application_name, a.pid, a.usename, a.client_addr, pg_catalog.date_trunc('second', a.backend_start)
            FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid JOIN pg_catalog.pg_database d ON d.oid = l.database
            WHERE l.locktype = 'advisory' AND l.granted AND d.datname = {SqlText.Literal(session.Database)}
                AND l.classid = {(uint)(key >> 32)} AND l.objid = {(uint)key} AND l.objsubid = 1
            """), cancellation);
        return rows is not [{ } who] ? null
            : $"\"{who[0]}\", session {who[1]} of user {who[2]}{(who[3] is { } place ? $" from {place}" : "")}{(who[4] is { } since ? $", since {since}" : "")}";
    }
}
