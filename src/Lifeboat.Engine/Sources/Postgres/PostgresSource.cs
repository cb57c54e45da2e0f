using System.Text.Json;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Capture;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Extensions;
using Lifeboat.Engine.Sources.Postgres.Parts;
using Lifeboat.Engine.Sources.Postgres.Restore;
using Lifeboat.Engine.Sources.Postgres.Roles;
using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres;

/// <summary>One PostgreSQL database, with the roles of its server.</summary>
/// <param name="toolsFolder">Where to look for the client programs, alone; null for PATH and the usual folders.</param>
public sealed class PostgresSource(PostgresSettings settings, string? toolsFolder, RunContext context, ISecretResolver secrets) : ISource
{
    /// <summary>The oldest server that is supported.</summary>
    public const int OldestMajor = 13;

    public string Name => settings.Name;

    /// <summary>Pages in a part of a table; 8192 are 64 MiB.</summary>
    internal int BlocksPerPart { get; init; } = 8192;

    /// <summary>What the restores of one run make on servers; shared by the run's sources.</summary>
    internal MadeOnServers Made { get; init; } = new();

    /// <summary>How long to wait for someone who has a table for himself.</summary>
    internal TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(30);

    public async Task<IReadOnlyList<Problem>> CheckAsync(CancellationToken cancellation)
    {
        try
        {
            (PsqlSession session, _) = await ConnectAsync(cancellation);
            await using (session)
            {
                await session.ExecuteAsync("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", cancellation);
                PostgresCatalogue catalogue = await PostgresCatalogue.ReadAsync(session, cancellation);
                ExtensionReader extensions = new(session);
                await extensions.ReadAsync(ask: false, cancellation);
                return [.. CaptureChecks.Blockers(session, catalogue), .. extensions.Blockers, .. await RedactionProblemsAsync(session, catalogue, cancellation), .. CaptureChecks.Warnings(session, catalogue)];
            }
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
        PostgresCapture capture = await OpenCaptureAsync(CutTurn.Alone, cancellation);
        capture.WithoutRows = true;
        return capture;
    }

    public string? DefinitionsDigest(SourceMetadata captured) => captured.Details is { } details
        ? $"{PostgresDetails.From(details).SchemaDigest} {captured.Engine} {captured.Tools}" : null;

    private async Task<PostgresCapture> OpenCaptureAsync(CutTurn turn, CancellationToken cancellation)
    {
        (PsqlSession session, PostgresTools tools) = await ConnectAsync(cancellation);
        try
        {
            await using PsqlSession watch = await PsqlSession.OpenAsync(tools, session.Connection, cancellation);
            await turn.WaitAsync(cancellation);
            return await PostgresCapture.OpenAsync((session, watch), settings.Redact, tools, context, BlocksPerPart, LockTimeout, cancellation);
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    public IRestoration PrepareRestore(VerifiedSnapshot snapshot, SourceMetadata captured, RestoreRun restore) =>
        new PostgresRestoration(context, settings, secrets, toolsFolder, snapshot, captured, restore, Made);

    public IRestoration PreparePart(VerifiedSnapshot snapshot, SourceMetadata captured, RestoreScope scope, RestoreRun restore) =>
        new PartRestoration(context, settings, secrets, toolsFolder, snapshot, captured, scope, restore, LockTimeout);

    public async Task<IAsyncDisposable?> HoldTargetAsync(TargetHolder holder, CancellationToken cancellation)
    {
        (PostgresConnection connection, IReadOnlyList<PostgresTools> tools) = await FindAsync(cancellation);
        return await DatabaseHold.TakeAsync(connection, PostgresTools.Newest(tools), holder, cancellation);
    }

    public ISwitch Resume(JsonElement record, RestoreRun restore)
    {
        // A switch opens many sessions: secrets are asked for, and programs looked for, once.
        Task<(PostgresConnection Connection, IReadOnlyList<PostgresTools> Tools)>? found = null;
        DatabaseSwitchRecord? whole = PartRecord.Is(record) ? null : DatabaseSwitchRecord.From(record, Name);
        PartRecord? part = whole is null ? PartRecord.From(record, Name) : null;
        bool isQuiet = false;
        async Task<PsqlSession> OpenAsync(string database, CancellationToken token)
        {
            (PostgresConnection connection, IReadOnlyList<PostgresTools> tools) = await (found ??= FindAsync(token));
            if (connection.Database is { } own && whole is not null)
                StagingNames.Require(whole, own, Name);
            if (connection.Database is { } other && part is not null && other != part.Database)
                throw SwitchNames.Foreign(Name, $"the database {part.Database}");
            connection = connection.WithDatabase(database);
            PsqlSession session = await PsqlSession.OpenAsync(PostgresTools.Newest(tools), isQuiet ? connection.WithoutEventTriggers() : connection, token);
            // The first one is with a maintenance database: what the restored ones have of event triggers is not to be run by a superuser.
            isQuiet |= session is { IsSuperuser: true, ServerMajor: >= PostgresConnection.EventTriggersOption };
            return session;
        }

        return part is null
            ? new DatabaseSwitch(context, Name, whole!, OpenAsync, restore.RecordAsync)
            : new PartSwitch(new PartDatabase(context, Name, token => OpenAsync(part.Database, token), LockTimeout), part, restore.RecordAsync);
    }

    private async Task<IReadOnlyList<Problem>> RedactionProblemsAsync(PsqlSession session, PostgresCatalogue catalogue, CancellationToken cancellation)
    {
        try
        {
            return (await RedactedTables.ReadAsync(session, catalogue, settings.Redact, Redacting.NewKey(context.Host), cancellation)).Warnings;
        }
        catch (LifeboatException e)
        {
            return e.Problems;
        }
    }

    private async Task<(PostgresConnection Connection, IReadOnlyList<PostgresTools> Tools)> FindAsync(CancellationToken cancellation) => (
        await PostgresConnection.FromAsync(settings, secrets, cancellation), await PostgresTools.FindAsync(context, toolsFolder, settings.Via, cancellation));

    /// <summary>Connects, and chooses the programs that fit the server.</summary>
    private async Task<(PsqlSession Session, PostgresTools Tools)> ConnectAsync(CancellationToken cancellation)
    {
        (PostgresConnection connection, IReadOnlyList<PostgresTools> found) = await FindAsync(cancellation);
        PsqlSession session = await PsqlSession.OpenAsync(PostgresTools.Newest(found), connection, cancellation);
        try
        {
            if (session.ServerMajor < OldestMajor)
                throw new LifeboatException(
                    ErrorCodes.PostgresServerTooOld,
                    $"{connection.Target} is PostgreSQL {session.ServerVersion}; the oldest that is supported is {OldestMajor}",
                    "upgrade the server, or back it up with its own pg_dump",
                    Name);
            await session.RestrictRelationsAsync(cancellation);
            return (session, PostgresTools.For(found, session.ServerMajor, session.ServerVersion, Name));
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }
}
