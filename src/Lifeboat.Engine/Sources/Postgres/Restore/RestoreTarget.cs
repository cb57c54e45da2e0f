using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Processes;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Parts;
using Lifeboat.Engine.Sources.Postgres.Roles;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>The server that is restored to, what is restored, and the ways to reach both.</summary>
/// <param name="Connection">To the live database, which need not be there.</param>
/// <param name="ServerTools">The client programs to talk to the server with.</param>
/// <param name="RestoreTools">Those that read the captured dump: the same, unless the dump is a newer program's.</param>
internal sealed partial record RestoreTarget(
    RunContext Context,
    PostgresConnection Connection,
    PostgresTools ServerTools,
    PostgresTools RestoreTools,
    string MaintenanceDatabase,
    int ServerMajor,
    VerifiedSnapshot Snapshot,
    SourceMetadata Captured,
    PostgresDetails Details,
    StagingNames Names)
{
    // Which there are on every server, unless somebody has dropped the first.
    private static readonly string[] s_maintenanceDatabases = ["postgres", "template1"];

    public string Source => Connection.Source;

    /// <summary>The folder of the source's files in the snapshot.</summary>
    public string Folder => $"databases/{Captured.Name}";

    /// <summary>Whether the server is of an older major version than the one that was captured.</summary>
    public bool IsOlder => ServerMajor < CapturedMajor(Details);

    public int Workers => Context.Host.Workers;

    public PostgresConnection Maintenance => Connection.WithDatabase(MaintenanceDatabase);

    public PostgresConnection Staging => With(Names.Staging).WithUsualPath();

    /// <inheritdoc cref="PsqlSession.SharedNamesEncoding"/>
    public string SharedNamesEncoding { get; init; } = "UTF8";

    /// <summary>Whether no event trigger ON login (17 and later) fires for our sessions, and writes what was not captured. Only a superuser may say so.</summary>
    public bool WithoutLoginTriggers { get; init; }

    /// <summary>Finds the server and the programs for it.</summary>
    /// <exception cref="LifeboatException">The server or the programs are not there, or the programs are too old.</exception>
    public static async Task<RestoreTarget> FindAsync(
        RunContext context, PostgresConnection connection, string? toolsFolder, VerifiedSnapshot snapshot, SourceMetadata captured,
        string restoreId, CancellationToken cancellation)
    {
        PostgresDetails details = Described(captured);
        string live = connection.Database ?? NameText.Decode(details.Database.Name, details);
        IReadOnlyList<PostgresTools> found = await PostgresTools.FindAsync(context, toolsFolder, connection.Via, cancellation);
        await using PsqlSession session = await OpenAnyAsync(PostgresTools.Newest(found), connection, live, cancellation);
        PostgresTools tools = PostgresTools.For(found, session.ServerMajor, session.ServerVersion, connection.Source);
        // An older server takes nothing of it: preflight says so, whatever the programs.
        bool older = session.ServerMajor < CapturedMajor(details);
        return new RestoreTarget(
            context, connection.WithSettingsOf(session), tools, older ? tools : ReaderOf(captured, tools, found), session.Database, session.ServerMajor, snapshot, captured, details, StagingNames.For(live, restoreId))
        {
            SharedNamesEncoding = session.SharedNamesEncoding,
        };
    }

    /// <summary>Opens a session with any database of the server.</summary>
    public Task<PsqlSession> OpenAsync(string database, CancellationToken cancellation) => PsqlSession.OpenAsync(ServerTools, With(database), cancellation);

    public Task<PsqlSession> OpenMaintenanceAsync(CancellationToken cancellation) => PsqlSession.OpenAsync(ServerTools, Maintenance, cancellation);

    public Task<PsqlSession> OpenStagingAsync(CancellationToken cancellation) => PsqlSession.OpenAsync(ServerTools, Staging, cancellation);

    /// <summary>Roles, memberships and tablespaces of the snapshot.</summary>
    public async Task<Globals> CapturedGlobalsAsync(CancellationToken cancellation)
    {
        try
        {
            string path = $"{Folder}/globals.sql";
            if (Snapshot.Entries.TryGetValue(path, out SnapshotEntry? entry))
                HeldText.Require(entry, HeldText.SmallBytes / 4 + (BytesOfRole * Details.Roles.Count));
            string text = await ReadTextAsync(path, cancellation);
            foreach (SqlStatement statement in SqlStatements.Split(text))
                if (GlobalsStatements.Fault(statement) is { } fault)
                    throw new FormatException($"the statement in line {statement.Line} is not one of roles and tablespaces: {fault}");
            return Globals.Parse(text, Details.RolePasswords);
        }
        catch (FormatException e)
        {
            throw NotADump(e, $"{Folder}/globals.sql");
        }
    }

    /// <summary>A file of a snapshot holds something that no dump has.</summary>
    public static LifeboatException NotADump(FormatException e, string path) => new(
        ErrorCodes.PostgresNotADump, $"the file is not what PostgreSQL's programs write: {e.Message}",
        "nothing of it was run; use another snapshot: somebody altered this one", path, e);

    /// <summary>What a role can have in <c>globals.sql</c>: its settings and comment, and its memberships with all others.</summary>
    private const long BytesOfRole = 32 * 1024;

    private static int CapturedMajor(PostgresDetails details) => details.ServerVersionNumber / 10000;

    private static PostgresDetails Described(SourceMetadata captured)
    {
        try
        {
            PostgresDetails details = PostgresDetails.From(captured.Details ?? default);
            PostgresDetailsRules.Require(details);
            return details;
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            throw new LifeboatException(
                ErrorCodes.BundleDamaged, $"the metadata of source {captured.Name} cannot be used: {e.Message}", "use another snapshot; this one was altered or damaged",
                VerifiedSnapshot.MetadataFileName, e);
        }
    }

    /// <summary>Roles, memberships and tablespaces of the target server, as pg_dumpall writes them.</summary>
    public async Task<Globals> TargetGlobalsAsync(bool superuser, CancellationToken cancellation)
    {
        List<string> arguments = ["--globals-only", $"--database={PostgresConnection.DatabaseArgument(MaintenanceDatabase)}", $"--encoding={SharedNamesEncoding}"];
        if (!superuser)
            arguments.Add("--no-role-passwords");
        using MemoryStream output = new();
        PostgresProgram program = new(ServerTools, Maintenance, $"lifeboat roles {Context.Host.NewId()}");
        (int exit, string errors, ProgramStart start) = await program.RunAsync(
            ServerTools.PgDumpAll, arguments, async (stream, token) => await stream.CopyToAsync(output, token), cancellation);
        if (exit != 0)
            throw ProgramRunner.Failed(start, exit, errors);
        return Globals.Parse(Encoding.UTF8.GetString(output.ToArray()), superuser);
    }

    /// <summary>The tables of <c>schema.sql</c>.</summary>
    public async Task<SchemaParts> SchemaPartsAsync(CancellationToken cancellation)
    {
        string path = $"{Folder}/schema.sql";
        try
        {
            return SchemaParts.Read(await ReadTextAsync(path, Details.ServerEncoding == "SQL_ASCII" ? Encoding.Latin1 : new UTF8Encoding(false), cancellation));
        }
        catch (FormatException e)
        {
            throw NotADump(e, path);
        }
    }

    /// <summary>A text of the snapshot that is small enough to be held.</summary>
    public Task<string> ReadTextAsync(string path, CancellationToken cancellation) => ReadTextAsync(path, new UTF8Encoding(false), cancellation);

    /// <inheritdoc cref="ReadTextAsync(string, CancellationToken)"/>
    public async Task<string> ReadTextAsync(string path, Encoding encoding, CancellationToken cancellation)
    {
        await using Stream stream = Snapshot.OpenHeld(path);
        using StreamReader reader = new(stream, encoding, detectEncodingFromByteOrderMarks: false);
        return await reader.ReadToEndAsync(cancellation);
    }

    private PostgresConnection With(string database) =>
        WithoutLoginTriggers ? Connection.WithDatabase(database).WithoutEventTriggers() : Connection.WithDatabase(database);

    /// <summary>A session with a database of the server that is not the one that is restored.</summary>
    public static async Task<PsqlSession> OpenAnyAsync(PostgresTools tools, PostgresConnection connection, string live, CancellationToken cancellation)
    {
        string[] candidates = [.. s_maintenanceDatabases.Where(name => name != live)];
        for (int i = 0; ; i++)
        {
            try
            {
                return await PsqlSession.OpenAsync(tools, connection.WithDatabase(candidates[i]), cancellation);
            }
            catch (LifeboatException e) when (e.Code == ErrorCodes.PostgresDatabaseMissing && i + 1 < candidates.Length)
            {
                // Some servers have no database postgres.
            }
        }
    }

    /// <summary>pg_restore reads the dumps of its own and older versions only.</summary>
    private static PostgresTools ReaderOf(SourceMetadata captured, PostgresTools tools, IReadOnlyList<PostgresTools> found)
    {
        int needed = ToolsMajor(captured);
        return tools.Version.Major >= needed ? tools
            : found.Where(t => t.Version.Major >= needed).OrderBy(static t => t.Version).FirstOrDefault()
            ?? throw new LifeboatException(
                ErrorCodes.PostgresToolsTooOld,
                $"the snapshot was made with client programs of version {captured.Tools}, and the newest found are {PostgresTools.Newest(found)}",
                $"install postgresql-client-{needed} or newer, or name its folder in the app file: tools: {{postgres: FOLDER}}", captured.Name);
    }

    /// <summary>The major version of the programs that made the snapshot.</summary>
    public static int ToolsMajor(SourceMetadata captured)
    {
        Match match = FirstNumber().Match(captured.Tools ?? "");
        return match.Success ? int.Parse(match.Value, CultureInfo.InvariantCulture) : 0;
    }

    [GeneratedRegex(@"\d+")]
    private static partial Regex FirstNumber();
}
