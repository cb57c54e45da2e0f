using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Roles;

/// <summary>
/// Which of a snapshot's roles are created on the target. Roles that exist there are only changed where that is asked for: else what differs is a warning.
/// </summary>
/// <param name="Create">Roles that are not there.</param>
/// <param name="Kept">Roles that are there already, by name.</param>
/// <param name="Grant">What created roles are given, and what others are given of them, in an order in which each grantor has the right already.</param>
/// <param name="Update">Roles that are there and are changed to what they were.</param>
/// <param name="Changes">Likewise, what roles that are there were given.</param>
internal sealed record RolePlan(
    IReadOnlyList<GlobalRole> Create,
    IReadOnlyList<string> Kept,
    IReadOnlyList<Grant> Grant,
    IReadOnlyList<RoleUpdate> Update,
    IReadOnlyList<GrantChange> Changes,
    IReadOnlyList<Problem> Blockers,
    IReadOnlyList<Problem> Warnings)
{
    /// <param name="needed">Roles that the database's own objects name: owners, grantees.</param>
    /// <param name="update">Whether roles that are there are changed.</param>
    public static RolePlan Of(Globals captured, Globals target, TargetRights rights, IReadOnlySet<string> needed, string source, bool update) =>
        new RolePlanner(captured, target, rights, needed, source, update).Plan();

    /// <summary>With the memberships by which a user who is no superuser can give objects to roles that it creates; each is told.</summary>
    public RolePlan WithOwners(IEnumerable<string> owners, TargetRights rights, string source)
    {
        bool? option = rights.Major >= 16 ? true : null;
        List<Membership> own = [.. owners.Where(owner => Create.Any(role => role.Name == owner)).Select(owner => new Membership(
            owner, rights.User, rights.Major < 16 && Grant.OfType<Membership>().Any(m => m.Pair == (owner, rights.User) && m.Admin), option, option, null))];
        return this with
        {
            Grant = [.. Grant.Where(grant => !own.Any(one => one.Pair == grant.Pair)), .. own],
            Warnings =
            [
                .. Warnings,
                .. own.Select(one => new Problem(
                    ErrorCodes.PostgresRoleDiffers, $"user {one.Member} becomes {one.Words}, which it creates: else it could not give it its objects",
                    $"when the restore is no longer to be undone, and where it shall not be one: {one.RevokeSql()}", source)),
            ],
        };
    }
}

/// <param name="There">As it is on the target, to be put back.</param>
/// <param name="Differences">In words that give no secret away.</param>
/// <param name="Passwords">Whether the snapshot says what the password was.</param>
internal sealed record RoleUpdate(GlobalRole Captured, GlobalRole There, IReadOnlyList<string> Differences, bool Passwords);

/// <summary>What one role was given of one thing, where that differs.</summary>
/// <param name="There">On the target.</param>
/// <param name="Wanted">In the snapshot.</param>
internal sealed record GrantChange(IReadOnlyList<Grant> There, IReadOnlyList<Grant> Wanted)
{
    public Grant Any => There.Concat(Wanted).First();

    public bool IsNone => There.Count == Wanted.Count && Wanted.All(wanted => There.Any(wanted.SameAs));

    public string Difference => $"given {Ways(There)} there, {Ways(Wanted)} in the snapshot";

    public string Step => (There.Count, Wanted.Count) switch
    {
        (0, _) => $"make role {Any.Pair.To} {Any.Words}",
        (_, 0) => $"no longer have role {Any.Pair.To} {Any.Words}",
        (1, 1) when There[0].WithoutGrantor() == Wanted[0] => $"keep role {Any.Pair.To} {Any.Words}, though from another grantor",
        _ => $"change how role {Any.Pair.To} is {Any.Words}: {Difference}",
    };

    private static string Ways(IReadOnlyList<Grant> grants) => string.Join(" and ", grants.Select(static grant => grant.Way).Order(StringComparer.Ordinal));
}

/// <summary>Works a <see cref="RolePlan"/> out.</summary>
internal sealed class RolePlanner(Globals captured, Globals target, TargetRights rights, IReadOnlySet<string> needed, string source, bool update)
{
    private readonly List<RoleUpdate> _updates = [];
    private readonly List<GrantChange> _changes = [];
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
            PlanGrants(created),
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

    /// <summary>What is given together with roles that are created; differences between roles that are there are noted.</summary>
    private List<Grant> PlanGrants(HashSet<string> created)
    {
        bool exists(string role) => created.Contains(role) || target.Roles.ContainsKey(role) || IsPredefined(role);
        bool isNew(Grant grant) => grant.Roles.Any(created.Contains);
        GrantOrder order = new(rights.Major, rights.Superuser, rights.BootstrapUser, exists);
        List<Grant> all = order.Of(captured.Grants.Where(grant => grant.Roles.All(exists)), []);
        List<Grant> given = order.Of(all.Where(isNew), target.Grants);
        CompareGrants([.. all.Where(grant => !isNew(grant))]);
        // Whose grantor gets the right only by these changes is given it again then; whose grantor loses the right keeps it from another one.
        if (update)
            _changes.AddRange(all.Where(grant => isNew(grant) && !given.Contains(grant)).Select(static grant => new GrantChange([grant.WithoutGrantor()], [grant])));
        _changes.AddRange(Orphans(order));
        return given;
    }

    /// <summary>What others were given by a role that the changes take the right from to give it.</summary>
    private List<GrantChange> Orphans(GrantOrder order)
    {
        HashSet<(string On, string To)> changed = [.. _changes.Select(static change => change.Any.Pair)];
        HashSet<string> subjects = [.. changed.Select(static pair => pair.On)];
        List<Grant> others = [.. target.Grants.Where(grant => subjects.Contains(grant.Pair.On) && !changed.Contains(grant.Pair))];
        List<Grant> after = order.Of(others.Concat(_changes.SelectMany(static change => change.Wanted)), []);
        return [.. others.Except(after).Select(static grant => grant.Pair).Distinct()
            .Select(pair => new GrantChange([.. others.Where(grant => grant.Pair == pair)], [.. after.Where(grant => grant.Pair == pair)]))];
    }

    private void CompareGrants(List<Grant> wanted)
    {
        bool isKnown(string role) => IsPredefined(role) || (captured.Roles.ContainsKey(role) && target.Roles.ContainsKey(role));
        ILookup<(string On, string To), Grant> then = wanted.Where(grant => grant.Roles.All(isKnown)).ToLookup(static grant => grant.Pair);
        ILookup<(string On, string To), Grant> now = target.Grants.Where(grant => grant.Roles.All(isKnown)).ToLookup(static grant => grant.Pair);
        foreach ((string On, string To) pair in then.Concat(now).Select(static grants => grants.Key).Distinct())
        {
            GrantChange change = new([.. now[pair]], [.. then[pair]]);
            if (change.IsNone)
                continue;
            if (update && pair.To != rights.User)
                _changes.Add(change);
            else
                Warn(change);
        }
    }

    private void Warn(GrantChange change)
    {
        (string role, string words) = (change.Any.Pair.To, change.Any.Words);
        (string message, string sql) = (change.There.Count, change.Wanted.Count) switch
        {
            (0, _) => ($"role {role} is not {words}, which it was in the snapshot; this stays as it is", $", or run {change.Any.WithoutGrantor().Sql()}"),
            (_, 0) => ($"role {role} is {words}, which it was not in the snapshot; this stays as it is", $", or run {change.Any.RevokeSql()}"),
            _ => ($"role {role} is {words}, {change.Difference}; this stays as it is", ""),
        };
        _warnings.Add(new Problem(ErrorCodes.PostgresRoleDiffers, message, $"restore with --update-roles if the snapshot is right{sql}", source));
    }

    private static bool IsPredefined(string role) => role.StartsWith("pg_", StringComparison.Ordinal); // reserved for the server's own roles
}
