using System.Collections.Concurrent;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Owners;
using Lifeboat.Engine.Sources.Postgres.Parts;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>
/// Makes what comes behind the rows, each statement sent by itself: indexes over several sessions, then all else in the dump's order; foreign keys and checks are made
/// without a look at the rows, and validated at the end with their owners' rights. Event triggers come last, because they would fire at all of it.
/// </summary>
/// <param name="unfit">Where what the rows do not let be goes.</param>
internal sealed class PostDataRestore(RestoreTarget target, OwnerSessions owners, ChecksSetAside checks, UnfitRows unfit)
{
    private readonly ConcurrentDictionary<PostDataStatement, bool> _later = new();
    private HashSet<RelationName> _partitioned = [];

    /// <param name="sql">The section's text, a character for each byte.</param>
    public async Task RunAsync(string sql, CancellationToken cancellation)
    {
        string decode(string text) => target.Details.ServerEncoding == "SQL_ASCII" ? text : Utf8(text);
        PostDataStatement[] all = [.. SqlStatements.Split(sql).Where(static one => !one.IsMeta).Select(one => PostDataStatement.Of(one, decode))];
        foreach (PostDataStatement statement in all)
            SchemaStatements.Require(statement.Captured);
        await BuildIndexesAsync(all, cancellation);
        await using PsqlSession session = await target.OpenStagingAsync(cancellation);
        _partitioned = [.. (await session.QueryAsync(
            "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'p'", cancellation))
            .Select(static row => new RelationName(row[0]!, row[1]!))];
        await DropUnattachableAsync(session, all, cancellation);
        ConstraintWork work = new(target, owners, unfit);
        work.Add(await checks.PutBackAsync(session, cancellation));
        PostDataKind[] atTheEnd = [PostDataKind.OfConstraint, PostDataKind.RowSecurity, PostDataKind.EventTrigger];
        foreach (PostDataStatement statement in all.Where(one => !atTheEnd.Contains(one.Kind)))
            await RunAsync(session, statement, work, cancellation);
        await work.RunAsync(session, cancellation);
        foreach (PostDataStatement statement in atTheEnd.SelectMany(kind => all.Where(one => one.Kind == kind)))
            await MakeAsync(session, statement, cancellation);
    }

    private static string Utf8(string text) => System.Text.Encoding.UTF8.GetString(System.Text.Encoding.Latin1.GetBytes(text));

    /// <summary>Indexes need nothing but their tables, nearly all of them: one that does is made later, in its place.</summary>
    private async Task BuildIndexesAsync(PostDataStatement[] all, CancellationToken cancellation)
    {
        Dictionary<RelationName, long> bytes = [];
        foreach ((Catalogue.PostgresTable table, Snapshots.TableMetadata rows) in target.Details.Tables.Zip(target.Captured.Tables ?? []))
            bytes[new RelationName(table.Schema, table.Name)] = rows.Bytes;
        List<(PostDataStatement Statement, string? Tablespace)> jobs = [];
        string? tablespace = null;
        foreach (PostDataStatement statement in all)
        {
            if (statement.Kind == PostDataKind.Setting && IsTablespace(statement))
                tablespace = statement.Text;
            else if (statement.Kind == PostDataKind.Index)
                jobs.Add((statement, tablespace));
        }

        ConcurrentQueue<(PostDataStatement Statement, string? Tablespace)> queue = new(jobs.OrderByDescending(job => bytes.GetValueOrDefault(job.Statement.On)));
        await SessionPool.RunAsync(
            Math.Min(target.Workers, queue.Count), target.OpenStagingAsync,
            async (session, token) =>
            {
                string? set = null;
                while (queue.TryDequeue(out (PostDataStatement Statement, string? Tablespace) job))
                {
                    if (job.Tablespace != set)
                        await session.ExecuteAsync((set = job.Tablespace)!, token);
                    await BuildAsync(session, job.Statement, token);
                }
            },
            cancellation);
    }

    private static bool IsTablespace(PostDataStatement setting) => setting.Captured.Tokens.Count > 1 && setting.Captured.Tokens[1].Is("default_tablespace");

    private async Task BuildAsync(PsqlSession session, PostDataStatement statement, CancellationToken cancellation)
    {
        try
        {
            await session.ExecuteAsync(statement.Text, cancellation);
        }
        catch (LifeboatException e) when (PostgresError.Of(e) is { RefusesTheStatement: true } error)
        {
            if (error.SqlState is PostgresError.UniqueViolation or PostgresError.ExclusionViolation)
                unfit.LeaveOut(statement, error.ToString());
            else
                _later[statement] = true;
        }
    }

    /// <summary>A partitioned table's index is none while a partition lacks its own: it goes as well, before any is attached to it.</summary>
    private async Task DropUnattachableAsync(PsqlSession session, PostDataStatement[] all, CancellationToken cancellation)
    {
        PostDataStatement[] attached = [.. all.Where(static one => one.Other != default && one.Kind == PostDataKind.Other)];
        bool more = true;
        while (more)
        {
            more = false;
            foreach (RelationName parent in attached.Where(one => unfit.IsLeftOut(one.Other) && !unfit.IsLeftOut(one.On)).Select(static one => one.On).Distinct())
            {
                PostDataStatement index = all.First(one => one.Kind == PostDataKind.Index && one.Index == parent);
                bool isConstraint = index.Captured.Tokens[0].Is("alter");
                await session.ExecuteAsync(
                    isConstraint ? $"ALTER TABLE ONLY {index.On.Quoted} DROP CONSTRAINT {SqlText.Identifier(index.Name)}" : $"DROP INDEX {parent.Quoted}", cancellation);
                unfit.LeaveOut(index, "a partition has rows that it does not let be");
                more = true;
            }
        }
    }

    private async Task RunAsync(PsqlSession session, PostDataStatement statement, ConstraintWork work, CancellationToken cancellation)
    {
        switch (statement.Kind)
        {
            case PostDataKind.Index when !_later.ContainsKey(statement):
                return;
            case PostDataKind.Setting when !(IsTablespace(statement) || IsOfSequence(statement)):
                return; // pg_dump's own at its beginning, which each session of ours has
            case PostDataKind.ForeignKey when _partitioned.Contains(statement.On) || _partitioned.Contains(statement.Other):
                work.Add(statement); // Versions before 18 have no such key NOT VALID, or none that becomes valid with all its parts.
                return;
            case PostDataKind.ForeignKey or PostDataKind.Check when !statement.IsNotValid:
                if (await MakeAsync(session, statement with { Text = statement.Text + " NOT VALID" }, cancellation))
                    work.Add([new ConstraintValidation(statement.On, statement.Name, statement.Kind == PostDataKind.Check ? 'c' : 'f', statement.IsDomain)]);
                return;
            default:
                await MakeAsync(session, statement, cancellation);
                return;
        }
    }

    /// <summary>Who grants rights, and the access method of what follows.</summary>
    private static bool IsOfSequence(PostDataStatement setting) => setting.Captured.Tokens is [_, var second, ..]
        && (second.Is("session") || second.Is("default_table_access_method"));

    /// <returns>False where it is left out, because of what was left out before.</returns>
    private async Task<bool> MakeAsync(PsqlSession session, PostDataStatement statement, CancellationToken cancellation)
    {
        if (statement is { Kind: PostDataKind.Other } && (unfit.IsLeftOut(statement.Index) || unfit.IsLeftOut(statement.On) || unfit.IsLeftOut(statement.Other)))
        {
            unfit.LeaveOutWith(statement);
            return false;
        }

        if (statement.Kind == PostDataKind.OfConstraint && unfit.IsLeftOut(statement.On, statement.Name))
        {
            unfit.LeaveOutWith(statement);
            return false;
        }

        try
        {
            await UnderOwnPath.RunAsync(target, session, statement.Text, cancellation);
            return true;
        }
        catch (LifeboatException e) when (PostgresError.Of(e) is { RefusesTheStatement: true } error)
        {
            if (statement.Kind == PostDataKind.Index && error.SqlState is PostgresError.UniqueViolation or PostgresError.ExclusionViolation)
                unfit.LeaveOut(statement, error.ToString());
            else if (statement.Kind == PostDataKind.ForeignKey && error.SqlState == PostgresError.NoUniqueConstraint && unfit.Any)
                unfit.LeaveOut(statement, $"{statement.Other} lacks the unique key that it refers to");
            else
                throw Failed(target, statement.Text, e, error);
            return false;
        }
    }

    public static LifeboatException Failed(RestoreTarget target, string statement, LifeboatException cause, PostgresError error) => new(
        ErrorCodes.PostgresRestoreFailed,
        $"a definition of {target.Folder}/schema.dump could not be made: {error}: {Short(statement)}",
        "the server's message names the object; mend what it says on the target server, then run again", target.Source, cause.InnerException);

    private static string Short(string sql) => sql.Length > 500 ? sql[..500] + "…" : sql;
}
