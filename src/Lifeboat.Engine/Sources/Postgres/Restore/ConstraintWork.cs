using System.Collections.Concurrent;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Owners;
using Lifeboat.Engine.Sources.Postgres.Parts;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;
using Lifeboat.Engine.Sources.Servers;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>
/// Holds the rows against foreign keys and checks, each with the rights of its table's owner: their casts and functions are that owner's. What rows break is left as it
/// is, not valid; a foreign key of partitioned tables, which can only be made with a look at the rows, is left out then.
/// </summary>
internal sealed class ConstraintWork(RestoreTarget target, OwnerSessions owners, UnfitRows unfit)
{
    private readonly List<ConstraintValidation> _validations = [];
    private readonly List<PostDataStatement> _keys = [];

    public void Add(IEnumerable<ConstraintValidation> validations) => _validations.AddRange(validations);

    /// <summary>A foreign key of partitioned tables.</summary>
    public void Add(PostDataStatement key) => _keys.Add(key);

    /// <summary>Does it all, over several sessions.</summary>
    /// <param name="session">The restore's own.</param>
    public async Task RunAsync(PsqlSession session, CancellationToken cancellation)
    {
        await owners.LetReferAsync(session, _keys.Select(static key => (key.On, key.Other)), cancellation);
        (string? Owner, Func<PsqlSession, CancellationToken, Task> Work)[] all =
        [
            .. _validations.Select(one => (one.IsDomain ? null : owners.OwnerOf(one.On.Schema, one.On.Name), Work(token => s => ValidateAsync(s, one, token)))),
            .. _keys.Select(key => (owners.OwnerOf(key.On.Schema, key.On.Name), Work(token => s => MakeAsync(s, key, token)))),
        ];
        Dictionary<RelationName, string> domains = await owners.DomainsAsync(session, cancellation);
        for (int i = 0; i < _validations.Count; i++)
            if (_validations[i].IsDomain)
                all[i].Owner = domains.GetValueOrDefault(_validations[i].On);
        ConcurrentQueue<(string? Owner, Func<PsqlSession, CancellationToken, Task> Work)> queue = new(all.OrderBy(static one => one.Owner, StringComparer.Ordinal));
        await Together.RunAsync(
            cancellation,
            [.. Enumerable.Repeat<Func<CancellationToken, Task>>(token => WorkAsync(queue, token), Math.Min(target.Workers, queue.Count))]);
    }

    private static Func<PsqlSession, CancellationToken, Task> Work(Func<CancellationToken, Func<PsqlSession, Task>> work) => (session, token) => work(token)(session);

    private async Task WorkAsync(ConcurrentQueue<(string? Owner, Func<PsqlSession, CancellationToken, Task> Work)> queue, CancellationToken cancellation)
    {
        PsqlSession? session = null;
        string? owner = null;
        try
        {
            while (queue.TryDequeue(out (string? Owner, Func<PsqlSession, CancellationToken, Task> Work) one))
            {
                if (session is not null && owner != one.Owner)
                {
                    await session.DisposeAsync();
                    session = null;
                }

                session ??= await owners.OpenAsync(one.Owner, cancellation);
                owner = one.Owner;
                await one.Work(session, cancellation);
            }
        }
        finally
        {
            if (session is not null)
                await session.DisposeAsync();
        }
    }

    private async Task ValidateAsync(PsqlSession session, ConstraintValidation one, CancellationToken cancellation)
    {
        try
        {
            await UnderOwnPath.RunAsync(target, session, one.Sql, cancellation);
        }
        catch (LifeboatException e) when (PostgresError.Of(e) is { RefusesTheStatement: true } error)
        {
            if (error.SqlState == PostgresError.InsufficientPrivilege)
                throw PostDataRestore.Failed(target, one.Sql, e, error);
            unfit.LeaveNotValid(one, await ViolatingRows.DescribeAsync(session, one, cancellation) ?? error.ToString());
            await using PsqlSession own = await target.OpenStagingAsync(cancellation);
            foreach ((RelationName heir, bool isOwn) in await ViolatingRows.HeirsAsync(own, one, cancellation))
                unfit.LeaveNotValid(heir, one.Name, isOwn);
        }
    }

    private async Task MakeAsync(PsqlSession session, PostDataStatement key, CancellationToken cancellation)
    {
        try
        {
            await UnderOwnPath.RunAsync(target, session, key.Text, cancellation);
        }
        catch (LifeboatException e) when (PostgresError.Of(e) is { RefusesTheStatement: true } error)
        {
            if (error.SqlState == PostgresError.ForeignKeyViolation || (error.SqlState == PostgresError.NoUniqueConstraint && unfit.Any))
                unfit.LeaveOut(key, error.ToString());
            else
                throw PostDataRestore.Failed(target, key.Text, e, error);
        }
    }
}
