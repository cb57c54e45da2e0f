using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Extensions;
using Lifeboat.Engine.Sources.Postgres.Roles;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>What the server makes of captured definitions.</summary>
/// <param name="Text">Its schema as pg_dump writes it, a character for each byte.</param>
/// <param name="Refused">What the server said of captured statements that it did not take.</param>
internal sealed record SchemaReference(string Text, IReadOnlyDictionary<SqlStatement, string> Refused);

/// <summary>
/// A database beside the staged one, without rows, in which captured definitions are run once more, one by one, by nothing of what restored them: so the server itself says
/// how it writes them after it has read them. It is noted in the journal while it is there.
/// </summary>
/// <remarks>
/// Nothing in it is ever run or filled. Its objects get their owners as soon as they are made, as in any restore, so what the server computes while it makes an index is
/// computed with the rights of the table's owner; definitions that nothing in the comparison needs (indexes, triggers, rules, policies that came back as they were) are not made.
/// </remarks>
internal sealed class ReferenceDatabase(RestoreTarget target, PreparedRestore prepared, DatabaseSwitch databases)
{
    private PostgresConnection Connection => target.Connection.WithDatabase(target.Names.Reference).WithUsualPath();

    /// <param name="captured">The captured schema in its order, as the restore runs it.</param>
    /// <param name="wanted">Those of its statements whose objects are looked at.</param>
    public async Task<SchemaReference> MakeAsync(
        IReadOnlyList<SqlStatement> captured, IReadOnlySet<SqlStatement> wanted, ExtensionRestore extensions, CancellationToken cancellation)
    {
        await CreateAsync(cancellation);
        Dictionary<SqlStatement, string> refused = [];
        await using (PsqlSession session = await PsqlSession.OpenAsync(target.ServerTools, Connection, cancellation))
        {
            await session.ExecuteAsync("SET synchronous_commit = off", cancellation);
            foreach (SqlStatement statement in captured.Where(one => wanted.Contains(one) || ReferenceStatements.Hold(one)))
                if (await RefusedAsync(session, statement, extensions.AfterCreated(statement, prepared.ExtensionVersions), cancellation) is { } error)
                    refused[statement] = error;
        }

        (string text, _) = await new SchemaReading(target, Connection).ReadAsync(cancellation);
        await databases.DropReferenceAsync(cancellation);
        return new SchemaReference(text, refused);
    }

    private async Task CreateAsync(CancellationToken cancellation)
    {
        await databases.NoteAsync(databases.State with { Reference = target.Names.Reference }, cancellation);
        await using PsqlSession session = await target.OpenMaintenanceAsync(cancellation);
        string create = DatabaseSql.Create(target.Details.Database, target.Names.Reference, session.ServerMajor, owner: null, tablespace: null);
        await target.Context.StepAsync("create the reference database", () => session.ExecuteAsync(create, cancellation));
        await session.ExecuteAsync($"REVOKE ALL ON DATABASE {SqlText.Identifier(target.Names.Reference)} FROM PUBLIC", cancellation);
    }

    /// <summary>A statement that the server refuses makes nothing: what would have come of it is missing from the comparison, which tells.</summary>
    private async Task<string?> RefusedAsync(PsqlSession session, SqlStatement statement, string more, CancellationToken cancellation)
    {
        string sql = statement.Text + more;
        try
        {
            await UnderOwnPath.RunAsync(
                target, session, session.TextEncoding.Equals(Encoding.Latin1) ? sql : session.TextEncoding.GetString(Encoding.Latin1.GetBytes(sql)), cancellation);
            return null;
        }
        catch (LifeboatException e) when (PostgresError.Of(e) is { RefusesTheStatement: true } error)
        {
            return error.Message;
        }
    }
}
