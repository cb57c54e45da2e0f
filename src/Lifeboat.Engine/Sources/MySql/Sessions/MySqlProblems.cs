using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Processes;

namespace Lifeboat.Engine.Sources.MySql.Sessions;

/// <summary>Says in our words what went wrong with a server: one code, a message with the names concerned, and what to do.</summary>
internal static class MySqlProblems
{
    /// <param name="connected">Whether the server had answered before.</param>
    public static LifeboatException From(MySqlError error, MySqlConnection connection, bool connected)
    {
        (ErrorCode code, string hint) = Judge(error);
        string message = connected ? $"{connection.Target}: {error}" : $"cannot connect to {connection.Target}: {error}";
        return new LifeboatException(code, message, hint, connection.Source, new MySqlErrorException(error));
    }

    /// <summary>A program that ended without naming an error.</summary>
    public static LifeboatException Ended(string text, MySqlConnection connection, bool connected) => connected
        ? new LifeboatException(
            ErrorCodes.MySqlConnectionLost, $"the connection to {connection.Target} was lost: the client program ended",
            "see the server's log for the reason (restart, termination, crash, network), then run again", connection.Source)
        : new LifeboatException(
            ErrorCodes.MySqlUnreachable, $"cannot connect to {connection.Target}: {(text.Length == 0 ? "the client program ended without a word" : text)}",
            "start the server, or correct the url (host, port, socket) in the app file", connection.Source);

    /// <summary>A connection over which nothing comes any more.</summary>
    public static LifeboatException Stalled(string reason, MySqlConnection connection) => new(
        ErrorCodes.MySqlConnectionLost, $"the connection to {connection.Target} was lost: {reason}",
        "see what lies between this machine and the server (proxy, firewall, network), then run again", connection.Source);

    /// <summary>The lines of a program's message as one.</summary>
    internal static string Flat(string text) => text.AsSpan().Trim().IsEmpty ? "" : ProgramMessage.Of(text);

    private static (ErrorCode Code, string Hint) Judge(MySqlError error) => error.Number switch
    {
        1045 or 1698 or 1130 or 1251 or 3118 or 4151 or 1820 or 1862 or 2059 or 2061 => (
            ErrorCodes.MySqlLoginRefused, "correct the user in the app file's url, or the password that its `password:` names"),
        MySqlError.UnknownDatabase => (ErrorCodes.MySqlDatabaseMissing, "correct the database's name in the app file's url, or create it"),
        1044 or 1142 or 1143 or 1227 or 1370 or 1410 or 3619 => (
            ErrorCodes.MySqlPermissionDenied, "grant the right, or connect as an account that has it (docs/mysql.md lists what is needed)"),
        MySqlError.LockWaitTimeout or MySqlError.Deadlock or 3024 or 1969 => (
            ErrorCodes.MySqlLockTimeout, "something holds a lock for long (SHOW PROCESSLIST shows it); run again when it is done"),
        MySqlError.TableDefinitionChanged => (ErrorCodes.MySqlSchemaChanged, "a table was altered while it was read; run again when the change is done"),
        2002 or 2003 or 2005 or 1040 or 1203 or 1226 or 2026 => (
            ErrorCodes.MySqlUnreachable, "start the server, or correct the url (host, port, socket) in the app file"),
        2006 or 2013 or 1053 or 1317 or 1927 or 4031 => (
            ErrorCodes.MySqlConnectionLost, "see the server's log for the reason (restart, termination, crash, network), then run again"),
        _ => (ErrorCodes.MySqlSqlFailed, "the server's message says what is wrong; mend that and run again"),
    };
}
