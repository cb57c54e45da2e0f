using System.Globalization;
using System.Text;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Sqlite.Parts;

/// <summary>
/// Puts some tables of a database back, or adds the rows that are missing: in a copy of the live database, which is then switched in as a whole. What anybody
/// writes to the live one after it was copied stops the switch.
/// </summary>
internal sealed class SqlitePartRestoration : IRestoration
{
    private readonly SqliteSettings _settings;
    private readonly RunContext _run;
    private readonly VerifiedSnapshot _snapshot;
    private readonly SourceMetadata _captured;
    private readonly SqliteDetails _details;
    private readonly RestoreScope _scope;
    private readonly RestoreRun _restore;
    private readonly SwitchPlace _place;
    private readonly string _folder;
    private IReadOnlyList<SqliteTable> _tables = [];
    private IReadOnlyList<SqliteTableDone> _done = [];
    private SqliteWatch? _watch;

    public SqlitePartRestoration(
        SqliteSettings settings, RunContext run, VerifiedSnapshot snapshot, SourceMetadata captured, RestoreScope scope, RestoreRun restore)
    {
        _settings = settings;
        _run = run;
        _snapshot = snapshot;
        _captured = captured;
        _scope = scope;
        _restore = restore;
        _details = SqliteDetails.From(captured).TakenFrom(snapshot);
        _place = new SwitchPlace(settings.Path, restore.Id);
        _folder = Path.Combine(run.Host.TempDirectory, $"lifeboat-{settings.Name}-{run.Host.NewId()}");
    }

    public IReadOnlyList<MergeCount> Merged => [.. _done.Select(static one => one.Merged).OfType<MergeCount>()];

    public ISwitch Switch => SqliteRestoration.SwitchOf(_run, _settings.Name, new PathSwitchRecord([_place.Exchange], SqliteRestoration.SideSuffixes), () => _watch);

    private bool Merges => _scope.Mode == RestoreMode.Merge;

    private string Extracted => Path.Combine(_folder, "captured.sqlite");

    public async Task<RestorePlan> PlanAsync(CancellationToken cancellation)
    {
        FileStatus? live = _place.Find();
        List<Problem> blockers = [.. _place.FileBlockers(_settings.Name, live)];
        SnapshotEntry? entry = _snapshot.Entries.GetValueOrDefault(_details.File);
        if (_snapshot.Lacks(_details.File, _settings.Name) is { } lacking)
            blockers.Add(lacking);
        List<string> steps = [];
        if (blockers.Count == 0)
            await TellAsync(async () => blockers.AddRange(await ChooseAsync(live, entry!.Bytes, steps, cancellation)));
        steps.Add(live is null ? $"create {_place.Path}" : $"do so in a copy of {_place.Path}, and keep the present one as {_place.BeforePath}");
        List<Problem> warnings = [];
        IReadOnlyList<int> holders = OpenFiles.HoldersOf(_place.Path, _run.Host.ProcessId);
        if (holders.Count > 0)
            warnings.Add(new Problem(
                ErrorCodes.SqliteInUse, $"{_place.Path} is open in process {string.Join(", ", holders)}",
                "stop the application before the restore: when it writes to the database meanwhile, nothing is restored", _settings.Name));
        return new RestorePlan(
            _place.Path, live is not null, live is null ? null : _place.BeforePath, steps,
            new Dictionary<string, long> { [_place.ExistingAncestor] = (live?.Size ?? 0) + (entry?.Bytes ?? 0) }, blockers, warnings);
    }

    public async Task StageAsync(CancellationToken cancellation)
    {
        await _restore.RecordAsync(Switch.Record, cancellation);
        await TellAsync(() => Task.Run(() => Stage(cancellation), cancellation));
    }

    public async Task<VerifyReport> VerifyAsync(CancellationToken cancellation)
    {
        List<VerifyCheck> checks = [];
        await TellAsync(() => Task.Run(() => Compare(checks, cancellation), cancellation));
        return new VerifyReport(checks);
    }

    public ValueTask DisposeAsync()
    {
        _watch?.Dispose();
        PrivateCopy.DeleteFolder(_folder);
        return ValueTask.CompletedTask;
    }

    /// <summary>Settles which tables are restored, and looks for every reason why they do not fit.</summary>
    private async Task<IReadOnlyList<Problem>> ChooseAsync(FileStatus? live, long bytes, List<string> steps, CancellationToken cancellation)
    {
        await Task.Run(() => Extract(bytes, cancellation), cancellation);
        using SqliteDatabase captured = SqliteDatabase.OpenUnchanging(Extracted);
        IReadOnlyList<SqliteTable> all = SqliteTable.List(captured, "main");
        string[] names = [.. all.Select(static table => table.Name)];
        List<Problem> problems = [.. _scope.NotInSnapshot("no table", names, _settings.Name)];
        List<SqliteTable> chosen = [];
        foreach (SqliteTable table in all.Where(table => _scope.Takes(table.Name)))
        {
            if (!table.IsVirtual && table.Owner(all) is null)
                chosen.Add(table);
            else if (_scope.Parts.Contains(table.Name))
                problems.Add(DoesNotFit(table.Name, "its rows are kept by a module of SQLite (a virtual table)"));
            else
                steps.Add($"leave {table.Name} as it is: its rows are kept by a module of SQLite (a virtual table)");
        }

        _tables = [.. chosen.Select(static table => table with { Schema = SqlitePartWriter.Captured })];
        if (live is null)
        {
            steps.AddRange(chosen.Select(static table => $"create table {table.Name}"));
            return problems;
        }

        using SqliteCut cut = await SqliteCut.OpenAsync(_settings, _run, cancellation);
        if (live.Value.Size > 0 && cut.Database.Text("PRAGMA encoding") is var encoding && encoding != _details.Encoding)
            problems.Add(DoesNotFit("every table", $"the live database is in {encoding}, the captured one in {_details.Encoding}"));
        IReadOnlyList<SqliteTable> present = SqliteTable.List(cut.Database, "main");
        foreach (SqliteTable table in chosen)
            problems.AddRange(Fit(table, present.FirstOrDefault(one => one.Name.Equals(table.Name, StringComparison.OrdinalIgnoreCase)), steps));
        return problems;
    }

    private IEnumerable<Problem> Fit(SqliteTable table, SqliteTable? live, List<string> steps)
    {
        long rows = _captured.Tables?.FirstOrDefault(one => one.Name == MetadataName(table))?.Rows ?? 0;
        if (live is null)
        {
            steps.Add(string.Create(CultureInfo.InvariantCulture, $"create table {table.Name} with its indexes and triggers, {rows} rows"));
            yield break;
        }

        steps.Add(Merges
            ? string.Create(CultureInfo.InvariantCulture, $"add to table {table.Name} those of {rows} rows that are missing, by {(live.Key.Count == 0 ? "all columns" : string.Join(", ", live.Key))}")
            : string.Create(CultureInfo.InvariantCulture, $"replace all rows of table {table.Name} by {rows} rows; no trigger fires"));
        if (live.IsVirtual)
            yield return DoesNotFit(table.Name, "it is a virtual table in the live database");
        string[] missing = [.. table.Columns.ExceptBy(live.Columns.Select(static column => column.Fit), static column => column.Fit).Select(Describe)];
        string[] more = [.. live.Columns.ExceptBy(table.Columns.Select(static column => column.Fit), static column => column.Fit).Select(Describe)];
        if (!live.IsVirtual && (missing.Length > 0 || more.Length > 0))
            yield return DoesNotFit(
                table.Name,
                string.Join("; ", [.. missing.Length == 0 ? (string[])[] : [$"the live table does not have {string.Join(", ", missing)}"], .. more.Length == 0 ? (string[])[] : [$"it has {string.Join(", ", more)}"]]));
    }

    private static string Describe(SqliteColumn column) => $"{column.Name} {column.Type}".TrimEnd() + (column.Kind == 0 ? "" : " (generated)");

    private Problem DoesNotFit(string table, string why) => new(
        ErrorCodes.PartDoesNotFit, $"{table} cannot be restored alone: {why}", $"restore the whole database, or to another place with `--target {_settings.Name}=…` and take from there what is needed", _settings.Name);

    /// <summary>The name that the metadata has for a table.</summary>
    private static string MetadataName(SqliteTable table) => SqliteInspection.DisplayName(Encoding.UTF8.GetBytes(table.Name));

    private void Extract(long bytes, CancellationToken cancellation)
    {
        TemporarySpace.Require(_run.Host, bytes, _details.File, _settings.Name);
        PrivateCopy.CreateFolder(_folder);
        using Folder folder = Folder.Open(_folder);
        using Stream content = _snapshot.Open(_details.File);
        StagedFile.Write(folder, Folder.Name(Path.GetFileName(Extracted)), content, default, new ByteMeter(_run.Progress, _settings.Name, Phase.Preflight), cancellation);
    }

    private void Stage(CancellationToken cancellation)
    {
        using Folder parent = _place.OpenParent();
        byte[] name = Folder.Name(_place.StagingName);
        FileStatus created = StagedFile.Create(parent, name);
        FileStatus? live = _place.Find();
        if (live is not null)
            _watch = SqliteWatch.Copy(_place.Path, _place.StagingPath, _settings.Name, _run, cancellation);
        bool wal = live is null ? _details.JournalMode == "wal" : SqliteInspection.JournalModeOf(_place.StagingPath) == "wal";
        Write(live is null, cancellation);
        if (wal)
        {
            using SqliteDatabase written = SqliteDatabase.OpenForWriting(_place.StagingPath, TimeSpan.Zero);
            written.Execute("PRAGMA locking_mode = EXCLUSIVE");
            written.Execute("PRAGMA journal_mode = WAL");
        }

        StagedFile.Finish(parent, name, created, live is { } present ? present.Traits with { Modified = null } : _details.Traits.ToTraits());
        parent.FlushFilesystem();
    }

    private void Write(bool isNew, CancellationToken cancellation)
    {
        using SqliteDatabase database = SqliteDatabase.OpenForWriting(_place.StagingPath, TimeSpan.Zero);
        using CancellationTokenRegistration stop = cancellation.Register(database.Interrupt);
        if (isNew)
        {
            database.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA page_size = {_details.PageSize}"));
            database.Execute($"PRAGMA encoding = {SqliteTable.Literal(_details.Encoding)}");
            database.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {_details.UserVersion}"));
            database.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA application_id = {_details.ApplicationId}"));
        }

        database.Execute("PRAGMA locking_mode = EXCLUSIVE");
        database.Execute("PRAGMA journal_mode = DELETE"); // leaves WAL mode, which OFF does not
        database.Execute("PRAGMA journal_mode = OFF");
        database.Execute("PRAGMA synchronous = OFF");
        database.AttachUnchanging(Extracted, SqlitePartWriter.Captured);
        _done = new SqlitePartWriter(database, _settings.Name, Merges).Write(_tables, cancellation);
    }

    private void Compare(List<VerifyCheck> checks, CancellationToken cancellation)
    {
        ByteMeter meter = new(_run.Progress, _settings.Name, Phase.Verify);
        using (Folder folder = Folder.Open(_folder))
            checks.Add(new VerifyCheck("captured database: sha256", _snapshot.Sha256[_details.File], StagedFile.Hash(folder, Folder.Name(Path.GetFileName(Extracted)), meter, cancellation)));
        meter.Flush();
        using SqliteDatabase database = SqliteDatabase.OpenUnchanging(_place.StagingPath);
        using CancellationTokenRegistration stop = cancellation.Register(database.Interrupt);
        string integrity = SqliteInspection.CheckIntegrity(database);
        checks.Add(new VerifyCheck("integrity_check", SqliteInspection.IsWrong(integrity) ? "ok" : integrity, integrity));
        foreach (SqliteTableDone done in _done)
        {
            cancellation.ThrowIfCancellationRequested();
            TableDigest found = SqliteInspection.DigestOf(database, Encoding.UTF8.GetBytes(done.Captured.Name), [.. done.Captured.Stored.Select(Encoding.UTF8.GetBytes)]);
            checks.Add(done.Merged is null && _captured.Tables?.FirstOrDefault(one => one.Name == MetadataName(done.Captured)) is { } then
                ? new VerifyCheck($"table {done.Captured.Name}", Text(then.Rows, then.Digest), Text(found.Rows, found.ToString()))
                : new VerifyCheck($"table {done.Captured.Name}: rows", Number(done.Rows), Number(found.Rows)));
        }
    }

    private static string Text(long rows, string digest) => string.Create(CultureInfo.InvariantCulture, $"{rows} rows, {digest}");

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private Task TellAsync(Func<Task> work) => FileFailure.TellAsync(_settings.Name, async () =>
    {
        try
        {
            await work();
        }
        catch (SqliteFailure e)
        {
            throw e.Tell(_place.Path, _settings.Name);
        }
    });
}
