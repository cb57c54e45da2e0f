using System.Globalization;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Restore;
using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres.Parts;

/// <summary>
/// The restore of some tables of a database: their rows are loaded into a schema <c>lifeboat__staging_ID</c> of the live database and compared, then exchanged for the
/// live ones, merged into them, or left beside them, in one transaction. No role is created or changed.
/// </summary>
internal sealed class PartRestoration(
    RunContext context,
    PostgresSettings settings,
    ISecretResolver secrets,
    string? toolsFolder,
    VerifiedSnapshot snapshot,
    SourceMetadata captured,
    RestoreScope scope,
    RestoreRun restore,
    TimeSpan patience) : IRestoration
{
    private PreparedParts? _prepared;
    private TableReadBack? _readBack;

    public IReadOnlyList<MergeCount> Merged => _prepared?.Switch.Merged ?? [];

    public ISwitch Switch => _prepared?.Switch ?? throw new InvalidOperationException("nothing was planned");

    public async Task<RestorePlan> PlanAsync(CancellationToken cancellation)
    {
        try
        {
            RestoreTarget target = await RestoreTarget.FindAsync(
                context, await PostgresConnection.FromAsync(settings, secrets, cancellation), toolsFolder, snapshot, captured, restore.Id, cancellation);
            // What is staged is in the live database itself.
            target = target with { Names = target.Names with { Staging = target.Names.Live } };
            PartDatabase database = new(context, settings.Name, target.OpenStagingAsync, patience);
            await using (await OpenAsync(target, cancellation))
            {
                // So that a database that is not there is the first thing that is said.
            }

            SchemaParts schema = await target.SchemaPartsAsync(cancellation);
            PartSelection selection = new(settings.Name, target.Details, captured.Tables ?? [], schema);
            IReadOnlyList<SelectedTable> tables = selection.Select(scope.Parts);
            RestorePlan plan = await new PartPreflight(target, database, scope, tables, schema, restore.Id).RunAsync(cancellation);
            plan = plan with { Warnings = [.. selection.Warnings, .. plan.Warnings] };
            PartWay way = scope.Mode switch { RestoreMode.Beside => PartWay.Show, RestoreMode.Merge => PartWay.Add, _ => PartWay.Exchange };
            PartRecord record = new(
                target.Names.Live, way, PartNames.Staging(restore.Id), way == PartWay.Show ? PartNames.Restored(restore.Id) : PartNames.Before(restore.Id),
                target.Details.ServerEncoding);
            _prepared = new PreparedParts(plan, target, database, tables, new PartSwitch(database, record, restore.RecordAsync));
            return plan;
        }
        catch (LifeboatException e)
        {
            return RestorePlan.NotMade(settings.Name, e.Problems);
        }
    }

    public async Task StageAsync(CancellationToken cancellation)
    {
        RestorePlan plan = _prepared?.Plan ?? await PlanAsync(cancellation);
        if (plan.Blockers.Count > 0 || _prepared is null)
            throw new LifeboatException(plan.Blockers);
        await _prepared.Switch.NoteAsync(cancellation);
        StagedTables staged = new(_prepared.Tables, PartNames.Staging(restore.Id), scope.Mode);
        await _prepared.Database.RunAsync("create the staging schema", (session, token) => CreateAsync(session, _prepared, staged, token), cancellation);

        RestoreTarget target = _prepared.Target = Staged(_prepared, staged);
        _readBack = new TableReadBack(target);
        PostgresCatalogue catalogue;
        await using (PsqlSession session = await target.OpenStagingAsync(cancellation))
            catalogue = await PostgresCatalogue.ReadAsync(session, cancellation);
        ILookup<string, string> noKeys = Array.Empty<string>().ToLookup(static key => key);
        LoadPlan load = LoadPlan.Of(target.Details.Tables, target.Captured.Tables!, noKeys, target.Workers, target.Details.ServerEncoding);
        long started = context.Host.Time.GetTimestamp();
        await new TableLoad(target, load, catalogue, _readBack).RunAsync(cancellation);
        context.Progress.Report(new Noted(
            settings.Name, string.Create(CultureInfo.InvariantCulture, $"staged {target.Details.Tables.Count} tables in {context.Host.Time.GetElapsedTime(started).TotalSeconds:0.0} s")));
    }

    public async Task<VerifyReport> VerifyAsync(CancellationToken cancellation)
    {
        if (_prepared is null || _readBack is null)
            throw new InvalidOperationException("nothing was staged");
        RestoreTarget target = _prepared.Target;
        List<VerifyCheck> checks = [];
        await using PsqlSession session = await target.OpenStagingAsync(cancellation);
        Dictionary<(string, string), CatalogueRelation> there = (await PostgresCatalogue.ReadAsync(session, cancellation)).Tables.ToDictionary(static r => (r.Schema, r.Name));
        for (int i = 0; i < target.Details.Tables.Count; i++)
        {
            TableMetadata expected = target.Captured.Tables![i];
            if (_readBack.Of(i) is null && there.TryGetValue((target.Details.Tables[i].Schema, target.Details.Tables[i].Name), out CatalogueRelation? relation))
                foreach (TablePart part in await _readBack.CutAsync(i, session, relation, cancellation))
                    await _readBack.ReadAsync(session, part, cancellation);
            checks.Add(new VerifyCheck(
                $"table {expected.Name}", StateTable.Describe(expected.Rows, expected.Digest),
                _readBack.Of(i) is { } rows ? StateTable.Describe(rows.Digest) : "no such table"));
        }

        return new VerifyReport(checks);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task<PsqlSession> OpenAsync(RestoreTarget target, CancellationToken cancellation)
    {
        try
        {
            return await target.OpenStagingAsync(cancellation);
        }
        catch (LifeboatException e) when (e.Code == ErrorCodes.PostgresDatabaseMissing)
        {
            throw new LifeboatException(
                e.Code, $"{target.Connection.WithDatabase(target.Names.Live).Target} is not there, so no part can be put into it",
                $"restore the whole source (`--only {settings.Name}`), or name a database that is there (`--target {settings.Name}=URL`)", settings.Name, e);
        }
    }

    private async Task CreateAsync(PsqlSession session, PreparedParts prepared, StagedTables staged, CancellationToken cancellation)
    {
        PartSchema schema = new(session, PartNames.Staging(restore.Id));
        if (scope.Mode == RestoreMode.Beside)
        {
            await schema.CreateBareAsync(cancellation);
            await staged.CreateAsync(session, cancellation);
            return;
        }

        await schema.CreateAsync(cancellation);
        await staged.CreateAsync(session, cancellation);
        await schema.AddAsync(
            prepared.Tables.Select(static one => new StateTable(
                one.Number, one.Name, one.Captured is not null, Present: true,
                one.Captured is { } rows ? StateTable.Describe(rows.Rows.Rows, rows.Rows.Digest) : null, one.Captured?.Table.GivenColumns)), cancellation);
        foreach (SelectedTable table in prepared.Tables)
            await schema.AddAsync(table.Number, table.Definition.Statements, cancellation);
        Dictionary<RelationName, PostgresSequence> values = prepared.Target.Details.Sequences.ToDictionary(static one => new RelationName(one.Schema, one.Name));
        await schema.AddAsync(
            prepared.Tables.SelectMany(static one => one.Definition.Sequences).Distinct().Where(values.ContainsKey)
                .Select(name => (name, values[name].LastValue, values[name].IsCalled)), cancellation);
    }

    /// <summary>The staged tables as those that are loaded and read back.</summary>
    private static RestoreTarget Staged(PreparedParts prepared, StagedTables staged)
    {
        (PostgresTable Table, TableMetadata Rows)[] tables = [.. prepared.Tables.Select(static one => one.Captured).OfType<(PostgresTable Table, TableMetadata Rows)>()];
        PostgresTable[] renamed = [.. tables.Select(one => (one.Table, Name: staged.Names[new RelationName(one.Table.Schema, one.Table.Name)]))
            .Select(static one => one.Table with { Schema = one.Name.Schema, Name = one.Name.Name, Kind = "table" })];
        return prepared.Target with
        {
            Details = prepared.Target.Details with { Tables = renamed, Extensions = [] },
            Captured = prepared.Target.Captured with { Tables = [.. tables.Select(static one => one.Rows)] },
        };
    }

    /// <param name="Target">With the live database as the one to stage in; when staged, with the staged tables.</param>
    private sealed record PreparedParts(RestorePlan Plan, RestoreTarget Target, PartDatabase Database, IReadOnlyList<SelectedTable> Tables, PartSwitch Switch)
    {
        public RestoreTarget Target { get; set; } = Target;
    }
}
