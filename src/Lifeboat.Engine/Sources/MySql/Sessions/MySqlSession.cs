using System.Globalization;
using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Processes;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sql;
using Lifeboat.Engine.Sources.Servers;

namespace Lifeboat.Engine.Sources.MySql.Sessions;

/// <summary>
/// One client program, held open: statements go in, rows come out. One statement at a time. The first error ends the program, and so the session:
/// nothing is ever run behind a statement that failed.
/// </summary>
public sealed class MySqlSession : IAsyncDisposable
{
    /// <summary>Ends a statement: routines hold semicolons. Nobody who writes a statement knows it before.</summary>
    private readonly string _delimiter;

    /// <summary>
    /// What data is read and written with: exact bytes, TIMESTAMP in UTC, every date and zero as it is. The results' character set NULL means that
    /// the server converts nothing. It is sent before the first statement that is answered: with some values of these variables nothing would be.
    /// </summary>
    private static readonly string[] s_settings =
    [
        "SET NAMES utf8mb4",
        "SET sql_select_limit = 18446744073709551615, max_join_size = 18446744073709551615, sql_big_selects = 1, "
            + "/*M!100100 max_statement_time = 0, */ /*!80000 max_execution_time = 0, */ character_set_results = NULL, time_zone = '+00:00', "
            + $"sql_mode = '{Definitions.Mode}', wait_timeout = 86400, net_write_timeout = 3600, net_read_timeout = 3600, lock_wait_timeout = 30, "
            + "foreign_key_checks = 0, unique_checks = 0",
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    ];

    /// <summary>What a server calls its waiting for the client, in either direction (thread states in the manuals of both).</summary>
    private static readonly string[] s_waitsForUs = ["Writing to net", "Sending to client", "Reading from net", "Receiving from client"];

    private static readonly TimeSpan s_longestGoodbye = TimeSpan.FromSeconds(10);

    private readonly RunningProgram _program;
    private readonly MySqlOutput _output;
    private readonly SessionThread _thread;
    private readonly string _mark;
    private ReadOnlyMemory<byte> _inputPrefix;
    private long _statements;
    private bool _connected;
    private volatile bool _ended;
    private bool _disposed;

    private readonly RunContext _context;
    private readonly MySqlTools _tools;
    private readonly StallWatch? _watch;
    private readonly Stream _input;
    private string? _id;
    private volatile string? _stalled;

    private MySqlSession(RunContext context, MySqlConnection connection, MySqlTools tools)
    {
        string nonce = context.Host.NewId();
        (_context, _tools) = (context, tools);
        Connection = connection;
        (ProgramStart start, _inputPrefix) = connection.Command(tools.Program);
        _mark = $"!{nonce}\t";
        _delimiter = $";~{context.Host.NewId()}~;";
        _program = RunningProgram.Launch(start);
        _program.EnlargePipes();
        _watch = connection.StallLimit is not { } limit ? null : new StallWatch(limit, LookAsync, GiveUp);
        _input = _watch?.Watched(_program.Input) ?? _program.Input;
#pragma warning disable CA2000 // the output owns it
        _output = new MySqlOutput(_watch?.Watched(_program.Output) ?? _program.Output, _mark);
#pragma warning restore CA2000
        _thread = new SessionThread("mysql " + connection.Source);
    }

    public MySqlConnection Connection { get; }

    /// <summary>What the server is and can.</summary>
    public MySqlServer Server { get; private set; } = MySqlServer.Unknown;

    /// <summary>Starts the program, connects, and makes the settings that data is written and read with; no database is chosen.</summary>
    /// <exception cref="LifeboatException">The server or the login is not there.</exception>
    public static async Task<MySqlSession> OpenAsync(RunContext context, MySqlTools tools, MySqlConnection connection, CancellationToken cancellation)
    {
        MySqlSession session = new(context, connection, tools);
        try
        {
            await session.RequireExactOutputAsync(cancellation);
            session.Server = await MySqlServer.ReadAsync(session, cancellation);
            await session.PinAsync(forWriting: false, cancellation);
            session._id = await session.SelectOneAsync("CONNECTION_ID()", "", cancellation);
            return session;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes the session take definitions as they are written, whatever the server's defaults.</summary>
    public Task PrepareToWriteAsync(CancellationToken cancellation) => PinAsync(forWriting: true, cancellation);

    /// <summary>The session's variables by their names.</summary>
    internal async Task<IReadOnlyDictionary<string, string>> VariablesAsync(CancellationToken cancellation) =>
        (await ShowAsync("SHOW SESSION VARIABLES", cancellation)).ToDictionary(static row => row[0], static row => row[1], StringComparer.OrdinalIgnoreCase);

    /// <summary>Runs one statement without rows that matter; gives the number of rows that it changed (-1 for none to count).</summary>
    public async Task<long> ExecuteAsync(string sql, CancellationToken cancellation) => (await RunAsync(Utf8(sql), RowShape.Plain, Stream.Null, null, cancellation)).Changed;

    /// <summary>As <see cref="ExecuteAsync(string, CancellationToken)"/>, for a statement that is not in UTF-8.</summary>
    public async Task<long> ExecuteAsync(ReadOnlyMemory<byte> sql, CancellationToken cancellation) =>
        (await RunAsync(sql, RowShape.Plain, Stream.Null, null, cancellation)).Changed;

    /// <summary>Runs a SHOW statement and gives its rows; a NULL is the word.</summary>
    /// <param name="encoding">Latin-1 to have every byte as one character; null for UTF-8.</param>
    public async Task<IReadOnlyList<string[]>> ShowAsync(string sql, CancellationToken cancellation, Encoding? encoding = null)
    {
        using MemoryStream rows = new();
        await RunAsync(Utf8(sql), RowShape.Plain, rows, null, cancellation);
        return Escapes.ParseRows(rows.GetBuffer().AsSpan(0, (int)rows.Length), encoding ?? Encoding.UTF8).Select(static row => row.Select(static f => f ?? "").ToArray()).ToArray();
    }

    /// <summary>Runs a query over expressions and gives its rows, nulls as null, everything else as text.</summary>
    /// <param name="tail">What stands behind the expressions: <c>FROM …</c>.</param>
    public async Task<IReadOnlyList<string?[]>> SelectAsync(IReadOnlyList<string> expressions, string tail, CancellationToken cancellation)
    {
        string mask = string.Join('+', expressions.Select(static (e, i) => $"({e}) IS NULL" is var n && i > 0 ? $"(({n}) << {i})" : $"(({n}))"));
        using MemoryStream rows = new();
        await RunAsync(
            Utf8($"SELECT {mask}, {string.Join(", ", expressions)} {tail}"), new RowShape(1, [.. Enumerable.Range(0, expressions.Count)]), rows, null, cancellation);
        return Escapes.ParseRows(rows.GetBuffer().AsSpan(0, (int)rows.Length), Encoding.UTF8);
    }

    /// <summary>As <see cref="SelectAsync"/>, for one row of one column; null too where there is no row.</summary>
    public async Task<string?> SelectOneAsync(string expression, string tail, CancellationToken cancellation) =>
        await SelectAsync([expression], tail, cancellation) is [var row, ..] ? row[0] : null;

    /// <summary>Whether the server takes statements: asked in a session of its own, because the first error ends one.</summary>
    public async Task<bool> CanAsync(IReadOnlyList<string> statements, CancellationToken cancellation)
    {
        await using MySqlSession other = await OpenAsync(_context, _tools, Connection, cancellation);
        try
        {
            foreach (string sql in statements)
                await other.ExecuteAsync(sql, cancellation);
            return true;
        }
        catch (LifeboatException e) when (MySqlError.Of(e) is not null)
        {
            return false;
        }
    }

    /// <summary>Passes a query's rows on as lines of text, digesting each.</summary>
    /// <param name="destination">Is written synchronously, on the session's own thread.</param>
    /// <param name="onBytes">Told the size of each piece.</param>
    internal async Task<DumpedRows> DumpAsync(
        string sql, RowShape shape, Stream destination, Action<long>? onBytes, CancellationToken cancellation) =>
        (await RunAsync(Utf8(sql), shape, destination, onBytes, cancellation)).Rows;

    /// <summary>Loads rows from a data file by INSERT statements, one in work while the next is made; gives the number of rows.</summary>
    internal async Task<long> LoadAsync(Stream rows, InsertStatements inserts, Action<long> onBytes, CancellationToken cancellation)
    {
        await using CancellationTokenRegistration kill = cancellation.Register(Kill);
        return await _thread.RunAsync(() =>
        {
            long loaded = 0;
            long waiting = 0;
            foreach (ReadOnlyMemory<byte> statement in inserts.Read(rows, onBytes))
            {
                Send(statement, cancellation);
                if (waiting > 0)
                    loaded += Receive(waiting, RowShape.Plain, Stream.Null, null, cancellation).Changed;
                waiting = _statements;
            }

            return waiting > 0 ? loaded + Receive(waiting, RowShape.Plain, Stream.Null, null, cancellation).Changed : loaded;
        });
    }

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
            await _program.CloseAsync(s_longestGoodbye);
        }

        await _program.DisposeAsync();
        _thread.Dispose();
    }

    /// <summary>A client program whose option files make it print otherwise would put its own words among the rows.</summary>
    private async Task RequireExactOutputAsync(CancellationToken cancellation)
    {
        IReadOnlyList<string[]> rows = await ShowAsync("SELECT 'a\tb\\\\', NULL", cancellation);
        if (rows is not [["a\tb\\", "NULL"]])
            throw new LifeboatException(
                ErrorCodes.MySqlClientOptions, $"the client program {_tools.Program} does not print rows as it is told: {MySqlProblems.Flat(string.Join('\n', rows.Select(static row => string.Join(' ', row))))}",
                "take the options verbose, tee, execute and the like out of its option files (`mariadb --print-defaults`, `mysql --print-defaults`)", Connection.Source);
    }

    private async Task PinAsync(bool forWriting, CancellationToken cancellation)
    {
        if (SessionPins.Statement(await VariablesAsync(cancellation), forWriting) is { } sql)
            await ExecuteAsync(sql, cancellation);
    }

    /// <summary>Asks the server, over another connection, what it makes of this session.</summary>
    private async Task<SessionLook?> LookAsync(CancellationToken cancellation)
    {
        await using MySqlSession other = await OpenAsync(_context, _tools, Connection with { StallLimit = null }, cancellation);
        string[]? row = _id is null ? null : (await other.ShowAsync("SHOW PROCESSLIST", cancellation)).FirstOrDefault(one => one[0] == _id);
        return row is null
            ? new SessionLook(false, "not there")
            : new SessionLook(row[4] != "Sleep" && !s_waitsForUs.Contains(row[6], StringComparer.OrdinalIgnoreCase), $"{row[4]} {row[6]} {row[7]}");
    }

    private void GiveUp(string reason)
    {
        _stalled = reason;
        Kill();
    }

    private static byte[] Utf8(string sql) => Encoding.UTF8.GetBytes(sql);

    private async Task<(DumpedRows Rows, long Changed)> RunAsync(
        ReadOnlyMemory<byte> sql, RowShape shape, Stream destination, Action<long>? onBytes, CancellationToken cancellation)
    {
        await using CancellationTokenRegistration kill = cancellation.Register(Kill);
        return await _thread.RunAsync(() =>
        {
            Send(sql, cancellation);
            return Receive(_statements, shape, destination, onBytes, cancellation);
        });
    }

    private void Send(ReadOnlyMemory<byte> sql, CancellationToken cancellation)
    {
        if (_ended)
            throw EndedException(cancellation);
        if (sql.Span.IndexOf(Utf8(_delimiter)) >= 0)
            throw new InvalidOperationException("a statement holds the text that ends it");
        try
        {
            if (_statements == 0)
            {
                _input.Write(_inputPrefix.Span);
                _inputPrefix = default;
                _input.Write(Utf8($"delimiter {_delimiter}\n{string.Concat(s_settings.Select(setting => $"{setting}\n{_delimiter}\n"))}"));
            }

            string number = (++_statements).ToString(CultureInfo.InvariantCulture);
            _input.Write(sql.Span);
            _input.Write(Utf8($"\n{_delimiter}\nSELECT '{_mark[..^1]}', {number}, ROW_COUNT()\n{_delimiter}\n"));
            _input.Flush();
        }
        catch (IOException)
        {
            throw EndedException(cancellation);
        }
    }

    private (DumpedRows Rows, long Changed) Receive(
        long number, RowShape shape, Stream destination, Action<long>? onBytes, CancellationToken cancellation)
    {
        string? end;
        DumpedRows rows;
        try
        {
            (end, rows) = _output.ReadStatement(shape, destination, onBytes);
        }
        catch
        {
            Kill(); // In the middle of a result nothing else can be asked of it.
            throw;
        }

        if (end is null)
            throw EndedException(cancellation);
        string[] words = end.Split('\t');
        if (words[0] != number.ToString(CultureInfo.InvariantCulture))
            throw new InvalidOperationException($"the client program answered statement {words[0]} instead of {number}");
        _connected = true;
        return (rows, long.TryParse(words[1], CultureInfo.InvariantCulture, out long changed) ? changed : -1);
    }

    /// <summary>Why the program ended. Cancellation is a reason of its own.</summary>
    private LifeboatException EndedException(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        _ended = true;
        if (_stalled is { } reason)
            return MySqlProblems.Stalled(reason, Connection);
        using CancellationTokenSource longest = new(s_longestGoodbye);
        try
        {
            _program.WaitAsync(longest.Token).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            _program.Kill();
        }

        MySqlError? error = MySqlError.Parse(_program.Errors);
        return error is null
            ? MySqlProblems.Ended(_connected ? "" : MySqlProblems.Flat(_program.Errors), Connection, _connected)
            : MySqlProblems.From(error, Connection, _connected);
    }
}
