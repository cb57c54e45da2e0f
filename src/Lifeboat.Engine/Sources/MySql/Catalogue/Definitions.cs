using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Catalogue;

/// <summary>One object of a database, and the statements that make it there.</summary>
/// <param name="Statements">A character for a byte; names of objects of the same database are not qualified, as far as the server lets them be.</param>
internal sealed record Definition(string Kind, string Name, IReadOnlyList<string> Statements)
{
    /// <summary>The one of the statements that creates the object.</summary>
    public string Create => Statements.First(static s => !s.StartsWith("SET ", StringComparison.Ordinal) && !s.StartsWith("ALTER DATABASE ", StringComparison.Ordinal));

    /// <summary>Statements that drop it and leave the session as it was: MariaDB knows packages in one mode only.</summary>
    public IReadOnlyList<string> Drop(string schema)
    {
        string drop = $"DROP {Kind.ToUpperInvariant()} IF EXISTS {SqlText.Identifier(schema, Name)}";
        return Kind is "package" or "package body" ? ["SET sql_mode = 'ORACLE'", drop, Definitions.Reset] : [drop];
    }
}

/// <summary>Reads how a database's objects are made, as SHOW CREATE tells it.</summary>
internal sealed class Definitions(MySqlSession session, string schema)
{
    private readonly List<string> _invalid = [];

    /// <summary>Views that <see cref="ObjectsAsync"/> found and left out: the server would not take their own definitions.</summary>
    public IReadOnlyList<string> InvalidViews => _invalid;

    /// <summary>The <c>sql_mode</c> of our sessions.</summary>
    public const string Mode = "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES";

    /// <summary>Puts a session back to what <see cref="MySqlSession"/> made it, behind an object's own settings.</summary>
    public const string Reset =
        "SET character_set_client = utf8mb4, collation_connection = utf8mb4_general_ci, sql_mode = '" + Mode + "', time_zone = '+00:00'";

    private string _collation = "";

    private string Here => $"= {SqlText.Literal(schema)}";

    public async Task<string> DatabaseOptionsAsync(CancellationToken cancellation)
    {
        string text = (await session.ShowAsync($"SHOW CREATE DATABASE {SqlText.Identifier(schema)}", cancellation))[0][1];
        return text[(text.IndexOf(SqlText.Identifier(schema), StringComparison.Ordinal) + SqlText.Identifier(schema).Length)..].Trim();
    }

    /// <summary>CREATE TABLE of one table. The session must be in the database.</summary>
    public async Task<string> TableAsync(string name, CancellationToken cancellation) =>
        (await session.ShowAsync($"SHOW CREATE TABLE {SqlText.Identifier(name)}", cancellation, Encoding.Latin1))[0][1];

    public async Task<IReadOnlyList<(string Create, MySqlSequence Sequence)>> SequencesAsync(CancellationToken cancellation)
    {
        List<(string, MySqlSequence)> sequences = [];
        foreach (string?[] row in await session.SelectAsync(
            ["TABLE_NAME"], $"FROM information_schema.TABLES WHERE TABLE_SCHEMA {Here} AND TABLE_TYPE = 'SEQUENCE' ORDER BY TABLE_NAME", cancellation))
        {
            string name = row[0]!;
            string create = (await session.ShowAsync($"SHOW CREATE SEQUENCE {SqlText.Identifier(name)}", cancellation, Encoding.Latin1))[0][1];
            string?[] values = (await session.SelectAsync(["next_not_cached_value", "cycle_count"], $"FROM {SqlText.Identifier(name)}{CatalogueTable.NoView}", cancellation))[0];
            sequences.Add((create, new MySqlSequence(name, values[0]!, values[1]!)));
        }

        return sequences;
    }

    /// <summary>Libraries, routines, views, triggers and events, in an order in which they can be made. The session must be in the database.</summary>
    /// <exception cref="LifeboatException">One may not be read.</exception>
    public async Task<IReadOnlyList<Definition>> ObjectsAsync(CancellationToken cancellation)
    {
        _collation = await session.SelectOneAsync("DEFAULT_COLLATION_NAME", $"FROM information_schema.SCHEMATA WHERE SCHEMA_NAME {Here}", cancellation) ?? "";
        return
        [
            .. await RoutinesAsync(cancellation), .. InOrder(await ViewsAsync(cancellation)), .. await TriggersAsync(cancellation),
            .. await EventsAsync(cancellation),
        ];
    }

    /// <summary>Whether the server knows a kind of object, which newer ones of MySQL have.</summary>
    private async Task<bool> HasAsync(string table, CancellationToken cancellation) => await session.SelectOneAsync(
        "COUNT(*)", $"FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'information_schema' AND TABLE_NAME = {SqlText.Literal(table)}", cancellation) != "0";

    /// <summary>Libraries, which routines import, then routines.</summary>
    private async Task<IReadOnlyList<Definition>> RoutinesAsync(CancellationToken cancellation)
    {
        List<Definition> found = [];
        foreach (string?[] row in await HasAsync("LIBRARIES", cancellation) ? await session.SelectAsync(
            ["LIBRARY_NAME"], $"FROM information_schema.LIBRARIES WHERE LIBRARY_SCHEMA {Here} ORDER BY LIBRARY_NAME", cancellation) : [])
        {
            string[] made = (await session.ShowAsync($"SHOW CREATE LIBRARY {SqlText.Identifier(row[0]!)}", cancellation, Encoding.Latin1))[0];
            found.Add(Made("LIBRARY", row[0]!, made[2], "utf8mb4", "utf8mb4_general_ci", made[1], null, null));
        }

        foreach (string?[] row in await session.SelectAsync(
            ["ROUTINE_TYPE", "ROUTINE_NAME", "ROUTINE_COMMENT"],
            $"FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA {Here} "
            + "ORDER BY FIELD(ROUTINE_TYPE, 'FUNCTION', 'PROCEDURE', 'PACKAGE', 'PACKAGE BODY'), ROUTINE_NAME", cancellation))
        {
            string[] made = (await session.ShowAsync($"SHOW CREATE {row[0]} {SqlText.Identifier(row[1]!)}", cancellation, Encoding.Latin1))[0];
            string create = await InOneCharacterSetAsync(made[2], row[2], made[3], cancellation);
            found.Add(Made(row[0]!, row[1]!, create, made[3], made[4], made[1], null, made[5]));
        }

        return found;
    }

    private async Task<IReadOnlyList<Definition>> ViewsAsync(CancellationToken cancellation)
    {
        List<Definition> found = [];
        IReadOnlyList<string?[]> views = await session.SelectAsync(
            ["TABLE_NAME", "VIEW_DEFINITION"], $"FROM information_schema.VIEWS WHERE TABLE_SCHEMA {Here} ORDER BY TABLE_NAME", cancellation);
        // Duality views are no queries: the server itself knows whether they are good, and lists them no more where not.
        HashSet<string> duality = views.Any(IsDuality)
            ? [.. (await session.SelectAsync(["TABLE_NAME"], $"FROM information_schema.JSON_DUALITY_VIEWS WHERE TABLE_SCHEMA {Here} AND STATUS = 'valid'", cancellation)).Select(static row => row[0]!)]
            : [];
        // The server shows definitions that it would not take any more. Preparing them as queries tells, all in one session where all are good.
        string[] queries = [.. views.Select(static row => $"PREPARE lifeboat FROM {SqlText.Literal(row[1] ?? "")}")];
        string use = $"USE {SqlText.Identifier(schema)}"; // functions are not qualified
        bool good = views.Count == 0 || await session.CanAsync([use, .. queries.Where((_, i) => !IsDuality(views[i]))], cancellation);
        for (int i = 0; i < views.Count; i++)
        {
            string?[] row = views[i];
            if (IsDuality(row) ? !duality.Contains(row[0]!) : !good && !await session.CanAsync([use, queries[i]], cancellation))
            {
                _invalid.Add(row[0]!);
                continue;
            }

            string[] made = (await session.ShowAsync($"SHOW CREATE VIEW {SqlText.Identifier(row[0]!)}", cancellation, Encoding.Latin1))[0];
            found.Add(Made("VIEW", row[0]!, made[1], made[2], made[3], null, null, null));
        }

        return found;
    }

    /// <param name="view">Its name and its query.</param>
    private static bool IsDuality(string?[] view) => view[1]?.StartsWith("select json_duality_object(", StringComparison.Ordinal) == true;

    private async Task<IReadOnlyList<Definition>> TriggersAsync(CancellationToken cancellation)
    {
        List<Definition> found = [];
        foreach (string?[] row in await session.SelectAsync(
            ["TRIGGER_NAME"],
            $"FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA {Here} "
            + "ORDER BY EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER", cancellation))
        {
            string[] made = (await session.ShowAsync($"SHOW CREATE TRIGGER {SqlText.Identifier(row[0]!)}", cancellation, Encoding.Latin1))[0];
            // The text is as it was typed, and may name the database.
            string text = TriggerText.Unqualified(made[2], made[1]);
            found.Add(Made("TRIGGER", row[0]!, text, made[3], made[4], made[1], null, made[5]));
        }

        return found;
    }

    private async Task<IReadOnlyList<Definition>> EventsAsync(CancellationToken cancellation)
    {
        List<Definition> found = [];
        foreach (string?[] row in await session.SelectAsync(
            ["EVENT_NAME", "EVENT_COMMENT"], $"FROM information_schema.EVENTS WHERE EVENT_SCHEMA {Here} ORDER BY EVENT_NAME", cancellation))
        {
            string[] made = (await session.ShowAsync($"SHOW CREATE EVENT {SqlText.Identifier(row[0]!)}", cancellation, Encoding.Latin1))[0];
            string create = await InOneCharacterSetAsync(made[3], row[1], made[4], cancellation);
            found.Add(Made("EVENT", row[0]!, create, made[4], made[5], made[1], made[2], made[6]));
        }

        return found;
    }

    /// <summary>SHOW CREATE prints a comment in UTF-8 and the rest in the character set of the client that made it, in which the server reads all of it.</summary>
    private async Task<string> InOneCharacterSetAsync(string create, string? comment, string client, CancellationToken cancellation)
    {
        if (string.IsNullOrEmpty(comment) || Ascii.IsValid(comment) || client.StartsWith("utf8", StringComparison.Ordinal))
            return create;
        string converted = await session.SelectOneAsync($"HEX(CONVERT({SqlText.Literal(comment)} USING {client}))", "", cancellation) ?? "";
        string printed = Printed(Latin1(comment));
        int at = create.IndexOf(printed, StringComparison.Ordinal);
        return at < 0 ? create : $"{create[..at]}{Printed(Encoding.Latin1.GetString(Convert.FromHexString(converted)))}{create[(at + printed.Length)..]}";
    }

    private static string Printed(string comment) =>
        $" COMMENT '{comment.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)}'";

    private Definition Made(
        string kind, string name, string create, string client, string connection, string? mode, string? zone, string? databaseCollation)
    {
        if (create == "NULL")
            throw new LifeboatException(
                ErrorCodes.MySqlPermissionDenied,
                $"{session.Connection.Target}: the definition of {kind.ToLowerInvariant()} {name} may not be read",
                "connect as an account with SELECT on *.* (or SHOW_ROUTINE), or as the object's definer (docs/mysql.md lists the rights)",
                session.Connection.Source);
        string settings = $"SET character_set_client = {client}, collation_connection = {connection}, sql_mode = '{mode ?? Mode}'";
        List<string> statements = [zone is null ? settings : $"{settings}, time_zone = {SqlText.Literal(zone)}", create];
        if (databaseCollation is not null && databaseCollation != _collation)
        {
            // The database's collation of that day is what a routine's parameters and texts go by; it cannot be given otherwise.
            statements.Insert(0, $"ALTER DATABASE COLLATE {databaseCollation}");
            statements.Add($"ALTER DATABASE COLLATE {_collation}");
        }

        return new Definition(kind.ToLowerInvariant(), name, statements);
    }

    /// <summary>A view behind those that it reads.</summary>
    private static List<Definition> InOrder(IReadOnlyList<Definition> views)
    {
        List<Definition> ordered = [];
        HashSet<string> visited = [];
        Dictionary<Definition, IReadOnlySet<string>> read = views.ToDictionary(static view => view, static view => QualifiedNames.Tables(view.Create));
        void Visit(Definition view)
        {
            if (!visited.Add(view.Name))
                return;
            foreach (Definition other in views.Where(other => read[view].Contains(Latin1(other.Name))))
                Visit(other);

            ordered.Add(view);
        }

        foreach (Definition view in views)
            Visit(view);
        return ordered;
    }

    /// <summary>A name as it stands in texts that have a character for each byte.</summary>
    internal static string Latin1(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));
}
