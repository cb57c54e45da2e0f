using System.Globalization;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>
/// Whose a database is and who may connect to it. A staged one belongs to the restoring role and admits nobody else: some applications use every database that their
/// role owns, and what they write there would go live. It gets its own at the moment in which it is opened.
/// </summary>
/// <param name="Acl">Null for the built-in rights.</param>
internal sealed record DatabaseAccess(string Owner, int ConnectionLimit, bool IsTemplate, IReadOnlyList<PostgresGrant>? Acl)
{
    /// <param name="roles">The roles that there are: rights of others are left out.</param>
    /// <param name="decode">Gives a name of the details as text.</param>
    public static DatabaseAccess Of(PostgresDatabase captured, Func<string, bool> roles, Func<string, string> decode) => new(
        decode(captured.Owner), captured.ConnectionLimit, captured.IsTemplate,
        captured.Acl is null ? null :
        [
            .. captured.Acl.Where(grant => roles(grant.Grantor) && (grant.Grantee is null || roles(grant.Grantee)))
                .Select(grant => grant with { Grantor = decode(grant.Grantor), Grantee = grant.Grantee is null ? null : decode(grant.Grantee) }),
        ]);

    /// <summary>The built-in rights as a list.</summary>
    public static IReadOnlyList<PostgresGrant> BuiltIn(string owner) =>
    [
        new(owner, null, "CONNECT", false), new(owner, null, "TEMPORARY", false),
        new(owner, owner, "CREATE", false), new(owner, owner, "CONNECT", false), new(owner, owner, "TEMPORARY", false),
    ];

    /// <summary>
    /// Closes a database that was created without connections, and lets the restore in. To whom a user who is no superuser restores, the database belongs already, because only
    /// its owner may create in the schema <c>public</c>: the right to connect is taken from that one.
    /// </summary>
    public static IEnumerable<string> CloseSql(string name, string owner, string user, bool superuser)
    {
        string quoted = SqlText.Identifier(name);
        yield return $"REVOKE CONNECT ON DATABASE {quoted} FROM PUBLIC";
        if (!superuser && owner != user)
        {
            yield return $"REVOKE CONNECT ON DATABASE {quoted} FROM {SqlText.Identifier(owner)}";
            yield return $"GRANT CONNECT ON DATABASE {quoted} TO {SqlText.Identifier(user)}";
        }

        yield return $"ALTER DATABASE {quoted} WITH ALLOW_CONNECTIONS true";
    }

    /// <summary>Gives a database all of this; for one transaction. It can be done again.</summary>
    /// <param name="user">Who does it.</param>
    public IEnumerable<string> Sql(string name, string user, bool superuser)
    {
        string quoted = SqlText.Identifier(name), owner = SqlText.Identifier(Owner);
        yield return $"ALTER DATABASE {quoted} OWNER TO {owner}";
        // Rights that were never changed are a null, which only a superuser can write: as a list they mean the same.
        if (superuser)
            yield return $"UPDATE pg_catalog.pg_database SET datacl = NULL WHERE datname = {SqlText.Literal(name)}";
        else if (Owner != user)
            yield return $"REVOKE ALL ON DATABASE {quoted} FROM {SqlText.Identifier(user)}";
        foreach (string grant in DatabaseSql.Grants(Owner, Acl ?? (superuser ? null : BuiltIn(Owner)), quoted))
            yield return grant;
        yield return string.Create(CultureInfo.InvariantCulture, $"ALTER DATABASE {quoted} CONNECTION LIMIT {ConnectionLimit}");
        if (IsTemplate)
            yield return $"ALTER DATABASE {quoted} IS_TEMPLATE true";
    }
}
