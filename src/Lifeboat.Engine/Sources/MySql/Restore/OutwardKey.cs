using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>
/// A foreign key that refers to a table which its own database does not have: one that is missing (as dumps allow), or another database's. It does not
/// go along when tables are renamed: on a staged table it would name the staging database for ever, on a kept one it would hold the restored tables to
/// rows that are not theirs. So only the live table has it.
/// </summary>
/// <param name="Definition">As CREATE TABLE has it: <c>CONSTRAINT … FOREIGN KEY … REFERENCES …</c>.</param>
/// <param name="Keys">The table's other keys, as CREATE TABLE has them.</param>
internal sealed record OutwardKey(string Table, string Name, string Definition, IReadOnlyList<string> Keys)
{
    /// <summary>Those of one table.</summary>
    /// <param name="create">Its CREATE TABLE, a character for a byte.</param>
    /// <param name="isHere">Whether the database has a table of that name.</param>
    public static IReadOnlyList<OutwardKey> Of(string table, string create, Func<string, bool> isHere)
    {
        TableDefinition? definition = TableDefinition.Read(create);
        if (definition is null || !definition.Parts.Any(part => IsOutward(part, isHere)))
            return [];
        string[] keys = [.. definition.Parts.Where(static part => part.Kind == TablePartKind.Key).Select(static part => Utf8(part.Text))];
        return [.. definition.Parts.Where(part => IsOutward(part, isHere))
            .Select(part => new OutwardKey(table, Utf8(part.Name), Utf8(part.Text), keys))];
    }

    /// <summary>A CREATE TABLE without them.</summary>
    public static string Without(string create, Func<string, bool> isHere) =>
        TableDefinition.Read(create) is { } definition && definition.Parts.Any(part => IsOutward(part, isHere))
            ? definition.Without(part => IsOutward(part, isHere)).Sql : create;

    /// <summary>Those of a database, which must be the session's.</summary>
    public static async Task<IReadOnlyList<OutwardKey>> ReadAsync(
        MySqlSession session, string schema, IReadOnlyList<string> tables, CancellationToken cancellation)
    {
        Func<string, bool> isHere = Among(tables, session.Server);
        string here = SqlText.Literal(schema);
        IReadOnlyList<string?[]> references = await session.SelectAsync(
            ["TABLE_NAME", "REFERENCED_TABLE_SCHEMA", "REFERENCED_TABLE_NAME"],
            $"FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = {here} AND REFERENCED_TABLE_NAME IS NOT NULL", cancellation);
        Definitions definitions = new(session, schema);
        List<OutwardKey> keys = [];
        foreach (string table in references.Where(row => row[1] != schema || !isHere(row[2]!)).Select(static row => row[0]!).Distinct())
            keys.AddRange(Of(table, await definitions.TableAsync(table, cancellation), isHere));
        return keys;
    }

    /// <summary>Tells a database's tables by their names, as the server does.</summary>
    public static Func<string, bool> Among(IEnumerable<string> tables, MySqlServer server) =>
        new HashSet<string>(tables, server.LowerCaseTableNames == 0 ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase).Contains;

    /// <summary>Statements that give the keys to the tables of the session's database which do not have them.</summary>
    public static async Task<IReadOnlyList<string>> MissingAsync(
        MySqlSession session, string schema, IReadOnlyList<OutwardKey> keys, CancellationToken cancellation)
    {
        HashSet<(string, string)> there = keys.Count == 0 ? [] : await NamesAsync(session, schema, cancellation);
        return [.. keys.Where(key => !there.Contains((key.Table, key.Name)))
            .Select(key => $"ALTER TABLE {SqlText.Identifier(schema, key.Table)} ADD {key.Definition}")];
    }

    /// <summary>Statements that take the keys from the tables of a database which have them.</summary>
    public static async Task<IReadOnlyList<string>> SurplusAsync(
        MySqlSession session, string schema, IReadOnlyList<OutwardKey> keys, CancellationToken cancellation)
    {
        HashSet<(string, string)> there = keys.Count == 0 ? [] : await NamesAsync(session, schema, cancellation);
        return [.. keys.Where(key => there.Contains((key.Table, key.Name)))
            .Select(key => $"ALTER TABLE {SqlText.Identifier(schema, key.Table)} DROP FOREIGN KEY {SqlText.Identifier(key.Name)}")];
    }

    /// <summary>
    /// Statements that give other keys their names back: where the server had made the key of a foreign key's columns by itself, it takes the foreign
    /// key's name for it when that is added again.
    /// </summary>
    public static async Task<IReadOnlyList<string>> RenamedAsync(
        MySqlSession session, string schema, IReadOnlyList<OutwardKey> keys, CancellationToken cancellation)
    {
        List<string> statements = [];
        Definitions definitions = new(session, schema);
        foreach (OutwardKey one in keys.DistinctBy(static key => key.Table))
        {
            TableDefinitionPart[] now = [.. (await PartsAsync(definitions, one.Table, cancellation)).Where(static part => part.Kind == TablePartKind.Key)];
            foreach (string wanted in one.Keys.Where(key => !now.Any(part => Utf8(part.Text) == key)))
            {
                TableDefinitionPart key = TableDefinition.Read($"({wanted})")!.Parts[0];
                if (now.FirstOrDefault(part => !one.Keys.Contains(Utf8(part.Text)) && Utf8(On(part)) == On(key)) is not { } other)
                    continue;
                string rename = $"RENAME INDEX {SqlText.Identifier(Utf8(other.Name))} TO {SqlText.Identifier(key.Name)}";
                statements.Add($"ALTER TABLE {SqlText.Identifier(schema, one.Table)} {rename}");
            }
        }

        return statements;
    }

    /// <exception cref="LifeboatException">A table has not got its keys as they were.</exception>
    public static async Task RequireAsync(
        MySqlSession session, string schema, IReadOnlyList<OutwardKey> keys, string source, CancellationToken cancellation)
    {
        Definitions definitions = new(session, schema);
        foreach (IGrouping<string, OutwardKey> table in keys.GroupBy(static key => key.Table))
        {
            IReadOnlyList<TableDefinitionPart> parts = await PartsAsync(definitions, table.Key, cancellation);
            if (table.FirstOrDefault(key => !parts.Any(part => Utf8(part.Text) == key.Definition)) is { } missing)
                throw new LifeboatException(
                    ErrorCodes.RestoredDiffers, $"table {table.Key} has not got its foreign key {missing.Name} as it was: {missing.Definition}",
                    "the switch is taken back; look at what the server does with this foreign key when it is added by hand", source);
        }
    }

    private static async Task<IReadOnlyList<TableDefinitionPart>> PartsAsync(Definitions definitions, string table, CancellationToken cancellation) =>
        TableDefinition.Read(await definitions.TableAsync(table, cancellation))?.Parts ?? [];

    private static async Task<HashSet<(string, string)>> NamesAsync(MySqlSession session, string schema, CancellationToken cancellation) =>
    [
        .. (await session.SelectAsync(
            ["TABLE_NAME", "CONSTRAINT_NAME"],
            $"FROM information_schema.TABLE_CONSTRAINTS WHERE TABLE_SCHEMA = {SqlText.Literal(schema)} AND CONSTRAINT_TYPE = 'FOREIGN KEY'", cancellation))
            .Select(static row => (row[0]!, row[1]!)),
    ];

    private static bool IsOutward(TableDefinitionPart part, Func<string, bool> isHere) =>
        part is { Kind: TablePartKind.ForeignKey, Referenced: { } referenced } && (referenced.Schema is not null || !isHere(Utf8(referenced.Table)));

    /// <summary>What a key is on: all behind its name.</summary>
    private static string On(TableDefinitionPart key)
    {
        SqlToken name = key.Tokens.First(static token => token.Kind == SqlTokenKind.Name);
        return key.Text[(name.End - key.Tokens[0].Start)..];
    }

    private static string Utf8(string latin1) => Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(latin1));
}
