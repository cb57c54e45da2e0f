using System.Text.RegularExpressions;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Sources.Postgres.Sessions;

/// <summary>What a PostgreSQL server said about a command that failed.</summary>
/// <param name="SqlState">Five characters (PostgreSQL manual, appendix A); <c>08006</c> where the connection was lost without one.</param>
public sealed partial record PostgresError(string SqlState, string Message, string? Detail, string? ServerHint)
{
    public const string CheckViolation = "23514";
    public const string ForeignKeyViolation = "23503";
    public const string UniqueViolation = "23505";
    public const string ExclusionViolation = "23P01";
    public const string NoUniqueConstraint = "42830"; // invalid_foreign_key: there is no unique constraint on the columns that it refers to
    public const string LockNotAvailable = "55P03";
    public const string UndefinedTable = "42P01";
    public const string UndefinedObject = "42704";
    public const string InsufficientPrivilege = "42501";
    public const string InvalidGrant = "0LP01"; // invalid_grant_operation: what one was given by another, back to that one
    public const string ConnectionLost = "08006";
    public const string DeadlockDetected = "40P01";
    public const string UndefinedSchema = "3F000";

    /// <summary>Whether the server refused a statement, and would refuse it again; a server in trouble (53), or one that ends the session (57), is another matter.</summary>
    public bool RefusesTheStatement => SqlState is not (['5', '3' or '7' or '8', ..] or ConnectionLost);

    /// <summary>The schema, the table or type, and the constraint that the error is about; null where it names none.</summary>
    public string? Schema { get; init; }

    /// <inheritdoc cref="Schema"/>
    public string? Table { get; init; }

    /// <inheritdoc cref="Schema"/>
    public string? DataType { get; init; }

    /// <inheritdoc cref="Schema"/>
    public string? Constraint { get; init; }

    /// <summary>The server's error behind an exception of ours; null where there is none.</summary>
    public static PostgresError? Of(LifeboatException exception) => (exception.InnerException as PostgresErrorException)?.Error;

    /// <summary>
    /// Finds the first error in what psql wrote to its error stream with <c>VERBOSITY</c> <c>verbose</c>: a severity in the server's
    /// language, a colon, two spaces, the SQLSTATE. Null where there is none.
    /// </summary>
    public static PostgresError? Parse(IReadOnlyList<string> lines)
    {
        for (int i = 0; i < lines.Count; i++)
        {
            Match match = FirstLine().Match(lines[i]);
            if (match.Success && match.Groups[1].Value[..2] is not ("00" or "01" or "02"))
                return Read(match, lines, i + 1);
        }

        return null;
    }

    /// <summary>Where in the server's own work it happened, such as the function that was run; null where the server did not say.</summary>
    public string? Context { get; init; }

    /// <summary>One line, whatever lines the server wrote.</summary>
    public override string ToString() => OneLine($"{Message}{(Detail is null ? "" : ": " + Detail)} ({SqlState}){(Context is null ? "" : "; " + Context)}");

    private static string OneLine(string text) => string.Join(' ', text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    private static PostgresError Read(Match first, IReadOnlyList<string> lines, int next)
    {
        Dictionary<string, string> fields = new() { ["MESSAGE"] = first.Groups[2].Value };
        string field = "MESSAGE";
        for (; next < lines.Count && !FirstLine().IsMatch(lines[next]); next++)
        {
            Match match = FieldLine().Match(lines[next]);
            if (match.Success)
                fields[field = match.Groups[1].Value] = match.Groups[2].Value;
            else if (fields[field].Length < 2000)
                fields[field] += "\n" + lines[next];
        }

        return new PostgresError(
            first.Groups[1].Value, fields["MESSAGE"], fields.GetValueOrDefault("DETAIL"), fields.GetValueOrDefault("HINT"))
        {
            Context = fields.GetValueOrDefault("CONTEXT"),
            Schema = fields.GetValueOrDefault("SCHEMA NAME"), Table = fields.GetValueOrDefault("TABLE NAME"),
            DataType = fields.GetValueOrDefault("DATATYPE NAME"), Constraint = fields.GetValueOrDefault("CONSTRAINT NAME"),
        };
    }

    [GeneratedRegex(@"^(?:\S+:(?: error:)? )?[^\s:]+:  ([0-9A-Z]{5}): (.*)$", RegexOptions.CultureInvariant)]
    private static partial Regex FirstLine();

    [GeneratedRegex(@"^([A-Z]+(?: NAME)?):  (.*)$", RegexOptions.CultureInvariant)]
    private static partial Regex FieldLine();
}

/// <summary>Carries a <see cref="PostgresError"/> inside a <see cref="LifeboatException"/>.</summary>
public sealed class PostgresErrorException(PostgresError error) : Exception(error.ToString())
{
    public PostgresError Error { get; } = error;
}
