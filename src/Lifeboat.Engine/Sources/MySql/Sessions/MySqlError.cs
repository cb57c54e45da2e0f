using System.Globalization;
using System.Text.RegularExpressions;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Sources.MySql.Sessions;

/// <summary>What the client program said of a statement that failed.</summary>
/// <param name="Number">The server's or the client library's error number (MySQL Server Error Message Reference).</param>
public sealed partial record MySqlError(int Number, string SqlState, string Message)
{
    public const int LockWaitTimeout = 1205;
    public const int Deadlock = 1213;
    public const int TableDefinitionChanged = 1412;
    public const int NoSuchTable = 1146;
    public const int NoSuchColumn = 1054;

    /// <summary>Also of a view, when it is read as a table.</summary>
    public const int NoSuchKey = 1176;
    public const int CannotUser = 1396;
    public const int UnknownDatabase = 1049;

    /// <summary>Whether a table, view, routine, trigger, event or sequence was not there, or no longer what it was.</summary>
    public bool IsMissing => Number is NoSuchTable or NoSuchKey or 1051 or 1305 or 1360 or 1539 or 4091;

    /// <summary>The server's error behind an exception of ours; null where there is none.</summary>
    public static MySqlError? Of(LifeboatException exception) => (exception.InnerException as MySqlErrorException)?.Error;

    /// <summary>Finds the error in what the program wrote to its error stream; other lines there repeat statements, which may hold secrets.</summary>
    public static MySqlError? Parse(string errors)
    {
        Match match = Line().Match(errors);
        return match.Success
            ? new MySqlError(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), match.Groups[2].Value, match.Groups[3].Value.Trim())
            : null;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Message} ({Number})");

    [GeneratedRegex(@"^ERROR (\d+) \(([0-9A-Z]{5})\)(?: at line \d+)?(?: in file: '[^']*')?: (.*)$", RegexOptions.CultureInvariant | RegexOptions.Multiline)]
    private static partial Regex Line();
}

/// <summary>Carries a <see cref="MySqlError"/> inside a <see cref="LifeboatException"/>.</summary>
public sealed class MySqlErrorException(MySqlError error) : Exception(error.ToString())
{
    public MySqlError Error { get; } = error;
}
