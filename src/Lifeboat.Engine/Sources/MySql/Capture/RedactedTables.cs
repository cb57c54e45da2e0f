using System.Globalization;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Capture;

/// <summary>Replaces columns that are not captured as they are by expressions, and asks the server whether what they give could be restored.</summary>
/// <param name="session">Sees what is captured.</param>
/// <param name="key">Of the run's hashes.</param>
internal sealed class RedactedTables(MySqlSession session, string database, string key)
{
    private static readonly string[] s_text = ["char", "varchar", "tinytext", "text", "mediumtext", "longtext"];
    private readonly List<Problem> _problems = [];

    private string Source => session.Connection.Source;

    /// <exception cref="LifeboatException">Every column that is not there or cannot be redacted.</exception>
    public async Task<IReadOnlyList<CatalogueTable>> ApplyAsync(
        IReadOnlyList<CatalogueTable> tables, IReadOnlyList<ColumnRedaction> columns, CancellationToken cancellation)
    {
        List<CatalogueTable> changed = [.. tables];
        foreach (string name in columns.Select(static column => column.Path[0]).Distinct())
        {
            ColumnRedaction[] wanted = [.. columns.Where(column => column.Path[0] == name)];
            int index = changed.FindIndex(table => table.Name == name);
            if (index >= 0)
                changed[index] = await ApplyAsync(changed[index], wanted, cancellation);
            else
                _problems.AddRange(wanted.Select(column => Redacting.Unknown(
                    Source, column.Name, "there is no such table", [.. tables.Select(table => $"{table.Name}.{column.Path[1]}")])));
        }

        return _problems.Count == 0 ? changed : throw new LifeboatException(_problems);
    }

    private async Task<CatalogueTable> ApplyAsync(CatalogueTable table, ColumnRedaction[] wanted, CancellationToken cancellation)
    {
        IReadOnlyList<ColumnFacts> facts = [.. (await session.SelectAsync(
            ["COLUMN_NAME", "DATA_TYPE", "IS_NULLABLE", "CHARACTER_SET_NAME", "COLLATION_NAME", "CHARACTER_MAXIMUM_LENGTH", "GENERATION_EXPRESSION"],
            $"FROM information_schema.COLUMNS WHERE {Here(table)} ORDER BY ORDINAL_POSITION", cancellation)).Select(static row => new ColumnFacts(row))];
        string[] partitioned = [.. (await session.SelectAsync(
            ["PARTITION_EXPRESSION", "SUBPARTITION_EXPRESSION"], $"FROM information_schema.PARTITIONS WHERE {Here(table)}", cancellation))
            .SelectMany(static row => row).OfType<string>()];
        Dictionary<string, CatalogueColumn> replaced = new(StringComparer.OrdinalIgnoreCase);
        int before = _problems.Count;
        foreach (ColumnRedaction column in wanted)
        {
            ColumnFacts? one = facts.FirstOrDefault(f => f.Name.Equals(column.Path[1], StringComparison.OrdinalIgnoreCase));
            if (one is null)
                _problems.Add(Redacting.Unknown(
                    Source, column.Name, $"table {table.Name} has no such column", [.. facts.Select(f => $"{table.Name}.{f.Name}")]));
            else if (await ObstacleAsync(column, one, partitioned, cancellation) is ({ } why, { } hint))
                _problems.Add(Redacting.Refused(Source, column.Name, why, hint));
            else if (table.Columns.FirstOrDefault(c => c.Name == one.Name) is { } captured
                && !replaced.TryAdd(one.Name, captured with { Expression = Expression(column, one), NullTest = column.By == Replacement.Null ? "1" : captured.NullTest }))
                _problems.Add(Redacting.Twice(Source, column.Name));
        }

        if (_problems.Count == before)
            await ProveAsync(table, wanted, facts, replaced, cancellation);
        return table with { Columns = [.. table.Columns.Select(c => replaced.GetValueOrDefault(c.Name) ?? c)] };
    }

    private async Task<(string Why, string Hint)?> ObstacleAsync(ColumnRedaction column, ColumnFacts facts, string[] partitioned, CancellationToken cancellation)
    {
        if (facts.Generated is not null)
            return ("it is generated from other columns and not captured anyway", "redact the columns that it is made from");
        if (partitioned.Any(expression => expression.Contains(SqlText.Identifier(facts.Name), StringComparison.OrdinalIgnoreCase)))
            return ("its values decide in which partition a row lies", "leave it as it is");
        if (column.By == Replacement.Null)
            return facts.Nullable ? null : ("it is NOT NULL", "write `hash`, `mask` or `\"constant:TEXT\"`");
        if (!s_text.Contains(facts.Type, StringComparer.OrdinalIgnoreCase) || facts.CharacterSet is null)
            return ($"its type {facts.Type} is not one of text", facts.Nullable ? "write `null`" : "leave it as it is");
        if (column.By == Replacement.Hash && facts.Length < 32)
            return ("a hash has 32 characters, which do not fit into it", "write `mask` or `\"constant:TEXT\"`");
        if (column.By != Replacement.Constant)
            return null;
        string literal = SqlText.Literal(column.Constant!);
        bool fits = column.Constant!.EnumerateRunes().Count() <= facts.Length && !(facts.Type == "char" && column.Constant.EndsWith(' '))
            && await session.SelectOneAsync($"CONVERT(CONVERT({literal} USING {facts.CharacterSet}) USING utf8mb4) = {literal} COLLATE utf8mb4_bin", "", cancellation) == "1";
        return fits ? null : ("the constant does not fit into the column", "write one that is short enough, and that the column's character set has");
    }

    private string Expression(ColumnRedaction column, ColumnFacts facts)
    {
        string text = $"CONVERT({SqlText.Identifier(facts.Name)} USING utf8mb4) COLLATE utf8mb4_bin";
        return column.By switch
        {
            Replacement.Null => "NULL",
            Replacement.Constant => $"CONVERT({SqlText.Literal(column.Constant!)} USING {facts.CharacterSet})",
            Replacement.Mask => $"CONVERT({Masked(text)} USING {facts.CharacterSet})",
            _ => $"CONVERT(LEFT(SHA2(CONCAT({SqlText.Literal(key)}, {text}), 256), 32) USING {facts.CharacterSet})",
        };
    }

    /// <summary>As PostgreSQL's: letters, digits, and what is not ASCII; a value that has nothing of these becomes letters as a whole.</summary>
    private static string Masked(string text)
    {
        // Lower-case letters, and all that no keyboard's plain keys give.
        string letters = $@"REGEXP_REPLACE({text}, '(?-i)[^ -`{{-~\t\r\n]', 'x')";
        return $@"CASE WHEN {text} REGEXP '(?-i)[^ -/:-@\\[-`{{-~\t\r\n]' "
            + $"THEN REGEXP_REPLACE(REGEXP_REPLACE({letters}, '(?-i)[A-Z]', 'X'), '[0-9]', '0') ELSE REPEAT('x', CHAR_LENGTH({text})) END";
    }

    private async Task ProveAsync(
        CatalogueTable table, ColumnRedaction[] wanted, IReadOnlyList<ColumnFacts> facts, Dictionary<string, CatalogueColumn> replaced, CancellationToken cancellation)
    {
        string names = string.Join(", ", wanted.Select(static one => one.Name));
        void Refuse(string why) => _problems.Add(Redacting.Refused(
            Source, names, $"table {table.Name} could not be restored: {why}",
            "write another replacement (`null` and `hash` fit unique columns), or leave the column as it is"));
        string[] generated = [.. facts.Where(static f => f.Generated is not null).Select(static f => f.Name)];
        HashSet<string> changed = new([.. replaced.Keys, .. generated], StringComparer.OrdinalIgnoreCase);
        foreach (string?[] row in await session.SelectAsync(
            ["CONSTRAINT_NAME", "COLUMN_NAME", "TABLE_NAME", "REFERENCED_TABLE_NAME", "REFERENCED_COLUMN_NAME"],
            $"FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_SCHEMA = {SqlText.Literal(database)} "
            + $"AND (TABLE_NAME = {SqlText.Literal(table.Name)} OR REFERENCED_TABLE_NAME = {SqlText.Literal(table.Name)})", cancellation))
        {
            bool onlyNull = wanted.Any(one => one.By == Replacement.Null && one.Path[1].Equals(row[1], StringComparison.OrdinalIgnoreCase));
            if (row[2] == table.Name && changed.Contains(row[1]!) && !onlyNull)
                Refuse($"foreign key {row[0]} needs the values");
            if (row[3] == table.Name && changed.Contains(row[4]!))
                Refuse($"foreign key {row[0]} refers to the values");
        }

        string rows = Rows(table, facts, replaced);
        foreach ((string name, string clause) in await ChecksAsync(table, changed, cancellation))
            if (await session.SelectOneAsync("COUNT(*)", $"FROM {rows} WHERE NOT ({clause})", cancellation) != "0")
                Refuse($"check constraint {name} refuses the values");
        bool functional = session.Server.Family == "mysql";
        foreach (IGrouping<string, string?[]> index in (await session.SelectAsync(
            ["INDEX_NAME", "COLUMN_NAME", "SUB_PART", functional ? "EXPRESSION" : "NULL"],
            $"FROM information_schema.STATISTICS WHERE {Here(table)} AND NON_UNIQUE = 0 ORDER BY INDEX_NAME, SEQ_IN_INDEX", cancellation)).GroupBy(static row => row[0]!))
        {
            string[] keys = [.. index.Select(static row =>
                row[1] is null ? $"({Unescaped(row[3]!)})" : row[2] is null ? SqlText.Identifier(row[1]!) : $"LEFT({SqlText.Identifier(row[1]!)}, {row[2]})")];
            if (!keys.Any(k => changed.Any(c => k.Contains(SqlText.Identifier(c), StringComparison.OrdinalIgnoreCase))))
                continue;
            string present = string.Join(" AND ", keys.Select(static k => $"{k} IS NOT NULL"));
            if (await session.SelectOneAsync("COUNT(*)", $"FROM (SELECT 1 AS one FROM {rows} WHERE {present} GROUP BY {string.Join(", ", keys)} HAVING COUNT(*) > 1) doubled", cancellation) != "0")
                Refuse($"unique index {index.Key} would find the same value twice");
        }
    }

    /// <summary>The table's rows as they would be captured, with what is generated from them.</summary>
    private string Rows(CatalogueTable table, IReadOnlyList<ColumnFacts> facts, Dictionary<string, CatalogueColumn> replaced)
    {
        string alias = SqlText.Identifier(table.Name);
        string Column(ColumnFacts one)
        {
            string name = SqlText.Identifier(one.Name);
            if (!replaced.TryGetValue(one.Name, out CatalogueColumn? column))
                return name;
            return column.NullTest == "1" ? $"NULL AS {name}"
                : $"CASE WHEN {name} IS NULL THEN NULL ELSE {column.Expression} COLLATE {one.Collation} END AS {name}";
        }

        string rows = $"(SELECT {string.Join(", ", facts.Where(static f => f.Generated is null).Select(Column))} FROM {SqlText.Identifier(database, table.Name)}{CatalogueTable.NoView}) {alias}";
        return facts.All(static f => f.Generated is null) ? rows
            : $"(SELECT {string.Join(", ", facts.Select(static f => f.Generated is null ? SqlText.Identifier(f.Name) : $"({Unescaped(f.Generated)}) AS {SqlText.Identifier(f.Name)}"))} FROM {rows}) {alias}";
    }

    private async Task<IEnumerable<(string Name, string Clause)>> ChecksAsync(CatalogueTable table, HashSet<string> changed, CancellationToken cancellation)
    {
        string schema = SqlText.Literal(database), name = SqlText.Literal(table.Name);
        string tail = session.Server.Family == "mariadb"
            ? $"FROM information_schema.CHECK_CONSTRAINTS c WHERE c.CONSTRAINT_SCHEMA = {schema} AND c.TABLE_NAME = {name}"
            : "FROM information_schema.CHECK_CONSTRAINTS c JOIN information_schema.TABLE_CONSTRAINTS t ON t.CONSTRAINT_SCHEMA = c.CONSTRAINT_SCHEMA "
                + $"AND t.CONSTRAINT_NAME = c.CONSTRAINT_NAME WHERE c.CONSTRAINT_SCHEMA = {schema} AND t.TABLE_NAME = {name} AND t.ENFORCED = 'YES'";
        return (await session.SelectAsync(["c.CONSTRAINT_NAME", "c.CHECK_CLAUSE"], tail, cancellation))
            .Select(row => (row[0]!, session.Server.Family == "mariadb" ? row[1]! : Unescaped(row[1]!)))
            .Where(one => changed.Any(column => one.Item2.Contains(SqlText.Identifier(column), StringComparison.OrdinalIgnoreCase)));
    }

    /// <summary>MySQL's catalogue shows an expression's quotes with backslashes.</summary>
    private static string Unescaped(string expression) => expression.Replace("\\'", "'", StringComparison.Ordinal);

    private string Here(CatalogueTable table) => $"TABLE_SCHEMA = {SqlText.Literal(database)} AND TABLE_NAME = {SqlText.Literal(table.Name)}";

    private sealed class ColumnFacts(string?[] row)
    {
        public string Name { get; } = row[0]!;

        public string Type { get; } = row[1]!;

        public bool Nullable { get; } = row[2] == "YES";

        public string? CharacterSet { get; } = row[3];

        public string? Collation { get; } = row[4];

        /// <summary>In characters, at least of a column of such a length.</summary>
        public long Length { get; } = row[5] is null ? 0 : long.Parse(row[5]!, CultureInfo.InvariantCulture);

        public string? Generated { get; } = string.IsNullOrEmpty(row[6]) ? null : row[6];
    }
}
