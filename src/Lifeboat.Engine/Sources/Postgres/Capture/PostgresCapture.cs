using System.Text;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Processes;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Extensions;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;
using Lifeboat.Engine.Sources.Servers;

namespace Lifeboat.Engine.Sources.Postgres.Capture;

/// <summary>One open cut of a database, and how it is written into a snapshot.</summary>
internal sealed class PostgresCapture : ICapture
{
    private const int Attempts = 4;
    private const long SchemaBytesPerRelation = 16 * 1024;

    private readonly PostgresCut _cut;
    private readonly PostgresTools _tools;
    private readonly RunContext _context;
    private readonly int _blocksPerPart;
    private readonly string _folder;
    private readonly SchemaDump _schema;
    private readonly RedactedTables _redacted;
    private readonly IReadOnlyList<ColumnRedaction> _redact;

    private PostgresCapture(
        PostgresCut cut, SchemaDump schema, RedactedTables redacted, IReadOnlyList<ColumnRedaction> redact, PostgresTools tools, RunContext context, int blocksPerPart)
    {
        _cut = cut;
        _tools = tools;
        _context = context;
        _blocksPerPart = blocksPerPart;
        _folder = $"databases/{Source}";
        _schema = schema;
        _redacted = redacted;
        _redact = redact;
    }

    /// <summary>Opens a cut that pg_dump has joined.</summary>
    /// <param name="sessions">One that the capture takes over, and one in no transaction.</param>
    public static async Task<PostgresCapture> OpenAsync(
        (PsqlSession Session, PsqlSession Watch) sessions, IReadOnlyList<ColumnRedaction> redact, PostgresTools tools, RunContext context, int blocksPerPart, TimeSpan lockTimeout,
        CancellationToken cancellation)
    {
        (PsqlSession session, PsqlSession watch) = sessions;
        for (int attempt = 1; ; attempt++)
        {
            PostgresCut cut = await PostgresCut.OpenAsync(session, watch, context.Host.Time, lockTimeout, cancellation);
#pragma warning disable CA2000 // the finally below disposes it, or the capture that takes it over does
            SchemaDump? schema = new(cut, tools, context.Host);
#pragma warning restore CA2000
            try
            {
                if (await schema.GetsItsLocksAsync(cut, cancellation) && (!schema.HasMissedAnObject || attempt == Attempts))
                {
                    RedactedTables redacted = await RedactedTables.ReadAsync(session, cut.Catalogue, redact, Redacting.NewKey(context.Host), cancellation);
                    PostgresCapture capture = new(cut, schema, redacted, redact, tools, context, blocksPerPart);
                    schema = null;
                    return capture;
                }
            }
            finally
            {
                if (schema is not null)
                    await schema.DisposeAsync();
            }

            await cut.CloseAsync(cancellation);
            if (attempt == Attempts)
                throw await PostgresCut.LockedAsync(session, lockTimeout, null, cancellation);
        }
    }

    /// <summary>Whether the definitions alone are captured: no table's rows, but those of extensions, which are definitions to them; and no large objects.</summary>
    public bool WithoutRows { get; set; }

    public DateTimeOffset CutAt => _cut.At;

    public long EstimatedBytes => _cut.Catalogue.Tables.Sum(static t => t.Bytes) + TemporaryBytes;

    public long TemporaryBytes => 1024 * 1024 + (_cut.Catalogue.Relations.Count * SchemaBytesPerRelation);

    public string Instructions { get; private set; } = "";

    private PsqlSession Session => _cut.Session;

    private string Source => _cut.Session.Connection.Source;

    public async Task<SourceMetadata> WriteAsync(ISnapshotWriter writer, CancellationToken cancellation)
    {
        foreach (Problem warning in CaptureChecks.Warnings(Session, _cut.Catalogue).Concat(_redacted.Warnings))
            _context.Progress.Report(new Warned(Source, warning));
        CountingWriter files = new(writer);
        CatalogueRelation[] tables = [.. _cut.Catalogue.Tables.Where(t => !(t.Unlogged && Session.InRecovery))
            .OrderBy(static t => t.Extension is null)
            .ThenBy(static t => t.Extension is null ? "" : t.Extension, StringComparer.Ordinal).ThenBy(static t => t.ConfigurationRank)];
        PostgresTable[] described = [.. tables.Select(Describe)];
        TablePartition partition = new($"{_folder}/data", Session.ServerEncoding, Session.ServerMajor, _blocksPerPart);
        List<TablePart> parts = [.. tables
            .SelectMany((t, i) => WithoutRows && t.Extension is null ? [] : partition.Cut(i, t, described[i], Session.TextEncoding.GetBytes($"{t.Schema}.{t.Name}"), _redacted.Of(t.Oid)))];
        LargeObjectCapture largeObjects = new(Session, _folder);
        if (!WithoutRows)
            parts.AddRange(await largeObjects.PlanAsync(tables.Length, _cut.Catalogue.MayReadLargeObjects, partition, cancellation));
        // What the cut's own session is asked comes before the workers, who may need it.
        ILookup<int, string> paths = parts.ToLookup(static p => p.Table, static p => p.Path);
        PostgresDetails details = await ReadDetailsAsync(described,
            new PostgresLargeObjects(largeObjects.Count, 0, "", [.. paths[tables.Length]]), cancellation);
        if (largeObjects.Count > 0)
            await AddAsync(files, largeObjects.ObjectsPath, largeObjects.WriteObjectsAsync, cancellation);

        IReadOnlyDictionary<int, CopiedRows> captured = new Dictionary<int, CopiedRows>();
        string digest = "";
        using DataCapture data = new(_cut, tables, _tools, _context, files);
        await Together.RunAsync(
            cancellation,
            async token => captured = await data.RunAsync(parts, token),
            async token =>
            {
                digest = await WriteSchemaAsync(files, token);
                await WriteScriptsAsync(files, details,
                    [.. Enumerable.Range(0, tables.Length).Select(i => (IReadOnlyList<string>)[.. paths[i]])], token);
            });
        CopiedRows pages = captured.GetValueOrDefault(tables.Length);
        details = details with
        {
            SchemaDigest = digest,
            LargeObjects = details.LargeObjects with { Rows = pages.Digest.Rows, Digest = pages.Digest.ToString() },
        };
        Instructions = PostgresInstructions.Write(details, _folder, _tools.Version.Major);
        return new SourceMetadata
        {
            Name = Source,
            Type = "postgres",
            Engine = $"PostgreSQL {Session.ServerVersion}",
            Tools = $"PostgreSQL {_tools.Version}",
            Cut = new CutMetadata(CutAt, _cut.Lsn),
            Bytes = files.Bytes,
            Files = files.Files,
            Tables = [.. tables.Select((t, i) =>
                new TableMetadata(
                t.DisplayName, captured.GetValueOrDefault(i).Digest.Rows, captured.GetValueOrDefault(i).Bytes, captured.GetValueOrDefault(i).Digest.ToString(), [.. paths[i]]))],
            Redacted = Redacting.Describe(_redact),
            Details = details.ToJson(),
        };
    }

    public async Task ReadColumnAsync(IReadOnlyList<string> column, Action<string> value, CancellationToken cancellation)
    {
        (string schema, string table, string name) = (column[0], column[1], column[2]);
        CatalogueRelation? relation = _cut.Catalogue.Relations.FirstOrDefault(one => one.Schema == schema && one.Name == table && one.Kind is 'r' or 'p');
        if (relation is null || (_cut.Catalogue.Columns.TryGetValue(relation.Oid, out IReadOnlyList<string>? columns) && !columns.Contains(name)))
            throw new LifeboatException(
                ErrorCodes.ReferenceUnknown, $"{Session.Connection.Target} has no column {SqlText.Identifier(schema, table)}.{SqlText.Identifier(name)}, which is said to name files",
                "correct `references` in the app file", Source);
        await using CopyValues values = new(Session.TextEncoding, value);
        string quoted = SqlText.Identifier(name);
        await Session.CopyOutAsync(
            $"COPY (SELECT {quoted}::pg_catalog.text FROM {relation.QuotedName} WHERE {quoted} IS NOT NULL) TO STDOUT", values, null, cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _schema.DisposeAsync();
        await Session.DisposeAsync();
    }

    private PostgresTable Describe(CatalogueRelation table) => new(
        table.Schema,
        table.Name,
        _cut.Catalogue.Columns.GetValueOrDefault(table.Oid, []),
        table.Extension is not null ? "extension" : table.IsPartition ? "partition" : "table",
        table.Unlogged,
        table.Where.Length == 0 ? null : table.Where,
        table.Extension);

    private async Task<PostgresDetails> ReadDetailsAsync(PostgresTable[] tables, PostgresLargeObjects largeObjects,
        CancellationToken cancellation) => new()
    {
        ServerVersion = Session.ServerVersion,
        ServerVersionNumber = Session.ServerVersionNumber,
        ServerEncoding = Session.ServerEncoding,
        Lsn = _cut.Lsn,
        Database = await PostgresDatabaseReader.ReadAsync(Session, cancellation),
        SchemaDigest = "",
        RolePasswords = _cut.Catalogue.MayReadRolePasswords,
        Roles = await PostgresDatabaseReader.ReadRolesAsync(Session, cancellation),
        LabelProviders = await PostgresDatabaseReader.ReadLabelProvidersAsync(Session, cancellation) is { Count: > 0 } providers ? providers : null,
        Extensions = await ReadExtensionsAsync(cancellation),
        Collations = _cut.Catalogue.Collations is { Count: > 0 } collations ? [.. collations.Select(static used => used.Captured)] : null,
        Tables = tables,
        Sequences = _cut.Sequences,
        MaterializedViews = [.. (await MaterializedViewOrder.ReadAsync(Session, _cut.Catalogue, cancellation))
            .Select(view => view with { Populated = view.Populated && !WithoutRows })],
        LargeObjects = largeObjects,
    };

    private async Task<IReadOnlyList<PostgresExtension>> ReadExtensionsAsync(CancellationToken cancellation)
    {
        ExtensionReader reader = new(Session);
        IReadOnlyList<PostgresExtension> extensions = await reader.ReadAsync(ask: !WithoutRows, cancellation);
        if (reader.Blockers.Count > 0)
            throw new LifeboatException(reader.Blockers);
        foreach (Problem warning in reader.Warnings)
            _context.Progress.Report(new Warned(Source, warning));
        return extensions;
    }

    // pg_dump warns of keys that refer to each other in an extension's tables (TimescaleDB's), for whoever loads their rows in any order. Ours are loaded without checks.
    private const string CircularKeys = "there are circular foreign-key constraints";

    private async Task<string> WriteSchemaAsync(CountingWriter files, CancellationToken cancellation)
    {
        string said = await _schema.CompletionAsync(cancellation);
        foreach (string line in said.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(static line => line.Contains("warning:", StringComparison.Ordinal) && !line.Contains(CircularKeys, StringComparison.Ordinal)))
            _context.Progress.Report(new Warned(Source, new Problem(
                ErrorCodes.PostgresDataLeftOut, line.Trim(), "see what pg_dump says; connect as a superuser if it lacks a right", Source)));
        await AddAsync(
            files,
            $"{_folder}/schema.dump",
            async (stream, token) =>
            {
                await using Stream dump = _schema.Open();
                await dump.CopyToAsync(stream, token);
            },
            cancellation);
        string digest = "";
        await AddAsync(files, $"{_folder}/schema.sql", async (stream, token) => digest = await _schema.WriteTextAsync([], stream, token),
            cancellation);
        return digest;
    }

    private async Task WriteScriptsAsync(
        CountingWriter files, PostgresDetails details, IReadOnlyList<IReadOnlyList<string>> paths, CancellationToken cancellation)
    {
        byte[] globals = await DumpGlobalsAsync(details, cancellation);
        await AddAsync(files, $"{_folder}/globals.sql", async (stream, token) => await stream.WriteAsync(globals, token), cancellation);
        await AddTextAsync(files, "database.sql", DatabaseScript(details.Database), cancellation);
        await AddTextAsync(files, "sequences.sql", RestoreScript.Sequences(details.Sequences), cancellation);
        RestoreScript script = new(details, paths, _folder, Session.TextEncoding, _context.Host.NewId() + _context.Host.NewId());
        await AddAsync(files, $"{_folder}/restore.sql", (stream, token) => script.WriteAsync(stream, _schema, token), cancellation);
    }

    private string DatabaseScript(PostgresDatabase database)
    {
        string? tablespace = database.Tablespace == "pg_default" ? null : database.Tablespace;
        return $"SET client_encoding TO '{Session.ClientEncoding}';\n"
            + DatabaseSql.Create(database, database.Name, Session.ServerMajor, database.Owner, tablespace) + ";\n"
            + string.Concat(DatabaseSql.Properties(database, database.Name).Select(static sql => sql + ";\n"));
    }

    /// <summary>The roles' SQL is small, and secret: it stays in memory.</summary>
    private async Task<byte[]> DumpGlobalsAsync(PostgresDetails details, CancellationToken cancellation)
    {
        List<string> options =
        [
            "--globals-only", $"--database={PostgresConnection.DatabaseArgument(NameText.Decode(details.Database.Name, details))}",
            $"--encoding={Session.SharedNamesEncoding}",
        ];
        if (!details.RolePasswords)
            options.Add("--no-role-passwords");
        using MemoryStream output = new();
        PostgresProgram program = new(_tools, Session.Connection, $"lifeboat roles {_context.Host.NewId()}");
        (int exit, string errors, ProgramStart start) = await program.RunAsync(
            _tools.PgDumpAll, options, async (stream, token) => await stream.CopyToAsync(output, token), cancellation);
        if (exit != 0)
            throw PostgresProblems.OfProgram(start, exit, errors, Session.Connection, "pg_dumpall read the roles");
        (byte[] text, _) = await SchemaText.NormalizeAsync(output.ToArray(), cancellation);
        return text;
    }

    private Task<EntryReceipt> AddTextAsync(CountingWriter files, string name, string text, CancellationToken cancellation) => AddAsync(
        files, $"{_folder}/{name}", async (stream, token) => await stream.WriteAsync(Session.TextEncoding.GetBytes(text), token),
            cancellation);

    private Task<EntryReceipt> AddAsync(CountingWriter files, string path, Func<Stream, CancellationToken, Task> body,
        CancellationToken cancellation) =>
        files.AddAsync(new EntryHeader(path, CutAt), body, cancellation);
}
