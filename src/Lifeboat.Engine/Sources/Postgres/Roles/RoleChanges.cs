using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Roles;

/// <summary>Changes roles that exist on the target to what they were when they were captured, all in one transaction; and back again.</summary>
internal sealed class RoleChanges
{
    private RolePlan? _applied;

    public bool Applied => _applied is not null;

    /// <summary>Does nothing where that has been done.</summary>
    /// <exception cref="LifeboatException">The server refused a change; none was made then.</exception>
    public async Task ApplyAsync(PsqlSession session, RolePlan plan, CancellationToken cancellation)
    {
        if (Applied)
            return;
        await RunAsync(session, plan.Update.Select(static update => (update.Captured, update.Passwords)), plan.UpdateMemberships, cancellation);
        _applied = plan;
    }

    /// <summary>Gives the roles back what they had.</summary>
    public async Task UndoAsync(PsqlSession session, CancellationToken cancellation)
    {
        if (_applied is null)
            return;
        IEnumerable<MembershipChange> inverse = _applied.UpdateMemberships.Reverse().Select(static change => change with { Grant = !change.Grant });
        await RunAsync(session, _applied.Update.Select(static update => (update.There, Passwords: true)), inverse, cancellation);
        _applied = null;
    }

    private static async Task RunAsync(
        PsqlSession session, IEnumerable<(GlobalRole Role, bool Passwords)> roles, IEnumerable<MembershipChange> memberships, CancellationToken cancellation)
    {
        await session.ExecuteAsync("BEGIN", cancellation);
        try
        {
            await session.ExecuteAsync(RoleRestoration.QuietSql, cancellation);
            foreach ((GlobalRole role, bool passwords) in roles)
            {
                string? hash = role.Attributes.PasswordHash?.Reveal();
                foreach (string sql in Statements(role, passwords))
                    await RoleRestoration.RunAsync(session, sql, $"changing role {role.Name}", cancellation, hash);
            }

            foreach ((Membership membership, bool grant) in memberships)
                await RoleRestoration.RunAsync(
                    session, grant ? membership.Sql(withGrantor: false) : membership.RevokeSql(withGrantor: false),
                    $"changing the membership of role {membership.Member} in {membership.Role}", cancellation);
            await session.ExecuteAsync("COMMIT", cancellation);
        }
        catch (LifeboatException)
        {
            session.Kill();
            throw;
        }
    }

    private static IEnumerable<string> Statements(GlobalRole role, bool passwords)
    {
        string name = SqlText.Identifier(role.Name);
        yield return $"ALTER ROLE {name} WITH {role.Attributes.WholeSql(passwords)}";
        yield return $"ALTER ROLE {name} RESET ALL";
        yield return $"COMMENT ON ROLE {name} IS NULL";
        foreach (GlobalStatement statement in role.Statements)
        {
            // Settings for one database come with it.
            if (statement.Kind == GlobalKind.RoleRemark || (statement.Kind == GlobalKind.RoleSetting && !statement.Tokens[3].Is("in")))
                yield return statement.Sql;
        }
    }
}
