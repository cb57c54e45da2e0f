using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Sources.Postgres.Parts;
using Lifeboat.Engine.Sources.Postgres.Restore;
using Lifeboat.Engine.Sources.Postgres.Roles;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Owners;

/// <summary>
/// Sessions for what makes the server run code that an owner in the database wrote: rows are loaded (CHECK constraints, domains, partition keys), and constraints validated
/// (casts, CHECK constraints), with that owner's rights alone. <c>SET ROLE</c> in a superuser's session would not do, because any function can take it back. So each owner gets a
/// role of the restore's own that is its member, and in whose sessions there is no superuser to go back to. Indexes, materialised views and statistics the server
/// itself makes as their owner (SECURITY_RESTRICTED_OPERATION), whoever asks for it.
/// </summary>
/// <param name="noteAsync">Puts the roles' names into the journal before they are there.</param>
internal sealed class OwnerSessions(RestoreTarget target, bool superuser, Func<IReadOnlyList<string>, CancellationToken, Task> noteAsync)
{
    private const int PasswordBytes = 24;
    private const int SaltBytes = 16;
    private const string DatabaseOwner = "pg_database_owner"; // whose one member is whoever owns the database

    private readonly Dictionary<string, (string Role, Secret Password)> _roles = [];
    private readonly List<string> _granted = [];
    private IReadOnlyDictionary<(string Schema, string Name), string> _owners = new Dictionary<(string, string), string>();
    private PostgresConnection? _way;

    /// <summary>Whose sessions a table's rows are loaded in; null for the restore's own.</summary>
    public string? OwnerOf(string schema, string table) => _owners.GetValueOrDefault((schema, table));

    /// <summary>Makes the roles; when the schema is there, and before any row is.</summary>
    /// <param name="refused">Whether the server is known not to let them in.</param>
    public async Task PrepareAsync(bool refused, CancellationToken cancellation)
    {
        if (!superuser)
            return;
        await using PsqlSession session = await target.OpenStagingAsync(cancellation);
        IReadOnlyList<string?[]> rows = await session.QueryAsync(OwnersSql(target.Details.Database.Owner), cancellation);
        _owners = rows.Where(static row => row[1] is not null).ToDictionary(static row => (row[0]!, row[1]!), static row => row[2]!);
        await LetOwnerInAsync(session, cancellation);
        string[] owners = [.. rows.Select(static row => row[2]!).Distinct().Order(StringComparer.Ordinal)];
        if (refused || owners.Length == 0)
            return;
        await CreateAsync(session, owners, cancellation);
        (string role, Secret password) = _roles[owners[0]];
        _way = await new OwnerLogin(target).FindAsync(session, role, password, cancellation);
        if (_way is null)
        {
            target.Context.Progress.Report(new Warned(target.Source, Refused(target.Source)));
            await DropAsync(session, cancellation);
        }
        else if (rows.Any(static row => row[3] == DatabaseOwner))
        {
            await GiveDatabaseAsync(session, _roles[target.Details.Database.Owner].Role, cancellation);
        }
    }

    /// <summary>What a plan says where the server does not let the roles in.</summary>
    public static Problem Refused(string source) => new(
        ErrorCodes.PostgresOwnersUnconfined,
        "the server lets no role in that the restore makes to act as the owners of the database's objects: code of theirs (CHECK constraints, domains, casts) runs in a superuser's session, and could use it",
        "where the database's owners are not to be trusted, let pg_hba.conf take roles with a password from 127.0.0.1 (`host all all 127.0.0.1/32 scram-sha-256`), and restore again", source);

    /// <summary>A session with an owner's rights; with the restore's own where the server does not let the owner's in, which was said.</summary>
    /// <param name="owner">Null for the restore's own.</param>
    public Task<PsqlSession> OpenAsync(string? owner, CancellationToken cancellation) =>
        owner is not null && _way is not null && _roles.TryGetValue(owner, out (string Role, Secret Password) login)
            ? PsqlSession.OpenAsync(target.ServerTools, _way.WithLogin(login.Role, login.Password), cancellation)
            : target.OpenStagingAsync(cancellation);

    /// <summary>The owners of domains, where they are no superusers.</summary>
    public async Task<Dictionary<RelationName, string>> DomainsAsync(PsqlSession session, CancellationToken cancellation) => !superuser ? [] :
        (await session.QueryAsync(
            $"""
            SELECT n.nspname, t.typname, CASE WHEN r.rolname = '{DatabaseOwner}' THEN {SqlText.Literal(target.Details.Database.Owner)} ELSE r.rolname END
            FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace JOIN pg_catalog.pg_roles r ON r.oid = t.typowner
            WHERE t.typtype = 'd' AND NOT r.rolsuper
            """,
            cancellation)).ToDictionary(static row => new RelationName(row[0]!, row[1]!), static row => row[2]!);

    /// <summary>Lets the roles make foreign keys to tables whose owners took that right back since; it goes with the roles.</summary>
    public async Task LetReferAsync(PsqlSession session, IEnumerable<(RelationName From, RelationName To)> keys, CancellationToken cancellation)
    {
        foreach ((string? owner, RelationName to) in keys.Select(key => (OwnerOf(key.From.Schema, key.From.Name), key.To)).Distinct())
        {
            if (owner is null || !_roles.TryGetValue(owner, out (string Role, Secret Password) login))
                continue;
            string role = SqlText.Identifier(login.Role);
            string? may = await session.QueryOneAsync(
                $"""
                SELECT pg_catalog.has_table_privilege({SqlText.Literal(login.Role)}, {to.Oid}, 'REFERENCES')
                  AND pg_catalog.has_schema_privilege({SqlText.Literal(login.Role)}, {SqlText.Literal(SqlText.Identifier(to.Schema))}::pg_catalog.regnamespace::pg_catalog.oid, 'USAGE')
                """,
                cancellation);
            if (may == "f")
                await session.ExecuteAsync($"GRANT USAGE ON SCHEMA {SqlText.Identifier(to.Schema)} TO {role}; GRANT REFERENCES ON TABLE {to.Quoted} TO {role}", cancellation);
        }
    }

    /// <summary>Takes back all that was made for the sessions.</summary>
    public async Task DropAsync(PsqlSession session, CancellationToken cancellation)
    {
        await session.CommitToDiskAsync(cancellation);
        foreach (string revoke in _granted)
            await session.ExecuteAsync(revoke, cancellation);
        _granted.Clear();
        if (_roles.Count == 0)
            return;
        await GiveDatabaseAsync(session, session.User, cancellation);
        string all = string.Join(", ", _roles.Values.Select(static one => SqlText.Identifier(one.Role)));
        await session.ExecuteAsync($"BEGIN; DROP OWNED BY {all}; DROP ROLE {all}; COMMIT", cancellation);
        _roles.Clear();
        _way = null;
        await noteAsync([], cancellation);
    }

    private async Task CreateAsync(PsqlSession session, string[] owners, CancellationToken cancellation)
    {
        foreach (string owner in owners)
        {
            byte[] chance = new byte[PasswordBytes + SaltBytes];
            target.Context.Host.FillRandom(chance);
            string password = Convert.ToHexStringLower(chance.AsSpan(0, PasswordBytes));
            string role = LoadRole.Name(target.Names.RestoreId, _roles.Count + 1);
            _roles[owner] = (role, new Secret(password));
        }

        await noteAsync([.. _roles.Values.Select(static one => one.Role)], cancellation);
        List<string> sql = ["BEGIN", RoleRestoration.QuietSql];
        foreach ((string owner, (string role, Secret password)) in _roles)
        {
            byte[] salt = new byte[SaltBytes];
            target.Context.Host.FillRandom(salt);
            string quoted = SqlText.Identifier(role);
            sql.Add($"CREATE ROLE {quoted} LOGIN PASSWORD {SqlText.Literal(ScramVerifier.Of(password.Reveal(), salt))} IN ROLE {SqlText.Identifier(owner)}");
            sql.Add($"GRANT CONNECT ON DATABASE {NameText.ForSession(SqlText.Identifier(target.Names.Staging), session)} TO {quoted}");
        }

        await session.ExecuteAsync(string.Join(";\n", [.. sql, "COMMIT"]), cancellation);
        foreach ((string owner, (string role, _)) in _roles)
            await LetInAsync(session, owner, role, cancellation);
    }

    /// <summary>To own what <c>pg_database_owner</c> owns, one must own the database.</summary>
    private async Task GiveDatabaseAsync(PsqlSession session, string role, CancellationToken cancellation) => await session.ExecuteAsync(
        $"ALTER DATABASE {NameText.ForSession(SqlText.Identifier(target.Names.Staging), session)} OWNER TO {SqlText.Identifier(role)}", cancellation);

    /// <summary>
    /// What an owner took from itself, or has only as the database's owner, which it is not yet. What is given here goes with the role.
    /// </summary>
    private static async Task LetInAsync(PsqlSession session, string owner, string role, CancellationToken cancellation)
    {
        IReadOnlyList<string?[]> rows = await session.QueryAsync(
            $"""
            SELECT DISTINCT 'USAGE ON SCHEMA ' || pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_namespace n
            JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
            WHERE r.rolname = {SqlText.Literal(owner)} AND c.relkind IN ('r', 'p') AND NOT pg_catalog.has_schema_privilege({SqlText.Literal(role)}, n.oid, 'USAGE')
            UNION ALL
            SELECT 'INSERT, TRUNCATE, SELECT, REFERENCES ON TABLE ' || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) FROM pg_catalog.pg_namespace n
            JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
            WHERE r.rolname = {SqlText.Literal(owner)} AND c.relkind IN ('r', 'p')
              AND EXISTS (SELECT FROM (VALUES ('INSERT'), ('TRUNCATE'), ('SELECT'), ('REFERENCES')) p(name)
                WHERE NOT pg_catalog.has_table_privilege({SqlText.Literal(role)}, c.oid, p.name))
            """,
            cancellation);
        foreach (string?[] row in rows)
            await session.ExecuteAsync($"GRANT {row[0]} TO {SqlText.Identifier(role)}", cancellation);
    }

    /// <summary>The database will belong to its owner only when it is opened: until then the owner gets the use of the schemas that it has by that.</summary>
    private async Task LetOwnerInAsync(PsqlSession session, CancellationToken cancellation)
    {
        string owner = target.Details.Database.Owner;
        IReadOnlyList<string?[]> rows = await session.QueryAsync(
            $"""
            SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles o ON o.oid = n.nspowner
            JOIN pg_catalog.pg_roles r ON r.rolname = {SqlText.Literal(owner)}
            WHERE o.rolname = '{DatabaseOwner}' AND NOT pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE')
            """,
            cancellation);
        foreach (string?[] row in rows)
        {
            await session.ExecuteAsync($"GRANT USAGE ON SCHEMA {row[0]} TO {SqlText.Identifier(owner)}", cancellation);
            _granted.Add($"REVOKE USAGE ON SCHEMA {row[0]} FROM {SqlText.Identifier(owner)}");
        }
    }

    /// <summary>
    /// Tables, and domains without their names, with owners that are no superusers. What belongs to <c>pg_database_owner</c> belongs to the database's owner.
    /// </summary>
    private static string OwnersSql(string databaseOwner) =>
        $"""
        SELECT o.schema, o.name, r.rolname, w.rolname FROM (
          SELECT n.nspname AS schema, c.relname AS name, c.relowner AS owner FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'p')
          UNION ALL SELECT NULL, NULL, t.typowner FROM pg_catalog.pg_type t WHERE t.typtype = 'd') o
        JOIN pg_catalog.pg_roles w ON w.oid = o.owner
        JOIN pg_catalog.pg_roles r ON r.rolname = CASE WHEN w.rolname = '{DatabaseOwner}' THEN {SqlText.Literal(databaseOwner)} ELSE w.rolname END
        WHERE NOT r.rolsuper
        """;
}
