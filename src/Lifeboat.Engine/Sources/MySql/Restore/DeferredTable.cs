using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>A table's CREATE TABLE, taken apart: what is needed before its rows, and what is built faster behind them.</summary>
/// <param name="Create">Without secondary keys and foreign keys.</param>
/// <param name="Keys">ALTER TABLE statements for the keys.</param>
/// <param name="ForeignKeys">One ALTER TABLE for all foreign keys; null where there are none.</param>
internal sealed record DeferredTable(string Create, IReadOnlyList<string> Keys, string? ForeignKeys)
{
    /// <param name="create">As SHOW CREATE TABLE prints it, without foreign keys that lead out of the database.</param>
    public static DeferredTable Of(string name, string create)
    {
        if (TableDefinition.Read(create) is not { IsInnoDb: true } definition)
            return new DeferredTable(create, [], null);
        bool mayWait = CounterIsPrimary(definition);
        bool isKey(TableDefinitionPart part) => mayWait && part.Kind is TablePartKind.Key or TablePartKind.FullTextKey;
        bool isForeign(TableDefinitionPart part) => part.Kind == TablePartKind.ForeignKey;
        string table = $"ALTER TABLE {Definitions.Latin1(SqlText.Identifier(name))} ";
        string[] plain = Added(definition, part => isKey(part) && part.Kind == TablePartKind.Key);
        // The server builds one full-text index at a time.
        string[] texts = Added(definition, part => isKey(part) && part.Kind == TablePartKind.FullTextKey);
        string[] foreign = Added(definition, isForeign);
        return new DeferredTable(
            definition.Without(part => isKey(part) || isForeign(part)).Sql,
            [.. plain.Length == 0 ? (string[])[] : [table + string.Join(", ", plain)], .. texts.Select(text => table + text)],
            foreign.Length == 0 ? null : table + string.Join(", ", foreign));
    }

    /// <summary>A column that counts must be the first of a key from the beginning.</summary>
    private static bool CounterIsPrimary(TableDefinition definition) =>
        definition.Parts.FirstOrDefault(static part => part.Kind == TablePartKind.Column && part.HasWord("AUTO_INCREMENT")) is not { } counter
        || definition.Parts.Any(part => part.Kind == TablePartKind.PrimaryKey && part.FirstColumn == counter.Name);

    private static string[] Added(TableDefinition definition, Func<TableDefinitionPart, bool> which) =>
        [.. definition.Parts.Where(which).Select(static part => $"ADD {part.Text}")];
}
