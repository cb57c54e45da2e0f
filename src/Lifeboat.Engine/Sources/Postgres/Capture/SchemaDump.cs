using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Processes;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Capture;

/// <summary>
/// pg_dump's dump of the schema (custom format) in a temporary file, from which pg_restore makes texts. It is of the cut's snapshot,
/// and is begun at once, because pg_dump takes locks of its own.
/// </summary>
internal sealed class SchemaDump : IAsyncDisposable
{
    private static readonly TimeSpan s_longestWait = TimeSpan.FromSeconds(30);

    // What the server says of an object that the snapshot still shows, and that is gone meanwhile.
    private static readonly string[] s_vanishedTexts = ["cache lookup failed", "could not open relation with OID", "could not find tuple for"];

    private readonly PostgresConnection _connection;
    private readonly PostgresTools _tools;
    private readonly CancellationTokenSource _stop = new();
    private readonly string _file;
    private readonly string _applicationName;
    private readonly TimeProvider _time;
    private readonly Task<string> _dumping;
    private bool _disposed;

    public SchemaDump(PostgresCut cut, PostgresTools tools, HostEnvironment host)
    {
        string id = host.NewId();
        _time = host.Time;
        _applicationName = $"lifeboat schema {id}";
        _connection = cut.Session.Connection.WithApplicationName(_applicationName);
        _tools = tools;
        _file = Path.Combine(host.TempDirectory, $"lifeboat-{id}.dump");
        _dumping = DumpAsync(cut);
    }

    /// <summary>Waits until the dump is complete; gives what pg_dump wrote to its error stream.</summary>
    public Task<string> CompletionAsync(CancellationToken cancellation) => _dumping.WaitAsync(cancellation);

    /// <summary>
    /// Waits until pg_dump has a lock of its own on every table. False where it waits for one: then somebody who wants a table for himself
    /// came between the cut's lock and pg_dump's, waits for the former, and will not let the latter through before the cut is closed.
    /// </summary>
    public async Task<bool> GetsItsLocksAsync(PostgresCut cut, CancellationToken cancellation)
    {
        string tables = string.Join(',', cut.Catalogue.Locked.Where(static t => t.Extension is null).Select(static t => t.Oid));
        int expected = tables.Length == 0 ? 0 : tables.Count(static c => c == ',') + 1;
        long begun = _time.GetTimestamp();
        while (!_dumping.IsCompleted && _time.GetElapsedTime(begun) < s_longestWait)
        {
            await cut.Session.ExecuteAsync("COPY (SELECT pg_stat_clear_snapshot()) TO STDOUT", cancellation);
            IReadOnlyList<string?[]> locks = await cut.Session.QueryAsync(
                $$"""
                SELECT count(DISTINCT l.relation) FILTER (WHERE l.granted), count(*) FILTER (WHERE NOT l.granted)
                FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
                WHERE a.application_name = {{SqlText.Literal(_applicationName)}} AND l.locktype = 'relation'
                    AND l.relation = ANY ('{ {{tables}} }'::oid[])
                """,
                cancellation);
            if (locks[0][1] != "0")
                return false;
            if (PostgresCatalogue.Number(locks[0][0]) >= expected)
                return true;
            await Task.WhenAny(_dumping, Task.Delay(TimeSpan.FromMilliseconds(20), _time, cancellation));
        }

        return true; // Whatever else is wrong, pg_dump says by itself.
    }

    /// <summary>Whether it has failed already because something that the snapshot shows is gone: another cut may have more luck.</summary>
    public bool HasMissedAnObject => _dumping.Exception?.InnerException is LifeboatException failed && failed.Code == ErrorCodes.PostgresObjectVanished;

    /// <summary>The dump itself.</summary>
    public Stream Open() => new FileStream(_file, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);

    public long Bytes => new FileInfo(_file).Length;

    /// <summary>Writes what pg_restore makes of the dump; gives its digest.</summary>
    /// <param name="options">Which part of it; none for all.</param>
    public async Task<string> WriteTextAsync(IEnumerable<string> options, Stream text, CancellationToken cancellation)
    {
        PostgresCommand command = _connection.Command(_tools.PgRestore, [.. options, "-f", "-"], connect: false);
        string digest = "";
        (int exit, string errors) = await ProgramRunner.PumpAsync(
            command.Start,
            async (input, token) =>
            {
                await using Stream dump = Open();
                await dump.CopyToAsync(input, token);
            },
            async (output, token) => digest = await SchemaText.CopyAsync(output, text, token),
            cancellation);
        return exit == 0 ? digest : throw ProgramRunner.Failed(command.Start, exit, errors);
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        await _stop.CancelAsync();
        await ((Task)_dumping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
        File.Delete(_file);
    }

    private async Task<string> DumpAsync(PostgresCut cut)
    {
        List<string> options =
            ["--schema-only", "--format=custom", $"--snapshot={cut.Snapshot}", "--lock-wait-timeout=30s", $"--encoding={cut.Session.ClientEncoding}"];
        FileStreamOptions file = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.Read };
        if (!OperatingSystem.IsWindows())
            file.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using FileStream dump = new(_file, file);
        (int exit, string errors, ProgramStart start) = await new PostgresProgram(_tools, _connection, _applicationName).RunAsync(
            _tools.PgDump, options, async (output, token) => await output.CopyToAsync(dump, token), _stop.Token);
        return exit == 0 ? errors : throw Failed(start, exit, errors);
    }

    private LifeboatException Failed(ProgramStart start, int exit, string errors)
    {
        if (errors.Contains("lock timeout", StringComparison.Ordinal)
            || (errors.Contains("statement timeout", StringComparison.Ordinal) && errors.Contains("LOCK TABLE", StringComparison.Ordinal)))
            return new LifeboatException(
                ErrorCodes.PostgresLockTimeout,
                $"{_connection.Target}: pg_dump could not lock a table: {PostgresProblems.Flat(errors)}",
                "something holds or waits for an exclusive lock (pg_locks and pg_stat_activity show it); run again when it is done",
                _connection.Source);
        if (errors.Contains("server version mismatch", StringComparison.Ordinal))
            return new LifeboatException(
                ErrorCodes.PostgresToolsTooOld, PostgresProblems.Flat(errors),
                    "install client programs that are not older than the server", _connection.Source);
        if (s_vanishedTexts.Any(text => errors.Contains(text, StringComparison.Ordinal))
            || (errors.Contains("does not exist", StringComparison.Ordinal) && errors.Contains("LOCK TABLE", StringComparison.Ordinal)))
            return new LifeboatException(
                ErrorCodes.PostgresObjectVanished,
                $"{_connection.Target}: an object was dropped or renamed while pg_dump read the schema: {PostgresProblems.Flat(errors)}",
                "run again when the changes to the schema are done", _connection.Source);
        return PostgresProblems.OfProgram(start, exit, errors, _connection, "pg_dump read the schema");
    }
}
