using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Servers;

namespace Lifeboat.Engine.Sources.Postgres.Sessions;

/// <summary>Asks a server, by a session of its own, what it makes of another one.</summary>
internal sealed class PostgresLook(PostgresTools tools, PostgresConnection connection)
{
    // Where the database itself lets nobody in.
    private static readonly string[] s_others = ["postgres", "template1"];

    /// <param name="which">A condition on <c>a</c>, a row of <c>pg_stat_activity</c>.</param>
    /// <returns>Null where the server lets us in nowhere, and so cannot be asked.</returns>
    public async Task<SessionLook?> AtAsync(string which, CancellationToken cancellation)
    {
        if (await OpenAsync(cancellation) is not { } session)
            return null;
        await using (session)
        {
            string copied = session.ServerMajor < 14 ? "NULL" : "(SELECT c.bytes_processed FROM pg_catalog.pg_stat_progress_copy c WHERE c.pid = a.pid)";
            IReadOnlyList<string?[]> rows = await session.QueryAsync(
                $"""
                SELECT a.state, a.wait_event_type, a.pid, a.state_change, {copied} FROM pg_catalog.pg_stat_activity a
                WHERE {which} AND a.pid <> pg_catalog.pg_backend_pid() ORDER BY a.pid
                """,
                cancellation);
            if (rows.Any(static row => row[0] is null))
                return null; // its state is hidden from us
            return new SessionLook(
                rows.Any(static row => row[0] is "active" or "fastpath function call" && row[1] != "Client"),
                "at " + string.Join('/', rows.Select(static row => string.Join(' ', row))));
        }
    }

    private async Task<PsqlSession?> OpenAsync(CancellationToken cancellation)
    {
        foreach (string? database in (string?[])[connection.Database, .. s_others])
        {
            try
            {
                PostgresConnection unwatched = connection.WithStallLimit(null);
                return await PsqlSession.OpenAsync(tools, database is null ? unwatched : unwatched.WithDatabase(database), cancellation);
            }
            catch (LifeboatException e) when (e.Code != ErrorCodes.PostgresUnreachable && e.Code != ErrorCodes.PostgresConnectionLost)
            {
                // It answers, if only to say no.
            }
            catch (LifeboatException e) when (e.Message.Contains("not currently accepting connections", StringComparison.Ordinal))
            {
                // Likewise.
            }
        }

        return null;
    }
}
