using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Sources.MySql.Accounts;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>
/// Puts the incoming tables into the live database's place and the live ones aside, by one RENAME TABLE for all; and back. What cannot be renamed into
/// another database (routines, views, triggers, events) is dropped before and made again behind it; events when the application is let in.
/// </summary>
/// <param name="timeout">How long to wait for transactions that use the live tables.</param>
/// <param name="save">Puts a changed record into the journal.</param>
internal sealed partial class DatabaseSwitch(
    RunContext context,
    string source,
    DatabaseSwitchRecord record,
    Func<CancellationToken, Task<MySqlSession>> open,
    Func<JsonElement, CancellationToken, Task> save,
    TimeSpan timeout) : ISwitch
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(50);

    public DatabaseSwitchRecord State { get; private set; } = record;

    public JsonElement Record => State.ToJson();

    /// <summary>Is asked just before the incoming tables are renamed, and may refuse it.</summary>
    public Func<MySqlSession, CancellationToken, Task> BeforeRenaming { get; set; } = static (_, _) => Task.CompletedTask;

    /// <summary>Changes the record, on the disk first.</summary>
    public async Task NoteAsync(DatabaseSwitchRecord changed, CancellationToken cancellation)
    {
        await save(changed.ToJson(), cancellation);
        State = changed;
    }

    public async Task ForwardAsync(CancellationToken cancellation)
    {
        await using MySqlSession session = await open(cancellation);
        await session.ExecuteAsync(string.Create(CultureInfo.InvariantCulture, $"SET lock_wait_timeout = {Math.Max(1, (long)timeout.TotalSeconds)}"), cancellation);
        LiveState live = await ReadAsync(session, cancellation);
        if (live.Exists)
            await StepAsync(session, $"CREATE DATABASE {SqlText.Identifier(State.Outgoing)} {live.Options}", cancellation);
        else if (State.Incoming is not null)
            await StepAsync(session, $"CREATE DATABASE {SqlText.Identifier(State.Live)} {State.IncomingOptions}", cancellation);
        await DropAsync(session, State.Live, live.Objects.Reverse(), cancellation);
        if (State.Incoming is { } incoming)
            await DropAsync(session, incoming, State.IncomingObjects.Where(static o => o.Kind is "trigger" or "event"), cancellation);
        await BeforeRenaming(session, cancellation);
        await RenameAsync(
            session, [.. Pairs(live.Tables, State.Live, State.Outgoing), .. Pairs(live.IncomingTables, State.Incoming ?? "", State.Live)], cancellation);
        if (live.Exists)
        {
            await StepsAsync(session, await OutwardKey.SurplusAsync(session, State.Outgoing, live.ForeignKeys, cancellation), cancellation);
            await FillAsync(session, State.Outgoing, live.Objects, State.Live, cancellation);
        }

        if (State.Incoming is not null)
        {
            await FillLiveAsync(session, live, cancellation);
            return;
        }

        await DropEmptyAsync(session, State.Live, cancellation);
        await ChangeAccountsAsync(session, cancellation);
    }

    private async Task FillLiveAsync(MySqlSession session, LiveState live, CancellationToken cancellation)
    {
        if (live.Exists)
            await StepAsync(session, $"ALTER DATABASE {SqlText.Identifier(State.Live)} {State.IncomingOptions}", cancellation);
        await ReferAsync(session, State.ForeignKeys, cancellation);
        await OutwardKey.RequireAsync(session, State.Live, State.ForeignKeys, source, cancellation);
        await FillAsync(session, State.Live, [.. State.IncomingObjects.Where(static one => one.Kind != "event")], State.ObjectsFrom, cancellation);
        await GrantAsync(session, State.Grants, cancellation);
        await GrantAsync(session, State.IncomingObjects, cancellation);
        // A view is given to its definer when that one has its rights.
        await ChangeAccountsAsync(session, cancellation);
        await DefineViewsAsync(session, State.IncomingObjects, State.ObjectsFrom, cancellation);
        await StagedContent.RequireDefinersAsync(session, State.IncomingObjects, source, cancellation);
        await AccountPlan.RequireAsync(session, State.Grants, source, cancellation);
    }

    private async Task ChangeAccountsAsync(MySqlSession session, CancellationToken cancellation)
    {
        if (State.Changes is not { } changes)
            return;
        await NoteAsync(State with { AccountsBegun = true }, cancellation);
        await changes.ForwardAsync(session, context, cancellation);
    }

    /// <summary>Accounts that the switch has not come to may have been changed by others meanwhile, and are let be.</summary>
    private async Task ChangeAccountsBackAsync(MySqlSession session, CancellationToken cancellation)
    {
        if (State is { AccountsBegun: true, Changes: { } changes })
            await changes.BackAsync(session, context, cancellation);
    }

    /// <summary>Nobody can be kept out of a database; but events do not run before this.</summary>
    public async Task OpenAsync(CancellationToken cancellation)
    {
        Definition[] events = [.. State.IncomingObjects.Where(static one => one.Kind == "event")];
        if (State.Incoming is null || events.Length == 0)
            return;
        await using MySqlSession session = await open(cancellation);
        // Those that are there were made by a call before; somebody may have changed them since.
        HashSet<string> there = [.. (await session.SelectAsync(["EVENT_NAME"], $"FROM information_schema.EVENTS WHERE EVENT_SCHEMA = {SqlText.Literal(State.Live)}", cancellation)).Select(static row => row[0]!)];
        await context.StepAsync("create events", () => MakeAsync(
            session, State.Live, [.. events.Where(one => !there.Contains(one.Name))], State.ObjectsFrom, awake: true, cancellation));
    }

    public async Task BackAsync(CancellationToken cancellation)
    {
        if (State.LiveState is not { } was)
            return; // nothing was begun
        await using MySqlSession session = await open(cancellation);
        HashSet<string> databases = await DatabasesAsync(session, cancellation);
        // What was moved is seen by where the tables are: the answer to the renaming may have been lost.
        HashSet<string> live = await TablesAsync(session, State.Live, cancellation);
        HashSet<string> outgoing = await TablesAsync(session, State.Outgoing, cancellation);
        HashSet<string> incoming = State.Incoming is null ? [] : await TablesAsync(session, State.Incoming, cancellation);
        string[] goBack = [.. was.IncomingTables.Where(table => !incoming.Contains(table) && live.Contains(table))];
        string[] comeBack = [.. was.Tables.Where(outgoing.Contains)];
        bool moved = goBack.Length + comeBack.Length > 0;
        // What is in place already is let be: to make it again would need locks, which may be what the switch failed for.
        HashSet<string> kept = databases.Contains(State.Live) ? await DropObjectsAsync(session, State.Live, moved || !was.Exists ? [] : was.Objects, cancellation) : [];
        if (databases.Contains(State.Outgoing))
            await DropObjectsAsync(session, State.Outgoing, [], cancellation);
        if (comeBack.Length > 0 && !databases.Contains(State.Live))
            await StepAsync(session, $"CREATE DATABASE {SqlText.Identifier(State.Live)} {was.Options}", cancellation);
        if (goBack.Length > 0 && !databases.Contains(State.Incoming!))
            await StepAsync(session, $"CREATE DATABASE {SqlText.Identifier(State.Incoming!)} {State.IncomingOptions}", cancellation);
        await RenameAsync(session, [.. Pairs(goBack, State.Live, State.Incoming ?? ""), .. Pairs(comeBack, State.Outgoing, State.Live)], cancellation);
        if (was.Exists)
        {
            // MySQL locks every table of a database that it alters, so that a transaction which the switch failed for would keep this from happening too.
            if (await new Definitions(session, State.Live).DatabaseOptionsAsync(cancellation) != was.Options)
                await StepAsync(session, $"ALTER DATABASE {SqlText.Identifier(State.Live)} {was.Options}", cancellation);
            await ReferAsync(session, was.ForeignKeys, cancellation);
            Definition[] again = [.. was.Objects.Where(one => !kept.Contains(Key(one)))];
            await context.StepAsync("make the live objects again", () => MakeAsync(session, State.Live, again, State.Live, awake: true, cancellation));
            await GrantAsync(session, was.Objects, cancellation);
            await ChangeAccountsBackAsync(session, cancellation);
            await DefineViewsAsync(session, again, State.Live, cancellation);
            await DropEmptyAsync(session, State.Outgoing, cancellation);
        }
        else
        {
            await DropEmptyAsync(session, State.Live, cancellation);
            await ChangeAccountsBackAsync(session, cancellation);
        }

        if (State.Incoming is { } back)
            await StepsAsync(session, await OutwardKey.SurplusAsync(session, back, State.ForeignKeys, cancellation), cancellation);
        if (State is { IncomingIsKept: true, Incoming: { } keptIn })
        {
            await DropObjectsAsync(session, keptIn, [], cancellation);
            await FillAsync(session, keptIn, State.IncomingObjects, State.ObjectsFrom, cancellation);
        }
    }

    /// <summary>Drops the database that the incoming tables came from, which has none any more.</summary>
    public async Task FinishAsync(CancellationToken cancellation)
    {
        if (State.Incoming is null)
            return;
        await using MySqlSession session = await open(cancellation);
        await DropEmptyAsync(session, State.Incoming, cancellation);
    }

    public async Task DropIncomingAsync(CancellationToken cancellation)
    {
        await using MySqlSession session = await open(cancellation);
        if (State.Incoming is not null)
        {
            foreach (string database in (string[])[State.Incoming, .. State.IncomingIsKept ? (string[])[] : [RestoreNames.ScratchOf(State.Incoming)]])
                await StepAsync(session, $"DROP DATABASE IF EXISTS {SqlText.Identifier(database)}", cancellation);
        }

        await DropAccountsAsync(session, State.IncomingAccounts, cancellation);
    }

    public async Task DropOutgoingAsync(CancellationToken cancellation)
    {
        await using MySqlSession session = await open(cancellation);
        await StepAsync(session, $"DROP DATABASE IF EXISTS {SqlText.Identifier(State.Outgoing)}", cancellation);
        await DropAccountsAsync(session, State.OutgoingAccounts, cancellation);
    }

    /// <summary>By the time that the server has of each table's last change; it has none of before its own start.</summary>
    public async Task<bool> WasUsedAsync(DateTimeOffset since, CancellationToken cancellation)
    {
        await using MySqlSession session = await open(cancellation);
        if (State is not { Incoming: { } incoming, LiveState: { IncomingTables.Count: > 0 } } || (await TablesAsync(session, incoming, cancellation)).Count > 0)
            return false;
        TimeSpan up = TimeSpan.FromSeconds(long.Parse((await session.ShowAsync("SHOW GLOBAL STATUS LIKE 'Uptime'", cancellation))[0][1], CultureInfo.InvariantCulture));
        if (context.Host.Time.GetUtcNow() - up > since - TimeSpan.FromSeconds(2))
            return true;
        return await session.SelectOneAsync(
            "COUNT(*)", $"FROM information_schema.TABLES WHERE TABLE_SCHEMA = {SqlText.Literal(State.Live)} AND UPDATE_TIME >= {SqlText.Literal(State.Began ?? "")}", cancellation) != "0";
    }

    public async Task<KeptState?> KeptAsync(CancellationToken cancellation)
    {
        await using MySqlSession session = await open(cancellation);
        if (!(await DatabasesAsync(session, cancellation)).Contains(State.Outgoing))
            return null;
        string? bytes = await session.SelectOneAsync(
            "COALESCE(SUM(DATA_LENGTH + INDEX_LENGTH), 0)", $"FROM information_schema.TABLES WHERE TABLE_SCHEMA = {SqlText.Literal(State.Outgoing)}", cancellation);
        return new KeptState($"database {State.Outgoing}", long.TryParse(bytes, CultureInfo.InvariantCulture, out long number) ? number : null);
    }

    public async Task<JsonElement> InverseAsync(string id, CancellationToken cancellation)
    {
        bool replaced = State.LiveState is { Exists: true };
        await using MySqlSession session = await open(cancellation);
        if (replaced && !(await DatabasesAsync(session, cancellation)).Contains(State.Outgoing))
            throw KeptState.Missing($"database {State.Outgoing}", source);
        return new DatabaseSwitchRecord(State.Live, replaced ? State.Outgoing : null, RestoreNames.For(State.Live, id).Before)
        {
            IncomingObjects = State.LiveState?.Objects ?? [],
            ObjectsFrom = State.Live,
            IncomingOptions = State.LiveState?.Options ?? "",
            IncomingAccounts = State.OutgoingAccounts,
            OutgoingAccounts = State.IncomingAccounts,
            RoutineGrants = State.RoutineGrants,
            ForeignKeys = State.LiveState?.ForeignKeys ?? [],
            Changes = State.Changes is { } changes ? changes with { ToCaptured = !changes.ToCaptured } : null,
            IncomingIsKept = true,
        }.ToJson();
    }

    public static Problem InvalidView(string database, string view, string source) => new(
        ErrorCodes.MySqlViewInvalid,
        $"view {view} of the live database {database} refers to something that is not there: it could not be put aside and back",
        $"mend it or run DROP VIEW {SqlText.Identifier(database, view)}, then restore", source);

    private static IEnumerable<(string From, string To)> Pairs(IReadOnlyCollection<string> tables, string from, string to) =>
        tables.Select(table => (SqlText.Identifier(from, table), SqlText.Identifier(to, table)));

    private static async Task<HashSet<string>> DatabasesAsync(MySqlSession session, CancellationToken cancellation) =>
        [.. (await session.SelectAsync(["SCHEMA_NAME"], "FROM information_schema.SCHEMATA", cancellation)).Select(static row => row[0]!)];

    private static async Task<HashSet<string>> TablesAsync(MySqlSession session, string schema, CancellationToken cancellation) =>
    [
        .. (await session.SelectAsync(
            ["TABLE_NAME"], $"FROM information_schema.TABLES WHERE TABLE_SCHEMA = {SqlText.Literal(schema)} AND TABLE_TYPE NOT LIKE '%VIEW' ORDER BY TABLE_NAME", cancellation))
            .Select(static row => row[0]!),
    ];

    private static string Key(Definition one) => $"{one.Kind} {one.Name}";

    private Task StepAsync(MySqlSession session, string sql, CancellationToken cancellation) =>
        context.StepAsync(AccountPlan.WithoutPassword(sql), () => session.ExecuteAsync(sql, cancellation));

    private async Task StepsAsync(MySqlSession session, IEnumerable<string> statements, CancellationToken cancellation)
    {
        foreach (string sql in statements)
            await StepAsync(session, sql, cancellation);
    }

    /// <summary>Gives the live tables the foreign keys that they have only there.</summary>
    private async Task ReferAsync(MySqlSession session, IReadOnlyList<OutwardKey> keys, CancellationToken cancellation)
    {
        await session.ExecuteAsync($"USE {SqlText.Identifier(State.Live)}", cancellation);
        await StepsAsync(session, await OutwardKey.MissingAsync(session, State.Live, keys, cancellation), cancellation);
        await StepsAsync(session, await OutwardKey.RenamedAsync(session, State.Live, keys, cancellation), cancellation);
    }

    private async Task RenameAsync(MySqlSession session, IReadOnlyList<(string From, string To)> tables, CancellationToken cancellation)
    {
        if (tables.Count > 0)
            await StepAsync(session, $"RENAME TABLE {string.Join(", ", tables.Select(static t => $"{t.From} TO {t.To}"))}", cancellation);
    }

    private async Task DropAsync(MySqlSession session, string schema, IEnumerable<Definition> objects, CancellationToken cancellation)
    {
        foreach (Definition one in objects)
            await StepsAsync(session, one.Drop(schema), cancellation);
    }

    private async Task DropAccountsAsync(MySqlSession session, IReadOnlyList<string> drops, CancellationToken cancellation)
    {
        foreach (string drop in drops.Reverse())
            await StepAsync(session, drop, cancellation);
        if (State.Changes is { } changes)
            await changes.DropAsync(session, context, cancellation);
    }

    /// <summary>Drops a database that holds no table, and never one that does.</summary>
    private async Task DropEmptyAsync(MySqlSession session, string schema, CancellationToken cancellation)
    {
        if ((await TablesAsync(session, schema, cancellation)).Count == 0)
            await StepAsync(session, $"DROP DATABASE IF EXISTS {SqlText.Identifier(schema)}", cancellation);
    }

    /// <summary>Drops all but those that are as they should be; gives these.</summary>
    private async Task<HashSet<string>> DropObjectsAsync(
        MySqlSession session, string schema, IReadOnlyList<Definition> wanted, CancellationToken cancellation)
    {
        await session.ExecuteAsync($"USE {SqlText.Identifier(schema)}", cancellation);
        Definitions there = new(session, schema);
        IReadOnlyList<Definition> objects = await there.ObjectsAsync(cancellation);
        HashSet<string> kept = [.. objects.Where(one => wanted.Any(other => Key(one) == Key(other) && one.Statements.SequenceEqual(other.Statements))).Select(Key)];
        await DropAsync(
            session, schema,
            objects.Reverse().Where(one => !kept.Contains(Key(one))).Concat(there.InvalidViews.Select(static view => new Definition("view", view, []))),
            cancellation);
        return kept;
    }

    private async Task<LiveState> ReadAsync(MySqlSession session, CancellationToken cancellation)
    {
        IReadOnlyList<string> incoming = State.Incoming is null ? [] : [.. await TablesAsync(session, State.Incoming, cancellation)];
        LiveState live = new(false, [], incoming, [], "");
        IReadOnlyList<string> grants = [];
        if ((await DatabasesAsync(session, cancellation)).Contains(State.Live))
        {
            await session.ExecuteAsync($"USE {SqlText.Identifier(State.Live)}", cancellation);
            Definitions there = new(session, State.Live);
            IReadOnlyList<Definition> objects = await there.ObjectsAsync(cancellation);
            if (there.InvalidViews.Count > 0)
                throw new LifeboatException([.. there.InvalidViews.Select(view => InvalidView(State.Live, view, source))]);
            string[] tables = [.. await TablesAsync(session, State.Live, cancellation)];
            live = new LiveState(true, tables, incoming, objects, await there.DatabaseOptionsAsync(cancellation))
            {
                ForeignKeys = await OutwardKey.ReadAsync(session, State.Live, tables, cancellation),
            };
            // A routine that is dropped takes the grants on it along.
            grants = [.. (await AccountReader.ReadAsync(session, cancellation)).SelectMany(static a => a.Grants)
                .Where(grant => IsOnRoutine().IsMatch(grant) && GrantText.Place(grant)?.Database == State.Live)];
        }

        string began = await QuietSecondAsync(session, cancellation);
        await NoteAsync(State with { LiveState = live, RoutineGrants = [.. State.RoutineGrants.Union(grants)], Began = began }, cancellation);
        return live;
    }

    /// <summary>Tables' times of change are whole seconds: what is written from now on must be told from what the restore wrote.</summary>
    private async Task<string> QuietSecondAsync(MySqlSession session, CancellationToken cancellation)
    {
        string? written = State.Incoming is null ? null : await session.SelectOneAsync(
            "MAX(UPDATE_TIME)", $"FROM information_schema.TABLES WHERE TABLE_SCHEMA = {SqlText.Literal(State.Incoming)}", cancellation);
        while (true)
        {
            string now = await session.SelectOneAsync("UTC_TIMESTAMP()", "", cancellation) ?? "";
            if (written is null || string.CompareOrdinal(now, written) > 0)
                return now;
            await Task.Delay(BetweenLooks, context.Host.Time, cancellation);
        }
    }

    /// <summary>Makes objects in a database in which none of them does anything by itself.</summary>
    private Task FillAsync(MySqlSession session, string schema, IReadOnlyList<Definition> objects, string from, CancellationToken cancellation) =>
        context.StepAsync($"make objects in {schema}", () => MakeAsync(session, schema, objects, from, awake: false, cancellation));

    private Task DefineViewsAsync(MySqlSession session, IReadOnlyList<Definition> objects, string from, CancellationToken cancellation) =>
        context.StepAsync("give views to their definers", () => StagedContent.DefineViewsAsync(session, objects, from, State.Live, cancellation));

    private async Task MakeAsync(
        MySqlSession session, string schema, IReadOnlyList<Definition> objects, string from, bool awake, CancellationToken cancellation)
    {
        await session.ExecuteAsync($"USE {SqlText.Identifier(schema)}", cancellation);
        string[] before = [.. new[] { State.Live, State.Incoming, State.Outgoing }.OfType<string>()];
        foreach (string sql in await SequenceDefaults.PlacedAsync(session, schema, before, cancellation))
            await session.ExecuteAsync(sql, cancellation);
        IReadOnlyList<Definition> over = awake ? await Events.OverAsync(session, objects, cancellation) : [];
        Events.Warn(context, source, over);
        await StagedContent.CreateAsync(session, [.. objects.Except(over)], from, schema, awake, cancellation);
    }

    private async Task GrantAsync(MySqlSession session, IReadOnlyList<Definition> objects, CancellationToken cancellation)
    {
        HashSet<string> routines = new(objects.Where(static o => o.Kind is "library" or "function" or "procedure" or "package" or "package body").Select(static o => o.Name), StringComparer.OrdinalIgnoreCase);
        await GrantAsync(session, State.RoutineGrants.Where(grant => routines.Contains(GrantText.Place(grant)!.Value.Object)), cancellation);
    }

    private async Task GrantAsync(MySqlSession session, IEnumerable<string> grants, CancellationToken cancellation)
    {
        foreach (string sql in grants.SelectMany(GrantText.Statements))
            await StepAsync(session, sql, cancellation);
    }

    [GeneratedRegex(@" ON (?:FUNCTION|PROCEDURE|LIBRARY|PACKAGE|PACKAGE BODY) ")]
    private static partial Regex IsOnRoutine();
}
