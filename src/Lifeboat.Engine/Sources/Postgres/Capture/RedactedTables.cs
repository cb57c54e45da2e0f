using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Capture;

/// <summary>The tables with columns that are not captured as they are, and what is selected in those columns' place.</summary>
internal sealed class RedactedTables
{
    private readonly PsqlSession _session;
    private readonly PostgresCatalogue _catalogue;
    private readonly string _key;
    private readonly Dictionary<uint, Dictionary<string, string>> _expressions = [];
    private readonly Dictionary<(uint Table, string Column), ColumnRedaction> _wanted = [];
    private readonly List<Problem> _problems = [];
    private readonly List<Problem> _warnings = [];

    private RedactedTables(PsqlSession session, PostgresCatalogue catalogue, string key)
    {
        _session = session;
        _catalogue = catalogue;
        _key = key;
    }

    /// <summary>What could not be proven.</summary>
    public IReadOnlyList<Problem> Warnings => _warnings;

    private string Source => _session.Connection.Source;

    /// <summary>Finds the columns, and proves that what would be captured can be restored.</summary>
    /// <param name="session">In a transaction.</param>
    /// <param name="key">Of the run's hashes.</param>
    /// <exception cref="LifeboatException">Every column that is not there or cannot be redacted.</exception>
    public static async Task<RedactedTables> ReadAsync(
        PsqlSession session, PostgresCatalogue catalogue, IReadOnlyList<ColumnRedaction> columns, string key, CancellationToken cancellation)
    {
        RedactedTables tables = new(session, catalogue, key);
        foreach (ColumnRedaction column in columns)
            await tables.AddAsync(column, cancellation);
        if (tables._problems.Count == 0)
            await tables.ProveAsync(cancellation);
        return tables._problems.Count == 0 ? tables : throw new LifeboatException(tables._problems);
    }

    /// <summary>Expressions by column; null for a table that is captured as it is.</summary>
    public IReadOnlyDictionary<string, string>? Of(uint table) => _expressions.GetValueOrDefault(table);

    /// <summary>A column of a table, and of every table that is a part of it or inherits from it.</summary>
    private async Task AddAsync(ColumnRedaction column, CancellationToken cancellation)
    {
        CatalogueRelation? relation = _catalogue.Relations.FirstOrDefault(r => r.Schema == column.Path[0] && r.Name == column.Path[1]);
        if (relation is not { Kind: 'r' or 'p' })
        {
            _problems.Add(Redacting.Unknown(
                Source, column.Name, relation is null ? "there is no such table" : "this is not a table with rows of its own",
                [.. _catalogue.Relations.Where(static r => r.Kind is 'r' or 'p').Select(r => $"{r.Schema}.{r.Name}.{column.Path[2]}")]));
            return;
        }

        IReadOnlyList<string?[]> rows = await _session.QueryAsync(ColumnsSql(relation.Oid, column.Path[2]), cancellation);
        if (rows.Count == 0)
        {
            IReadOnlyList<string?[]> known = await _session.QueryAsync(
                $"SELECT attname FROM pg_attribute WHERE attrelid = {relation.Oid} AND attnum > 0 AND NOT attisdropped", cancellation);
            _problems.Add(Redacting.Unknown(
                Source, column.Name, $"table {relation.DisplayName} has no such column",
                [.. known.Select(row => $"{column.Path[0]}.{column.Path[1]}.{row[0]}")]));
            return;
        }

        foreach (string?[] row in rows)
            await AddAsync(column, new ColumnFacts(row), cancellation);
    }

    private async Task AddAsync(ColumnRedaction column, ColumnFacts facts, CancellationToken cancellation)
    {
        if (_catalogue.Tables.FirstOrDefault(t => t.Oid == facts.Table) is not { } table)
        {
            if (facts.Kind == 'r')
                Refuse(column, "the table's rows belong to an extension and are not captured anyway", "remove it from `redact:`");
            return;
        }

        if (Obstacle(column, facts) is ({ } why, { } hint))
        {
            Refuse(column, why, hint);
            return;
        }

        if (column.By == Replacement.Constant && await FitsAsync(column.Constant!, facts, cancellation) is { } misfit)
        {
            Refuse(column, misfit, $"write a constant that the column's type {facts.Type} takes as it is");
            return;
        }

        if (!_wanted.TryAdd((facts.Table, column.Path[2]), column))
        {
            _problems.Add(Redacting.Twice(Source, column.Name));
            return;
        }

        if (!_expressions.TryGetValue(table.Oid, out Dictionary<string, string>? expressions))
            _expressions.Add(table.Oid, expressions = []);
        expressions[column.Path[2]] = Expression(column, facts);
    }

    private static (string Why, string Hint)? Obstacle(ColumnRedaction column, ColumnFacts facts) => column.By switch
    {
        _ when facts.Generated => ("it is generated from other columns and not captured anyway", "redact the columns that it is made from"),
        _ when facts.PartitionKey => ("its values decide in which partition a row lies", "leave it as it is"),
        _ when facts.Identity => ("it is an identity column, whose values tell rows apart", "leave it as it is"),
        Replacement.Constant when facts.HoldsOthers => ($"its type {facts.Type} is made of others, with rules of their own", facts.NotNull ? "leave it as it is" : "write `null`"),
        Replacement.Null when facts.NotNull => ("it is NOT NULL", "write `hash`, `mask` or `\"constant:TEXT\"`"),
        Replacement.Mask or Replacement.Hash when !facts.Text =>
            ($"its type {facts.Type} is not one of text", facts.NotNull ? "write `\"constant:VALUE\"`" : "write `null` or `\"constant:VALUE\"`"),
        _ => null,
    };

    private void Refuse(ColumnRedaction column, string why, string hint) => _problems.Add(Redacting.Refused(Source, column.Name, why, hint));

    /// <summary>Why the type does not take a constant, or not as it stands there (too long, rounded); null where it does.</summary>
    private async Task<string?> FitsAsync(string constant, ColumnFacts facts, CancellationToken cancellation)
    {
        string stored = $"({SqlText.Literal(constant)}::{facts.Type})", whole = $"({SqlText.Literal(constant)}::{facts.TypeAtLarge})";
        string? fits = null;
        string? failure = await AttemptAsync(async () => fits = await _session.QueryOneAsync($"SELECT pg_catalog.format('%s', {stored}) = pg_catalog.format('%s', {whole})", cancellation), cancellation);
        if (failure is null && fits != "t")
            await AttemptAsync(async () => fits = await _session.QueryOneAsync($"SELECT {stored} = {whole}", cancellation), cancellation); // 7 and 7.00
        return failure ?? (fits == "t" ? null : "the constant does not fit into the column");
    }

    /// <summary>Runs what may fail without ending the transaction; gives the server's message if it does.</summary>
    private async Task<string?> AttemptAsync(Func<Task> work, CancellationToken cancellation)
    {
        await _session.ExecuteAsync("SAVEPOINT redact", cancellation);
        string? failure = null;
        try
        {
            await work();
        }
        catch (LifeboatException e) when (PostgresError.Of(e) is { } error && error.SqlState != PostgresError.ConnectionLost)
        {
            failure = error.Message;
        }

        await _session.ExecuteAsync("ROLLBACK TO SAVEPOINT redact", cancellation);
        return failure;
    }

    private string Expression(ColumnRedaction column, ColumnFacts facts)
    {
        string name = SqlText.Identifier(column.Path[2]);
        string text = $"({name}::text COLLATE \"C\")";
        return column.By switch
        {
            Replacement.Null => $"NULL::{facts.Type}",
            Replacement.Constant => $"CASE WHEN {name} IS NOT NULL THEN {SqlText.Literal(column.Constant!)}::{facts.Type} END",
            Replacement.Mask => $"({Masked(text)})::{facts.Type}",
            _ => "(left(encode(sha256(convert_to("
                + $"{SqlText.Literal(_key)} || {text}, {SqlText.Literal(_session.ServerEncoding)})), 'hex'), 32))::{facts.Type}",
        };
    }

    /// <summary>
    /// Letters and digits are replaced by fixed ones, and whatever is not ASCII by a letter. Where there are none, the punctuation is all that the value has,
    /// and must not stay either.
    /// </summary>
    private static string Masked(string text)
    {
        const string from = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        string to = new string('x', 26) + new string('X', 26) + new string('0', 10);
        return $@"CASE WHEN {text} ~ '[0-9A-Za-z]|[^ -~\n\r\t]' "
            + $@"THEN regexp_replace(translate({text}, '{from}', '{to}'), '[^ -~\n\r\t]', 'x', 'g') ELSE repeat('x', length({text})) END";
    }

    private async Task ProveAsync(CancellationToken cancellation)
    {
        foreach ((uint oid, Dictionary<string, string> expressions) in _expressions)
        {
            CatalogueRelation table = _catalogue.Tables.First(t => t.Oid == oid);
            RedactionProof proof = new(_session, table, _catalogue.Columns.GetValueOrDefault(oid, []), expressions);
            ColumnRedaction[] columns = [.. _wanted.Where(one => one.Key.Table == oid).Select(static one => one.Value)];
            string names = string.Join(", ", columns.Select(static one => one.Name).Distinct());
            foreach (string obstacle in await proof.ObstaclesAsync([.. columns.Select(static c => (c.Path[2], c.By))], cancellation))
                _problems.Add(Redacting.Refused(
                    Source, names, $"table {table.DisplayName} could not be restored: {obstacle}",
                    "write another replacement (`null` and `hash` fit unique columns), or leave the column as it is"));
            IReadOnlyList<RedactionTest> tests = await proof.TestsAsync(cancellation);
            foreach (string unproven in proof.Unproven)
                _warnings.Add(new Problem(
                    ErrorCodes.PostgresRedactionUnproven,
                    $"whether the values that take the place of {names} fit into table {table.DisplayName} was not tried: {unproven}, which others than superusers can change, and which would run with the rights of user {_session.User}",
                    "try a restore of the snapshot to another place; it says what does not fit", Source));
            foreach (RedactionTest test in tests)
            {
                string? found = null;
                string? failure = await AttemptAsync(async () => found = await _session.QueryOneAsync(test.Sql, cancellation), cancellation);
                if (failure is not null || found != "f")
                    _problems.Add(Redacting.Refused(
                        Source, names, $"table {table.DisplayName} could not be restored: {test.What}{(failure is null ? "" : $": {failure}")}",
                        "write another replacement (`null` and `hash` fit unique columns), or leave the column as it is"));
            }
        }
    }

    private static string ColumnsSql(uint table, string column) =>
        $"""
        WITH RECURSIVE below AS (SELECT {table}::oid AS oid UNION SELECT i.inhrelid FROM pg_inherits i JOIN below t ON i.inhparent = t.oid),
            kin AS (SELECT oid FROM below UNION SELECT i.inhparent FROM pg_inherits i JOIN kin t ON i.inhrelid = t.oid)
        SELECT a.attrelid, c.relkind, a.attnotnull OR t.typnotnull, a.attgenerated <> '', a.attidentity <> '', t.typcategory = 'S' AND t.oid <> '"char"'::regtype,
            format_type(base.typ, base.modifier), format_type(base.typ, -1),
            EXISTS (SELECT FROM kin k JOIN pg_attribute p ON p.attrelid = k.oid AND p.attname = a.attname JOIN pg_depend d
                ON d.classid = 'pg_class'::regclass AND d.objid = k.oid AND d.objsubid = p.attnum
                AND d.refclassid = 'pg_class'::regclass AND d.refobjid = k.oid AND d.refobjsubid = 0 AND d.deptype = 'i'),
            (SELECT b.typtype = 'c' OR coalesce(e.typtype IN ('c', 'd'), false) FROM pg_type b LEFT JOIN pg_type e ON e.oid = b.typelem WHERE b.oid = base.typ)
        FROM below b JOIN pg_class c ON c.oid = b.oid JOIN pg_attribute a ON a.attrelid = b.oid JOIN pg_type t ON t.oid = a.atttypid
        CROSS JOIN LATERAL (
            WITH RECURSIVE chain(typ, modifier, depth) AS (
                SELECT a.atttypid, a.atttypmod, 0
                UNION ALL SELECT y.typbasetype, y.typtypmod, depth + 1 FROM chain JOIN pg_type y ON y.oid = chain.typ WHERE y.typtype = 'd')
            SELECT typ, modifier FROM chain ORDER BY depth DESC LIMIT 1) base
        WHERE a.attname = {SqlText.Literal(column)} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid
        """;

    /// <param name="row">Of <see cref="ColumnsSql"/>.</param>
    private sealed class ColumnFacts(string?[] row)
    {
        public uint Table { get; } = PostgresCatalogue.Oid(row[0]);

        public char Kind { get; } = row[1]![0];

        public bool NotNull { get; } = row[2] == "t";

        public bool Generated { get; } = row[3] == "t";

        public bool Identity { get; } = row[4] == "t";

        public bool Text { get; } = row[5] == "t";

        /// <summary>Of a domain, the type that it is over: a domain's rules may call functions, which nothing that is captured is to do.</summary>
        public string Type { get; } = row[6]!;

        /// <summary>Without the column's length or precision.</summary>
        public string TypeAtLarge { get; } = row[7]!;

        public bool PartitionKey { get; } = row[8] == "t";

        /// <summary>Whether it is a composite type, or an array of such or of domains.</summary>
        public bool HoldsOthers { get; } = row[9] == "t";
    }
}
