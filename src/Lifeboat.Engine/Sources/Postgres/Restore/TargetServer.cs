using System.Globalization;
using Lifeboat.Engine.Sources.Postgres.Roles;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>A database of the target server that has one of the names concerned.</summary>
internal sealed record TargetDatabase(string Name, string Owner, bool OurOwn, long? Bytes);

/// <summary>An extension as the target server offers it.</summary>
/// <param name="Versions">Every version that can be installed.</param>
/// <param name="NeedsSuperuser">Whether only a superuser can install it: neither trusted nor without that need.</param>
internal sealed record OfferedExtension(string Name, string? DefaultVersion, IReadOnlySet<string> Versions, bool NeedsSuperuser);

/// <summary>Who uses the live database now.</summary>
/// <param name="Unendable">Roles whose connections we may not end.</param>
internal sealed record DatabaseUse(long Connections, long PreparedTransactions, long ReplicationSlots, long Subscriptions, IReadOnlyList<string> Unendable);

/// <summary>Asks the target server what a restore needs to know; changes nothing.</summary>
internal sealed class TargetServer(PsqlSession session)
{
    public PsqlSession Session => session;

    public async Task<TargetRights> RightsAsync(CancellationToken cancellation)
    {
        string[] me = [.. (await session.QueryAsync(
            """
            SELECT rolcreatedb, rolcreaterole, (SELECT rolname FROM pg_catalog.pg_roles WHERE oid = 10)
            FROM pg_catalog.pg_roles WHERE rolname = current_user
            """,
            cancellation))[0].Select(static value => value ?? "")];
        // To give an object away one must be able to become its new owner, and to go on working with it, to inherit that one's rights.
        string right = session.ServerMajor >= 16 ? "SET" : "MEMBER";
        IReadOnlyList<string?[]> roles = await session.QueryAsync(
            $"SELECT rolname FROM pg_catalog.pg_roles WHERE pg_catalog.pg_has_role(current_user, oid, '{right}') AND pg_catalog.pg_has_role(current_user, oid, 'USAGE')",
            cancellation);
        return new TargetRights(
            session.User, session.IsSuperuser, session.IsSuperuser || me[0] == "t", session.IsSuperuser || me[1] == "t", session.ServerMajor, me[2],
            roles.Select(static row => row[0]!).ToHashSet());
    }

    public async Task<IReadOnlyDictionary<string, TargetDatabase>> DatabasesAsync(IEnumerable<string> names, CancellationToken cancellation)
    {
        IReadOnlyList<string?[]> rows = await session.QueryAsync(
            $"""
            SELECT d.datname, r.rolname, pg_catalog.pg_has_role(current_user, d.datdba, 'USAGE'),
              CASE WHEN pg_catalog.has_database_privilege(d.oid, 'CONNECT') THEN pg_catalog.pg_database_size(d.oid) END
            FROM pg_catalog.pg_database d LEFT JOIN pg_catalog.pg_roles r ON r.oid = d.datdba
            WHERE d.datname IN ({string.Join(", ", names.Select(SqlText.Literal))})
            """,
            cancellation);
        return rows.Select(static row => new TargetDatabase(
                row[0]!, row[1] ?? "", row[2] == "t", row[3] is null ? null : long.Parse(row[3]!, CultureInfo.InvariantCulture)))
            .ToDictionary(static database => database.Name);
    }

    public async Task<DatabaseUse> UseAsync(string database, CancellationToken cancellation)
    {
        string name = SqlText.Literal(database);
        IReadOnlyList<string?[]> rows = await session.QueryAsync(
            $"""
            SELECT
              (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = {name} AND pid <> pg_catalog.pg_backend_pid() AND backend_type = 'client backend'),
              (SELECT count(*) FROM pg_catalog.pg_prepared_xacts WHERE database = {name}),
              (SELECT count(*) FROM pg_catalog.pg_replication_slots WHERE database = {name}),
              (SELECT count(*) FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid WHERE d.datname = {name})
            """,
            cancellation);
        long[] counts = [.. rows[0].Select(static value => long.Parse(value!, CultureInfo.InvariantCulture))];
        IReadOnlyList<string?[]> unendable = await session.QueryAsync(
            $"""
            SELECT DISTINCT a.usename FROM pg_catalog.pg_stat_activity a JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
            WHERE a.datname = {name} AND NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
              AND (r.rolsuper OR NOT (pg_catalog.pg_has_role(current_user, r.oid, 'USAGE') OR pg_catalog.pg_has_role(current_user, 'pg_signal_backend', 'USAGE')))
            ORDER BY 1
            """,
            cancellation);
        return new DatabaseUse(counts[0], counts[1], counts[2], counts[3], [.. unendable.Select(static row => row[0]!)]);
    }

    /// <summary>How many more connections we could make now; this session is counted as one that is there.</summary>
    public async Task<long> FreeConnectionsAsync(bool superuser, CancellationToken cancellation)
    {
        string reserved = superuser ? "0" : session.ServerMajor >= 16
            ? "pg_catalog.current_setting('superuser_reserved_connections')::int + pg_catalog.current_setting('reserved_connections')::int"
            : "pg_catalog.current_setting('superuser_reserved_connections')::int";
        string? free = await session.QueryOneAsync(
            $"""
            SELECT least(
              pg_catalog.current_setting('max_connections')::int - ({reserved})
                - (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend'),
              (SELECT CASE WHEN rolconnlimit >= 0 AND NOT rolsuper THEN rolconnlimit - (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE usename = current_user) END
               FROM pg_catalog.pg_roles WHERE rolname = current_user))
            """, cancellation);
        return long.Parse(free ?? "0", CultureInfo.InvariantCulture);
    }

    public async Task<IReadOnlyDictionary<string, OfferedExtension>> ExtensionsAsync(CancellationToken cancellation)
    {
        string trusted = session.ServerMajor >= 13 ? "v.superuser AND NOT v.trusted" : "v.superuser";
        IReadOnlyList<string?[]> rows = await session.QueryAsync(
            $"""
            SELECT e.name, e.default_version, v.version, {trusted}
            FROM pg_catalog.pg_available_extensions e JOIN pg_catalog.pg_available_extension_versions v ON v.name = e.name
            """,
            cancellation);
        return rows.GroupBy(static row => row[0]!).ToDictionary(
            static group => group.Key,
            static group => new OfferedExtension(
                group.Key, group.First()[1], group.Select(static row => row[2]!).ToHashSet(), group.Any(static row => row[2] == row[1] && row[3] == "t")));
    }

    /// <summary>A setting of the server; null where it has none of that name, or does not tell us.</summary>
    public Task<string?> SettingAsync(string name, CancellationToken cancellation) => session.QueryOneAsync(
        $"SELECT setting FROM pg_catalog.pg_settings WHERE name = {SqlText.Literal(name)}", cancellation);

    /// <summary>The tablespaces that we may use.</summary>
    public async Task<IReadOnlySet<string>> TablespacesAsync(CancellationToken cancellation) =>
        (await session.QueryAsync("SELECT spcname FROM pg_catalog.pg_tablespace WHERE pg_catalog.has_tablespace_privilege(oid, 'CREATE')", cancellation))
            .Select(static row => row[0]!).ToHashSet();

    /// <summary>Whether we have a role's rights; false where there is no such role.</summary>
    public async Task<bool> HasRoleAsync(string role, CancellationToken cancellation) => await session.QueryOneAsync(
        $"SELECT pg_catalog.pg_has_role(current_user, oid, 'USAGE') FROM pg_catalog.pg_roles WHERE rolname = {SqlText.Literal(role)}", cancellation) == "t";

    /// <summary>Whether a directory on the server could hold a new tablespace: it is there and holds none of this server's. Only a superuser can ask.</summary>
    public async Task<bool> CanHoldTablespaceAsync(string directory, CancellationToken cancellation)
    {
        string where = SqlText.Literal(directory);
        string? there = await session.QueryOneAsync($"SELECT (pg_catalog.pg_stat_file({where}, true)).isdir", cancellation);
        return there == "t" && await session.QueryOneAsync(
            $"SELECT count(*) FROM pg_catalog.pg_ls_dir({where}, true, false) n WHERE n LIKE 'PG\\_{session.ServerMajor}\\_%'", cancellation) == "0";
    }

    /// <summary>Whether the server has a libc locale (and so can make a database with it).</summary>
    public async Task<bool> HasLibcLocaleAsync(string locale, CancellationToken cancellation)
    {
        if (locale is "C" or "POSIX")
            return true;
        // pg_collation has the locales of the day of initdb; one that was installed later is found by making a collation, and taking it back.
        string plain = locale.Replace("-", "", StringComparison.Ordinal);
        string? known = await session.QueryOneAsync(
            $"""
            SELECT count(*) FROM pg_catalog.pg_collation
            WHERE pg_catalog.lower(pg_catalog.replace(collcollate, '-', '')) = pg_catalog.lower({SqlText.Literal(plain)}) AND collprovider IN ('c', 'd')
            """,
            cancellation);
        return known != "0" || await CanMakeCollationAsync(locale, cancellation);
    }

    public async Task<bool> HasIcuAsync(CancellationToken cancellation) =>
        await session.QueryOneAsync("SELECT count(*) FROM pg_catalog.pg_collation WHERE collprovider = 'i'", cancellation) != "0";

    /// <summary>Whether a provider of security labels is loaded. No view tells; a label on a role that is not there is refused for one reason or the other.</summary>
    public async Task<bool> HasLabelProviderAsync(string provider, CancellationToken cancellation)
    {
        try
        {
            await session.ExecuteAsync($"SECURITY LABEL FOR {SqlText.Identifier(provider)} ON ROLE pg_lifeboat_probe IS NULL", cancellation);
        }
        catch (Errors.LifeboatException e) when (PostgresError.Of(e) is { } error)
        {
            return error.SqlState != "22023"; // "security label provider … is not loaded"
        }

        return true;
    }

    /// <summary>The data directory, where we may know it; null otherwise.</summary>
    public Task<string?> DataDirectoryAsync(CancellationToken cancellation) => session.QueryOneAsync(
        """
        SELECT CASE WHEN pg_catalog.pg_has_role(current_user, 'pg_read_all_settings', 'MEMBER') THEN pg_catalog.current_setting('data_directory') END
        """,
        cancellation);

    private async Task<bool> CanMakeCollationAsync(string locale, CancellationToken cancellation)
    {
        await session.ExecuteAsync("BEGIN", cancellation);
        try
        {
            await session.ExecuteAsync($"CREATE COLLATION pg_temp.lifeboat_probe (PROVIDER = libc, LOCALE = {SqlText.Literal(locale)})", cancellation);
            return true;
        }
        catch (Errors.LifeboatException e) when (PostgresError.Of(e) is { } error)
        {
            // The locale is there and wants another encoding than this database's (22023 with that word), or we may not ask (42501).
            return error.SqlState != "22023" || error.Message.Contains("encoding", StringComparison.OrdinalIgnoreCase);
        }
        finally
        {
            await session.ExecuteAsync("ROLLBACK", CancellationToken.None);
        }
    }
}
