using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Roles;

namespace Lifeboat.Tests.Sources.Postgres;

public sealed class RolePlanTests
{
    private const string Captured = """
        CREATE ROLE boss; ALTER ROLE boss WITH SUPERUSER LOGIN;
        CREATE ROLE app; ALTER ROLE app WITH NOSUPERUSER LOGIN NOREPLICATION NOBYPASSRLS PASSWORD 'SCRAM-SHA-256$1' CONNECTION LIMIT 3;
        CREATE ROLE staff; ALTER ROLE staff WITH NOSUPERUSER;
        CREATE ROLE postgres; ALTER ROLE postgres WITH SUPERUSER LOGIN;
        GRANT staff TO boss GRANTED BY app;
        GRANT staff TO app WITH ADMIN OPTION GRANTED BY postgres;
        GRANT pg_monitor TO app GRANTED BY boss;
        GRANT SET ON PARAMETER log_statement TO app;
        GRANT SET ON PARAMETER log_statement TO postgres;
        """;

    private const string Empty = "CREATE ROLE postgres; ALTER ROLE postgres WITH SUPERUSER LOGIN;";

    [Fact]
    public void What_is_missing_is_created_and_what_is_there_is_kept()
    {
        RolePlan plan = Plan(Empty, Superuser(15));

        Assert.Equal(["boss", "app", "staff"], plan.Create.Select(static role => role.Name));
        Assert.Equal(["postgres"], plan.Kept);
        Assert.Equal(["app"], plan.Grant.OfType<ParameterGrant>().Select(static grant => grant.Grantee));
        Assert.Empty(plan.Blockers);
        Assert.Contains("role postgres is not allowed to SET parameter log_statement", Assert.Single(plan.Warnings).Message);
    }

    [Fact]
    public void From_version_16_a_grantor_comes_after_it_has_the_right_or_is_not_named()
    {
        Assert.Equal(
            ["app in staff by postgres", "boss in staff by app", "app in pg_monitor"],
            Plan(Empty, Superuser(16)).Grant.OfType<Membership>().Select(static g => $"{g.Member} in {g.Role}{(g.Grantor is null ? "" : " by " + g.Grantor)}"));
        Assert.All(Plan(Empty, Superuser(15)).Grant, static grant => Assert.NotNull(grant.By));
    }

    [Fact]
    public void Between_roles_that_exist_nothing_is_granted_but_said()
    {
        RolePlan plan = Plan(Captured.Replace("GRANT staff TO app WITH ADMIN OPTION GRANTED BY postgres;", "", StringComparison.Ordinal), Superuser(15));

        Assert.Empty(plan.Create);
        Assert.Empty(plan.Grant);
        Assert.Contains("app is not a member of staff", Assert.Single(plan.Warnings).Message);
    }

    [Fact]
    public void Without_rights_a_role_that_is_needed_blocks_and_another_is_left_out_with_a_warning()
    {
        TargetRights rights = new("me", false, true, true, 15, "postgres", new HashSet<string>());

        RolePlan plan = Plan(Empty, rights, "boss");
        RolePlan without = Plan(Empty, rights with { CreateRole = false }, "staff");

        Assert.Equal(ErrorCodes.PostgresRightMissing, Assert.Single(plan.Blockers).Code);
        Assert.Equal(["app", "staff"], plan.Create.Select(static role => role.Name));
        Assert.Contains("role staff is not on the server", Assert.Single(without.Blockers).Message);
        Assert.Equal([ErrorCodes.PostgresRoleLeftOut, ErrorCodes.PostgresRoleLeftOut, ErrorCodes.PostgresRoleDiffers], without.Warnings.Select(static warning => warning.Code));
        Assert.Equal("login CONNECTION LIMIT 3 PASSWORD 'SCRAM-SHA-256$1'", plan.Create[0].Attributes.WithoutSuperuserFlags());
    }

    private static RolePlan Plan(string target, TargetRights rights, params string[] needed) =>
        RolePlan.Of(Globals.Parse(Captured, hasPasswords: true), Globals.Parse(target, hasPasswords: true), rights, needed.ToHashSet(), "main", update: false);

    private static TargetRights Superuser(int major) => new("postgres", true, true, true, major, "postgres", new HashSet<string>());
}
