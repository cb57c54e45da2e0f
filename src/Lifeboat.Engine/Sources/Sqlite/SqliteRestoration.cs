using System.Globalization;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Sqlite;

/// <summary>Puts a database back: staged beside the live one, every row compared, switched under the live one's exclusive lock.</summary>
internal sealed class SqliteRestoration : IRestoration
{
    /// <summary>What SQLite may leave beside a database; none of the old one's may ever stand beside the new one.</summary>
    internal static readonly string[] SideSuffixes = ["-wal", "-shm", "-journal"];

    private readonly SqliteSettings _settings;
    private readonly RunContext _run;
    private readonly VerifiedSnapshot _snapshot;
    private readonly SourceMetadata _captured;
    private readonly SqliteDetails _details;
    private readonly SwitchPlace _place;
    private readonly RestoreRun _restore;

    public SqliteRestoration(SqliteSettings settings, RunContext run, VerifiedSnapshot snapshot, SourceMetadata captured, RestoreRun restore)
    {
        _settings = settings;
        _run = run;
        _snapshot = snapshot;
        _restore = restore;
        _captured = captured;
        _details = SqliteDetails.From(captured).TakenFrom(snapshot);
        _place = new SwitchPlace(settings.Path, restore.Id) { Parents = _details.Parents ?? [] };
    }

    public Task<RestorePlan> PlanAsync(CancellationToken cancellation) => Task.Run(Plan, cancellation);

    public async Task StageAsync(CancellationToken cancellation)
    {
        await _restore.RecordAsync(Switch.Record, cancellation);
        await FileFailure.TellAsync(_settings.Name, () => Task.Run(() => Stage(cancellation), cancellation));
    }

    public async Task<VerifyReport> VerifyAsync(CancellationToken cancellation)
    {
        VerifyReport? report = null;
        await FileFailure.TellAsync(_settings.Name, async () => report = await CompareAsync(cancellation));
        return report!;
    }

    public Task NeutralizeAsync(CancellationToken cancellation) => _settings.Neutralize.Count == 0
        ? Task.CompletedTask
        : FileFailure.TellAsync(_settings.Name, () => Task.Run(Neutralize, cancellation));

    public ISwitch Switch => SwitchOf(_run, _settings.Name, new PathSwitchRecord([_place.Exchange], SideSuffixes));

    /// <summary>A switch that has the live database's exclusive lock while it is renamed.</summary>
    /// <param name="watch">Knows the database that was copied, which must not have changed since; null where it may.</param>
    public static PathSwitch SwitchOf(RunContext run, string source, PathSwitchRecord record, Func<SqliteWatch?>? watch = null) => new(
        run, source, record, async cancellation => await SqliteLiveLock.TakeAsync(record.Paths[0].Path, source, run, cancellation, watch?.Invoke()));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private RestorePlan Plan()
    {
        FileStatus? live = _place.Find();
        List<Problem> blockers = [.. Blockers(live)];
        List<Problem> warnings = [.. CapturedOwner.Warnings(_snapshot, _settings.Name, _details.Traits.Owner is { } owner ? [owner] : [])];
        IReadOnlyList<int> holders = OpenFiles.HoldersOf(_place.Path, _run.Host.ProcessId);
        if (holders.Count > 0)
            warnings.Add(new Problem(
                ErrorCodes.SqliteInUse,
                $"{_place.Path} is open in process {string.Join(", ", holders)}",
                "stop the application before the restore: what it writes to the old database while it is switched would stay in the old one",
                _settings.Name));
        long size = _snapshot.Entries.TryGetValue(_details.File, out SnapshotEntry? entry) ? entry.Bytes : 0;
        string rows = string.Create(
            CultureInfo.InvariantCulture,
            $"tables: {_captured.Tables?.Count ?? 0}, rows: {_captured.Tables?.Sum(static table => table.Rows) ?? 0}");
        List<string> steps =
        [
            $"build {_place.StagingPath} ({rows})",
            live is null ? $"create {_place.Path}" : $"keep {_place.Path} as {_place.BeforePath}",
            .. _settings.Neutralize.Select(Neutralizing.Step),
        ];
        return new RestorePlan(
            _place.Path,
            live is not null,
            live is null ? null : _place.BeforePath,
            steps,
            new Dictionary<string, long> { [_place.ExistingAncestor] = size },
            blockers,
            warnings);
    }

    private IEnumerable<Problem> Blockers(FileStatus? live)
    {
        if (_snapshot.Lacks(_details.File, _settings.Name) is { } lacking)
            yield return lacking;
        foreach (Problem problem in _place.FileBlockers(_settings.Name, live))
            yield return problem;
    }

    private void Stage(CancellationToken cancellation)
    {
        ByteMeter meter = new(_run.Progress, _settings.Name, Phase.Stage);
        using Folder parent = _place.OpenParent();
        using Stream content = _snapshot.Open(_details.File);
        StagedFile.Write(parent, Folder.Name(_place.StagingName), content, _details.Traits.ToTraits(), meter, cancellation);
        meter.Flush();
        parent.Flush();
    }

    private async Task<VerifyReport> CompareAsync(CancellationToken cancellation)
    {
        using Folder parent = Folder.Open(_place.Parent);
        byte[] name = Folder.Name(_place.StagingName);
        List<VerifyCheck> checks = [.. StagedFile.Compare(parent, name, "database file", _details.Traits)];
        ByteMeter meter = new(_run.Progress, _settings.Name, Phase.Verify);
        string sha256 = await Task.Run(() => StagedFile.Hash(parent, name, meter, cancellation), cancellation);
        meter.Flush();
        checks.Add(new VerifyCheck("database file: sha256", _snapshot.Sha256[_details.File], sha256));
        if (sha256 != _snapshot.Sha256[_details.File])
            return new VerifyReport(checks);
        SqliteContents found;
        try
        {
            found = await new SqliteInspection(_place.StagingPath).ReadAsync(_run.Host.Workers, cancellation);
        }
        catch (SqliteFailure e)
        {
            checks.Add(new VerifyCheck("database", "readable", e.Message));
            return new VerifyReport(checks);
        }

        checks.Add(new VerifyCheck("integrity_check", _details.Integrity, found.Integrity));
        checks.Add(new VerifyCheck("foreign_key_check", Violations(_details.ForeignKeyViolations), Violations(found.ForeignKeyViolations)));
        checks.Add(new VerifyCheck("journal mode", _details.JournalMode, found.JournalMode));
        checks.Add(new VerifyCheck("schema", _details.SchemaSha256, found.SchemaSha256));
        checks.AddRange(CompareTables(found));
        return new VerifyReport(checks);
    }

    private void Neutralize()
    {
        using SqliteDatabase database = SqliteDatabase.OpenForWriting(_place.StagingPath, TimeSpan.Zero);
        database.Execute("PRAGMA locking_mode = EXCLUSIVE");
        database.Execute("PRAGMA foreign_keys = ON");
        database.Execute("BEGIN");
        foreach (string statement in _settings.Neutralize)
        {
            try
            {
                database.ExecuteAll(statement);
            }
            catch (SqliteFailure e)
            {
                throw new LifeboatException([Neutralizing.Failed(_settings.Name, statement, e.Message)], e);
            }
        }

        database.Execute("COMMIT");
        _run.Progress.Report(new Noted(_settings.Name, string.Create(CultureInfo.InvariantCulture, $"made neutral by {_settings.Neutralize.Count} statements")));
    }

    private IEnumerable<VerifyCheck> CompareTables(SqliteContents found)
    {
        IReadOnlyList<TableMetadata> expected = _captured.Tables ?? [];
        yield return new VerifyCheck("tables", Number(expected.Count), Number(found.Tables.Count));
        foreach ((TableMetadata then, TableMetadata now) in expected.Zip(found.Tables))
            yield return new VerifyCheck($"table {then.Name}", Text(then), Text(now));
    }

    private static string Text(TableMetadata table) => string.Create(
        CultureInfo.InvariantCulture, $"{table.Name}: {table.Rows} rows, {table.Digest}");

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Violations(long? count) => count is { } number ? Number(number) + " violations" : "not checked";
}
