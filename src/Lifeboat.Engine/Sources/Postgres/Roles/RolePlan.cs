using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Roles;

/// <summary>
/// Which of a snapshot's roles are created on the target. Roles that exist there are only changed where that is asked for: else what differs is a warning.
/// </summary>
/// <param name="Create">Roles that are not there.</param>
/// <param name="Kept">Roles that are there already, by name.</param>
/// <param name="Grant">Memberships with at least one side that is created, in an order in which each grantor has the right already.</param>
/// <param name="ParameterGrants">Rights of created roles on server parameters.</param>
/// <param name="Update">Roles that are there and are changed to what they were.</param>
/// <param name="UpdateMemberships">Likewise, memberships of two roles that are both there.</param>
internal sealed record RolePlan(
    IReadOnlyList<GlobalRole> Create,
    IReadOnlyList<string> Kept,
    IReadOnlyList<PlannedMembership> Grant,
    IReadOnlyList<GlobalStatement> ParameterGrants,
    IReadOnlyList<RoleUpdate> Update,
    IReadOnlyList<MembershipChange> UpdateMemberships,
    IReadOnlyList<Problem> Blockers,
    IReadOnlyList<Problem> Warnings)
{
    /// <param name="needed">Roles that the database's own objects name: owners, grantees.</param>
    /// <param name="update">Whether roles that are there are changed.</param>
    public static RolePlan Of(Globals captured, Globals target, TargetRights rights, IReadOnlySet<string> needed, string source, bool update) =>
        new RolePlanner(captured, target, rights, needed, source, update).Plan();
}

/// <param name="There">As it is on the target, to be put back.</param>
/// <param name="Differences">In words that give no secret away.</param>
/// <param name="Passwords">Whether the snapshot says what the password was.</param>
internal sealed record RoleUpdate(GlobalRole Captured, GlobalRole There, IReadOnlyList<string> Differences, bool Passwords);

/// <param name="Grant">Granted, or else revoked.</param>
internal sealed record MembershipChange(Membership Membership, bool Grant);

/// <param name="WithGrantor">Whether the captured grantor can be named; otherwise the session's user is it.</param>
internal sealed record PlannedMembership(Membership Membership, bool WithGrantor);

/// <summary>Works a <see cref="RolePlan"/> out.</summary>
internal sealed class RolePlanner(Globals captured, Globals target, TargetRights rights, IReadOnlySet<string> needed, string source, bool update)
{
    private const string PredefinedPrefix = "pg_"; // reserved for the server's own roles
    private readonly List<RoleUpdate> _updates = [];
    private readonly List<MembershipChange> _changes = [];
    private readonly List<Problem> _blockers = [];
    private readonly List<Problem> _warnings = [];

    public RolePlan Plan()
    {
        if (update && !rights.Superuser)
            _blockers.Add(new Problem(
                ErrorCodes.PostgresRightMissing, $"only a superuser can change roles to what they were, and user {rights.User} is none",
                "connect as a superuser, or leave out --update-roles", source));
        List<GlobalRole> create = [.. captured.Roles.Values.Where(role => !target.Roles.ContainsKey(role.Name))];
        create.RemoveAll(LeftOut);
        HashSet<string> created = [.. create.Select(static role => role.Name)];
        foreach (GlobalRole role in captured.Roles.Values.Where(role => target.Roles.ContainsKey(role.Name)))
            CompareExisting(role, target.Roles[role.Name]);
        foreach (GlobalStatement unknown in captured.Unknown)
            _warnings.Add(new Problem(
                ErrorCodes.PostgresGlobalsUnknown, $"line {unknown.Line} of globals.sql is of a kind that this program does not know, and is not restored",
                "read that line, and run it by hand where it matters", source));
        return new RolePlan(
            create,
            [.. captured.Roles.Keys.Where(target.Roles.ContainsKey)],
            Memberships(created),
            [.. captured.ParameterGrants.Where(grant => created.Contains(grant.Subject))],
            _updates,
            _changes,
            _blockers,
            _warnings);
    }

    /// <summary>Whether a missing role is not created because we may not; that is an error where the database needs it.</summary>
    private bool LeftOut(GlobalRole role)
    {
        string? lacking = rights.Superuser ? null
            : role.Attributes.NeedsSuperuser ? $"role {role.Name} can only be created by a superuser (it has SUPERUSER, REPLICATION or BYPASSRLS)"
            : rights.CreateRole ? null
            : $"role {role.Name} is not on the server, and user {rights.User} may not create roles";
        if (lacking is null)
            return false;
        if (needed.Contains(role.Name))
            _blockers.Add(new Problem(
                ErrorCodes.PostgresRightMissing, lacking, $"connect as a superuser, or have one run: CREATE ROLE {SqlText.Identifier(role.Name)}", source));
        else
            _warnings.Add(new Problem(
                ErrorCodes.PostgresRoleLeftOut, lacking + "; the database does not use it, so the restore goes on without it",
                "restore as a superuser if other applications on the server need it", source));
        return true;
    }

    private void CompareExisting(GlobalRole role, GlobalRole there)
    {
        // The role that restores has just logged in: every new server's superuser has a password of its own, and it is the right one there.
        bool comparePasswords = captured.HasPasswords && target.HasPasswords && role.Name != rights.User;
        string[] differences = [.. role.DifferencesTo(there, comparePasswords)];
        if (differences.Length > 0 && update && role.Name != rights.User)
            _updates.Add(new RoleUpdate(role, there, differences, captured.HasPasswords));
        else if (differences.Length > 0)
            _warnings.Add(new Problem(
                ErrorCodes.PostgresRoleDiffers, $"role {role.Name} exists and stays as it is, though it differs: {string.Join("; ", differences)}",
                role.Name == rights.User ? "the role that restores is never changed; change it by hand if the snapshot's is the right one"
                    : "restore with --update-roles if the snapshot's is the right one", source));
    }

    private List<PlannedMembership> Memberships(HashSet<string> created)
    {
        bool Exists(string role) => created.Contains(role) || target.Roles.ContainsKey(role) || role.StartsWith(PredefinedPrefix, StringComparison.Ordinal);
        List<Membership> missing = [.. captured.Memberships.Where(m => !target.Memberships.Any(there => m.SameAs(there, grantors: false)))];
        foreach (Membership membership in missing.Where(m => !created.Contains(m.Role) && !created.Contains(m.Member) && Exists(m.Role) && Exists(m.Member)))
        {
            if (update)
            {
                _changes.Add(new MembershipChange(membership, Grant: true));
                continue;
            }

            _warnings.Add(new Problem(
                ErrorCodes.PostgresRoleDiffers, $"role {membership.Member} is not a member of {membership.Role} as in the snapshot; both exist, so this stays as it is",
                $"restore with --update-roles if the snapshot is right, or run {membership.Sql(withGrantor: false)}", source));
        }

        foreach (Membership extra in target.Memberships.Where(m => captured.Roles.ContainsKey(m.Member) && (captured.Roles.ContainsKey(m.Role)
            || m.Role.StartsWith(PredefinedPrefix, StringComparison.Ordinal)) && !captured.Memberships.Any(c => c.Role == m.Role && c.Member == m.Member)))
        {
            if (update && extra.Member != rights.User)
                _changes.Add(new MembershipChange(extra, Grant: false));
            else
                _warnings.Add(new Problem(
                    ErrorCodes.PostgresRoleDiffers, $"role {extra.Member} is a member of {extra.Role}, which it was not in the snapshot; this stays as it is",
                    $"restore with --update-roles if the snapshot is right, or run {extra.RevokeSql(withGrantor: false)}", source));
        }

        List<Membership> pending = [.. missing.Where(m => (created.Contains(m.Role) || created.Contains(m.Member)) && Exists(m.Role) && Exists(m.Member))];
        return Ordered(pending, Exists);
    }

    private List<PlannedMembership> Ordered(List<Membership> pending, Func<string, bool> exists)
    {
        List<PlannedMembership> ordered = [];
        bool MayGrant(Membership m) =>
            m.Grantor is not null && exists(m.Grantor) && rights.Superuser
            && (rights.Major < 16 || m.Grantor == rights.BootstrapUser || Administrators(ordered).Any(a => a.Role == m.Role && a.Member == m.Grantor));
        while (pending.FindIndex(m => MayGrant(m)) is >= 0 and int next)
        {
            ordered.Add(new PlannedMembership(pending[next], WithGrantor: true));
            pending.RemoveAt(next);
        }

        ordered.AddRange(pending.Select(static m => new PlannedMembership(m, WithGrantor: false)));
        return ordered;
    }

    private IEnumerable<Membership> Administrators(List<PlannedMembership> granted) =>
        target.Memberships.Concat(granted.Select(static g => g.Membership)).Where(static m => m.Admin);
}
