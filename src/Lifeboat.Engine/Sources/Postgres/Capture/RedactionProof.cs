using System.Globalization;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Capture;

/// <param name="What">What is the matter if the query does not answer <c>f</c>.</param>
internal sealed record RedactionTest(string What, string Sql);

/// <summary>
/// Asks the server whether a table's rows, with replaced values in some columns, would still be taken by everything that a restore puts on them: constraints,
/// unique indexes, expressions.
/// </summary>
/// <param name="columns">The columns that are captured.</param>
/// <param name="expressions">What is captured in place of some of them.</param>
internal sealed class RedactionProof(
    PsqlSession session, CatalogueRelation table, IReadOnlyList<string> columns, IReadOnlyDictionary<string, string> expressions)
{
    private readonly List<string> _unproven = [];
    private string _rows = "";
    private string[] _changed = [];

    /// <summary>What was not tried, because it would run code of others: <c>check constraint c calls public.f(text)</c>.</summary>
    public IReadOnlyList<string> Unproven => _unproven;

    /// <summary>What no rows could pass: foreign keys and exclusion constraints on the columns.</summary>
    public async Task<IReadOnlyList<string>> ObstaclesAsync(IReadOnlyList<(string Column, Replacement By)> redacted, CancellationToken cancellation)
    {
        await ReadRowsAsync(cancellation);
        List<string> obstacles = [];
        foreach (string?[] row in await session.QueryAsync(ForeignKeysSql(), cancellation))
        {
            bool refers = row[1] == "t", simple = row[2] == "t";
            bool onlyNulls = redacted.All(one => row[3] is null || one.By == Replacement.Null || !row[3]!.Contains($"\n{one.Column}\n", StringComparison.Ordinal));
            if (!refers || !simple || !onlyNulls)
                obstacles.Add(refers ? $"foreign key {row[0]} needs the values" : $"foreign key {row[0]} refers to the values");
        }

        obstacles.AddRange((await session.QueryAsync(
            $"SELECT conname FROM pg_constraint WHERE conrelid = {table.Oid} AND contype = 'x' AND {Touches("conkey", "conrelid")}", cancellation))
            .Select(static row => $"exclusion constraint {row[0]} is on the column"));
        return obstacles;
    }

    /// <summary>Queries that each read the whole table, and call nothing of others; none where nothing stands on the columns.</summary>
    public async Task<IReadOnlyList<RedactionTest>> TestsAsync(CancellationToken cancellation)
    {
        List<RedactionTest> tests = [];
        // Every query computes the generated columns.
        foreach (string?[] row in await session.QueryAsync(
            $"SELECT d.oid, a.attname FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid = {table.Oid} AND a.attgenerated <> ''",
            cancellation))
            if (!await IsOursAsync("pg_attrdef", row[0], $"generated column {row[1]}", cancellation))
                return [];
        await AddDomainsAsync(tests, cancellation);
        foreach (string?[] row in await session.QueryAsync(
            $"SELECT conname, pg_get_expr(conbin, conrelid), oid FROM pg_constraint WHERE conrelid = {table.Oid} AND contype = 'c' AND convalidated AND {Touches("conkey", "conrelid")}",
            cancellation))
            if (await IsOursAsync("pg_constraint", row[2], $"check constraint {row[0]}", cancellation))
                tests.Add(new RedactionTest($"check constraint {row[0]} refuses the values", $"SELECT EXISTS (SELECT FROM {_rows} WHERE NOT ({row[1]}))"));
        foreach (string?[] row in await session.QueryAsync(
            $"SELECT attname FROM pg_attribute WHERE attrelid = {table.Oid} AND attgenerated <> '' AND attnotnull AND NOT attisdropped", cancellation))
            tests.Add(new RedactionTest($"the generated column {row[0]} would be NULL", $"SELECT EXISTS (SELECT FROM {_rows} WHERE {SqlText.Identifier(row[0]!)} IS NULL)"));
        foreach (IGrouping<string, string?[]> index in (await session.QueryAsync(IndexesSql(), cancellation)).GroupBy(static row => row[0]!))
            if (await IsOursAsync("pg_class", index.First()[6], $"index {index.Key}", cancellation))
                tests.Add(IndexTest([.. index]));
        return tests;
    }

    private async Task AddDomainsAsync(List<RedactionTest> tests, CancellationToken cancellation)
    {
        List<string> values = [];
        foreach (string?[] row in await session.QueryAsync(
            $"SELECT a.attname, format_type(a.atttypid, a.atttypmod), t.oid FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = {table.Oid} AND t.typtype = 'd' AND {Named("a.attname")}",
            cancellation))
            if (await IsOursAsync("pg_type", row[2], $"domain {row[1]}", cancellation))
                values.Add($"CAST({SqlText.Identifier(row[0]!)} AS {row[1]})");
        if (values.Count > 0)
            tests.Add(new RedactionTest("the type refuses the values", $"SELECT {Evaluated(values)} FROM {_rows}"));
    }

    /// <summary>What makes each row's values be computed, and is false. Without a cast to text, which a type's owner may have made a function of his.</summary>
    private static string Evaluated(IEnumerable<string> values) => $"{string.Join(" + ", values.Select(static value => $"count(pg_catalog.format('%s', {value}))"))} < 0";

    private async Task<bool> IsOursAsync(string catalogue, string? oid, string what, CancellationToken cancellation)
    {
        if (await UntrustedCode.FindAsync(session, catalogue, PostgresCatalogue.Oid(oid), cancellation) is not { } function)
            return true;
        _unproven.Add($"{what} calls {function}");
        return false;
    }

    /// <summary>The rows as they would be captured, and the columns that are generated from them as they would be then.</summary>
    private async Task ReadRowsAsync(CancellationToken cancellation)
    {
        IReadOnlyList<string?[]> generated = await session.QueryAsync(
            $"""
            SELECT a.attname, pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid = {table.Oid} AND a.attgenerated <> '' AND NOT a.attisdropped
            """,
            cancellation);
        string alias = SqlText.Identifier(table.Name);
        string list = string.Join(", ", columns.Select(column =>
            expressions.TryGetValue(column, out string? expression) ? $"{expression} AS {SqlText.Identifier(column)}" : SqlText.Identifier(column)));
        _rows = $"(SELECT {list} FROM ONLY {table.QuotedName}) AS {alias}";
        if (generated.Count > 0)
            _rows = $"(SELECT {string.Join(", ", columns.Select(SqlText.Identifier).Concat(generated.Select(static g => $"({g[1]}) AS {SqlText.Identifier(g[0]!)}")))} FROM {_rows}) AS {alias}";
        _changed = [.. expressions.Keys, .. generated.Select(static g => g[0]!)];
    }

    /// <summary>For a unique index, whether two rows would have the same key; for another, whether its expressions take the values.</summary>
    private static string Keys(IEnumerable<string?[]> parts) =>
        string.Join(", ", parts.Select(static part => part[5] is null ? $"({part[4]})" : $"({part[4]}) COLLATE {part[5]}"));

    private RedactionTest IndexTest(IReadOnlyList<string?[]> parts)
    {
        bool unique = parts[0][1] == "t", nullsAlike = parts[0][2] == "t";
        string where = parts[0][3] is { } predicate ? $"({predicate})" : "true";
        if (!unique)
            return new RedactionTest(
                $"index {parts[0][0]} cannot be built on the values",
                $"SELECT {Evaluated(parts.Select(static part => $"({part[4]})"))} FROM {_rows} WHERE {where}");
        string present = nullsAlike ? "" : string.Concat(parts.Select(static part => $" AND ({part[4]}) IS NOT NULL"));
        return new RedactionTest(
            $"unique index {parts[0][0]} would find the same value twice",
            $"SELECT EXISTS (SELECT FROM {_rows} WHERE {where}{present} GROUP BY {Keys(parts)} HAVING count(*) > 1)");
    }

    private string Named(string column) => $"{column} = ANY (ARRAY[{string.Join(", ", _changed.Select(SqlText.Literal))}]::name[])";

    private string Touches(string numbers, string relation) =>
        $"EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = {relation} AND t.attnum = ANY ({numbers}) AND {Named("t.attname")})";

    /// <summary>Name; whether our table is the one that refers; whether one NULL makes a row refer to nothing; the columns, each between line ends.</summary>
    private string ForeignKeysSql() => string.Create(CultureInfo.InvariantCulture,
        $"""
        SELECT conname, conrelid = {table.Oid}, confmatchtype = 's' OR cardinality(conkey) = 1,
            (SELECT E'\n' || string_agg(a.attname, E'\n\n') || E'\n' FROM pg_attribute a WHERE a.attrelid = conrelid AND a.attnum = ANY (conkey))
        FROM pg_constraint WHERE contype = 'f' AND ((conrelid = {table.Oid} AND {Touches("conkey", "conrelid")})
            OR (confrelid = {table.Oid} AND {Touches("confkey", "confrelid")}))
        """);

    /// <summary>A row for each key of each index that has to do with the columns: those that are unique, and those with expressions.</summary>
    private string IndexesSql() => string.Create(CultureInfo.InvariantCulture,
        $"""
        SELECT c.relname, i.indisunique, coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false), pg_get_expr(i.indpred, i.indrelid),
            pg_get_indexdef(i.indexrelid, k, true),
            (SELECT quote_ident(n.nspname) || '.' || quote_ident(l.collname) FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace
                WHERE l.oid = i.indcollation[k - 1]), i.indexrelid
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid, generate_series(1, i.indnkeyatts) k
        WHERE i.indrelid = {table.Oid} AND NOT i.indisexclusion AND (i.indisunique OR i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
            AND EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = i.indrelid AND {Named("t.attname")} AND (t.attnum = ANY (i.indkey) OR EXISTS (
                SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refobjid = i.indrelid AND d.refobjsubid = t.attnum)))
        ORDER BY i.indexrelid, k
        """);
}
