using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Roles;

/// <summary>
/// Creates a plan's roles on the target, all of them in one transaction, and drops them again. Roles that were there before are never
/// altered; of a created one the object id is noted before the transaction ends, so that nothing but it can be dropped, and it can be whenever the process ends.
/// </summary>
/// <param name="run">What the run's other restores made: their roles are taken for this one's too.</param>
internal sealed class RoleRestoration(MadeOnServers run)
{
    /// <summary>Keeps passwords' hashes out of the server's log and statistics, as far as a superuser can.</summary>
    public const string QuietSql =
        """
        SET LOCAL log_statement = 'none'; SET LOCAL log_min_error_statement = 'panic'; SET LOCAL log_min_duration_statement = -1;
        SET LOCAL log_duration = off; SET LOCAL pg_stat_statements.track_utility = off; SET LOCAL pgaudit.log = 'none'
        """;

    private readonly List<Grant> _given = [];

    /// <param name="noteAsync">Given the roles, and what takes back their grants, before they are there for good.</param>
    /// <exception cref="LifeboatException">The server refused a role; none was created then.</exception>
    public async Task ApplyAsync(
        PsqlSession session, RolePlan plan, TargetRights rights, Func<IReadOnlyList<MadeRole>, IReadOnlyList<Grant>, Task> noteAsync, CancellationToken cancellation)
    {
        if (plan.Create.Count == 0)
            return;
        await session.ExecuteAsync("BEGIN", cancellation);
        try
        {
            if (rights.Superuser)
                await session.ExecuteAsync(QuietSql, cancellation);
            HashSet<string> there = [.. (await ThereAsync(session, plan, cancellation)).Where(run.Roles.Contains).Select(static role => role.Name)];
            foreach (GlobalRole role in plan.Create.Where(role => !there.Contains(role.Name)))
                foreach (GlobalStatement statement in role.Creation)
                    await RunAsync(session, Sql(role, statement, rights), $"creating role {role.Name}", cancellation, role.Attributes.PasswordHash?.Reveal());
            foreach (Grant grant in plan.Grant)
            {
                await RunAsync(session, grant.Sql(), $"making role {grant.Pair.To} {grant.Words}", cancellation);
                _given.Add(grant);
            }

            IReadOnlyList<MadeRole> made = await ThereAsync(session, plan, cancellation);
            await noteAsync(made, _given);
            await session.ExecuteAsync("COMMIT", cancellation);
            run.Roles.UnionWith(made);
        }
        catch
        {
            // Closing the session rolls back what is left of the transaction; what a lost COMMIT may have made is found by its object id.
            session.Kill();
            throw;
        }
    }

    /// <summary>
    /// Drops created roles; those that are gone already, or were made again by somebody else, are let be. While any of them is used in a database
    /// (another one that the run restores, which is yet to be taken back), all of them stay.
    /// </summary>
    /// <returns>Names of roles that stay.</returns>
    public static async Task<IReadOnlyList<string>> DropAsync(PsqlSession session, MadeAround made, CancellationToken cancellation)
    {
        if (made.Roles.Count == 0)
            return [];
        string known = string.Join(", ", made.Roles.Select(static role => $"({SqlText.Literal(role.Name)}, {role.Oid}::oid)"));
        IReadOnlyList<string?[]> rows = await session.QueryAsync(
            $"SELECT r.rolname FROM pg_catalog.pg_roles r JOIN (VALUES {known}) k(name, oid) ON r.oid = k.oid AND r.rolname = k.name", cancellation);
        if (rows.Count == 0)
            return [];
        // A membership's grantor cannot be dropped before it (16 and later); a right on a parameter keeps its role.
        string drops = string.Join("; ", rows.Select(static row => $"DROP ROLE {SqlText.Identifier(row[0]!)}"));
        await session.ExecuteAsync("BEGIN", cancellation);
        try
        {
            await session.ExecuteAsync(string.Join("; ", made.Given.Reverse().Select(static grant => grant.RevokeSql()).Append(drops)), cancellation);
            await session.ExecuteAsync("COMMIT", cancellation);
            return [];
        }
        catch (LifeboatException e) when (PostgresError.Of(e)?.SqlState == "2BP01") // dependent_objects_still_exist
        {
            await session.ExecuteAsync("ROLLBACK", CancellationToken.None);
            return [.. rows.Select(static row => row[0]!)];
        }
    }

    /// <summary>One of the statements that create a role, as the user may run it.</summary>
    public static string Sql(GlobalRole role, GlobalStatement statement, TargetRights rights) => statement.Kind == GlobalKind.RoleAttributes && !rights.Superuser
        ? $"ALTER ROLE {SqlText.Identifier(role.Name)} WITH {role.Attributes.WithoutSuperuserFlags()}" : statement.Sql;

    /// <summary>Those of the roles to create that are there now.</summary>
    private static async Task<IReadOnlyList<MadeRole>> ThereAsync(PsqlSession session, RolePlan plan, CancellationToken cancellation)
    {
        string names = string.Join(", ", plan.Create.Select(static role => SqlText.Literal(role.Name)));
        return [.. (await session.QueryAsync($"SELECT rolname, oid FROM pg_catalog.pg_roles WHERE rolname IN ({names})", cancellation))
            .Select(static row => new MadeRole(row[0]!, row[1]!))];
    }

    /// <summary>The server may quote a statement in its message, so a password's hash is taken out of it.</summary>
    public static async Task RunAsync(PsqlSession session, string sql, string doing, CancellationToken cancellation, string? secret = null)
    {
        try
        {
            await session.ExecuteAsync(sql, cancellation);
        }
        catch (LifeboatException e)
        {
            string message = secret is null ? e.Problems[0].Message : e.Problems[0].Message.Replace(secret, "[redacted]", StringComparison.Ordinal);
            throw new LifeboatException(e.Code, $"{doing}: {message}", e.Hint, e.Problems[0].Where);
        }
    }
}
