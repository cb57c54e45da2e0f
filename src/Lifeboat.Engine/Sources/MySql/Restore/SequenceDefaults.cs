using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>A column that takes its default from a sequence names the sequence's database, which a renaming does not change (MariaDB).</summary>
internal static class SequenceDefaults
{
    /// <summary>
    /// Statements that make a database's columns refer to its own sequences; one for each table, because the server opens all of a table's sequences to
    /// change one of its columns.
    /// </summary>
    /// <param name="before">Databases that the tables, and their sequences, were in before.</param>
    public static async Task<IReadOnlyList<string>> PlacedAsync(
        MySqlSession session, string schema, IReadOnlyList<string> before, CancellationToken cancellation)
    {
        if (session.Server.Family != "mariadb")
            return [];
        IReadOnlyList<string?[]> defaults = await session.SelectAsync(
            ["TABLE_NAME", "COLUMN_NAME", "COLUMN_DEFAULT"],
            $"FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {SqlText.Literal(schema)} AND COLUMN_DEFAULT LIKE '%val(`%' ORDER BY TABLE_NAME, ORDINAL_POSITION",
            cancellation);
        return
        [
            .. defaults.Select(row => (Table: row[0]!, Column: row[1]!, Was: row[2]!, Is: Placed(row[2]!, schema, before)))
                .Where(static one => one.Is != one.Was)
                .GroupBy(static one => one.Table)
                .Select(table => $"ALTER TABLE {SqlText.Identifier(schema, table.Key)} "
                    + string.Join(", ", table.Select(static one => $"ALTER COLUMN {SqlText.Identifier(one.Column)} SET DEFAULT {one.Is}"))),
        ];
    }

    private static string Placed(string expression, string schema, IReadOnlyList<string> before) =>
        before.Where(other => other != schema).Aggregate(expression, (text, other) => QualifiedNames.Replace(text, other, schema));
}
