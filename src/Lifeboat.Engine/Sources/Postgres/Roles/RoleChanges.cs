using System.Security.Cryptography;
using System.Text;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Roles;

/// <summary>
/// What changes roles that exist to what they were when they were captured, and back. Passwords are in none of the statements: for each role that gets another
/// one a role without login has it, and a switch exchanges the two. One such role, the mark, says by its comment which of the two states the roles are in.
/// </summary>
/// <param name="Mark">The name of the role that says in which state the roles are.</param>
/// <param name="Incoming">The state that the switch brings about: <c>captured</c> or <c>before</c>.</param>
/// <param name="ToCaptured">Statements that bring about the captured state, but for passwords and grants.</param>
/// <param name="ToBefore">Likewise, the state before the restore.</param>
internal sealed record RoleChanges(
    string Mark, string Incoming, IReadOnlyList<string> ToCaptured, IReadOnlyList<string> ToBefore, IReadOnlyList<PasswordKeeper> Keepers)
{
    private const string Captured = "captured";
    private const string Before = "before";

    /// <summary>What differs of what roles were given, as captured.</summary>
    public IReadOnlyList<Grant> CapturedGrants { get => field ?? []; init; } = [];

    /// <summary>Likewise, before the restore.</summary>
    public IReadOnlyList<Grant> BeforeGrants { get => field ?? []; init; } = [];

    public RoleChanges Inverse => this with { Incoming = Outgoing };

    private string Outgoing => Incoming == Captured ? Before : Captured;

    /// <summary>Null where the plan changes none.</summary>
    /// <param name="database">The database that the roles are restored with: another one of the same server has a mark of its own.</param>
    public static RoleChanges? Of(RolePlan plan, string restoreId, string database)
    {
        if (plan.Update.Count == 0 && plan.Changes.Count == 0)
            return null;
        string mark = $"lifeboat__before_{restoreId}_{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(database)).AsSpan(0, 4))}";
        return new RoleChanges(
            mark,
            Captured,
            [.. plan.Update.SelectMany(static update => Statements(update.Captured))],
            [.. plan.Update.SelectMany(static update => Statements(update.There))],
            [.. plan.Update.Where(static update => update.Passwords).Select((update, i) => new PasswordKeeper(update.Captured.Name, $"{mark}_{i}"))])
        {
            CapturedGrants = [.. plan.Changes.SelectMany(static change => change.Wanted)],
            BeforeGrants = [.. plan.Changes.SelectMany(static change => change.There)],
        };
    }

    /// <summary>Makes the roles that keep the captured passwords; changes none that was there.</summary>
    public async Task PrepareAsync(PsqlSession session, RolePlan plan, RunContext context, CancellationToken cancellation) => await context.StepAsync(
        "create the roles that keep passwords",
        () => InTransactionAsync(session, async () =>
        {
            await session.ExecuteAsync($"CREATE ROLE {SqlText.Identifier(Mark)}; COMMENT ON ROLE {SqlText.Identifier(Mark)} IS {SqlText.Literal(Before)}", cancellation);
            foreach (PasswordKeeper keeper in Keepers)
            {
                string? hash = plan.Update.First(update => update.Captured.Name == keeper.Role).Captured.Attributes.PasswordHash?.Reveal();
                await session.ExecuteAsync($"CREATE ROLE {SqlText.Identifier(keeper.Keeper)}", cancellation);
                await SetPasswordAsync(session, keeper.Keeper, hash, cancellation);
            }
        }, cancellation));

    /// <summary>Brings the incoming state about, where that has not happened.</summary>
    public Task ForwardAsync(PsqlSession session, RunContext context, CancellationToken cancellation) => GoAsync(session, Incoming, context, cancellation);

    /// <summary>Brings the outgoing state about again, where that is not so.</summary>
    public Task BackAsync(PsqlSession session, RunContext context, CancellationToken cancellation) => GoAsync(session, Outgoing, context, cancellation);

    /// <summary>Drops the mark and the roles that keep passwords, where they are.</summary>
    public async Task DropAsync(PsqlSession session, CancellationToken cancellation) => await session.ExecuteAsync(
        $"DROP ROLE IF EXISTS {string.Join(", ", Keepers.Select(static one => one.Keeper).Append(Mark).Select(SqlText.Identifier))}", cancellation);

    private Task GoAsync(PsqlSession session, string state, RunContext context, CancellationToken cancellation) => context.StepAsync(
        $"change roles to the state {state}",
        () => InTransactionAsync(session, async () =>
        {
            string? now = await session.QueryOneAsync(
                $"SELECT pg_catalog.shobj_description(oid, 'pg_authid') FROM pg_catalog.pg_authid WHERE rolname = {SqlText.Literal(Mark)}", cancellation);
            if (now is null || now == state)
                return;
            foreach (string sql in state == Captured ? ToCaptured : ToBefore)
                await RoleRestoration.RunAsync(session, sql, "changing roles", cancellation);
            (IReadOnlyList<Grant> outgoing, IReadOnlyList<Grant> incoming) = state == Captured ? (BeforeGrants, CapturedGrants) : (CapturedGrants, BeforeGrants);
            await new GrantExchange(session).RunAsync(outgoing, incoming, cancellation);
            foreach (PasswordKeeper keeper in Keepers)
                await ExchangeAsync(session, keeper, cancellation);
            await session.ExecuteAsync($"COMMENT ON ROLE {SqlText.Identifier(Mark)} IS {SqlText.Literal(state)}", cancellation);
        }, cancellation));

    private static async Task ExchangeAsync(PsqlSession session, PasswordKeeper keeper, CancellationToken cancellation)
    {
        string? used = await PasswordAsync(session, keeper.Role, cancellation);
        string? kept = await PasswordAsync(session, keeper.Keeper, cancellation);
        await SetPasswordAsync(session, keeper.Role, kept, cancellation);
        await SetPasswordAsync(session, keeper.Keeper, used, cancellation);
    }

    private static Task<string?> PasswordAsync(PsqlSession session, string role, CancellationToken cancellation) =>
        session.QueryOneAsync($"SELECT rolpassword FROM pg_catalog.pg_authid WHERE rolname = {SqlText.Literal(role)}", cancellation);

    private static Task SetPasswordAsync(PsqlSession session, string role, string? hash, CancellationToken cancellation) => RoleRestoration.RunAsync(
        session, $"ALTER ROLE {SqlText.Identifier(role)} PASSWORD {(hash is null ? "NULL" : SqlText.Literal(hash))}", $"changing the password of role {role}", cancellation, hash);

    private static async Task InTransactionAsync(PsqlSession session, Func<Task> work, CancellationToken cancellation)
    {
        await session.ExecuteAsync("BEGIN", cancellation);
        try
        {
            await session.ExecuteAsync(RoleRestoration.QuietSql, cancellation);
            await work();
            await session.ExecuteAsync("COMMIT", cancellation);
        }
        catch
        {
            session.Kill(); // which rolls back what is left of the transaction
            throw;
        }
    }

    private static IEnumerable<string> Statements(GlobalRole role)
    {
        string name = SqlText.Identifier(role.Name);
        yield return $"ALTER ROLE {name} WITH {role.Attributes.WholeSql(passwords: false)}";
        yield return $"ALTER ROLE {name} RESET ALL";
        yield return $"COMMENT ON ROLE {name} IS NULL";
        foreach (GlobalStatement statement in role.Creation.Where(static one => one.Kind is GlobalKind.RoleRemark or GlobalKind.RoleSetting))
            yield return statement.Sql;
    }
}

/// <param name="Keeper">A role without login that keeps the password which <paramref name="Role"/> does not have just now.</param>
internal sealed record PasswordKeeper(string Role, string Keeper);
