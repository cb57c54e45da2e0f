using System.Globalization;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Restore;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Parts;

/// <summary>
/// Looks at the live database and says what the restore of some tables would do there, and every reason why it would fail. Whether definitions fit is tried in a
/// transaction that is rolled back; nothing is changed.
/// </summary>
internal sealed class PartPreflight(RestoreTarget target, PartDatabase database, RestoreScope scope, IReadOnlyList<SelectedTable> tables, SchemaParts schema, string id)
{
    private const int NamedAtMost = 10;
    private readonly List<Problem> _blockers = [];
    private readonly List<Problem> _warnings = [];

    /// <summary>What there is of the tables now.</summary>
    private IReadOnlyDictionary<RelationName, LiveTable> _live = new Dictionary<RelationName, LiveTable>();

    public async Task<RestorePlan> RunAsync(CancellationToken cancellation)
    {
        await using PsqlSession session = await database.OpenAsync(cancellation);
        int capturedMajor = target.Details.ServerVersionNumber / 10000;
        if (session.ServerMajor < capturedMajor)
            Block(
                ErrorCodes.PostgresTargetOlder, $"the snapshot is of PostgreSQL {target.Details.ServerVersion}, and the server is PostgreSQL {session.ServerVersion}: an older one cannot take it",
                string.Create(CultureInfo.InvariantCulture, $"restore to a server of PostgreSQL {capturedMajor} or newer (--target {target.Source}=URL)"));
        if (session.InRecovery)
            Block(ErrorCodes.PostgresRightMissing, "the server is a standby, which takes no writes", "restore to its primary, or promote it");
        else if (await session.QueryOneAsync("SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')", cancellation) != "t")
            Block(
                ErrorCodes.PostgresRightMissing, $"user {session.User} may not create a schema in database {session.Database}, in which the tables would be staged and kept",
                $"connect as the database's owner, or have it run: GRANT CREATE ON DATABASE {SqlText.Identifier(session.Database)} TO {SqlText.Identifier(session.User)}");
        _live = scope.Mode == RestoreMode.Beside ? _live : await LiveTable.FindAsync(session, [.. tables.Select(static one => one.Name)], cancellation);
        await CheckLiveAsync(session, cancellation);
        await CheckMissingAsync(session, cancellation);
        WarnOfLargeObjects();
        if (_blockers.Count == 0)
            await TryAsync(cancellation);
        string? kept = scope.Mode == RestoreMode.Beside ? null : $"schema {PartNames.Before(id)}";
        return new RestorePlan(
            $"{Count(tables.Count, "table")} of {target.Connection.WithDatabase(target.Names.Live).Target}", scope.Mode == RestoreMode.Replace && _live.Count > 0, kept,
            [.. Steps()], new Dictionary<string, long>(), _blockers, _warnings);
    }

    private void Block(ErrorCode code, string message, string hint) => _blockers.Add(new Problem(code, message, hint, target.Source));

    private void Warn(ErrorCode code, string message, string hint) => _warnings.Add(new Problem(code, message, hint, target.Source));

    private IEnumerable<SelectedTable> Missing => scope.Mode == RestoreMode.Beside ? [] : tables.Where(one => !_live.ContainsKey(one.Name));

    private IEnumerable<string> Steps()
    {
        foreach (SelectedTable table in tables)
        {
            string rows = table.Captured is null ? "" : $": {Count(table.Rows, "row")}";
            if (scope.Mode == RestoreMode.Beside)
            {
                if (table.Captured is not null)
                    yield return $"restore {table.Display} as {PartNames.Restored(id)}.{StagedTables.Beside(table, tables)}{rows}";
            }
            else if (!_live.ContainsKey(table.Name))
                yield return $"create {table.Display} with its indexes, keys, triggers and rights{rows}";
            else if (scope.Mode == RestoreMode.Merge && table.Captured is not null)
                yield return $"add to {table.Display} what is missing of {Count(table.Rows, "row")}, and change none that is there";
            else if (table.Captured is not null)
                yield return $"replace the rows of {table.Display}{rows}; those that are there now are kept in schema {PartNames.Before(id)}";
        }
    }

    private static string Count(long number, string what) => string.Create(CultureInfo.InvariantCulture, $"{number} {what}{(number == 1 ? "" : "s")}");

    private async Task CheckLiveAsync(PsqlSession session, CancellationToken cancellation)
    {
        if (_live.Count == 0)
            return;
        foreach (SelectedTable table in tables.Where(one => _live.ContainsKey(one.Name)))
        {
            LiveTable live = _live[table.Name];
            if (live.Kind != (table.Captured is null ? 'p' : 'r'))
                Unfit($"{table.Display} is now {Words(live.Kind)}, and was {(table.Captured is null ? "the parent of partitions" : "a table")}");
            RequireOwner(session, live.Name, live.Owner, live.OurOwn);
        }

        IReadOnlyList<ForeignKey> keys = await SetAside.KeysAsync(session, _live.Values.Select(static one => one.Oid), cancellation);
        foreach (ForeignKey key in keys.Where(static one => !one.Enforced))
            Unfit($"the server does not watch foreign key {key.Name} of {key.Table} now (its triggers are disabled), and would do so afterwards",
                $"ALTER TABLE {key.Table.Quoted} ENABLE TRIGGER ALL, then run again; or restore beside (--beside)");
        IReadOnlyDictionary<RelationName, LiveTable> others = await LiveTable.FindAsync(
            session, [.. keys.SelectMany(static key => new[] { key.Table }).Distinct().Where(name => !_live.ContainsKey(name))], cancellation);
        foreach (LiveTable other in others.Values)
            RequireOwner(session, other.Name, other.Owner, other.OurOwn);
    }

    private void RequireOwner(PsqlSession session, RelationName table, string owner, bool isOurs)
    {
        if (!isOurs)
            Block(
                ErrorCodes.PostgresRightMissing, $"table {table} belongs to {owner}, and user {session.User} may not act as that role",
                $"connect as {owner} or as a superuser, or have one run: GRANT {SqlText.Identifier(owner)} TO {SqlText.Identifier(session.User)}");
    }

    private void Unfit(string message, string? hint = null)
    {
        LifeboatException problem = database.DoesNotFit(message, hint);
        _blockers.AddRange(problem.Problems);
    }

    private static string Words(char kind) => kind switch
    {
        'r' => "a table", 'p' => "the parent of partitions", 'v' => "a view", 'm' => "a materialised view", 'f' => "a foreign table", 'S' => "a sequence", _ => "something else",
    };

    /// <summary>What tables that are made anew need, and what went with them.</summary>
    private async Task CheckMissingAsync(PsqlSession session, CancellationToken cancellation)
    {
        SelectedTable[] missing = [.. Missing];
        if (missing.Length == 0)
            return;
        HashSet<RelationName> chosen = [.. tables.Select(static one => one.Name)];
        foreach ((SelectedTable table, RelationName needed) in missing
            .SelectMany(static one => one.Definition.Statements.Select(static s => s.References).OfType<RelationName>().Concat(one.Definition.Parents), static (one, name) => (one, name)).Distinct())
            if (!chosen.Contains(needed) && !await IsThereAsync(session, needed, cancellation))
                Unfit($"table {table.Display} needs table {needed}, which is not there", $"restore both: --only {target.Source}/{table.Display} --only {target.Source}/{needed}");
        HashSet<string> schemas = [.. (await session.QueryAsync("SELECT nspname FROM pg_catalog.pg_namespace", cancellation)).Select(static row => row[0]!)];
        foreach (string name in missing.Select(static one => one.Name.Schema).Distinct().Where(name => !schemas.Contains(name)))
            Unfit($"schema {name} is not there", $"CREATE SCHEMA {SqlText.Identifier(name)}, then run again");
        List<RelationName> views = [];
        foreach (RelationName view in schema.ViewsOf(missing.Select(static one => one.Name)))
            if (!await IsThereAsync(session, view, cancellation))
                views.Add(view);
        if (views.Count > 0)
            Warn(
                ErrorCodes.PartDoesNotFit, $"views that read the missing tables are missing too, and are not restored: {Listed(views.Select(static one => one.ToString()))}",
                "create them again from databases/…/schema.sql in the snapshot");
        HashSet<string> roles = [.. (await session.QueryAsync("SELECT rolname FROM pg_catalog.pg_roles", cancellation)).Select(static row => row[0]!)];
        string[] grantees = [.. missing.SelectMany(static one => one.Definition.Statements).Select(static one => one.Grantee).OfType<string>().Distinct().Where(name => !roles.Contains(name))];
        if (grantees.Length > 0)
            Warn(ErrorCodes.PostgresRoleLeftOut, $"rights on the created tables are left out, for their roles are not on the server: {Listed(grantees)}", "create the roles first, then run again");
        HashSet<string> ours = [.. (await session.QueryAsync(TableDefinition.OurPublications, cancellation)).Select(static row => row[0]!)];
        string[] publications = [.. missing.SelectMany(static one => one.Definition.Publications).Distinct().Where(name => !ours.Contains(name))];
        if (publications.Length > 0)
            Warn(
                ErrorCodes.PartDoesNotFit, $"the missing tables were published, and cannot be put into publications that are not there, or not ours: {Listed(publications)}",
                "ALTER PUBLICATION … ADD TABLE … when the restore is done");
    }

    private static string Listed(IEnumerable<string> names)
    {
        string[] all = [.. names];
        return string.Join(", ", all.Take(NamedAtMost)) + (all.Length > NamedAtMost ? ", …" : "");
    }

    private static async Task<bool> IsThereAsync(PsqlSession session, RelationName relation, CancellationToken cancellation) =>
        await session.QueryOneAsync($"SELECT {relation.Oid} IS NOT NULL", cancellation) == "t";

    private void WarnOfLargeObjects()
    {
        string[] holders = target.Details.LargeObjects.Count == 0 ? []
            : [.. tables.Where(static one => SqlStatements.Split(one.Definition.Statements[0].Sql).Any(static s => s.Tokens.Any(static t => t.Is("oid") || t.Is("lo")))).Select(static one => one.Display)];
        if (holders.Length > 0)
            Warn(
                ErrorCodes.PostgresNotComparable, $"rows of {Listed(holders)} may name large objects, which are not restored with tables",
                "look whether those that they name are there; the restore of the whole source to another place (--target) brings all back");
    }

    /// <summary>Makes the staged tables, and those that are missing, and rolls all of it back.</summary>
    private async Task TryAsync(CancellationToken cancellation)
    {
        List<Problem> found = [];
        try
        {
            await database.RunAsync("try the tables' definitions", async (session, token) =>
            {
                found.Clear(); // what was found before a lock was not had is found again
                await TryAsync(session, found, token);
            }, cancellation, trial: true);
            _blockers.AddRange(found);
        }
        catch (LifeboatException e)
        {
            _blockers.AddRange(e.Problems);
        }
    }

    private async Task TryAsync(PsqlSession session, List<Problem> found, CancellationToken cancellation)
    {
        PartSchema trial = new(session, PartNames.Staging(id));
        await trial.CreateBareAsync(cancellation);
        StagedTables staged = new(tables, trial.Name, scope.Mode);
        IReadOnlyDictionary<SelectedTable, LifeboatException> refused = await staged.TryAsync(session, cancellation);
        IReadOnlyDictionary<RelationName, LiveTable> made = await LiveTable.FindAsync(session, [.. staged.Names.Values], cancellation);
        foreach (SelectedTable table in tables.Where(one => _live.ContainsKey(one.Name)))
            if (staged.Names.TryGetValue(table.Name, out RelationName name) && made.TryGetValue(name, out LiveTable? copy)
                && _live[table.Name].Differences(copy, alsoGenerated: true).ToArray() is { Length: > 0 } differences)
                found.AddRange(database.DoesNotFit(
                    $"the columns of {table.Display} are not those of the snapshot: {string.Join("; ", differences)}",
                    $"restore it beside the live one (--only {target.Source}/{table.Display} --beside) and take from there what is needed").Problems);
        IEnumerable<SelectedTable> others = Missing.Where(one => !refused.ContainsKey(one));
        foreach ((SelectedTable table, LifeboatException refusal) in refused.Concat(await TableCreation.TryAsync(session, others, cancellation)))
            found.AddRange(database.Judged(refusal, table.Display).Problems);
    }
}
