using System.Text;
using System.Text.Json;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Sqlite;

/// <summary>Reads the copy of a database and writes it to the snapshot.</summary>
internal sealed class SqliteCapture(SqliteSettings settings, RunContext run, SqliteCut cut, SqliteCopy copy) : ICapture
{
    private readonly FileStatus _status = cut.Status;
    private string? _instructions;

    public DateTimeOffset CutAt { get; } = cut.At;

    public long EstimatedBytes { get; } = cut.Bytes;

    public long TemporaryBytes => 0; // the copy is there already

    public string Instructions => _instructions ?? throw new InvalidOperationException("nothing is written yet");

    public async Task<SourceMetadata> WriteAsync(ISnapshotWriter writer, CancellationToken cancellation)
    {
        try
        {
            string file = $"databases/{settings.Name}/{settings.Name}.sqlite";
            Task<SqliteContents> reading = new SqliteInspection(copy.Path).ReadAsync(run.Host.Workers, cancellation);
            Task<EntryReceipt> writing = WriteCopyAsync(writer, file, cancellation);
            await Task.WhenAll(reading, writing);
            return Describe(await reading, await writing);
        }
        catch (SqliteFailure e)
        {
            throw e.Tell(settings.Path, settings.Name);
        }
        finally
        {
            copy.Delete();
        }
    }

    public Task ReadColumnAsync(IReadOnlyList<string> column, Action<string> value, CancellationToken cancellation) => Task.Run(
        () =>
        {
            try
            {
                using SqliteDatabase database = SqliteDatabase.OpenUnchanging(copy.Path);
                // Qualified, since SQLite takes the quoted name of a column that is not there for a text.
                string name = $"t.{Quoted(column[1])}";
                using SqliteRows rows = database.Query($"SELECT {name} FROM main.{Quoted(column[0])} t WHERE {name} IS NOT NULL");
                while (rows.Next())
                {
                    cancellation.ThrowIfCancellationRequested();
                    value(Encoding.UTF8.GetString(rows.Utf8(0)));
                }
            }
            catch (SqliteFailure e)
            {
                throw new LifeboatException(
                    ErrorCodes.ReferenceUnknown, $"{settings.Path}: the column {column[0]}.{column[1]}, which is said to name files, cannot be read: {e.Message}",
                    "correct `references` in the app file", settings.Name, e);
            }
        },
        cancellation);

    private static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    public ValueTask DisposeAsync()
    {
        copy.Delete();
        return ValueTask.CompletedTask;
    }

    private async Task<EntryReceipt> WriteCopyAsync(ISnapshotWriter writer, string file, CancellationToken cancellation)
    {
        ByteMeter meter = new(run.Progress, settings.Name, Phase.Capture);
        EntryHeader header = new(file, _status.Modified.ToDateTimeOffset(), 0b110_000_000, new FileInfo(copy.Path).Length);
        EntryReceipt receipt = await writer.AddAsync(
            header,
            (stream, token) =>
            {
                PrivateCopy.Pour(copy.Path, stream, meter, token);
                return Task.CompletedTask;
            },
            cancellation);
        meter.Flush();
        return receipt;
    }

    private SourceMetadata Describe(SqliteContents contents, EntryReceipt receipt)
    {
        if (SqliteInspection.IsWrong(contents.Integrity))
            Warn(
                $"{settings.Path} is damaged; the snapshot has it as it is: {contents.Integrity}",
                "recover what is readable with `sqlite3 FILE .recover`, and look at older snapshots");
        else if (contents.Integrity.StartsWith("not checked", StringComparison.Ordinal))
            Warn(
                $"the integrity of {settings.Path} is {contents.Integrity}",
                "the database needs its application's own collations or functions; have the application run PRAGMA integrity_check");
        if (contents.ForeignKeyViolations is > 0 and long violations)
            run.Progress.Report(new Noted(settings.Name, $"{settings.Path} has {violations} rows that PRAGMA foreign_key_check names"));
        SqliteDetails details = ReadDetails(contents, receipt.Path);
        _instructions = SqliteInstructions.Write(settings.Name, details);
        return new SourceMetadata
        {
            Name = settings.Name,
            Type = settings.Type,
            Engine = $"SQLite {SqliteLibrary.Version}",
            Cut = new CutMetadata(CutAt),
            Bytes = receipt.Bytes,
            Files = 1,
            Tables = [.. contents.Tables.Select(table => table with { Paths = [] })],
            Redacted = Redacting.Describe(settings.Redact),
            Details = JsonSerializer.SerializeToElement(details, SqliteJson.Default.SqliteDetails),
        };
    }

    private SqliteDetails ReadDetails(SqliteContents contents, string file)
    {
        using SqliteDatabase database = SqliteDatabase.OpenUnchanging(copy.Path);
        return new SqliteDetails
        {
            Path = settings.Path,
            Parents = CapturedParents.Of(settings.Path),
            File = file,
            Library = SqliteLibrary.Origin,
            JournalMode = contents.JournalMode,
            PageSize = database.Number("PRAGMA page_size"),
            PageCount = database.Number("PRAGMA page_count"),
            UserVersion = database.Number("PRAGMA user_version"),
            ApplicationId = database.Number("PRAGMA application_id"),
            Encoding = database.Text("PRAGMA encoding"),
            Integrity = contents.Integrity,
            ForeignKeyViolations = contents.ForeignKeyViolations,
            RowEncoding = SqliteRow.Encoding,
            SchemaSha256 = contents.SchemaSha256,
            Traits = CapturedTraits.Of(_status, new OwnerNames()),
        };
    }

    private void Warn(string message, string hint) =>
        run.Progress.Report(new Warned(settings.Name, new Problem(ErrorCodes.SqliteDamaged, message, hint, settings.Name)));
}
