using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Sources.Postgres.Restore;
using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres.Owners;

/// <summary>
/// Finds out by which way the server lets a role in that the restore makes for itself: the one that the app file names, or else the loopback address, because many
/// servers take only the system's own users on their sockets.
/// </summary>
internal sealed class OwnerLogin(RestoreTarget target)
{
    /// <summary>What a server says that would never let such a role in (PostgreSQL's auth.c), whether it is there or not.</summary>
    private static readonly string[] s_refusals =
    [
        "no pg_hba.conf entry", "pg_hba.conf rejects", "Peer authentication failed", "Ident authentication failed", "certificate authentication failed",
        "GSSAPI authentication failed", "SSPI authentication failed", "PAM authentication failed", "BSD authentication failed", "LDAP authentication failed",
        "RADIUS authentication failed", "OAuth bearer authentication failed",
    ];

    /// <summary>The ways, the best first; to a database.</summary>
    /// <remarks>The loopback address is the server's own only where the server is on this machine, or the client programs are on the server's.</remarks>
    public static IReadOnlyList<PostgresConnection> Ways(PostgresConnection connection, string port) =>
        connection.IsLocal || connection.Via.Count > 0 ? [connection, connection.ByLoopback(port)] : [connection];

    /// <summary>Whether every way is refused to any role; changes nothing: a role is tried that is not there.</summary>
    /// <param name="session">With the server.</param>
    /// <param name="role">A name that no role has.</param>
    public async Task<bool> IsRefusedAsync(PsqlSession session, string role, CancellationToken cancellation)
    {
        string port = await session.QueryOneAsync("SELECT pg_catalog.current_setting('port')", cancellation) ?? "5432";
        foreach (PostgresConnection way in Ways(target.Maintenance, port))
        {
            try
            {
                await using PsqlSession opened = await PsqlSession.OpenAsync(target.ServerTools, way.WithLogin(role, new Secret("none")), cancellation);
                return false;
            }
            catch (LifeboatException e)
            {
                string said = e.Problems[0].Message;
                bool answered = !said.Contains("could not", StringComparison.Ordinal) && !said.Contains("Connection refused", StringComparison.Ordinal);
                if (answered && !s_refusals.Any(refusal => said.Contains(refusal, StringComparison.Ordinal)))
                    return false;
            }
        }

        return true;
    }

    /// <summary>The way by which a role that is there logs in; null where it cannot.</summary>
    public async Task<PostgresConnection?> FindAsync(PsqlSession session, string role, Secret password, CancellationToken cancellation)
    {
        string port = await session.QueryOneAsync("SELECT pg_catalog.current_setting('port')", cancellation) ?? "5432";
        foreach (PostgresConnection way in Ways(target.Connection.WithDatabase(target.Names.Staging), port))
        {
            try
            {
                await using PsqlSession opened = await PsqlSession.OpenAsync(target.ServerTools, way.WithLogin(role, password), cancellation);
                // The loopback address may be another server's.
                if (await opened.QueryOneAsync(Identity, cancellation) == await session.QueryOneAsync(Identity, cancellation) && opened is { IsSuperuser: false } && opened.User == role)
                    return way;
            }
            catch (LifeboatException e) when (PostgresError.Of(e) is null)
            {
                // It may be let in by the other way.
            }
        }

        return null;
    }

    private const string Identity = "SELECT pg_catalog.pg_postmaster_start_time()";
}
