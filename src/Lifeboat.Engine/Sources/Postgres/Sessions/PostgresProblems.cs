using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Processes;

namespace Lifeboat.Engine.Sources.Postgres.Sessions;

/// <summary>Says in our words what went wrong with a server: one code, a message with the names concerned, and what to do.</summary>
public static class PostgresProblems
{
    /// <summary>What the server says of a snapshot whose session has ended (snapmgr.c).</summary>
    private static readonly string[] s_snapshotTexts = ["invalid snapshot identifier", "could not import the requested snapshot"];

    /// <summary>What libpq and the server say when a connection ends or cannot be made (PostgreSQL's fe-connect.c, fe-misc.c, postmaster.c).</summary>
    private static readonly string[] s_lostTexts =
    [
        "terminating connection", "server closed the connection", "connection to server", "could not connect to database", "could not receive data from server",
        "could not send data to server", "the database system is", "no connection to the server", "SSL connection has been closed",
        .. s_snapshotTexts,
    ];

    /// <summary>A command that the server refused.</summary>
    /// <param name="doing">What was being done, for the message: <c>reading table public.orders</c>; null for nothing to add.</param>
    public static LifeboatException From(PostgresError error, PostgresConnection connection, string? doing = null)
    {
        string message = $"{(doing is null ? "" : doing + ": ")}{error}";
        (ErrorCode code, string hint) = Judge(error);
        return new LifeboatException(code, $"{connection.Target}: {message}", hint, connection.Source, new PostgresErrorException(error));
    }

    /// <summary>A text that psql would not take for SQL alone; nothing of it was sent.</summary>
    internal static LifeboatException NotSql(string why, PostgresConnection connection, Exception inner) => new(
        ErrorCodes.PostgresNotADump, $"a statement cannot be sent: {why}", "use another snapshot: somebody altered this one; where nothing is restored, report this",
        connection.Source, inner);

    /// <summary>Something in the database has changed the encoding of the connection.</summary>
    internal static LifeboatException EncodingChanged(string encoding, PostgresConnection connection) => new(
        ErrorCodes.PostgresSessionChanged, $"{connection.Target}: something in the database has set client_encoding to {encoding} for this connection",
        "look for a trigger, a default, or a function that sets client_encoding, and have it set it for itself alone (SET LOCAL, or the function's own SET)", connection.Source);

    /// <summary>A psql (or pg_dump, …) that could not connect: libpq gives no SQLSTATE then, only a text.</summary>
    public static LifeboatException FromConnecting(string text, PostgresConnection connection)
    {
        (ErrorCode code, string hint) = JudgeConnecting(text);
        return new LifeboatException(code, $"cannot connect to {connection.Target}: {Flat(text)}", hint, connection.Source);
    }

    /// <summary>A connection that ended while it was in use.</summary>
    public static LifeboatException Lost(string text, PostgresConnection connection, string? doing = null)
    {
        string said = Flat(text);
        string message = $"the connection to {connection.Target} was lost"
            + (doing is null ? "" : " while " + doing) + (said.Length == 0 ? "" : ": " + said);
        return new LifeboatException(
            ErrorCodes.PostgresConnectionLost,
            message,
            "see the server's log for the reason (restart, termination, crash, network), then run again",
            connection.Source,
            new PostgresErrorException(new PostgresError(PostgresError.ConnectionLost, said, null, null)));
    }

    /// <summary>
    /// A client program (pg_dump, pg_dumpall, …) that ended with an error while a session of ours was open: libpq gives it only texts, and one that
    /// cannot connect any more tells of a lost server just as one whose connection broke.
    /// </summary>
    /// <param name="doing">What the program was doing, for the message: <c>reading the roles</c>.</param>
    internal static LifeboatException OfProgram(ProgramStart start, int exit, string errors, PostgresConnection connection, string doing)
    {
        if (s_lostTexts.Any(text => errors.Contains(text, StringComparison.Ordinal)))
            return Lost(errors, connection, doing);
        if (errors.Contains("permission denied", StringComparison.Ordinal))
            return new LifeboatException(
                ErrorCodes.PostgresPermissionDenied,
                $"{connection.Target}: {doing}: {Flat(errors)}",
                "grant the right, or connect as the database's owner or a superuser",
                connection.Source);
        LifeboatException other = ProgramRunner.Failed(start, exit, errors);
        return new LifeboatException(other.Code, other.Problems[0].Message, other.Hint, connection.Source, other);
    }

    /// <summary>The lines of a program's message as one.</summary>
    internal static string Flat(string text) => text.AsSpan().Trim().IsEmpty ? "" : ProgramMessage.Of(text);

    private static (ErrorCode Code, string Hint) Judge(PostgresError error) => error.SqlState switch
    {
        PostgresError.InsufficientPrivilege => (
            ErrorCodes.PostgresPermissionDenied,
            "grant the right (pg_read_all_data covers every table, BYPASSRLS row security), "
            + "or connect as the database's owner or a superuser"),
        PostgresError.LockNotAvailable => (
            ErrorCodes.PostgresLockTimeout,
                "something holds or waits for an exclusive lock (pg_locks and pg_stat_activity show it); run again when it is done"),
        "53100" => (ErrorCodes.PostgresOutOfResources, "the server's disk is full: make room on it, then run again"),
        "53200" => (
            ErrorCodes.PostgresOutOfResources,
            error.ServerHint ?? "the server is out of memory: look for max_locks_per_transaction in its message "
            + "and raise it, or give the server more memory"),
        "53300" => (ErrorCodes.PostgresOutOfResources,
            "the server has no connection left: raise max_connections, or set fewer workers in the app file"),
        ['5', '3', ..] => (ErrorCodes.PostgresOutOfResources, "the server lacks a resource: see its log"),
        "28P01" or "28000" => (ErrorCodes.PostgresLoginRefused, "correct the user or the password in the app file"),
        "3D000" => (ErrorCodes.PostgresDatabaseMissing, "correct the database's name in the app file's url"),
        ['5', '7', 'P', ..] or ['0', '8', ..] => LostAdvice,
        _ when s_snapshotTexts.Any(text => error.Message.Contains(text, StringComparison.Ordinal)) => LostAdvice,
        _ => (ErrorCodes.PostgresSqlFailed, error.ServerHint ?? "the server's message says what is wrong; mend that and run again"),
    };

    private static (ErrorCode Code, string Hint) LostAdvice => (
        ErrorCodes.PostgresConnectionLost, "see the server's log for the reason (restart, termination, crash), then run again");

    private static (ErrorCode Code, string Hint) JudgeConnecting(string text)
    {
        bool Says(string part) => text.Contains(part, StringComparison.OrdinalIgnoreCase);
        if (Says("database \"") && Says("\" does not exist"))
            return (ErrorCodes.PostgresDatabaseMissing, "correct the database's name in the app file's url, or create it");
        if (Says("password authentication failed") || Says("no password supplied") || Says("authentication failed"))
            return (ErrorCodes.PostgresLoginRefused, "correct the user in the app file's url, or the password that its `password:` names");
        if (Says("role \"") || Says("pg_hba.conf") || Says("not permitted to log in"))
            return (ErrorCodes.PostgresLoginRefused,
                "correct the user in the app file's url, or allow the login in the server's pg_hba.conf");
        if (Says("permission denied for database"))
            return (ErrorCodes.PostgresPermissionDenied, "grant CONNECT on the database to the user, or use another one");
        if (Says("too many") || Says("remaining connection slots"))
            return (ErrorCodes.PostgresOutOfResources,
                "the server has no connection left: raise max_connections, or set fewer workers in the app file");
        return (ErrorCodes.PostgresUnreachable, "start the server, or correct the url (host, port, socket folder) in the app file");
    }
}
