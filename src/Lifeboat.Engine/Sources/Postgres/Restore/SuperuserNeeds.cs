using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Roles;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>What the captured database needs that a user who is no superuser cannot give it: each is a reason not to begin.</summary>
/// <param name="names">What the schema has.</param>
internal sealed class SuperuserNeeds(RestoreTarget target, TargetServer server, SchemaNames names)
{
    private const int NamedAtMost = 10;
    private const string OfDatabase = "pg_database_owner"; // whose one member is whoever owns the database

    private string DatabaseOwner => NameText.Decode(target.Details.Database.Owner, target.Details);

    /// <param name="there">What roles have been given.</param>
    /// <param name="made">What the restore gives them.</param>
    public async Task CheckAsync(TargetRights rights, IReadOnlyList<Grant> there, IReadOnlyList<Grant> made, List<Problem> blockers, CancellationToken cancellation)
    {
        void block(string message, string hint) => blockers.Add(new Problem(ErrorCodes.PostgresRightMissing, message, hint, target.Source));
        bool isMember(string role) => rights.MayActAs(role) || (role == OfDatabase && isMember(DatabaseOwner)) || made.Any(grant => grant is Membership && grant.Pair == (role, rights.User));
        foreach (string owner in names.Owners.Append(DatabaseOwner).Distinct().Where(owner => !isMember(owner)).Order(StringComparer.Ordinal))
            block(
                $"objects of the database belong to role {owner}, and user {rights.User} is not a member of it that inherits its rights",
                $"connect as a superuser, or have one run: GRANT {SqlText.Identifier(owner)} TO {SqlText.Identifier(rights.User)}");
        bool maySubscribe = server.Session.ServerMajor >= 16 && await server.HasRoleAsync("pg_create_subscription", cancellation);
        foreach (IGrouping<string, string> objects in names.SuperuserOnly.Concat(Grantors()).Where(one => !maySubscribe || one.Kind != SuperuserStatements.Subscriptions)
            .GroupBy(static one => one.Kind, static one => one.Name))
        {
            string[] all = [.. objects.Distinct()];
            block(
                $"only a superuser can restore {objects.Key}, and the database has them: {string.Join(", ", all.Take(NamedAtMost))}{(all.Length > NamedAtMost ? ", …" : "")}",
                "restore as a superuser; or back the database up without them");
        }

        foreach ((string schema, string owner) in names.Placed.Order())
            if (SchemaOwner(schema) is { } schemaOwner && !Inherits(owner, schemaOwner, [.. there, .. made]))
                block(
                    $"role {owner} owns objects in {(schema.Length == 0 ? "the database" : $"schema {schema}")} of role {schemaOwner}: only a superuser can give them to it while it may not create any there",
                    $"restore as a superuser, or have one run, for as long as the restore takes: GRANT {SqlText.Identifier(schemaOwner)} TO {SqlText.Identifier(owner)}");
    }

    private IEnumerable<(string Kind, string Name)> Grantors() => (target.Details.Database.Acl ?? []).Where(grant => grant.Grantor != target.Details.Database.Owner)
        .Select(grant => (SuperuserStatements.OthersRights, NameText.Decode(grant.Grantor, target.Details)));

    /// <summary>Null where the schema is none of the dump's, or lets everybody create in it (<c>public</c>, before version 15).</summary>
    private string? SchemaOwner(string schema) =>
        (names.SchemaOwners.GetValueOrDefault(schema) ?? (schema.Length == 0 || (schema == "public" && server.Session.ServerMajor >= 15) ? OfDatabase : null)) is not OfDatabase and var owner
            ? owner : DatabaseOwner;

    private static bool Inherits(string role, string from, IReadOnlyList<Grant> grants)
    {
        HashSet<string> roles = [role];
        while (grants.OfType<Membership>().Any(grant => grant.Inherit != false && roles.Contains(grant.Member) && roles.Add(grant.Role)))
        {
            // Each round adds a role.
        }

        return roles.Contains(from);
    }
}
