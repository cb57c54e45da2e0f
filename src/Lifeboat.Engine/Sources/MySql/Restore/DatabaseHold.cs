using System.Security.Cryptography;
using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>A database that is held by a restore, undo or discard: a lock of the server's (<c>GET_LOCK</c>) by the database's name, which belongs to a session of its own.</summary>
internal static class DatabaseHold
{
    /// <summary>Gives the session that holds it; null where the same holder has it already.</summary>
    /// <param name="session">Is taken over.</param>
    public static async Task<IAsyncDisposable?> TakeAsync(MySqlSession session, TargetHolder holder, CancellationToken cancellation)
    {
        try
        {
            string database = session.Server.LowerCaseTableNames == 0 ? session.Connection.Database : session.Connection.Database.ToUpperInvariant();
            string name = $"lifeboat {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(database)).AsSpan(0, 16))}";
            if (!holder.HasAlready($"{session.Server.Place} {name}"))
            {
                if (await session.SelectOneAsync($"GET_LOCK({SqlText.Literal(name)}, 0)", "", cancellation) != "1")
                    throw await HeldAsync(session, name, cancellation);
                return session;
            }
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }

        await session.DisposeAsync();
        return null;
    }

    private static async Task<LifeboatException> HeldAsync(MySqlSession session, string name, CancellationToken cancellation)
    {
        string? id = await session.SelectOneAsync($"IS_USED_LOCK({SqlText.Literal(name)})", "", cancellation);
        IReadOnlyList<string?[]> rows = string.IsNullOrEmpty(id) ? [] : await session.SelectAsync(
            ["USER", "HOST", "TIME"], $"FROM information_schema.PROCESSLIST WHERE ID = {id}", cancellation);
        string who = string.IsNullOrEmpty(id) ? "it has just ended"
            : rows is [{ } row] ? $"session {id} of {row[0]} from {row[1]}, for {row[2]} seconds" : $"session {id}";
        return new LifeboatException(
            ErrorCodes.Locked, $"{session.Connection.Target} is being restored by another run: {who}",
            "wait for it to end; a run that is killed lets go of the database by itself", session.Connection.Source);
    }
}
