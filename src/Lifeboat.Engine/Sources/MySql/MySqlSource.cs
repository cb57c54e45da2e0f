using System.Text.Json;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.MySql.Accounts;
using Lifeboat.Engine.Sources.MySql.Capture;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Restore;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql;

/// <summary>One MySQL or MariaDB database, with the accounts of its server.</summary>
/// <param name="toolsFolder">Where to look for the client program, alone; null for PATH and the usual folders.</param>
public sealed class MySqlSource(MySqlSettings settings, string? toolsFolder, RunContext context, ISecretResolver secrets) : ISource
{
    /// <summary>How often a cut is opened before changes of the schema are told.</summary>
    private const int Attempts = 3;

    public string Name => settings.Name;

    /// <summary>About how many bytes a part of a large table has.</summary>
    internal long PartBytes { get; init; } = 64 << 20;

    /// <summary>Is run when a cut was opened, and nothing read of it yet.</summary>
    internal Func<CancellationToken, Task> AfterCut { get; init; } = static _ => Task.CompletedTask;

    /// <summary>How long the switch waits for transactions that use the live tables.</summary>
    internal TimeSpan SwitchTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What other restores of the same run made on servers.</summary>
    internal MadeAccounts Made { get; init; } = new();

    public async Task<IReadOnlyList<Problem>> CheckAsync(CancellationToken cancellation)
    {
        try
        {
            (MySqlConnection connection, MySqlTools tools) = await FindAsync(cancellation);
            await using MySqlSession session = await OpenAsync(connection, tools, cancellation);
            CaptureRights rights = await CaptureRights.ReadAsync(session, connection.Database, cancellation);
            List<Problem> problems = [.. rights.Blockers(session, connection.Database)];
            if (problems.Count == 0)
            {
                CapturedSchema schema = await CapturedSchema.ReadAsync(session, connection.Database, settings.AllAccounts, rights, cancellation);
                problems.AddRange(schema.Warnings);
                await RedactedAsync(session, connection.Database, schema, cancellation);
            }

            if (context.Host.Workers > 1 && await CutMethod.ChooseAsync(session, rights, cancellation) is { Kind: CutKind.Alone } alone)
                problems.Add(MySqlCut.OneWorker(alone.Why, alone.Hint));
            return [.. problems.Select(problem => problem with { Where = Name })];
        }
        catch (LifeboatException e)
        {
            return e.Problems;
        }
    }

    public Task<ICapture> OpenAsync(CancellationToken cancellation) => OpenAsync(CutTurn.Alone, cancellation);

    public async Task<ICapture> OpenAsync(CutTurn turn, CancellationToken cancellation) => await OpenCaptureAsync(turn, cancellation);

    public async Task<ICapture?> OpenDefinitionsAsync(CancellationToken cancellation)
    {
        MySqlCapture capture = await OpenCaptureAsync(CutTurn.Alone, cancellation);
        capture.WithoutRows = true;
        return capture;
    }

    public string? DefinitionsDigest(SourceMetadata captured) => captured.Details is { } details && MySqlDetails.From(details).DefinitionsDigest is { } digest
        ? $"{digest} {captured.Engine} {captured.Tools}" : null;

    private async Task<MySqlCapture> OpenCaptureAsync(CutTurn turn, CancellationToken cancellation)
    {
        (MySqlConnection connection, MySqlTools tools) = await FindAsync(cancellation);
        await using MySqlSession first = await OpenAsync(connection, tools, cancellation);
        CaptureRights rights = await CaptureRights.ReadAsync(first, connection.Database, cancellation);
        if (rights.Blockers(first, connection.Database).ToArray() is { Length: > 0 } blockers)
            throw new LifeboatException(blockers);
        for (int attempt = 1; attempt <= Attempts; attempt++)
        {
            if (await OpenAsync(first, tools, rights, turn, cancellation) is { } capture)
                return capture;
        }

        throw new LifeboatException(
            ErrorCodes.MySqlSchemaChanged, $"{connection.Target}: tables were created, altered or dropped each time that the backup began",
            "run again when the change is done", Name);
    }

    /// <summary>One cut, and the schema as it was then; null where that was changed meanwhile.</summary>
    private async Task<MySqlCapture?> OpenAsync(MySqlSession first, MySqlTools tools, CaptureRights rights, CutTurn turn, CancellationToken cancellation)
    {
        string database = first.Connection.Database;
#pragma warning disable CA2000 // the capture that takes them over disposes them, or this method does
        TableIdentities identities = new(
            database, rights.HasGlobal("PROCESS") ? token => MySqlSession.OpenAsync(context, tools, first.Connection, token) : null);
#pragma warning restore CA2000
        MySqlCut? cut = null;
        MySqlCapture? capture = null;
        try
        {
            IReadOnlyDictionary<string, TableIdentity> before = await identities.ReadAsync(first, null, cancellation);
#pragma warning disable CA2000 // the finally below disposes it, or the capture that takes it over does
            cut = await MySqlCut.OpenAsync(context, token => MySqlSession.OpenAsync(context, tools, first.Connection, token), database, rights, turn, cancellation);
#pragma warning restore CA2000
            await AfterCut(cancellation);
            CapturedSchema schema = await CapturedSchema.ReadAsync(cut.Side, database, settings.AllAccounts, rights, cancellation);
            IReadOnlyDictionary<string, TableIdentity> after = await identities.ReadAsync(cut.Watch, null, cancellation);
            if (before.Count != after.Count || before.Any(one => after.GetValueOrDefault(one.Key)?.IsThatOf(one.Value) != true))
                return null;
            schema = schema with { Tables = await RedactedAsync(cut.Workers[0], database, schema, cancellation) };
            return capture = new MySqlCapture(cut, schema, (identities, after), settings.Redact, (tools, PartBytes), context);
        }
        catch (LifeboatException e) when (MySqlError.Of(e)?.IsMissing == true)
        {
            return null; // dropped between two questions
        }
        finally
        {
            if (capture is null)
            {
                await (cut?.DisposeAsync() ?? default);
                await identities.DisposeAsync();
            }
        }
    }

    public IRestoration PrepareRestore(VerifiedSnapshot snapshot, SourceMetadata captured, RestoreRun restore) =>
        new MySqlRestoration(context, settings, secrets, toolsFolder, snapshot, captured, restore, SwitchTimeout, Made);

    public async Task<IAsyncDisposable?> HoldTargetAsync(TargetHolder holder, CancellationToken cancellation)
    {
        (MySqlConnection connection, MySqlTools tools) = await FindAsync(cancellation);
#pragma warning disable CA2000 // the hold takes it over
        return await DatabaseHold.TakeAsync(await MySqlSession.OpenAsync(context, tools, connection, cancellation), holder, cancellation);
#pragma warning restore CA2000
    }

    public ISwitch Resume(JsonElement record, RestoreRun restore)
    {
        // A switch opens many sessions: secrets are asked for, and programs looked for, once.
        Task<(MySqlConnection Connection, MySqlTools Tools)>? found = null;
        DatabaseSwitchRecord begun = DatabaseSwitchRecord.From(record, Name);
        return new DatabaseSwitch(
            context,
            Name,
            begun,
            async token =>
            {
                (MySqlConnection connection, MySqlTools tools) = await (found ??= FindAsync(token));
                RestoreNames.Require(begun, connection.Database, Name);
                MySqlSession session = await MySqlSession.OpenAsync(context, tools, connection, token);
                await session.PrepareToWriteAsync(token);
                return session;
            },
            restore.RecordAsync,
            SwitchTimeout);
    }

    private Task<IReadOnlyList<CatalogueTable>> RedactedAsync(
        MySqlSession session, string database, CapturedSchema schema, CancellationToken cancellation) =>
        new RedactedTables(session, database, Redacting.NewKey(context.Host)).ApplyAsync(schema.Tables, settings.Redact, cancellation);

    private async Task<(MySqlConnection Connection, MySqlTools Tools)> FindAsync(CancellationToken cancellation) => (
        await MySqlConnection.FromAsync(settings, secrets, cancellation), await MySqlTools.FindAsync(context, toolsFolder, settings.Via, cancellation));

    /// <summary>A session in the database.</summary>
    private async Task<MySqlSession> OpenAsync(MySqlConnection connection, MySqlTools tools, CancellationToken cancellation)
    {
        MySqlSession session = await MySqlSession.OpenAsync(context, tools, connection, cancellation);
        try
        {
            await session.ExecuteAsync(MySqlCut.ShortWait, cancellation);
            await session.ExecuteAsync($"USE {SqlText.Identifier(connection.Database)}", cancellation);
            return session;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }
}
