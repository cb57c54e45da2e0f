using System.Globalization;
using System.Text.RegularExpressions;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.MySql.Accounts;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>
/// Puts the staged tables into the live database's place and the live ones aside, by one RENAME TABLE for all; and back. What cannot be renamed into
/// another database (routines, views, triggers, events) is dropped before and made again behind it.
/// </summary>
/// <param name="timeout">How long to wait for transactions that use the live tables.</param>
internal sealed partial class DatabaseSwitch(RestoreTarget target, AccountPlan accounts, bool liveExists, TimeSpan timeout)
{
    private IReadOnlyList<Definition> _liveObjects = [];
    private IReadOnlyList<string> _liveTables = [];
    private IReadOnlyList<string> _stagedTables = [];
    private IReadOnlyList<string> _routineGrants = [];
    private string _liveOptions = "";
    private bool _begun;
    private bool _renamed;

    private RestoreNames Names => target.Names;

    /// <summary>Staged becomes live, live becomes kept.</summary>
    /// <exception cref="LifeboatException">It could not be; everything is as it was (or the message says what is not).</exception>
    public async Task ForwardAsync(CancellationToken cancellation)
    {
        IReadOnlyList<Definition> restored = await target.ObjectsAsync(cancellation);
        try
        {
            await using MySqlSession session = await target.OpenAsync(cancellation);
            await session.ExecuteAsync(string.Create(CultureInfo.InvariantCulture, $"SET lock_wait_timeout = {Math.Max(1, (long)timeout.TotalSeconds)}"), cancellation);
            await ReadAsync(session, cancellation);
            _begun = true;
            if (liveExists)
                await session.ExecuteAsync($"CREATE DATABASE {SqlText.Identifier(Names.Before)} {_liveOptions}", cancellation);
            else
                await session.ExecuteAsync($"CREATE DATABASE {SqlText.Identifier(Names.Live)} {target.Details.DatabaseOptions}", cancellation);
            await DropAsync(session, Names.Live, _liveObjects.Reverse(), cancellation);
            await DropAsync(session, Names.Staging, restored.Where(static o => o.Kind is "trigger" or "event"), cancellation);
            await RenameAsync(session, [.. Pairs(_liveTables, Names.Live, Names.Before), .. Pairs(_stagedTables, Names.Staging, Names.Live)], cancellation);
            _renamed = true;
            if (liveExists)
                await session.ExecuteAsync($"ALTER DATABASE {SqlText.Identifier(Names.Live)} {target.Details.DatabaseOptions}", cancellation);
            await FillAsync(session, Names.Live, restored, target.Details.Database, awake: true, cancellation);
            if (liveExists)
                await FillAsync(session, Names.Before, _liveObjects, Names.Live, awake: false, cancellation);
            await accounts.ApplyLateAsync(session, target.Details.Database, Names.Live, cancellation);
            await GrantAsync(session, restored, cancellation);
        }
        catch (Exception e) when (e is LifeboatException or OperationCanceledException)
        {
            await RepairAsync(e);
            throw;
        }
    }

    /// <summary>The inverse: the staged tables are in the staged database again, what was live is live. Does nothing where nothing was begun.</summary>
    public async Task BackAsync(CancellationToken cancellation)
    {
        if (!_begun)
            return;
        await using MySqlSession session = await target.OpenAsync(cancellation);
        HashSet<string> databases = [.. (await session.SelectAsync(["SCHEMA_NAME"], "FROM information_schema.SCHEMATA", cancellation)).Select(static row => row[0]!)];
        // Whether the renaming was done is seen by where the tables are: the answer to it may have been lost.
        bool renamed = _renamed || (_stagedTables.Count > 0 && (await TablesAsync(session, Names.Staging, cancellation)).Count == 0);
        // What is in place already is let be: to make it again would need locks, which may be what the switch failed for.
        HashSet<string> kept = databases.Contains(Names.Live)
            ? await DropObjectsAsync(session, Names.Live, renamed ? [] : _liveObjects, cancellation) : [];
        if (databases.Contains(Names.Before))
            await DropObjectsAsync(session, Names.Before, [], cancellation);
        if (renamed)
        {
            await RenameAsync(session, [.. Pairs(_stagedTables, Names.Live, Names.Staging), .. Pairs(_liveTables, Names.Before, Names.Live)], cancellation);
            _renamed = false;
        }

        if (liveExists)
        {
            await session.ExecuteAsync($"ALTER DATABASE {SqlText.Identifier(Names.Live)} {_liveOptions}", cancellation);
            await FillAsync(session, Names.Live, [.. _liveObjects.Where(one => !kept.Contains(Key(one)))], Names.Live, awake: true, cancellation);
            await GrantAsync(session, _liveObjects, cancellation);
            await DropEmptyAsync(session, Names.Before, cancellation);
        }
        else
        {
            await DropEmptyAsync(session, Names.Live, cancellation);
        }

        _begun = false;
    }

    public static Problem InvalidView(string database, string view, string source) => new(
        ErrorCodes.MySqlViewInvalid,
        $"view {view} of the live database {database} refers to something that is not there: it could not be put aside and back",
        $"mend it or run DROP VIEW {SqlText.Identifier(database, view)}, then restore", source);

    private static IEnumerable<(string From, string To)> Pairs(IReadOnlyList<string> tables, string from, string to) =>
        tables.Select(table => (SqlText.Identifier(from, table), SqlText.Identifier(to, table)));

    private static async Task RenameAsync(MySqlSession session, IReadOnlyList<(string From, string To)> tables, CancellationToken cancellation)
    {
        if (tables.Count > 0)
            await session.ExecuteAsync($"RENAME TABLE {string.Join(", ", tables.Select(static t => $"{t.From} TO {t.To}"))}", cancellation);
    }

    private static async Task DropAsync(MySqlSession session, string schema, IEnumerable<Definition> objects, CancellationToken cancellation)
    {
        foreach (Definition one in objects)
            await session.ExecuteAsync(one.Drop(schema), cancellation);
    }

    /// <summary>Drops a database that holds no table, and never one that does.</summary>
    private static async Task DropEmptyAsync(MySqlSession session, string schema, CancellationToken cancellation)
    {
        if ((await TablesAsync(session, schema, cancellation)).Count == 0)
            await session.ExecuteAsync($"DROP DATABASE IF EXISTS {SqlText.Identifier(schema)}", cancellation);
    }

    private static async Task<IReadOnlyList<string>> TablesAsync(MySqlSession session, string schema, CancellationToken cancellation) =>
    [
        .. (await session.SelectAsync(
            ["TABLE_NAME"], $"FROM information_schema.TABLES WHERE TABLE_SCHEMA = {SqlText.Literal(schema)} AND TABLE_TYPE NOT LIKE '%VIEW' ORDER BY TABLE_NAME", cancellation))
            .Select(static row => row[0]!),
    ];

    private static string Key(Definition one) => $"{one.Kind} {one.Name}";

    /// <summary>Drops all but those that are as they should be; gives these.</summary>
    private static async Task<HashSet<string>> DropObjectsAsync(
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

    private async Task ReadAsync(MySqlSession session, CancellationToken cancellation)
    {
        _stagedTables = await TablesAsync(session, Names.Staging, cancellation);
        if (!liveExists)
            return;
        _liveTables = await TablesAsync(session, Names.Live, cancellation);
        await session.ExecuteAsync($"USE {SqlText.Identifier(Names.Live)}", cancellation);
        Definitions live = new(session, Names.Live);
        _liveObjects = await live.ObjectsAsync(cancellation);
        if (live.InvalidViews.Count > 0)
            throw new LifeboatException([.. live.InvalidViews.Select(view => InvalidView(Names.Live, view, target.Source))]);
        _liveOptions = await new Definitions(session, Names.Live).DatabaseOptionsAsync(cancellation);
        // A routine that is dropped takes the grants on it along.
        _routineGrants = [.. (await AccountReader.ReadAsync(session, cancellation)).SelectMany(static a => a.Grants)
            .Where(grant => IsOnRoutine().IsMatch(grant) && AccountReader.Place(grant)?.Database == Names.Live)];
    }

    private async Task FillAsync(
        MySqlSession session, string schema, IReadOnlyList<Definition> objects, string from, bool awake, CancellationToken cancellation)
    {
        await session.ExecuteAsync($"USE {SqlText.Identifier(schema)}", cancellation);
        await SetSequenceDefaultsAsync(session, schema, cancellation);
        await StagedContent.CreateAsync(session, objects, from, schema, awake, cancellation);
    }

    /// <summary>A column that takes its default from a sequence names the sequence's database, which a renaming does not change.</summary>
    private async Task SetSequenceDefaultsAsync(MySqlSession session, string schema, CancellationToken cancellation)
    {
        string here = SqlText.Literal(schema);
        foreach (string?[] row in await session.SelectAsync(
            ["TABLE_NAME", "COLUMN_NAME", "COLUMN_DEFAULT"],
            $"FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {here} AND LOWER(COLUMN_DEFAULT) LIKE 'nextval(%'", cancellation))
        {
            string changed = row[2]!;
            foreach (string other in new[] { Names.Live, Names.Staging, Names.Before })
                changed = changed.Replace($"(`{other.Replace("`", "``", StringComparison.Ordinal)}`.", $"({SqlText.Identifier(schema)}.", StringComparison.Ordinal);
            if (changed != row[2])
                await session.ExecuteAsync(
                    $"ALTER TABLE {SqlText.Identifier(schema, row[0]!)} ALTER COLUMN {SqlText.Identifier(row[1]!)} SET DEFAULT {changed}", cancellation);
        }
    }

    private async Task GrantAsync(MySqlSession session, IReadOnlyList<Definition> objects, CancellationToken cancellation)
    {
        HashSet<string> routines = new(objects.Where(static o => o.Kind is "function" or "procedure" or "package" or "package body").Select(static o => o.Name), StringComparer.OrdinalIgnoreCase);
        foreach (string grant in _routineGrants.Where(grant => routines.Contains(AccountReader.Place(grant)!.Value.Object)))
            await session.ExecuteAsync(grant, cancellation);
    }

    /// <summary>After a failed switch: everything as it was.</summary>
    private async Task RepairAsync(Exception cause)
    {
        try
        {
            await BackAsync(CancellationToken.None);
        }
        catch (LifeboatException e)
        {
            throw new LifeboatException(
                ErrorCodes.MySqlSwitchFailed,
                $"the switch of database {Names.Live} failed ({cause.Message}), and so did undoing it: {e.Message}",
                $"when the server answers again, see where the tables are: those that were live are in {Names.Live} or {Names.Before}; RENAME TABLE puts them back",
                target.Source, e);
        }
    }

    [GeneratedRegex(@" ON (?:FUNCTION|PROCEDURE|PACKAGE|PACKAGE BODY) ")]
    private static partial Regex IsOnRoutine();
}
