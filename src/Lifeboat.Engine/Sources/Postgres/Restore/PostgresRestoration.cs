using System.Globalization;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Extensions;
using Lifeboat.Engine.Sources.Postgres.Owners;
using Lifeboat.Engine.Sources.Postgres.Roles;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;
using Lifeboat.Engine.Sources.Servers;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>
/// The restore of one PostgreSQL database: it is built as <c>DB__staging_ID</c> on the same server, compared, and renamed into its place, while what was there is
/// kept as <c>DB__before_ID</c>. Beside that database only roles and tablespaces are created that were not there; nothing that was is altered.
/// </summary>
/// <param name="toolsFolder">The app file's <c>tools:</c> folder for postgres; null for none.</param>
/// <param name="run">What the run's other restores made.</param>
internal sealed class PostgresRestoration(
    RunContext context,
    PostgresSettings settings,
    ISecretResolver secrets,
    string? toolsFolder,
    VerifiedSnapshot snapshot,
    SourceMetadata captured,
    RestoreRun restore,
    MadeOnServers run) : IRestoration
{
    private readonly PostgresNeutral _neutral = new(settings.Name, settings.Neutralize, context.Progress);
    private RestoreTarget? _target;
    private DatabaseSwitch? _switch;
    private PreparedRestore? _prepared;
    private TableReadBack? _readBack;
    private string? _compared;
    private UnfitRows? _unfit;
    private IReadOnlySet<PostgresMaterializedView> _unfilled = new HashSet<PostgresMaterializedView>();

    public async Task<RestorePlan> PlanAsync(CancellationToken cancellation)
    {
        try
        {
            RestoreTarget target = await TargetAsync(cancellation);
            // An older server takes nothing of it, which preflight says; its programs could not read the dump.
            if (!target.IsOlder)
                await new SchemaCheck(target).RequireAsync(cancellation);
            await using PsqlSession session = await target.OpenMaintenanceAsync(cancellation);
            _prepared = await new RestorePreflight(target, session, settings).RunAsync(cancellation);
            _switch = new DatabaseSwitch(
                context, settings.Name,
                new DatabaseSwitchRecord(target.Names.Live, target.Names.Staging, target.Names.Before, target.MaintenanceDatabase)
                {
                    Changes = RoleChanges.Of(_prepared.Roles, restore.Id, target.Names.Live),
                    IncomingAccess = _prepared.Access(target.Details),
                },
                Quiet(target, _prepared).OpenAsync,
                restore.RecordAsync);
            _prepared = _prepared with { Plan = _prepared.Plan with { Steps = [.. _prepared.Plan.Steps, .. _neutral.Steps] } };
            return _prepared.Plan;
        }
        catch (LifeboatException e)
        {
            // A server that does not answer is a reason like any other: the plan of the other sources is wanted all the same.
            return RestorePlan.NotMade(settings.Name, e.Problems);
        }
    }

    public async Task StageAsync(CancellationToken cancellation)
    {
        RestorePlan plan = _prepared?.Plan ?? await PlanAsync(cancellation);
        if (plan.Blockers.Count > 0 || _prepared is null || _switch is null)
            throw new LifeboatException(plan.Blockers);
        RestoreTarget target = await TargetAsync(cancellation);
        PreparedRestore prepared = _prepared;
        _unfit = new UnfitRows(target);
        StagedContent content = new(target);
        SchemaRestore schema = new(target, prepared.KeepTablespaces);
        await StepAsync("roles and the empty database", () => CreateAsync(target, _switch, prepared, cancellation));
        ExtensionRestore extensions = new(target.Details);
        await StepAsync("what comes before the rows", () => schema.PreDataAsync(extensions, prepared.ExtensionVersions, cancellation));
        _readBack = new TableReadBack(target);
        OwnerSessions owners = new(target, prepared.Rights.Superuser, (roles, token) => _switch.NoteAsync(_switch.State with { LoadRoles = roles }, token));
        using ChecksSetAside checks = new(target);
        await owners.PrepareAsync(prepared.LoadRolesRefused, cancellation);
        TableLoad load = await content.PrepareLoadAsync(_readBack, owners, checks, cancellation);
        await Together.RunAsync(
            cancellation,
            load.RunAsync,
            async token =>
            {
                await StepAsync("rows", () => load.AllLoaded.WaitAsync(token));
                await content.LoadOthersAsync(extensions, token);
                EventTriggers triggers = new();
                await StepAsync("indexes, constraints and triggers", () => PostDataAsync(Quiet(target, prepared), schema, new PostDataRestore(Quiet(target, prepared), owners, checks, _unfit), triggers, token));
                await StepAsync("materialised views, statistics and settings", () => FinishAsync(Quiet(target, prepared), prepared, content, owners, triggers, token));
            });
    }

    public async Task<VerifyReport> VerifyAsync(CancellationToken cancellation)
    {
        if (_prepared is null || _switch is null || _readBack is null || _unfit is null)
            throw new InvalidOperationException("nothing was staged");
        RestoreTarget target = Quiet(await TargetAsync(cancellation), _prepared);
        _compared = await WritesAsync(target, cancellation);
        HashSet<string> created = [.. _switch.State.IncomingMade.Roles.Select(static role => role.Name)];
        ReferenceDatabase reference = new(target, _prepared, _switch);
        return await new RestoreVerification(target, _prepared, _readBack, created, _unfilled, reference) { Unfit = _unfit }.RunAsync(cancellation);
    }

    public async Task NeutralizeAsync(CancellationToken cancellation)
    {
        if (settings.Neutralize.Count == 0)
            return;
        RestoreTarget target = await TargetAsync(cancellation);
        if (await WritesAsync(target, cancellation) != _compared)
            throw StagedWrites.Changed(target.Names.Staging, settings.Name);
        int statements;
        await using (PsqlSession session = await target.OpenStagingAsync(cancellation))
            statements = await _neutral.RunAsync(session, target.Details.Database.Owner, cancellation);
        _compared = await WritesAsync(target, cancellation);
        context.Progress.Report(new Noted(settings.Name, string.Create(CultureInfo.InvariantCulture, $"made neutral by {statements} statements")));
    }

    public async Task SealAsync(CancellationToken cancellation)
    {
        if (_switch is null || _compared is null)
            throw new InvalidOperationException("nothing was verified");
        await _switch.SealAsync(_compared, cancellation);
    }

    public ISwitch Switch => _switch ?? throw new InvalidOperationException("nothing was planned");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task<RestoreTarget> TargetAsync(CancellationToken cancellation) => _target ??= await RestoreTarget.FindAsync(
        context, await PostgresConnection.FromAsync(settings, secrets, cancellation), toolsFolder, snapshot, captured, restore.Id, cancellation);

    private async Task StepAsync(string what, Func<Task> step)
    {
        long started = context.Host.Time.GetTimestamp();
        await step();
        context.Progress.Report(new Noted(
            settings.Name, string.Create(CultureInfo.InvariantCulture, $"restored {what} in {context.Host.Time.GetElapsedTime(started).TotalSeconds:0.0} s")));
    }

    /// <summary>Creates what is missing around the database, and the staged database itself, empty; each noted before it is there.</summary>
    private async Task CreateAsync(RestoreTarget target, DatabaseSwitch databases, PreparedRestore prepared, CancellationToken cancellation)
    {
        await databases.NoteAsync(databases.State, cancellation);
        await using PsqlSession session = await target.OpenMaintenanceAsync(cancellation);
        if (databases.State.Changes is { } changes)
            await changes.PrepareAsync(session, prepared.Roles, context, cancellation);
        await context.StepAsync("create roles", () => new RoleRestoration(run).ApplyAsync(
            session, prepared.Roles, prepared.Rights,
            (roles, given) => NoteMadeAsync(databases, made => made with { Roles = roles, Given = given }, cancellation), cancellation));
        foreach (GlobalTablespace space in prepared.CreateTablespaces)
            await CreateTablespaceAsync(session, databases, space, cancellation);
        PostgresDatabase database = target.Details.Database;
        string owner = NameText.Decode(database.Owner, target.Details);
        string? tablespace = prepared.KeepTablespaces && database.Tablespace != "pg_default" ? NameText.Decode(database.Tablespace, target.Details) : null;
        await CreateDatabaseAsync(
            target, databases, session,
            name => $"{DatabaseSql.Create(database, name, session.ServerMajor, session.IsSuperuser ? null : owner, tablespace)} ALLOW_CONNECTIONS = false",
            name => DatabaseAccess.CloseSql(name, owner, session.User, session.IsSuperuser), cancellation);
        string? oid = await session.QueryOneAsync(
            $"SELECT oid FROM pg_catalog.pg_database WHERE datname = {SqlText.Literal(target.Names.Staging)}", cancellation);
        await databases.NoteAsync(databases.State with { IncomingOid = oid, BuiltAs = null }, cancellation);
        await new CollationWarnings(target).OfDatabaseAsync(session, oid, cancellation);
        foreach (string sql in new StagingDatabase(target.Names.Staging, database).SpeedSql(target.Workers))
            await session.ExecuteAsync(sql, cancellation);
    }

    private async Task CreateTablespaceAsync(PsqlSession session, DatabaseSwitch databases, GlobalTablespace space, CancellationToken cancellation)
    {
        string find = $"SELECT oid FROM pg_catalog.pg_tablespace WHERE spcname = {SqlText.Literal(space.Name)}";
        await NoteMadeAsync(databases, made => made with { Tablespaces = [.. made.Tablespaces, space.Name] }, cancellation);
        if (await session.QueryOneAsync(find, cancellation) is { } there && run.Tablespaces.Contains((space.Name, there)))
            return; // another database of this run has made it
        foreach (GlobalStatement statement in space.Statements)
            await context.StepAsync($"tablespace {space.Name}", () => session.ExecuteAsync(statement.AsItsGrantor(), cancellation));
        run.Tablespaces.Add((space.Name, await session.QueryOneAsync(find, cancellation) ?? ""));
    }

    private static Task NoteMadeAsync(DatabaseSwitch databases, Func<MadeAround, MadeAround> change, CancellationToken cancellation) =>
        databases.NoteAsync(databases.State with { IncomingMade = change(databases.State.IncomingMade) }, cancellation);

    /// <summary>Creates the staged database; first under another name, where an extension can be created only there.</summary>
    private async Task CreateDatabaseAsync(
        RestoreTarget target, DatabaseSwitch databases, PsqlSession session, Func<string, string> create, Func<string, IEnumerable<string>> close,
        CancellationToken cancellation)
    {
        async Task CreateAsync(string name)
        {
            await session.ExecuteAsync(create(name), cancellation);
            foreach (string sql in close(name))
                await session.ExecuteAsync(sql, cancellation);
        }

        (KnownExtension Known, PostgresExtension Captured)[] choosy =
            [.. target.Details.Extensions.Select(static e => (Known: KnownExtensions.Find(e.Name)!, Captured: e)).Where(static e => e.Known?.CreatedInDatabase is not null)];
        if (choosy.Length == 0)
        {
            await context.StepAsync("create the staging database", () => CreateAsync(target.Names.Staging));
            return;
        }

        string name = choosy[0].Known.CreatedInDatabase!;
        if ((await session.QueryAsync($"SELECT 1 FROM pg_catalog.pg_database WHERE datname = {SqlText.Literal(name)}", cancellation)).Count > 0)
            throw new LifeboatException(
                ErrorCodes.PostgresDatabaseInUse, $"extension {choosy[0].Known.Name} can be created only in a database named {name}, and there is one",
                "rename or drop that database, or restore to another server", target.Source);
        await databases.NoteAsync(databases.State with { BuiltAs = name }, cancellation);
        await context.StepAsync($"create the staging database as {name}", () => CreateAsync(name));
        await using (PsqlSession first = await PsqlSession.OpenAsync(target.ServerTools, target.Connection.WithDatabase(name), cancellation))
            foreach ((KnownExtension known, PostgresExtension captured) in choosy)
                await first.ExecuteAsync($"CREATE EXTENSION {SqlText.Identifier(known.Name)} WITH SCHEMA {SqlText.Identifier(captured.Schema)}", cancellation);
        await context.StepAsync("rename the staging database", () => session.ExecuteAsync(
            $"ALTER DATABASE {SqlText.Identifier(name)} RENAME TO {SqlText.Identifier(target.Names.Staging)}", cancellation));
    }

    /// <summary>An extension's event triggers are there from its creation on; what they look at while several sessions work would let those wait for each other.</summary>
    private static async Task PostDataAsync(
        RestoreTarget target, SchemaRestore schema, PostDataRestore statements, EventTriggers triggers, CancellationToken cancellation)
    {
        await using (PsqlSession session = await target.OpenStagingAsync(cancellation))
            await triggers.DisableAsync(session, cancellation);
        await statements.RunAsync(await schema.PostDataAsync(cancellation), cancellation);
    }

    /// <summary>What needs indexes and rights to be there: materialised views, statistics, and the database's own properties.</summary>
    private async Task FinishAsync(
        RestoreTarget target, PreparedRestore prepared, StagedContent content, OwnerSessions owners, EventTriggers triggers, CancellationToken cancellation)
    {
        await using PsqlSession session = await target.OpenStagingAsync(cancellation);
        await triggers.DisableAsync(session, cancellation);
        _unfilled = await content.RefreshAsync(session, cancellation);
        await content.AnalyzeAsync(session, cancellation);
        foreach (string sql in new ExtensionRestore(target.Details).AtEndSql)
            await session.ExecuteAsync(sql, cancellation);
        bool isThere(string role) => role.StartsWith("pg_", StringComparison.Ordinal) || prepared.RolesThere.Contains(NameText.Decode(role, target.Details));
        string name = NameText.ForSession(target.Names.Staging, session);
        foreach (string sql in new StagingDatabase(name, prepared.Database).FinishSql(isThere))
            await session.ExecuteAsync(sql, cancellation);
        await SetSubscriptionsAsync(target, session, cancellation);
        await owners.DropAsync(session, cancellation);
        await triggers.EnableAsync(session, cancellation);
        await new CollationWarnings(target).OfColumnsAsync(session, cancellation);
    }

    /// <summary>What was written to the staged database so far.</summary>
    private async Task<string> WritesAsync(RestoreTarget target, CancellationToken cancellation)
    {
        await using PsqlSession session = await target.OpenStagingAsync(cancellation);
        return await StagedWrites.ReadAsync(session, context, cancellation);
    }

    private static RestoreTarget Quiet(RestoreTarget target, PreparedRestore prepared) =>
        target with { WithoutLoginTriggers = prepared.Rights.Superuser && target.ServerMajor >= PostgresConnection.EventTriggersOption };

    private static async Task SetSubscriptionsAsync(RestoreTarget target, PsqlSession session, CancellationToken cancellation)
    {
        int tools = RestoreTarget.ToolsMajor(target.Captured);
        if (tools >= session.ServerMajor)
            return;
        string schema = await target.ReadTextAsync($"{target.Folder}/schema.sql", session.TextEncoding, cancellation);
        foreach (string sql in SubscriptionDefaults.Sql(schema, tools, session.ServerMajor))
            await session.ExecuteAsync(sql, cancellation);
    }
}
