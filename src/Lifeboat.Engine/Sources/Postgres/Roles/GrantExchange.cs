using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres.Roles;

/// <summary>Puts grants in the place of others, in a transaction of a superuser's session.</summary>
internal sealed class GrantExchange(PsqlSession session)
{
    /// <summary>
    /// What was given by a role that loses the right to give it goes with that right. So of all that these grants are about, what others have is taken and given again
    /// too: who has something from nobody else but such a role keeps it, from the server's first superuser.
    /// </summary>
    public async Task RunAsync(IReadOnlyList<Grant> outgoing, IReadOnlyList<Grant> incoming, CancellationToken cancellation)
    {
        if (outgoing.Count + incoming.Count == 0)
            return;
        HashSet<(string On, string To)> pairs = [.. outgoing.Concat(incoming).Select(static grant => grant.Pair)];
        HashSet<string> subjects = [.. pairs.Select(static pair => pair.On)];
        bool isAlone(Grant grant) => grant is Membership && session.ServerMajor < 16;
        List<Grant> now = [.. (await ReadAsync(cancellation)).Where(grant => pairs.Contains(grant.Pair) || (subjects.Contains(grant.Pair.On) && !isAlone(grant)))];
        Dictionary<string, string> roles = (await session.QueryAsync("SELECT rolname, oid FROM pg_catalog.pg_roles", cancellation))
            .ToDictionary(static row => row[0]!, static row => row[1]!);
        GrantOrder order = new(session.ServerMajor, superuser: true, roles.First(static role => role.Value == "10").Key, roles.ContainsKey);
        foreach (Grant grant in order.Of(now, []).AsEnumerable().Reverse())
            await RoleRestoration.RunAsync(session, grant.RevokeSql(), $"taking from role {grant.Pair.To} that it is {grant.Words}", cancellation);
        foreach (Grant grant in order.Of(now.Where(grant => !pairs.Contains(grant.Pair)).Concat(incoming), []))
            await RoleRestoration.RunAsync(session, grant.Sql(), $"making role {grant.Pair.To} {grant.Words}", cancellation);
    }

    private async Task<IReadOnlyList<Grant>> ReadAsync(CancellationToken cancellation)
    {
        IReadOnlyList<string?[]> memberships = await session.QueryAsync(
            """
            SELECT r.rolname, u.rolname, m.admin_option, pg_catalog.to_jsonb(m) ->> 'inherit_option', pg_catalog.to_jsonb(m) ->> 'set_option', g.rolname
            FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles r ON r.oid = m.roleid JOIN pg_catalog.pg_roles u ON u.oid = m.member
            LEFT JOIN pg_catalog.pg_roles g ON g.oid = m.grantor
            """, cancellation);
        IReadOnlyList<string?[]> parameters = session.ServerMajor < 15 ? [] : await session.QueryAsync(
            $"""
            SELECT p.parname, a.privilege_type, coalesce(r.rolname, '{Grant.Public}'), a.is_grantable, CASE WHEN a.grantor <> 10 THEN g.rolname ELSE '' END
            FROM pg_catalog.pg_parameter_acl p, pg_catalog.aclexplode(p.paracl) a LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
            LEFT JOIN pg_catalog.pg_roles g ON g.oid = a.grantor WHERE a.grantee <> 10
            """, cancellation);
        static bool? option(string? text) => text is null ? null : text == "true";
        return
        [
            .. memberships.Select(static row => new Membership(row[0]!, row[1]!, row[2] == "t", option(row[3]), option(row[4]), row[5])),
            .. parameters.Select(static row => new ParameterGrant(row[0]!, row[1]!, row[2]!, row[3] == "t", row[4])),
        ];
    }
}
