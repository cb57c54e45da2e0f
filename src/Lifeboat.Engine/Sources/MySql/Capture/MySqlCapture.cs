using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.MySql.Accounts;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;
using Lifeboat.Engine.Sources.Servers;

namespace Lifeboat.Engine.Sources.MySql.Capture;

/// <summary>One open cut of a database, and how it is written into a snapshot.</summary>
internal sealed class MySqlCapture : ICapture
{
    /// <summary>How long small tables' definitions are held together. Whoever alters one waits so long, or as long as a larger table is read.</summary>
    private static readonly TimeSpan s_longestHold = TimeSpan.FromMilliseconds(200);

    private readonly MySqlCut _cut;
    private readonly RunContext _context;
    private readonly MySqlTools _tools;
    private readonly CapturedSchema _schema;
    private readonly TableIdentities _identities;
    private readonly IReadOnlyDictionary<string, TableIdentity> _atCut;
    private readonly IReadOnlyList<ColumnRedaction> _redact;
    private readonly long _partBytes;
    private readonly string _folder;

    /// <param name="identities">How tables are told from others, and what was told of those of the schema.</param>
    public MySqlCapture(
        MySqlCut cut, CapturedSchema schema, (TableIdentities Reader, IReadOnlyDictionary<string, TableIdentity> AtCut) identities,
        IReadOnlyList<ColumnRedaction> redact, (MySqlTools Tools, long PartBytes) means, RunContext context)
    {
        (_identities, _atCut) = identities;
        (_tools, _partBytes) = means;
        (_cut, _schema, _redact, _context) = (cut, schema, redact, context);
        _folder = $"databases/{Source}";
    }

    /// <summary>Whether the definitions alone are captured, and no rows.</summary>
    public bool WithoutRows { get; set; }

    public DateTimeOffset CutAt => _cut.At;

    public long EstimatedBytes => (64 * 1024) + _schema.Tables.Sum(static t => t.Bytes);

    public long TemporaryBytes => 0;

    public string Instructions { get; private set; } = "";

    private MySqlSession Session => _cut.Workers[0];

    private string Source => Session.Connection.Source;

    public async Task<SourceMetadata> WriteAsync(ISnapshotWriter writer, CancellationToken cancellation)
    {
        foreach (Problem warning in _schema.Warnings.Append(_cut.Warning).OfType<Problem>())
            _context.Progress.Report(new Warned(Source, warning with { Where = Source }));
        CountingWriter files = new(writer);
        List<TablePart> parts = WithoutRows ? [] : await new TableParts(Session, _cut.Database, $"{_folder}/data", _partBytes).CutAsync(_schema.Tables, cancellation);
        IReadOnlyDictionary<int, CapturedRows> captured = await WriteRowsAsync(files, parts, cancellation);
        ILookup<int, string> paths = parts.ToLookup(static p => p.Table, static p => p.Path);
        MySqlDetails details = Describe(captured.Values.Max(static rows => (long?)rows.Longest) ?? 0);
        WarnOfLongRow(details.LongestRow);
        CaptureScripts scripts = new(details, _schema, [.. _schema.Tables.Select((_, i) => (IReadOnlyList<string>)[.. paths[i]])], _folder);
        foreach ((string name, byte[] content) in scripts.All())
            await files.AddAsync(new EntryHeader($"{_folder}/{name}", CutAt), async (stream, token) => await stream.WriteAsync(content, token), cancellation);
        details = details with { DefinitionsDigest = scripts.DefinitionsDigest() };
        Instructions = MySqlInstructions.Write(details, _folder, Session.Server);
        return new SourceMetadata
        {
            Name = Source,
            Type = "mysql",
            Engine = Session.Server.Name,
            Tools = _tools.Version,
            Cut = new CutMetadata(CutAt, _cut.Gtid ?? _cut.Position),
            Bytes = files.Bytes,
            Files = files.Files,
            Tables = [.. _schema.Tables.Select((t, i) =>
                new TableMetadata(
                t.Name, captured.GetValueOrDefault(i).Digest.Rows, captured.GetValueOrDefault(i).Bytes, captured.GetValueOrDefault(i).Digest.ToString(), [.. paths[i]]))],
            Redacted = Redacting.Describe(_redact),
            Details = details.ToJson(),
        };
    }

    /// <summary>Rows can be longer than what their server would take: it reads files, and joins texts, that are.</summary>
    private void WarnOfLongRow(long longest)
    {
        if (Session.Server.PacketFor(longest) is { } packet)
            _context.Progress.Report(new Warned(Source, new Problem(
                ErrorCodes.MySqlRowTooLong,
                string.Create(CultureInfo.InvariantCulture, $"the longest row has {longest} bytes: a server with this one's max_allowed_packet ({Session.Server.MaxAllowedPacket}) cannot take it back"),
                string.Create(CultureInfo.InvariantCulture, $"set max_allowed_packet = {packet} in the configuration of every server that may have to take the snapshot"), Source)));
    }

    public async Task ReadColumnAsync(IReadOnlyList<string> column, Action<string> value, CancellationToken cancellation)
    {
        (string table, string name) = (column[0], column[1]);
        if (_schema.Tables.FirstOrDefault(one => one.Name == table)?.Columns.Any(one => one.Name == name) != true)
            throw new LifeboatException(
                ErrorCodes.ReferenceUnknown, $"{Session.Connection.Target} has no column {table}.{name}, which is said to name files",
                "correct `references` in the app file", Source);
        string quoted = SqlText.Identifier(name);
        await Session.ExecuteAsync("SAVEPOINT lifeboat", cancellation);
        foreach (string?[] row in await Session.SelectAsync(
            [$"CONVERT({quoted} USING utf8mb4)"], $"FROM {SqlText.Identifier(_cut.Database, table)} WHERE {quoted} IS NOT NULL", cancellation))
            value(row[0] ?? "");
        await Session.ExecuteAsync("ROLLBACK TO SAVEPOINT lifeboat", cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _cut.DisposeAsync();
        await _identities.DisposeAsync();
    }

    private MySqlDetails Describe(long longest) => new()
    {
        ServerVersion = Session.Server.Version,
        Family = Session.Server.Family,
        LowerCaseTableNames = Session.Server.LowerCaseTableNames,
        Database = _cut.Database,
        DatabaseOptions = _schema.DatabaseOptions,
        Gtid = _cut.Gtid,
        BinlogPosition = _cut.Position,
        LockMilliseconds = _cut.LockHeld is { } held ? Math.Round(held.TotalMilliseconds, 1) : null,
        Tables = [.. _schema.Tables.Select(static t => t.Described)],
        Sequences = [.. _schema.Sequences.Select(static s => s.Sequence)],
        Objects = [.. _schema.Objects.Select(static o => new MySqlObject(o.Kind, o.Name, o.Statements.Count))],
        Accounts = _schema.Accounts is null ? null : [.. _schema.Accounts.Select(a => a.Described(_cut.Database))],
        Collations = _schema.Collations,
        LongestRow = longest,
    };

    private async Task<IReadOnlyDictionary<int, CapturedRows>> WriteRowsAsync(ISnapshotWriter files, List<TablePart> parts, CancellationToken cancellation)
    {
        ConcurrentDictionary<int, CapturedRows> captured = new(
            Enumerable.Range(0, _schema.Tables.Count).Where(i => !_schema.Tables[i].OwnsRows).ToDictionary(static i => i, static _ => default(CapturedRows)));
        async Task LooseAsync(CancellationToken token)
        {
            foreach (TablePart part in parts.Where(part => !_schema.Tables[part.Table].Transactional))
            {
                captured[part.Table] = CapturedRows.Of(await WriteAsync(_cut.Side, part, files, token));
                await CheckIdentitiesAsync([_schema.Tables[part.Table].Name], token);
            }
        }

        ConcurrentQueue<TablePart> queue = new(parts.Where(part => _schema.Tables[part.Table].Transactional).GroupBy(static p => p.Table).OrderByDescending(static g => g.Sum(static p => p.Bytes)).SelectMany(static g => g));
        async Task WorkAsync(MySqlSession session, CancellationToken token)
        {
            while (!queue.IsEmpty)
                await HoldAsync(session, queue, files, captured, token);
        }

        await Together.RunAsync(cancellation, [LooseAsync, .. _cut.Workers.Select(session => (Func<CancellationToken, Task>)(token => WorkAsync(session, token)))]);
        return captured;
    }

    /// <summary>
    /// Reads some parts, until a moment has passed, and asks behind them whether their tables are those of the cut: as long as the savepoint holds them, none can be
    /// exchanged. Then it lets go of their definitions: whoever alters one need not wait for the backup's end, nor everybody behind them.
    /// </summary>
    private async Task HoldAsync(
        MySqlSession session, ConcurrentQueue<TablePart> queue, ISnapshotWriter files, ConcurrentDictionary<int, CapturedRows> captured,
        CancellationToken cancellation)
    {
        HashSet<string> read = [];
        long since = _context.Host.Time.GetTimestamp();
        await session.ExecuteAsync("SAVEPOINT lifeboat", cancellation);
        while (_context.Host.Time.GetElapsedTime(since) < s_longestHold && queue.TryDequeue(out TablePart? part))
        {
            DumpedRows rows = await WriteAsync(session, part, files, cancellation);
            captured.AddOrUpdate(part.Table, _ => CapturedRows.Of(rows), (_, before) => before.Plus(rows));
            read.Add(_schema.Tables[part.Table].Name);
        }

        await CheckIdentitiesAsync(read, cancellation);
        await session.ExecuteAsync("ROLLBACK TO SAVEPOINT lifeboat", cancellation);
    }

    private async Task<DumpedRows> WriteAsync(MySqlSession session, TablePart part, ISnapshotWriter files, CancellationToken cancellation)
    {
        DumpedRows rows = default;
        try
        {
            await files.AddAsync(
                new EntryHeader(part.Path, CutAt, ExpectedBytes: part.Bytes),
                async (stream, token) => rows = await session.DumpAsync(part.Sql, part.Shape, stream, Report, token),
                cancellation);
            return rows;
        }
        catch (LifeboatException e) when (MySqlError.Of(e) is { } error)
        {
            ErrorCode code = error.Number is MySqlError.NoSuchTable or MySqlError.NoSuchColumn or MySqlError.NoSuchKey ? ErrorCodes.MySqlSchemaChanged : e.Code;
            throw new LifeboatException(
                code, $"reading table {_schema.Tables[part.Table].Name}: {e.Problems[0].Message}",
                code == ErrorCodes.MySqlSchemaChanged ? "the table was dropped or altered while it was read; run again when the change is done" : e.Hint,
                Source, new MySqlErrorException(error));
        }
    }

    /// <summary>
    /// A transaction reads what stands under a table's name now, as its rows were at the cut: of a table that was put there meanwhile, of fewer partitions. Only
    /// some of such changes the server itself refuses. While the rows are read nothing of it can happen, so it is asked behind them.
    /// </summary>
    private async Task CheckIdentitiesAsync(HashSet<string> tables, CancellationToken cancellation)
    {
        if (tables.Count == 0)
            return;
        IReadOnlyDictionary<string, TableIdentity> now = await _identities.ReadAsync(_cut.Watch, tables, cancellation);
        if (tables.FirstOrDefault(table => now.GetValueOrDefault(table)?.IsThatOf(_atCut[table]) != true) is { } changed)
            throw new LifeboatException(
                ErrorCodes.MySqlSchemaChanged, $"table {changed} was altered or replaced since the backup began", "run again when the change is done", Source);
    }

    private void Report(long bytes) => _context.Progress.Report(new BytesDone(Source, Phase.Capture, bytes));
}

/// <summary>What was captured of one table.</summary>
internal readonly record struct CapturedRows(TableDigest Digest, long Bytes, long Longest)
{
    public static CapturedRows Of(DumpedRows rows) => new(rows.Digest, rows.Bytes, rows.LongestRow);

    public CapturedRows Plus(DumpedRows rows)
    {
        TableDigest digest = Digest;
        digest.Add(rows.Digest);
        return new CapturedRows(digest, Bytes + rows.Bytes, Math.Max(Longest, rows.LongestRow));
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Digest.Rows} rows, {Bytes} bytes, {Digest}");
}
