using System.Globalization;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Extensions;
using Lifeboat.Engine.Sources.Postgres.Owners;
using Lifeboat.Engine.Sources.Postgres.Roles;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>What preflight found out, for the steps that follow.</summary>
/// <param name="RolesThere">Names of the roles that there will be on the server.</param>
/// <param name="Database">The database as it will be: as captured, without settings of roles that may not be made.</param>
/// <param name="ExtensionVersions">The version of each extension that is not created in the server's default one.</param>
/// <param name="KeepTablespaces">False where everything goes into the default tablespace.</param>
internal sealed record PreparedRestore(
    RestorePlan Plan,
    TargetRights Rights,
    RolePlan Roles,
    IReadOnlySet<string> RolesThere,
    PostgresDatabase Database,
    bool KeepTablespaces,
    IReadOnlyList<GlobalTablespace> CreateTablespaces,
    IReadOnlyDictionary<string, string> ExtensionVersions)
{
    /// <summary>Whether the server is known not to let roles in that the restore makes.</summary>
    public bool LoadRolesRefused { get; init; }

    /// <summary>What the database is given when it is opened.</summary>
    public DatabaseAccess Access(PostgresDetails details)
    {
        string decode(string name) => NameText.Decode(name, details);
        return DatabaseAccess.Of(Database, role => role.StartsWith("pg_", StringComparison.Ordinal) || RolesThere.Contains(decode(role)), decode);
    }
}

/// <summary>Looks at the target server and says what a restore would do there, and every reason why it would fail. Changes nothing.</summary>
internal sealed class RestorePreflight(RestoreTarget target, PsqlSession session, PostgresSettings settings)
{
    private readonly TargetServer _server = new(session);
    private readonly List<Problem> _blockers = [];
    private readonly List<Problem> _warnings = [];
    private readonly List<string> _steps = [];
    private readonly Dictionary<string, string> _extensionVersions = [];

    private PostgresDetails Details => target.Details;

    public async Task<PreparedRestore> RunAsync(CancellationToken cancellation)
    {
        TargetRights rights = await _server.RightsAsync(cancellation);
        CheckVersion();
        await CheckConnectionsAsync(rights, cancellation);
        Globals captured = await target.CapturedGlobalsAsync(cancellation);
        Globals there = await target.TargetGlobalsAsync(rights.Superuser, cancellation);
        SchemaNames names = !rights.Superuser || captured.Tablespaces.Count > 0
            ? SchemaNames.Read(await target.ReadTextAsync($"{target.Folder}/schema.sql", cancellation))
            : SchemaNames.None;
        RolePlan roles = PlanRoles(captured, there, rights, names);
        HashSet<string> rolesThere = [.. there.Roles.Keys, .. roles.Create.Select(static role => role.Name)];
        PostgresDatabase database = Details.Database;
        // An older server would not understand what to try, and takes no snapshot anyway.
        if (!rights.Superuser && !session.InRecovery && !target.IsOlder)
        {
            roles = roles.WithOwners(names.Owners.Append(NameText.Decode(Details.Database.Owner, Details)).Distinct(), rights, target.Source);
            (roles, IReadOnlyList<PostgresSetting> possible) = await new RoleTrial(session, rights, Details, target.Source).RunAsync(
                roles, role => role.StartsWith("pg_", StringComparison.Ordinal) || rolesThere.Contains(role), cancellation);
            database = database with { Settings = possible };
        }

        _blockers.AddRange(roles.Blockers);
        _warnings.AddRange(roles.Warnings);
        CheckDatabaseRight(rights);
        if (!rights.Superuser)
            await new SuperuserNeeds(target, _server, names).CheckAsync(rights, [.. there.Grants], roles.Grant, _blockers, cancellation);
        (bool keep, List<GlobalTablespace> create) = await PlanTablespacesAsync(captured, rights, names, cancellation);
        await CheckExtensionsAsync(rights, cancellation);
        await CheckLabelProvidersAsync(cancellation);
        await CheckLocaleAsync(cancellation);
        IReadOnlyDictionary<string, TargetDatabase> databases =
            await _server.DatabasesAsync([target.Names.Live, target.Names.Staging, target.Names.Before], cancellation);
        TargetDatabase? live = databases.GetValueOrDefault(target.Names.Live);
        CheckNames(databases);
        await CheckKnownExtensionsAsync(cancellation);
        if (live is not null)
            await CheckLiveAsync(live, rights, cancellation);
        bool refused = await AreOwnersRefusedAsync(rights, rolesThere, cancellation);
        Describe(live, roles, create);
        RestorePlan plan = new(
            target.Connection.WithDatabase(target.Names.Live).Target, live is not null, live is null ? null : $"database {target.Names.Before}",
            _steps, await BytesNeededAsync(cancellation), _blockers, _warnings);
        return new PreparedRestore(plan, rights, roles, rolesThere, database, keep, create, _extensionVersions) { LoadRolesRefused = refused };
    }

    /// <summary>Whether code of the owners cannot be confined to their own rights, which the plan says where there are any.</summary>
    private async Task<bool> AreOwnersRefusedAsync(TargetRights rights, HashSet<string> roles, CancellationToken cancellation)
    {
        string role = LoadRole.Name(target.Names.RestoreId, 0);
        if (!rights.Superuser || session.InRecovery || !Details.Roles.Any(static one => !one.Superuser) || roles.Contains(role)
            || !await new OwnerLogin(target).IsRefusedAsync(session, role, cancellation))
            return false;
        SchemaNames names = SchemaNames.Read(await target.ReadTextAsync($"{target.Folder}/schema.sql", cancellation));
        if (Details.Roles.Any(one => !one.Superuser && names.Owners.Contains(NameText.Decode(one.Name, Details))))
            _warnings.Add(OwnerSessions.Refused(target.Source));
        return true;
    }

    private void Block(ErrorCode code, string message, string hint) => _blockers.Add(new Problem(code, message, hint, target.Source));

    private void Warn(ErrorCode code, string message, string hint) => _warnings.Add(new Problem(code, message, hint, target.Source));

    private void CheckVersion()
    {
        if (target.IsOlder)
            Block(
                ErrorCodes.PostgresTargetOlder,
                $"the snapshot is of PostgreSQL {Details.ServerVersion}, and the server is PostgreSQL {session.ServerVersion}: an older one cannot take it",
                string.Create(CultureInfo.InvariantCulture, $"restore to a server of PostgreSQL {Details.ServerVersionNumber / 10000} or newer (--target {target.Source}=URL)"));
        if (session.InRecovery)
            Block(ErrorCodes.PostgresRightMissing, "the server is a standby, which takes no writes", "restore to its primary, or promote it");
    }

    /// <summary>Rows are loaded and read back by as many sessions each as there are workers, beside one that looks on.</summary>
    private async Task CheckConnectionsAsync(TargetRights rights, CancellationToken cancellation)
    {
        int needed = (2 * target.Workers) + 2;
        long free = await _server.FreeConnectionsAsync(rights.Superuser, cancellation);
        if (free < needed)
            Block(
                ErrorCodes.PostgresOutOfResources,
                string.Create(CultureInfo.InvariantCulture, $"the restore needs {needed} connections at a time, and the server has {free} left for user {rights.User}"),
                "end some of the others, raise max_connections or the role's CONNECTION LIMIT, or write a smaller `workers:` in the app file");
    }

    private RolePlan PlanRoles(Globals captured, Globals there, TargetRights rights, SchemaNames names)
    {
        HashSet<string> needed = [.. names.All, NameText.Decode(Details.Database.Owner, Details)];
        foreach (PostgresGrant grant in Details.Database.Acl ?? [])
            needed.UnionWith([NameText.Decode(grant.Grantor, Details), NameText.Decode(grant.Grantee ?? "", Details)]);
        RolePlan roles = RolePlan.Of(captured, there, rights, needed, target.Source, settings.UpdateRoles);
        if (!captured.HasPasswords && roles.Create.Any(static role => role.Attributes.Flags.GetValueOrDefault("login")))
            Warn(
                ErrorCodes.PostgresRoleDiffers, "the snapshot has no passwords, so the roles that are created have none",
                "set them by hand: ALTER ROLE … PASSWORD (a backup by a superuser has them)");
        return roles;
    }

    private void CheckDatabaseRight(TargetRights rights)
    {
        if (!rights.CreateDatabase)
            Block(
                ErrorCodes.PostgresRightMissing, $"user {rights.User} may not create databases",
                $"connect as a superuser, or have one run: ALTER ROLE {SqlText.Identifier(rights.User)} CREATEDB");
    }

    private async Task<(bool Keep, List<GlobalTablespace> Create)> PlanTablespacesAsync(
        Globals captured, TargetRights rights, SchemaNames names, CancellationToken cancellation)
    {
        HashSet<string> needed = [.. names.Tablespaces];
        if (Details.Database.Tablespace != "pg_default")
            needed.Add(NameText.Decode(Details.Database.Tablespace, Details));
        needed.ExceptWith(await _server.TablespacesAsync(cancellation));
        List<GlobalTablespace> create = [];
        foreach (string name in needed.Order(StringComparer.Ordinal))
        {
            bool isMapped = settings.Tablespaces.TryGetValue(name, out string? directory);
            if (captured.Tablespaces.TryGetValue(name, out GlobalTablespace? space) && rights.Superuser
                && await _server.CanHoldTablespaceAsync(directory ?? space.Location, cancellation))
            {
                create.Add(isMapped ? space.At(directory!) : space);
                continue;
            }

            if (isMapped)
            {
                Block(
                    ErrorCodes.PostgresTablespaceUnusable, $"tablespace {name} cannot be created in {directory} on the server, as the app file wants it",
                    "the directory must be there, empty and owned by the server's user, and the restore needs a superuser");
                continue;
            }

            Warn(
                ErrorCodes.PostgresTablespaceReplaced,
                $"tablespace {name} is not on the server, or may not be used, and cannot be created there ({space?.Location ?? "no directory"}): everything goes into the default tablespace",
                "create the directory on the server (empty, owned by its user), or name another under `tablespaces:` in the app file, then run again; or move tables afterwards");
            return (false, []);
        }

        return (true, create);
    }

    private async Task CheckExtensionsAsync(TargetRights rights, CancellationToken cancellation)
    {
        IReadOnlyDictionary<string, OfferedExtension> offered = await _server.ExtensionsAsync(cancellation);
        foreach (PostgresExtension extension in Details.Extensions)
        {
            if (!offered.TryGetValue(extension.Name, out OfferedExtension? there))
            {
                Block(
                    ErrorCodes.PostgresExtensionMissing,
                    $"the database uses extension {extension.Name} {extension.Version}, which is not installed on the server's machine",
                    ExtensionPackages.Hint(extension.Name, session.ServerMajor));
                continue;
            }

            if (there.NeedsSuperuser && !rights.Superuser)
                Block(
                    ErrorCodes.PostgresRightMissing, $"only a superuser can create extension {extension.Name}", "connect as a superuser");
            bool same = there.Versions.Contains(extension.Version);
            if (there.DefaultVersion != extension.Version && same)
                _extensionVersions[extension.Name] = extension.Version;
            else if (!same && extension.Views is { } views)
                Block(
                    ErrorCodes.PostgresExtensionMissing,
                    $"extension {extension.Name} is version {extension.Version} in the snapshot, and the server has only {string.Join(", ", there.Versions.Order())}: "
                    + $"views {string.Join(", ", views.Select(static view => $"{view.Schema}.{view.Name}"))} are made of that version's own functions",
                    $"restore to a server with version {extension.Version}, drop these views there (keep their CREATE statements), and back that up");
            else if (!same && KnownExtensions.Find(extension.Name) is { SameVersion: true })
                Block(
                    ErrorCodes.PostgresExtensionMissing,
                    $"extension {extension.Name} is version {extension.Version} in the snapshot, and the server has only {string.Join(", ", there.Versions.Order())}: "
                    + "it restores into its own version alone",
                    $"install version {extension.Version} on the server's machine, restore, then ALTER EXTENSION {extension.Name} UPDATE");
            else if (!same)
                Warn(
                    ErrorCodes.PostgresNotComparable,
                    $"extension {extension.Name} is version {extension.Version} in the snapshot and will be {there.DefaultVersion}, the server's default",
                    $"see the extension's notes on that version, or install {extension.Version} on the server's machine first");
        }
    }

    private async Task CheckKnownExtensionsAsync(CancellationToken cancellation)
    {
        foreach (KnownExtension known in Details.Extensions.Select(static e => KnownExtensions.Find(e.Name)).OfType<KnownExtension>())
        {
            string? libraries = await _server.SettingAsync("shared_preload_libraries", cancellation);
            if (known.PreloadedLibrary is { } library && libraries is not null
                && !libraries.Split(',').Any(name => Path.GetFileName(name.Trim(' ', '"', '\'')).Equals(library, StringComparison.Ordinal)))
                Block(
                    ErrorCodes.PostgresExtensionMissing, $"extension {known.Name} works only where the server has loaded its library at its start, and it has not",
                    $"add {library} to shared_preload_libraries in the server's postgresql.conf, and restart the server");
            if (known.CreatedInDatabase is { } name && (await _server.DatabasesAsync([name], cancellation)).Count > 0)
                Block(
                    ErrorCodes.PostgresNameTaken, $"there is a database {name}, whose name extension {known.Name} needs for a moment while it is created",
                    $"rename that database for the time of the restore: ALTER DATABASE {SqlText.Identifier(name)} RENAME TO …");
            if (known.DatabaseSetting is { } setting && await _server.SettingAsync(setting, cancellation) is { } there && there != target.Names.Live)
                Warn(
                    ErrorCodes.PostgresNotComparable, $"the server's {setting} is {there}: extension {known.Name} will not work for database {target.Names.Live}",
                    $"set {setting} = '{target.Names.Live}' in the server's postgresql.conf, and restart the server");
        }
    }

    private async Task CheckLabelProvidersAsync(CancellationToken cancellation)
    {
        foreach (string provider in Details.LabelProviders ?? [])
        {
            if (!session.InRecovery && !await _server.HasLabelProviderAsync(provider, cancellation))
                Block(
                    ErrorCodes.PostgresExtensionMissing, $"objects have security labels of provider {provider}, which the server has not loaded",
                    $"install {provider} on the server's machine, name its library in shared_preload_libraries, and restart the server");
        }
    }

    private async Task CheckLocaleAsync(CancellationToken cancellation)
    {
        PostgresDatabase database = Details.Database;
        foreach (string locale in new HashSet<string> { database.Collate, database.Ctype })
        {
            if (!await _server.HasLibcLocaleAsync(locale, cancellation))
                Block(
                    ErrorCodes.PostgresLocaleMissing, $"the database sorts by locale {locale}, which the server does not have",
                    $"install the locale on the server's machine (Debian: dpkg-reconfigure locales, or localedef for {locale}), then restart the server");
        }

        if (database.LocaleProvider == "icu" && !await _server.HasIcuAsync(cancellation))
            Block(ErrorCodes.PostgresLocaleMissing, "the database sorts by ICU, which the server was built without", "use a server with ICU");
    }

    private void CheckNames(IReadOnlyDictionary<string, TargetDatabase> databases)
    {
        foreach (string name in new[] { target.Names.Staging, target.Names.Before }.Where(databases.ContainsKey))
            Block(
                ErrorCodes.PostgresNameTaken, $"there is a database {name} already", "it is an earlier restore's; drop it, or run the restore again under a new id");
    }

    private async Task CheckLiveAsync(TargetDatabase live, TargetRights rights, CancellationToken cancellation)
    {
        if (!rights.Superuser && !live.OurOwn)
            Block(
                ErrorCodes.PostgresRightMissing, $"database {live.Name} belongs to {live.Owner}, and only its owner can rename it",
                $"connect as a superuser or as {live.Owner}");
        DatabaseUse use = await _server.UseAsync(live.Name, cancellation);
        if (use.PreparedTransactions > 0)
            Block(
                ErrorCodes.PostgresDatabaseInUse,
                string.Create(CultureInfo.InvariantCulture, $"database {live.Name} has {use.PreparedTransactions} prepared transactions, and cannot be renamed while it has"),
                "end them (pg_prepared_xacts lists them): COMMIT PREPARED or ROLLBACK PREPARED");
        if (use.Connections > 0)
            Warn(
                ErrorCodes.PostgresDatabaseInUse,
                string.Create(CultureInfo.InvariantCulture, $"{use.Connections} connections to database {live.Name} are open now; at the switch they are ended"),
                "stop the application first, where it does not connect again by itself");
        if (use.Unendable.Count > 0)
            Warn(
                ErrorCodes.PostgresDatabaseInUse,
                $"user {rights.User} may not end the connections that {string.Join(", ", use.Unendable)} has to database {live.Name} now: while there are any, the switch fails",
                $"stop the application first, or have a superuser run: GRANT pg_signal_backend TO {SqlText.Identifier(rights.User)}");
        if (use.ReplicationSlots + use.Subscriptions > 0)
            Warn(
                ErrorCodes.PostgresDatabaseInUse,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"database {live.Name} has {use.ReplicationSlots} replication slots and {use.Subscriptions} subscriptions; they stay with the database that is kept aside"),
                "make them anew for the restored database; restored subscriptions are disabled");
    }

    private void Describe(TargetDatabase? live, RolePlan roles, List<GlobalTablespace> spaces)
    {
        long rows = target.Captured.Tables?.Sum(static table => table.Rows) ?? 0;
        string many(long count, string one) => string.Create(CultureInfo.InvariantCulture, $"{count:N0} {one}{(count == 1 ? "" : "s")}");
        if (roles.Create.Count > 0)
            _steps.Add($"create {many(roles.Create.Count, "role")}: {string.Join(", ", roles.Create.Select(static role => role.Name))}");
        foreach (IGrouping<string, Grant> grants in roles.Grant.GroupBy(static grant => grant is Membership ? "membership" : "server parameter's right"))
            _steps.Add($"grant {many(grants.Count(), grants.Key)}");
        string[] kept = [.. roles.Kept.Except(roles.Update.Select(static update => update.Captured.Name))];
        if (kept.Length > 0)
            _steps.Add($"keep {many(kept.Length, "role")} as they are: {string.Join(", ", kept)}");
        foreach (RoleUpdate update in roles.Update)
            _steps.Add($"change role {update.Captured.Name}: {string.Join("; ", update.Differences)}");
        _steps.AddRange(roles.Changes.Select(static change => change.Step));
        foreach (GlobalTablespace space in spaces)
            _steps.Add($"create tablespace {space.Name} in {space.Location}");
        _steps.Add(
            $"restore {many(Details.Tables.Count, "table")} with {many(rows, "row")}, {many(Details.Sequences.Count, "sequence")}, "
            + $"{many(Details.LargeObjects.Count, "large object")}, {many(Details.Extensions.Count, "extension")} into database {target.Names.Staging}, and compare");
        if (live is not null)
            _steps.Add($"rename database {live.Name} to {target.Names.Before}, and keep it");
        _steps.Add($"rename database {target.Names.Staging} to {target.Names.Live}");
    }

    /// <summary>
    /// Space is only known where the server's data directory is this machine's. What was captured says how much is needed: rows grow by their headers,
    /// and indexes come on top, about as much again.
    /// </summary>
    private async Task<IReadOnlyDictionary<string, long>> BytesNeededAsync(CancellationToken cancellation)
    {
        Dictionary<string, long> needed = [];
        if (target.Connection.Via.Count == 0 && await _server.DataDirectoryAsync(cancellation) is { } directory && Directory.Exists(directory)
            && await IsThisMachineAsync(directory, cancellation))
            needed[directory] = (target.Captured.Tables?.Sum(static table => table.Bytes) ?? 0) * 2;
        return needed;
    }

    /// <summary>A directory of that name may be another server's: this one's has the same identity in both views.</summary>
    private async Task<bool> IsThisMachineAsync(string directory, CancellationToken cancellation)
    {
        string postmaster = Path.Combine(directory, "postmaster.pid");
        try
        {
            string[] lines = await File.ReadAllLinesAsync(postmaster, cancellation);
            string? port = await session.QueryOneAsync("SELECT pg_catalog.current_setting('port')", cancellation);
            return lines.Length > 3 && lines[3] == port;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
