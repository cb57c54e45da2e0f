using System.Globalization;
using System.Text.Json;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Sources.Postgres.Extensions;
using Lifeboat.Engine.Sources.Postgres.Owners;
using Lifeboat.Engine.Sources.Postgres.Roles;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>
/// Renames databases: the live one aside, the incoming one into its place, and back. Settings, grants and statistics belong to a database's
/// object id, so they follow it. A database can only be renamed while nobody is connected, so connections are refused and ended first; the one
/// that was switched in refuses them until all is switched, and the one that is kept as long as it is kept.
/// </summary>
/// <param name="open">Opens a session with a database of the server.</param>
/// <param name="save">Puts a changed record into the journal.</param>
internal sealed class DatabaseSwitch(
    RunContext context,
    string source,
    DatabaseSwitchRecord record,
    Func<string, CancellationToken, Task<PsqlSession>> open,
    Func<JsonElement, CancellationToken, Task> save) : ISwitch
{
    /// <summary>How long a transaction that is under way may go on before it is ended.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);
    private const string Written = "tup_inserted + tup_updated + tup_deleted";
    private static readonly TimeSpan BeforeCounted = TimeSpan.FromSeconds(1); // Before 15 the server writes its counts twice a second.
    private static readonly TimeSpan LongestDrain = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(50);

    public DatabaseSwitchRecord State { get; private set; } = record;

    public JsonElement Record => State.ToJson();

    /// <summary>Changes the record, on the disk first.</summary>
    public async Task NoteAsync(DatabaseSwitchRecord changed, CancellationToken cancellation)
    {
        await save(changed.ToJson(), cancellation);
        State = changed;
    }

    /// <summary>Closes the incoming database to everybody, and proves that nothing was written to it since it was compared.</summary>
    /// <param name="compared">What <see cref="StagedWrites"/> told when the comparison began.</param>
    /// <exception cref="LifeboatException">Something was.</exception>
    public async Task SealAsync(string compared, CancellationToken cancellation)
    {
        string incoming = State.Incoming ?? throw new InvalidOperationException("there is nothing to be switched in");
        await using PsqlSession session = await OpenMaintenanceAsync(cancellation);
        await using (PsqlSession inside = await open(incoming, cancellation))
        {
            await DrainAsync(session, incoming, TimeSpan.Zero, cancellation, await inside.QueryOneAsync("SELECT pg_catalog.pg_backend_pid()", cancellation));
            if (await StagedWrites.ReadAsync(inside, context, cancellation) != compared)
                throw StagedWrites.Changed(incoming, source);
        }

        await DrainAsync(session, incoming, TimeSpan.Zero, cancellation);
        await NoteAsync(State with { IncomingSeal = await CountAsync(session, cancellation) }, cancellation);
    }

    public async Task ForwardAsync(CancellationToken cancellation)
    {
        await using PsqlSession session = await OpenMaintenanceAsync(cancellation);
        if (State.Changes is { } changes)
            await changes.ForwardAsync(session, context, cancellation);
        IReadOnlyDictionary<string, string> there = await DatabasesAsync(session, cancellation);
        if (there.GetValueOrDefault(State.Live) == State.IncomingOid)
            return; // it has happened
        string? live = there.GetValueOrDefault(State.Live);
        bool wasOpen = live is null || await AllowsConnectionsAsync(session, State.Live, cancellation);
        bool incomingWasOpen = State.Incoming is not null && await AllowsConnectionsAsync(session, State.Incoming, cancellation);
        await NoteAsync(State with { LiveOid = live, LiveWasOpen = wasOpen, IncomingWasOpen = incomingWasOpen }, cancellation);
        if (State.Incoming is not null)
        {
            await DrainAsync(session, State.Incoming, TimeSpan.Zero, cancellation);
            await RequireSealedAsync(session, incomingWasOpen, cancellation);
        }

        if (live is not null)
        {
            await DrainAsync(session, State.Live, Grace, cancellation);
            await RenameAsync(session, State.Live, State.Outgoing, cancellation);
        }

        if (State.Incoming is not null)
            await RenameAsync(session, State.Incoming, State.Live, cancellation);
    }

    public async Task OpenAsync(CancellationToken cancellation)
    {
        if (State.Incoming is null || !State.IncomingOpens)
            return;
        await using PsqlSession session = await OpenMaintenanceAsync(cancellation);
        if (State.WritesWhenOpened is null)
            await NoteAsync(State with { WritesWhenOpened = await WritesAsync(session, cancellation) }, cancellation);
        if (State.IncomingAccess is not { } access)
        {
            await AllowAsync(session, State.Live, true, cancellation);
            return;
        }

        // One transaction: it is ours and closed, or the application's and open.
        string sql = NameText.ForSession(string.Join(";\n", [.. access.Sql(State.Live, session.User, session.IsSuperuser), AllowSql(State.Live, true)]), session);
        await context.StepAsync("give the database to its owner, and open it", () => session.ExecuteAsync($"BEGIN;\n{sql};\nCOMMIT", cancellation));
        await NoteAsync(State with { IncomingAccess = null }, cancellation);
    }

    public async Task BackAsync(CancellationToken cancellation)
    {
        await using PsqlSession session = await OpenMaintenanceAsync(cancellation);
        IReadOnlyDictionary<string, string> there = await DatabasesAsync(session, cancellation);
        if (State is { Incoming: { } incoming, IncomingOid: { } oid } && there.GetValueOrDefault(State.Live) == oid)
        {
            await DrainAsync(session, State.Live, TimeSpan.Zero, cancellation);
            await RenameAsync(session, State.Live, incoming, cancellation);
            there = await DatabasesAsync(session, cancellation);
        }

        if (State.LiveOid is not null && !there.ContainsKey(State.Live) && there.GetValueOrDefault(State.Outgoing) == State.LiveOid)
        {
            await DrainAsync(session, State.Outgoing, TimeSpan.Zero, cancellation);
            await RenameAsync(session, State.Outgoing, State.Live, cancellation);
            there = await DatabasesAsync(session, cancellation);
        }

        if (State.LiveOid is not null && there.GetValueOrDefault(State.Live) == State.LiveOid)
        {
            await AllowAsync(session, State.Live, State.LiveWasOpen, cancellation);
            // The jobs of the live database ended with its connections.
            if (State.LiveWasOpen && await ActingExtensions.AreOfferedAsync(session, cancellation))
                await LetActAsync(cancellation);
        }

        if (State is { Incoming: not null, IncomingWasOpen: true } && there.GetValueOrDefault(State.Incoming) == State.IncomingOid)
            await AllowAsync(session, State.Incoming, true, cancellation);
        if (State.Changes is { } changes)
            await changes.BackAsync(session, context, cancellation);
    }

    /// <summary>
    /// The kept database stays closed: an application that uses all databases of its role would go on in it, a subscription would take changes away from the
    /// restored one, and an extension's jobs would change what is kept.
    /// </summary>
    public async Task FinishAsync(CancellationToken cancellation)
    {
        if (State is not { IncomingOid: not null, IncomingOpens: true })
            return;
        await using PsqlSession session = await OpenMaintenanceAsync(cancellation);
        if (await ActingExtensions.AreOfferedAsync(session, cancellation)
            && (await DatabasesAsync(session, cancellation)).GetValueOrDefault(State.Live) == State.IncomingOid)
            await LetActAsync(cancellation);
    }

    public async Task DropIncomingAsync(CancellationToken cancellation)
    {
        await using PsqlSession session = await OpenMaintenanceAsync(cancellation);
        if (State.IncomingOid is { } oid && (await DatabasesAsync(session, cancellation)).GetValueOrDefault(State.Live) == oid)
            return; // It is live, and what was made for it is in use.
        if (State.Reference is not null)
            await DropDatabaseAsync(session, State.Reference, cancellation);
        if (State.BuiltAs is not null)
            await DropDatabaseAsync(session, State.BuiltAs, cancellation);
        if (State.Incoming is not null)
            await DropDatabaseAsync(session, State.Incoming, cancellation);
        foreach (string role in State.LoadRoles.Where(LoadRole.Is))
            await StepAsync(session, $"DROP ROLE IF EXISTS {SqlText.Identifier(role)}", cancellation);
        await DropAroundAsync(session, State.IncomingMade, cancellation);
    }

    /// <summary>Drops the database that the incoming one was compared with.</summary>
    public async Task DropReferenceAsync(CancellationToken cancellation)
    {
        if (State.Reference is null)
            return;
        await using (PsqlSession session = await OpenMaintenanceAsync(cancellation))
            await DropDatabaseAsync(session, State.Reference, cancellation);
        await NoteAsync(State with { Reference = null }, cancellation);
    }

    public async Task DropOutgoingAsync(CancellationToken cancellation)
    {
        await using PsqlSession session = await OpenMaintenanceAsync(cancellation);
        await DropDatabaseAsync(session, State.Outgoing, cancellation);
        await DropAroundAsync(session, State.OutgoingMade, cancellation);
    }

    /// <summary>By the server's count of rows written, after everybody is out; a server that has lost its counts since tells of less than there was.</summary>
    public async Task<bool> WasUsedAsync(DateTimeOffset since, CancellationToken cancellation)
    {
        await using PsqlSession session = await OpenMaintenanceAsync(cancellation);
        if (State is not { IncomingOid: { } oid, WritesWhenOpened: { } before } || (await DatabasesAsync(session, cancellation)).GetValueOrDefault(State.Live) != oid)
            return false;
        await DrainAsync(session, State.Live, TimeSpan.Zero, cancellation);
        return await WritesAsync(session, cancellation) != before;
    }

    public async Task<KeptState?> KeptAsync(CancellationToken cancellation)
    {
        await using PsqlSession session = await OpenMaintenanceAsync(cancellation);
        IReadOnlyList<string?[]> rows = await session.QueryAsync(
            $"""
            SELECT CASE WHEN pg_catalog.has_database_privilege(oid, 'CONNECT') THEN pg_catalog.pg_database_size(oid) END
            FROM pg_catalog.pg_database WHERE datname = {SqlText.Literal(State.Outgoing)}
            """, cancellation);
        return rows.Count == 0 ? null
            : new KeptState($"database \"{State.Outgoing}\"", rows[0][0] is { } bytes ? long.Parse(bytes, CultureInfo.InvariantCulture) : null);
    }

    public async Task<JsonElement> InverseAsync(string id, CancellationToken cancellation)
    {
        await using PsqlSession session = await OpenMaintenanceAsync(cancellation);
        if (State.LiveOid is not null && (await DatabasesAsync(session, cancellation)).GetValueOrDefault(State.Outgoing) != State.LiveOid)
            throw KeptState.Missing($"database {State.Outgoing}", source);
        return new DatabaseSwitchRecord(
            State.Live, State.LiveOid is null ? null : State.Outgoing, StagingNames.For(State.Live, id).Before, State.MaintenanceDatabase)
        {
            IncomingOid = State.LiveOid,
            IncomingOpens = State.LiveWasOpen,
            IncomingMade = State.OutgoingMade,
            OutgoingMade = State.IncomingMade,
            Changes = State.Changes?.Inverse,
        }.ToJson();
    }

    /// <summary>Object ids by name, of those of the three that are there.</summary>
    public async Task<IReadOnlyDictionary<string, string>> DatabasesAsync(PsqlSession session, CancellationToken cancellation)
    {
        string list = string.Join(", ", new[] { State.Live, State.Incoming, State.Outgoing }.OfType<string>().Select(SqlText.Literal));
        IReadOnlyList<string?[]> rows = await session.QueryAsync($"SELECT datname, oid FROM pg_catalog.pg_database WHERE datname IN ({list})", cancellation);
        return rows.ToDictionary(static row => row[0]!, static row => row[1]!);
    }

    private async Task<PsqlSession> OpenMaintenanceAsync(CancellationToken cancellation)
    {
        PsqlSession session = await open(State.MaintenanceDatabase, cancellation);
        await session.CommitToDiskAsync(cancellation);
        return session;
    }

    private async Task LetActAsync(CancellationToken cancellation)
    {
        await using PsqlSession live = await open(State.Live, cancellation);
        foreach (string sql in await ActingExtensions.WhenLiveSqlAsync(live, cancellation))
            await context.StepAsync("let an extension act", () => live.ExecuteAsync(sql, cancellation));
    }

    /// <summary>A database that accepts no connections can only have been changed by somebody who opened it by hand.</summary>
    private async Task RequireSealedAsync(PsqlSession session, bool wasOpen, CancellationToken cancellation)
    {
        if (State.IncomingSeal is not { } seal)
            return;
        DatabaseSeal now = await CountAsync(session, cancellation);
        if (now.Writes != seal.Writes && (seal.Sessions is null ? wasOpen : now.Sessions != seal.Sessions))
            throw StagedWrites.Changed(State.Incoming!, source);
    }

    private async Task<DatabaseSeal> CountAsync(PsqlSession session, CancellationToken cancellation)
    {
        if (session.ServerMajor < 15)
            await Task.Delay(BeforeCounted, context.Host.Time, cancellation);
        string sessions = session.ServerMajor >= 14 ? "sessions" : "NULL";
        IReadOnlyList<string?[]> rows = await session.QueryAsync($"SELECT {sessions}, {Written} FROM pg_catalog.pg_stat_database WHERE datid = {State.IncomingOid}", cancellation);
        return rows.Count == 0 ? new DatabaseSeal(null, -1)
            : new DatabaseSeal(rows[0][0] is { } count ? long.Parse(count, CultureInfo.InvariantCulture) : null, long.Parse(rows[0][1]!, CultureInfo.InvariantCulture));
    }

    private async Task<long> WritesAsync(PsqlSession session, CancellationToken cancellation) => long.Parse(
        await session.QueryOneAsync(
            $"SELECT {Written} FROM pg_catalog.pg_stat_database WHERE datid = {State.IncomingOid}", cancellation) ?? "-1",
        CultureInfo.InvariantCulture);

    private Task RenameAsync(PsqlSession session, string from, string to, CancellationToken cancellation) =>
        StepAsync(session, $"ALTER DATABASE {SqlText.Identifier(from)} RENAME TO {SqlText.Identifier(to)}", cancellation);

    private Task AllowAsync(PsqlSession session, string database, bool connections, CancellationToken cancellation) =>
        StepAsync(session, AllowSql(database, connections), cancellation);

    private static string AllowSql(string database, bool connections) =>
        $"ALTER DATABASE {SqlText.Identifier(database)} WITH ALLOW_CONNECTIONS {(connections ? "true" : "false")}";

    private Task StepAsync(PsqlSession session, string sql, CancellationToken cancellation) =>
        context.StepAsync(sql, () => session.ExecuteAsync(sql, cancellation));

    private static async Task<bool> AllowsConnectionsAsync(PsqlSession session, string database, CancellationToken cancellation) =>
        await session.QueryOneAsync($"SELECT datallowconn FROM pg_catalog.pg_database WHERE datname = {SqlText.Literal(database)}", cancellation) == "t";

    /// <summary>Name, and whether it is enabled, of a database's subscriptions.</summary>
    private static Task<IReadOnlyList<string?[]>> SubscriptionsAsync(PsqlSession session, string database, CancellationToken cancellation) => session.QueryAsync(
        $"""
        SELECT s.subname, s.subenabled FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
        WHERE d.datname = {SqlText.Literal(database)}
        """,
        cancellation);

    /// <summary>Drops a database that is ours, whoever is connected to it.</summary>
    private async Task DropDatabaseAsync(PsqlSession session, string database, CancellationToken cancellation)
    {
        if (await session.QueryOneAsync($"SELECT count(*) FROM pg_catalog.pg_database WHERE datname = {SqlText.Literal(database)}", cancellation) == "0")
            return;
        await DropSubscriptionsAsync(session, database, cancellation);
        await session.ExecuteAsync($"ALTER DATABASE {SqlText.Identifier(database)} WITH IS_TEMPLATE false", cancellation);
        if (session.ServerMajor < 13)
            await DrainAsync(session, database, TimeSpan.Zero, cancellation);
        await StepAsync(session, $"DROP DATABASE {SqlText.Identifier(database)}{(session.ServerMajor < 13 ? "" : " WITH (FORCE)")}", cancellation);
    }

    /// <summary>
    /// A database cannot be dropped while it has subscriptions. They name slots at the publisher, which belong to another database's subscriptions as
    /// well: each is parted from its slot first.
    /// </summary>
    private async Task DropSubscriptionsAsync(PsqlSession session, string database, CancellationToken cancellation)
    {
        string[] subscriptions = [.. (await SubscriptionsAsync(session, database, cancellation)).Select(static row => SqlText.Identifier(row[0]!))];
        if (subscriptions.Length == 0)
            return;
        await AllowAsync(session, database, true, cancellation);
        await using PsqlSession inside = await open(database, cancellation);
        await new EventTriggers().DisableAsync(inside, cancellation);
        foreach (string name in subscriptions)
        {
            await inside.ExecuteAsync($"ALTER SUBSCRIPTION {name} DISABLE", cancellation);
            await inside.ExecuteAsync($"ALTER SUBSCRIPTION {name} SET (slot_name = NONE)", cancellation);
            await inside.ExecuteAsync($"DROP SUBSCRIPTION {name}", cancellation);
        }
    }

    private async Task DropAroundAsync(PsqlSession session, MadeAround made, CancellationToken cancellation)
    {
        foreach (string tablespace in made.Tablespaces)
        {
            // Another database of the same restore may use it, until that is taken back too.
            string? used = await session.QueryOneAsync(
                $"SELECT 1 FROM pg_catalog.pg_tablespace s, pg_catalog.pg_tablespace_databases(s.oid) WHERE s.spcname = {SqlText.Literal(tablespace)} LIMIT 1", cancellation);
            if (used is null)
                await StepAsync(session, $"DROP TABLESPACE IF EXISTS {SqlText.Identifier(tablespace)}", cancellation);
        }

        await context.StepAsync("drop roles", async () =>
        {
            if (await RoleRestoration.DropAsync(session, made, cancellation) is { Count: > 0 } left)
                context.Progress.Report(new Noted(source, $"a database uses roles that the restore created: {string.Join(", ", left)}; they stay as long as it does"));
        });
        if (State.Changes is { } changes)
            await context.StepAsync("drop the roles that keep passwords", () => changes.DropAsync(session, cancellation));
    }

    /// <summary>Lets nobody connect any more, and ends who is connected: who is within a transaction after a time of grace.</summary>
    /// <param name="except">The process of a session that stays.</param>
    private async Task DrainAsync(PsqlSession session, string database, TimeSpan grace, CancellationToken cancellation, string? except = null)
    {
        await AllowAsync(session, database, false, cancellation);
        // Autovacuum's workers are not asked to go (not everybody may), nor waited for: a large table keeps one busy for long, and renaming a database ends it
        // by itself (CountOtherDBBackends in procarray.c).
        string where = $"WHERE datname = {SqlText.Literal(database)} AND pid NOT IN (pg_catalog.pg_backend_pid(), {except ?? "0"}) AND backend_type <> 'autovacuum worker'";
        long started = context.Host.Time.GetTimestamp();
        while (true)
        {
            TimeSpan elapsed = context.Host.Time.GetElapsedTime(started);
            string whom = elapsed < grace ? " AND (backend_type <> 'client backend' OR state = 'idle')" : "";
            await session.QueryAsync($"SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity {where}{whom}", cancellation);
            string left = await session.QueryOneAsync($"SELECT count(*) FROM pg_catalog.pg_stat_activity {where}", cancellation) ?? "0";
            if (left == "0")
                return;
            if (elapsed > LongestDrain)
                throw new LifeboatException(
                    ErrorCodes.PostgresDatabaseInUse,
                    string.Create(CultureInfo.InvariantCulture, $"{left} connections to database {database} did not end within {LongestDrain.TotalSeconds:0} seconds"),
                    "stop the application, then run the restore again", source);
            await Task.Delay(BetweenLooks, context.Host.Time, cancellation);
        }
    }
}
