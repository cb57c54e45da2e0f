namespace Lifeboat.Engine.Sources.Postgres.Roles;

/// <summary>Who we are on the target server, and what we may do there.</summary>
/// <param name="Major">The server's major version.</param>
/// <param name="BootstrapUser">The role that initdb made: on 16 and later the grantor of what superusers grant.</param>
/// <param name="MemberOf">Roles whose objects we may own and give away: all, for a superuser.</param>
internal sealed record TargetRights(
    string User, bool Superuser, bool CreateDatabase, bool CreateRole, int Major, string BootstrapUser, IReadOnlySet<string> MemberOf)
{
    public bool MayActAs(string role) => Superuser || role == User || MemberOf.Contains(role);
}
