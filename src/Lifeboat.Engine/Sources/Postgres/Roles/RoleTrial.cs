using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Roles;

/// <summary>
/// Tries what a user who is no superuser would do to roles, in a transaction that is rolled back: which right each statement needs depends on the server's version
/// and on what the user was given there, and the server itself knows it best. What is refused becomes a warning, or a blocker where the database needs it.
/// </summary>
internal sealed class RoleTrial(PsqlSession session, TargetRights rights, PostgresDetails details, string source)
{
    private readonly List<Problem> _warnings = [];
    private readonly List<Problem> _blockers = [];

    /// <param name="isThere">Whether there will be a role.</param>
    /// <returns>The plan and the database's settings without what is refused.</returns>
    public async Task<(RolePlan Roles, IReadOnlyList<PostgresSetting> Settings)> RunAsync(
        RolePlan plan, Func<string, bool> isThere, CancellationToken cancellation)
    {
        await session.ExecuteAsync("BEGIN", cancellation);
        try
        {
            List<GlobalRole> create = [];
            foreach (GlobalRole role in plan.Create)
                create.Add(await CreateAsync(role, cancellation));
            List<Grant> grants = [];
            foreach (Grant grant in plan.Grant)
            {
                if (await MayGiveAsync(grant, cancellation) && await RefusalAsync(grant.Sql(), cancellation) is null)
                    grants.Add(grant);
                else
                    LeaveOut($"role {grant.Pair.To} is not made {grant.Words}", grant.WithoutGrantor().Sql());
            }

            List<PostgresSetting> kept = [];
            foreach (PostgresSetting setting in details.Database.Settings)
                if (await MaySetAsync(setting, isThere, cancellation))
                    kept.Add(setting);
            return (plan with { Create = create, Grant = grants, Blockers = [.. plan.Blockers, .. _blockers], Warnings = [.. plan.Warnings, .. _warnings] }, kept);
        }
        finally
        {
            await session.ExecuteAsync("ROLLBACK", CancellationToken.None);
        }
    }

    private void LeaveOut(string what, string sql) => _warnings.Add(new Problem(
        ErrorCodes.PostgresRoleLeftOut, $"{what}, because user {rights.User} may not do that; the restore goes on without it", $"have a superuser run afterwards: {sql}", source));

    private void Block(string message, string hint) => _blockers.Add(new Problem(ErrorCodes.PostgresRightMissing, message, hint, source));

    private async Task<GlobalRole> CreateAsync(GlobalRole role, CancellationToken cancellation)
    {
        List<GlobalStatement> kept = [];
        // A server may write statements to its log, so no password is tried.
        GlobalRole open = role with { Attributes = role.Attributes with { PasswordHash = null } };
        foreach (GlobalStatement statement in role.Creation)
        {
            string? refusal = await RefusalAsync(RoleRestoration.Sql(open, statement, rights), cancellation);
            if (refusal is null)
                kept.Add(statement);
            else if (statement.Kind == GlobalKind.RoleRemark)
                LeaveOut($"role {role.Name} is created without a comment or label", statement.Sql);
            else if (statement.Kind == GlobalKind.RoleSetting) // whose value may be a secret
                LeaveOut($"role {role.Name} is created without setting {Setting(statement)}", $"ALTER ROLE {SqlText.Identifier(role.Name)} SET {Setting(statement)} TO … (globals.sql has it)");
            else
                Block($"role {role.Name} cannot be created: {refusal}", $"connect as a superuser, or have one run: CREATE ROLE {SqlText.Identifier(role.Name)}");
        }

        return new GlobalRole(role.Name, role.Attributes, kept);
    }

    private static string Setting(GlobalStatement set) => string.Concat(set.Tokens.Skip(4).TakeWhile(static token => !token.Is("to")).Select(static token => token.Value));

    /// <summary>A right on a parameter that one has, but may not pass on, is silently not given.</summary>
    private async Task<bool> MayGiveAsync(Grant grant, CancellationToken cancellation) => grant is not ParameterGrant given
        || await session.QueryOneAsync(
            $"SELECT pg_catalog.has_parameter_privilege({SqlText.Literal(given.Parameter)}, {SqlText.Literal(given.Privilege + " WITH GRANT OPTION")})", cancellation) == "t";

    private async Task<bool> MaySetAsync(PostgresSetting setting, Func<string, bool> isThere, CancellationToken cancellation)
    {
        // What may be set for oneself may be set for a database, and any database does for trying.
        string? role = setting.Role is null ? null : NameText.Decode(setting.Role, details);
        string sql(string database) => NameText.Decode(
            DatabaseSql.Set(setting.Role is null ? "ALTER ROLE CURRENT_USER" : $"ALTER ROLE {SqlText.Identifier(setting.Role)} IN DATABASE {database}", setting), details);
        string? refusal = role is not null && !isThere(role) ? $"there is no role {role}" : await RefusalAsync(sql(SqlText.Identifier(session.Database)), cancellation);
        if (refusal is null)
            return true;
        if (role is not null)
            LeaveOut(
                $"role {role} comes without its setting {setting.Name} in the database",
                $"ALTER ROLE {SqlText.Identifier(role)} IN DATABASE … SET {setting.Name} TO … (database.sql has it)");
        else
            Block(
                $"the database has a setting {setting.Name}, which user {rights.User} may not make",
                "connect as a superuser" + (rights.Major >= 15 ? $", or have one run: GRANT SET ON PARAMETER {setting.Name} TO {SqlText.Identifier(rights.User)}" : ""));
        return false;
    }

    /// <summary>Runs a statement; gives what the server said where it refused it for want of a right, and is as if it had not been run then.</summary>
    private async Task<string?> RefusalAsync(string sql, CancellationToken cancellation)
    {
        await session.ExecuteAsync("SAVEPOINT lifeboat", cancellation);
        try
        {
            await session.ExecuteAsync(sql, cancellation);
            await session.ExecuteAsync("RELEASE SAVEPOINT lifeboat", cancellation);
            return null;
        }
        catch (LifeboatException e) when (PostgresError.Of(e) is { SqlState: PostgresError.InsufficientPrivilege or PostgresError.InvalidGrant } error)
        {
            await session.ExecuteAsync("ROLLBACK TO SAVEPOINT lifeboat", cancellation);
            return error.Message;
        }
    }
}
