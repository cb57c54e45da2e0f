using System.Globalization;
using System.Text.Json;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.MySql.Accounts;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>
/// The restore of one MySQL or MariaDB database: it is built as <c>DB__staging_ID</c> on the same server, compared, and its tables are renamed into
/// their place, while those that were there are kept in <c>DB__before_ID</c>. Beside that only accounts are created
/// that were not there, or changed where that is asked for.
/// </summary>
/// <param name="toolsFolder">The app file's <c>tools:</c> folder for mysql; null for none.</param>
internal sealed class MySqlRestoration(
    RunContext context, MySqlSettings settings, ISecretResolver secrets, string? toolsFolder, VerifiedSnapshot snapshot, SourceMetadata captured, RestoreRun restore,
    TimeSpan switchTimeout, MadeAccounts made)
    : IRestoration
{
    private RestoreTarget? _target;
    private PreparedRestore? _prepared;
    private TableReadBack? _readBack;
    private DatabaseSwitch? _switch;
    private StagedWatch? _watch;

    public async Task<RestorePlan> PlanAsync(CancellationToken cancellation)
    {
        try
        {
            RestoreTarget target = await TargetAsync(cancellation);
            await target.RequireStatementsAsync(cancellation);
            await using MySqlSession session = await target.OpenAsync(cancellation);
            _prepared = await new RestorePreflight(target, session, settings.UpdateRoles).RunAsync(cancellation);
            _switch = new DatabaseSwitch(
                context, settings.Name, new DatabaseSwitchRecord(target.Names.Live, target.Names.Staging, target.Names.Before), target.OpenForWritingAsync, restore.RecordAsync,
                switchTimeout);
            _prepared = _prepared with { Plan = _prepared.Plan with { Steps = [.. _prepared.Plan.Steps, .. settings.Neutralize.Select(Neutralizing.Step)] } };
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
        StagedContent content = new(target);
        await StepAsync("accounts", () => StageAccountsAsync(target, _switch, _prepared.Accounts, cancellation));
        await _switch.NoteAsync(
            _switch.State with
            {
                IncomingObjects = await target.ObjectsAsync(cancellation),
                ObjectsFrom = target.Details.Database,
                IncomingOptions = target.Details.DatabaseOptions,
                Grants = _prepared.Accounts.LateGrants,
                ForeignKeys = [.. (await target.TablesAsync(cancellation))
                    .SelectMany((create, i) => OutwardKey.Of(target.Details.Tables[i].Name, create, target.HasTable))],
            },
            cancellation);
        await StepAsync("empty tables", () => content.CreateAsync(cancellation));
        _readBack = new TableReadBack(target);
        TableLoad load = await content.PrepareLoadAsync(_readBack, cancellation);
        await StepAsync("rows and keys", () => load.RunAsync(cancellation));
        await StepAsync("routines, views, triggers and events", () => content.ObjectsAsync(cancellation));
        await using MySqlSession last = await target.OpenAsync(cancellation);
        IReadOnlyList<Definition> over = await Events.OverAsync(last, _switch.State.IncomingObjects, cancellation);
        Events.Warn(context, settings.Name, over);
        await _switch.NoteAsync(_switch.State with { IncomingObjects = [.. _switch.State.IncomingObjects.Except(over)] }, cancellation);
    }

    public async Task<VerifyReport> VerifyAsync(CancellationToken cancellation)
    {
        if (_prepared is null || _readBack is null)
            throw new InvalidOperationException("nothing was staged");
        RestoreTarget target = await TargetAsync(cancellation);
        await using MySqlSession session = await target.OpenAsync(cancellation);
        _watch = await StagedWatch.BeginAsync(target, session, cancellation);
        VerifyReport report = await new RestoreVerification(target, _prepared.Accounts, _readBack).RunAsync(cancellation);
        _switch?.BeforeRenaming = _watch.RequireUnchangedAsync;
        return report;
    }

    public async Task NeutralizeAsync(CancellationToken cancellation)
    {
        if (settings.Neutralize.Count == 0)
            return;
        await using MySqlSession session = await (await TargetAsync(cancellation)).OpenStagingAsync(cancellation);
        string checks = session.Server.Variables.Contains("check_constraint_checks") ? ", check_constraint_checks = 1" : "";
        foreach (string sql in (string[])[$"SET foreign_key_checks = 1, unique_checks = 1{checks}", "START TRANSACTION"])
            await session.ExecuteAsync(sql, cancellation);
        if (_watch is not null)
            await _watch.RequireUnchangedAsync(session, cancellation);
        foreach (string statement in settings.Neutralize)
            await NeutralizeAsync(session, statement, cancellation);
        await session.ExecuteAsync("COMMIT", cancellation);
        if (_watch is not null)
            await _watch.LookAgainAsync(session, cancellation);
        context.Progress.Report(new Noted(settings.Name, string.Create(CultureInfo.InvariantCulture, $"made neutral by {settings.Neutralize.Count} statements")));
    }

    public ISwitch Switch => _switch ?? throw new InvalidOperationException("nothing was planned");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Makes accounts that are missing, and what those need that are to be changed. Each is noted by itself: a restore drops none that it did not make.</summary>
    private async Task StageAccountsAsync(RestoreTarget target, DatabaseSwitch to, AccountPlan accounts, CancellationToken cancellation)
    {
        await using MySqlSession session = await target.OpenAsync(cancellation);
        if (accounts.Update.Count > 0)
        {
            AccountChanges changes = await AccountChanges.ReadAsync(session, accounts.Update, target.Names.Live, restore.Id, cancellation);
            await to.NoteAsync(to.State with { Changes = changes }, cancellation);
            await changes.PrepareAsync(session, accounts.Update, context, cancellation);
        }

        await accounts.ApplyAsync(session, made, settings.Name, drops => to.NoteAsync(to.State with { IncomingAccounts = drops }, cancellation), cancellation);
    }

    /// <summary>As a text, so that a quote that is never closed is the server's error, and not the end of what our client program reads.</summary>
    private async Task NeutralizeAsync(MySqlSession session, string statement, CancellationToken cancellation)
    {
        try
        {
            await session.ExecuteAsync($"SET @lifeboat = {SqlText.Literal(statement)}", cancellation);
            foreach (string sql in (string[])["PREPARE lifeboat FROM @lifeboat", "EXECUTE lifeboat", "DEALLOCATE PREPARE lifeboat"])
                await session.ExecuteAsync(sql, cancellation);
        }
        catch (LifeboatException e) when (MySqlError.Of(e) is { } error)
        {
            throw new LifeboatException([Neutralizing.Failed(settings.Name, statement, error.Message)], e);
        }
    }

    private async Task<RestoreTarget> TargetAsync(CancellationToken cancellation)
    {
        if (_target is not null)
            return _target;
        MySqlConnection connection = await MySqlConnection.FromAsync(settings, secrets, cancellation);
        MySqlTools tools = await MySqlTools.FindAsync(context, toolsFolder, settings.Via, cancellation);
        MySqlDetails details = Described();
        if (captured.Tables?.Count != details.Tables.Count)
            throw new LifeboatException(
                ErrorCodes.BundleDamaged, "the metadata names other tables than it describes", "use another snapshot; this one was altered or damaged", settings.Name);
        return _target = new RestoreTarget(context, connection, tools, snapshot, captured, details, RestoreNames.For(connection.Database, restore.Id));
    }

    private MySqlDetails Described()
    {
        try
        {
            return MySqlDetails.From(captured.Details ?? default);
        }
        catch (JsonException e)
        {
            throw new LifeboatException(
                ErrorCodes.BundleDamaged, $"the metadata of source {captured.Name} cannot be used: {e.Message}", "use another snapshot; this one was altered or damaged",
                VerifiedSnapshot.MetadataFileName, e);
        }
    }

    private async Task StepAsync(string what, Func<Task> step)
    {
        long started = context.Host.Time.GetTimestamp();
        await step();
        context.Progress.Report(new Noted(
            settings.Name, string.Create(CultureInfo.InvariantCulture, $"restored {what} in {context.Host.Time.GetElapsedTime(started).TotalSeconds:0.0} s")));
    }
}
