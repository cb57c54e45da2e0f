using System.Globalization;
using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Processes;
using Lifeboat.Engine.Sources.Servers;

namespace Lifeboat.Engine.Sources.Postgres.Sessions;

/// <summary>
/// One psql process, held open: commands go in, COPY text comes out. One command at a time. A command that fails leaves the session
/// usable, except where <see cref="CopyInAsync"/> fails, the connection is lost or the run is cancelled. Whatever text it is given, psql takes it for SQL alone
/// (<see cref="PsqlText"/>).
/// </summary>
public sealed class PsqlSession : IAsyncDisposable
{
    private const string AnyBytes = "SQL_ASCII";
    private static readonly TimeSpan LongestGoodbye = TimeSpan.FromSeconds(10);

    private readonly RunningProgram _program;
    private readonly PsqlErrors _errors = new();
    private readonly PsqlOutput _output;
    private readonly SessionThread _thread;
    private readonly PostgresCommand _command;
    private readonly StallWatch? _watch;
    private readonly Stream _input;
    private string? _backend;
    private volatile string? _stalled;
    private long _commands;
    private string? _clientEncoding;
    private bool _connected;
    private volatile bool _ended;
    private bool _disposed;

    private PsqlSession(PostgresTools tools, PostgresConnection connection, PostgresCommand command)
    {
        Connection = connection;
        _command = command;
        _program = RunningProgram.Launch(command.Start, _errors.Add);
        _program.EnlargePipes();
        _watch = connection.StallLimit is not { } limit ? null : new StallWatch(limit, token => LookAsync(tools, token), GiveUp);
        _input = _watch?.Watched(_program.Input) ?? _program.Input;
#pragma warning disable CA2000 // the output owns it
        _output = new PsqlOutput(_watch?.Watched(_program.Output) ?? _program.Output);
#pragma warning restore CA2000
        _thread = new SessionThread("psql " + connection.Source);
    }

    /// <summary>Whoever connects by it begins as this session did: with the same settings, as the same user.</summary>
    public PostgresConnection Connection { get; private set; }

    /// <summary>The options that a connection of this user to this server begins with.</summary>
    internal string StartOptions { get; private set; } = "";

    /// <summary>Whether the server can keep statements off views and foreign tables; see <see cref="RestrictRelationsAsync"/>.</summary>
    public bool CanRestrictRelations { get; private set; }

    /// <summary>As <c>server_version_num</c> has it: 150018 for 15.18.</summary>
    public int ServerVersionNumber { get; private set; }

    public int ServerMajor => ServerVersionNumber / 10000;

    /// <summary>As <c>server_version</c> has it.</summary>
    public string ServerVersion { get; private set; } = "";

    /// <summary>The database's encoding, as PostgreSQL names it.</summary>
    public string ServerEncoding { get; private set; } = "";

    /// <summary>
    /// How commands and results are encoded: UTF-8, or Latin-1 with a SQL_ASCII database, whose bytes need not be text: every byte is
    /// then one character of ours, and passes unchanged in both directions.
    /// </summary>
    public Encoding TextEncoding { get; private set; } = Encoding.Latin1;

    /// <summary>The same as PostgreSQL names it: for the programs that read from the database what the session reads.</summary>
    public string ClientEncoding => ClientEncodingFor(ServerEncoding);

    /// <summary>
    /// In which encoding pg_dumpall writes the names that all databases share: those are bytes, of the encoding of whichever database they were made from, so from one that is not in UTF-8
    /// they are taken as they are.
    /// </summary>
    public string SharedNamesEncoding => ServerEncoding == "UTF8" ? ServerEncoding : AnyBytes;

    /// <summary>The database it is connected to.</summary>
    public string Database { get; private set; } = "";

    /// <summary>As whom its statements are run.</summary>
    public string User { get; private set; } = "";

    /// <summary>Who has logged in: another one than <see cref="User"/> where a setting of the role or the database gives it a role.</summary>
    public string Login { get; private set; } = "";

    public bool IsSuperuser { get; private set; }

    /// <summary>Whether the server is a standby.</summary>
    public bool InRecovery { get; private set; }

    /// <summary>Starts psql, connects and makes the settings that data is written and read with.</summary>
    /// <exception cref="LifeboatException">The server, the database or the login is not there.</exception>
    public static async Task<PsqlSession> OpenAsync(PostgresTools tools, PostgresConnection connection, CancellationToken cancellation)
    {
        PostgresCommand command = connection.Command(
            tools.Psql, ["-X", "-q", "-A", "-t", "-v", "VERBOSITY=verbose", "-v", "ON_ERROR_STOP=off", "-v", "ON_ERROR_ROLLBACK=off"]);
        PsqlSession session = new(tools, connection, command);
        try
        {
            await session.BeginAsync(cancellation);
            session._backend = await session.QueryOneAsync("SELECT pg_catalog.pg_backend_pid()", cancellation);
            return session;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    /// <summary>In which encoding a database of some encoding is read.</summary>
    public static string ClientEncodingFor(string serverEncoding) => serverEncoding == AnyBytes ? AnyBytes : "UTF8";

    /// <summary>Runs SQL without a result, one statement or several; gives the last one's row count.</summary>
    public async Task<long> ExecuteAsync(string sql, CancellationToken cancellation) =>
        (await RunAsync(sql, Stream.Null, null, cancellation)).End.RowCount;

    /// <summary>Runs one query (without a semicolon) and gives its rows, nulls as null, everything else as text.</summary>
    public async Task<IReadOnlyList<string?[]>> QueryAsync(string sql, CancellationToken cancellation)
    {
        using MemoryStream rows = new();
        await RunAsync($"COPY (\n{sql}\n) TO STDOUT", rows, null, cancellation);
        return CopyText.ParseRows(rows.GetBuffer().AsSpan(0, (int)rows.Length), TextEncoding);
    }

    /// <summary>As <see cref="QueryAsync"/>, for a query with one row of one column.</summary>
    public async Task<string?> QueryOneAsync(string sql, CancellationToken cancellation)
    {
        IReadOnlyList<string?[]> rows = await QueryAsync(sql, cancellation);
        return rows.Count == 0 ? null : rows[0][0];
    }

    /// <summary>Runs a <c>COPY … TO STDOUT</c> in text format and passes the bytes on as they are, digesting each row.</summary>
    /// <param name="destination">Is written synchronously, on the session's own thread, in pieces of 128 KiB and more.</param>
    /// <param name="onBytes">Told the size of each piece.</param>
    /// <param name="before">A statement without rows that is run first, on the same way to the server.</param>
    /// <exception cref="LifeboatException">The server refused or went away.</exception>
    /// <remarks>
    /// psql does not tell how many rows COPY TO STDOUT sent (it forgets the result when the data went to its own output); but it
    /// reports an error unless the server's CopyDone message followed the last row, and when it could not write one.
    /// </remarks>
    public async Task<CopiedRows> CopyOutAsync(
        string copySql, Stream destination, Action<long>? onBytes, CancellationToken cancellation, string before = "") =>
        (await RunAsync(copySql, destination, onBytes, cancellation, before)).Rows;

    /// <summary>Runs a <c>COPY … FROM STDIN</c> in text format; gives the number of rows. When it fails, the session has ended.</summary>
    /// <param name="feed">Writes the data to the stream that it is given; may write synchronously.</param>
    public async Task<long> CopyInAsync(string copySql, Func<Stream, CancellationToken, Task> feed, CancellationToken cancellation)
    {
        await using CancellationTokenRegistration kill = cancellation.Register(Kill);
        long number = ++_commands;
        ForgetErrors();
        // Should COPY be refused at once, psql must stop here: it would take the data for commands.
        string guarded = Guarded(copySql);
        await _thread.RunAsync(() => Send($"{NothingSaid}\\set ON_ERROR_STOP on\n{guarded}\n;\n", cancellation));
        await using CopyInStream data = new(_input, Connection.Source);
        try
        {
            await feed(data, cancellation);
        }
        catch (IOException) when (HasProgramEnded())
        {
            throw EndedException(cancellation);
        }
        catch
        {
            Kill();
            throw;
        }

        return await _thread.RunAsync(() =>
        {
            Send($"{(data.EndsMidLine ? "\n" : "")}\\.\n\\set ON_ERROR_STOP off\n{Mark(number)}", cancellation);
            return Receive(number, Stream.Null, null, cancellation).End.RowCount;
        });
    }

    /// <summary>
    /// From here on a view or a foreign table is not read, where the server can see to that: whatever took the place of a table or a sequence
    /// after it was looked at runs nothing then. Not for sessions that are to run what the database's definitions say.
    /// </summary>
    public Task RestrictRelationsAsync(CancellationToken cancellation) => CanRestrictRelations
        ? ExecuteAsync($"SET {SessionSettings.RestrictRelations} = 'view, foreign-table'", cancellation)
        : Task.CompletedTask;

    /// <summary>Takes <see cref="RestrictRelationsAsync"/> back until the transaction, or the part of it after a savepoint, ends.</summary>
    public Task AllowRelationsAsync(CancellationToken cancellation) =>
        CanRestrictRelations ? ExecuteAsync($"SET LOCAL {SessionSettings.RestrictRelations} = ''", cancellation) : Task.CompletedTask;

    /// <summary>
    /// From here on a commit waits for the disk, whatever the server, the role or the database says (<c>synchronous_commit = off</c>): what a journal calls done must
    /// outlive a crash of the server.
    /// </summary>
    public Task CommitToDiskAsync(CancellationToken cancellation) => QueryAsync(
        "SELECT pg_catalog.set_config('synchronous_commit', 'on', false) WHERE pg_catalog.current_setting('synchronous_commit') = 'off'", cancellation);

    /// <summary>Ends the session at once, whatever it does.</summary>
    public void Kill()
    {
        _ended = true;
        _program.Kill();
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        if (_watch is not null)
            await _watch.DisposeAsync();
        if (!_ended)
        {
            _ended = true;
            await _program.CloseAsync(LongestGoodbye);
        }

        await _program.DisposeAsync();
        _thread.Dispose();
    }

    /// <summary>Asks the server, over another connection, what it makes of this session.</summary>
    private async Task<SessionLook?> LookAsync(PostgresTools tools, CancellationToken cancellation)
    {
        SessionLook? look = await new PostgresLook(tools, Connection).AtAsync($"a.pid = {_backend ?? "0"}", cancellation);
        return _backend is null ? new SessionLook(false, "not connected") : look;
    }

    private void GiveUp(string reason)
    {
        _stalled = reason;
        Kill();
    }

    /// <summary>
    /// psql 15 says nothing in its variables of a COPY TO STDOUT that fails after its first rows (a page that cannot be read, a division by zero): so they have
    /// values that are not its own before a command (and the second one before the last of several), and success is what it says itself. Nothing waits in psql
    /// from before.
    /// </summary>
    private const string NothingSaid = "\\r\n\\set LAST_ERROR_SQLSTATE 00000\n" + NotDone;

    private const string NotDone = "\\set ERROR unknown\n";

    /// <summary>Tells how a command ended: whether psql takes its last statement for done, and the SQLSTATE of an error in any of them.</summary>
    private static string Mark(long number) =>
        string.Create(CultureInfo.InvariantCulture, $"\\echo '\\\\!' {number} :ERROR.:LAST_ERROR_SQLSTATE :ROW_COUNT :ENCODING\n");

    private async Task BeginAsync(CancellationToken cancellation)
    {
        string[] known = await SetAsync(cancellation);
        IReadOnlyList<string?[]> rows = await QueryAsync(
            "SELECT pg_catalog.current_setting('server_version_num'), pg_catalog.current_setting('server_encoding'), "
            + "pg_catalog.current_setting('server_version'), rolsuper, session_user <> current_user FROM pg_catalog.pg_roles WHERE rolname = session_user",
            cancellation);
        ServerVersionNumber = int.Parse(rows[0][0]!, CultureInfo.InvariantCulture);
        ServerEncoding = rows[0][1]!;
        ServerVersion = rows[0][2]!;
        bool asLoggedIn = rows[0][3] == "t" && !Connection.ChoosesRole;
        if (asLoggedIn && rows[0][4] == "t")
        {
            // A setting gives a superuser a role to have fewer rights, and then could not read everything; somebody else may have his rights by it alone.
            await ExecuteAsync("SET ROLE NONE", cancellation);
            known = await SetAsync(cancellation);
        }

        await ExecuteAsync($"SET client_encoding TO '{ClientEncoding}'", cancellation);
        _clientEncoding = ClientEncoding;
        TextEncoding = ServerEncoding == AnyBytes ? Encoding.Latin1 : new UTF8Encoding(false);
        CanRestrictRelations = known.Contains(SessionSettings.RestrictRelations);
        StartOptions = SessionSettings.StartOptionsWith(known, asLoggedIn);
        Connection = Connection.WithSettingsOf(this);
        rows = await QueryAsync(
            """
            SELECT pg_catalog.current_database(), current_user, rolsuper, pg_catalog.pg_is_in_recovery(), session_user
            FROM pg_catalog.pg_roles WHERE rolname = current_user
            """,
            cancellation);
        (Database, User, IsSuperuser, InRecovery, Login) = (rows[0][0]!, rows[0][1]!, rows[0][2] == "t", rows[0][3] == "t", rows[0][4]!);
    }

    /// <summary>
    /// Makes the settings, in one go: a setting of the role's may end a session that waits a moment. Gives the names of those that the server knows and the user may make.
    /// </summary>
    private async Task<string[]> SetAsync(CancellationToken cancellation)
    {
        using MemoryStream rows = new();
        await RunAsync($"COPY ({SessionSettings.Sql}) TO STDOUT", rows, null, cancellation, SessionSettings.SearchPathSql);
        return [.. CopyText.ParseRows(rows.GetBuffer().AsSpan(0, (int)rows.Length), TextEncoding).Skip(1).Select(static row => row[0]!)];
    }

    private async Task<(CommandEnd End, CopiedRows Rows)> RunAsync(
        string sql, Stream destination, Action<long>? onBytes, CancellationToken cancellation, string before = "")
    {
        await using CancellationTokenRegistration kill = cancellation.Register(Kill);
        return await _thread.RunAsync(() =>
        {
            long number = ++_commands;
            ForgetErrors();
            Send($"{NothingSaid}{(before.Length == 0 ? "" : $"{Guarded(before)};\n{NotDone}")}{Guarded(sql)}\n;\n{Mark(number)}", cancellation);
            return Receive(number, destination, onBytes, cancellation);
        });
    }

    /// <summary>
    /// The text as psql may be given it. A function that the database has (of a trigger, a default) may have changed how the session reads backslashes: where a
    /// text has one, that is set anew on a line before.
    /// </summary>
    private string Guarded(string sql)
    {
        try
        {
            string text = PsqlText.Of(sql);
            return text.Contains('\\', StringComparison.Ordinal) ? $"SET standard_conforming_strings TO on;\n{NotDone}{text}" : text;
        }
        catch (FormatException e)
        {
            throw PostgresProblems.NotSql(e.Message, Connection, e);
        }
    }

    /// <summary>
    /// Messages of earlier commands are not this one's; but before the first one, psql may already have said why it cannot connect.
    /// </summary>
    private void ForgetErrors()
    {
        if (_connected)
            _errors.Clear();
    }

    private bool Send(string text, CancellationToken cancellation)
    {
        if (_ended)
            throw EndedException(cancellation);
        try
        {
            if (!_connected && _commands == 1 && _command.InputPrefix.Length > 0)
                _input.Write(_command.InputPrefix.Span);
            _input.Write(PsqlText.Encode(text, TextEncoding));
            _input.Flush();
            return true;
        }
        catch (FormatException e)
        {
            throw PostgresProblems.NotSql(e.Message, Connection, e);
        }
        catch (IOException)
        {
            throw EndedException(cancellation);
        }
    }

    private (CommandEnd End, CopiedRows Rows) Receive(long number, Stream destination, Action<long>? onBytes,
        CancellationToken cancellation)
    {
        CommandEnd? end;
        CopiedRows rows;
        try
        {
            (end, rows) = _output.ReadCommand(destination, onBytes);
        }
        catch
        {
            Kill(); // In the middle of a result nothing else can be asked of it.
            throw;
        }

        if (end is not { } ended)
            throw EndedException(cancellation);
        if (ended.Command != number)
            throw new InvalidOperationException($"psql answered command {ended.Command} instead of {number}");
        if (_clientEncoding is not null && ended.Encoding != _clientEncoding)
        {
            Kill(); // Quotes may not be where they were: nothing more is said over this connection.
            throw PostgresProblems.EncodingChanged(ended.Encoding, Connection);
        }

        if (ended.State != CommandEnd.Done)
            throw FailedException(ended, cancellation);
        _connected = true;
        return (ended, rows);
    }

    private LifeboatException FailedException(CommandEnd end, CancellationToken cancellation)
    {
        string mark = string.Create(CultureInfo.InvariantCulture, $"\\! {end.Command}");
        Send($"\\warn '\\\\!' {end.Command}\n", cancellation);
        _errors.WaitFor(mark, LongestGoodbye);
        IReadOnlyList<string> lines = _errors.Lines;
        PostgresError error = PostgresError.Parse(lines) ?? new PostgresError(end.State[(end.State.IndexOf('.', StringComparison.Ordinal) + 1)..],
            PostgresProblems.Flat(string.Join('\n', lines)), null, null);
        return PostgresProblems.From(error, Connection);
    }

    private bool HasProgramEnded()
    {
        using CancellationTokenSource longest = new(LongestGoodbye);
        try
        {
            _program.WaitAsync(longest.Token).GetAwaiter().GetResult();
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Why psql ended. Cancellation is a reason of its own.</summary>
    private LifeboatException EndedException(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (_stalled is { } reason)
            return PostgresProblems.Lost(reason, Connection);
        HasProgramEnded();
        _ended = true;
        IReadOnlyList<string> lines = _errors.Lines;
        string text = string.Join('\n', lines);
        if (!_connected)
            return PostgresProblems.FromConnecting(text.Length > 0 ? text : $"{_command.Start.Program} ended without a word", Connection);
        PostgresError? error = PostgresError.Parse(lines);
        return error is null || error.SqlState.StartsWith("57P", StringComparison.Ordinal)
            || error.SqlState.StartsWith("08", StringComparison.Ordinal)
            ? PostgresProblems.Lost(text, Connection)
            : PostgresProblems.From(error, Connection);
    }
}
