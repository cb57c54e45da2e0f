using System.Globalization;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Parts;

/// <summary>A table in a state of ours.</summary>
/// <param name="HasRows">False for the parent of partitions.</param>
/// <param name="Present">Whether there is such a table in this state.</param>
/// <param name="Digest">Of its rows, with their number; null where that was not taken.</param>
/// <param name="DigestedColumns">In the order of the digest, for SQL.</param>
internal sealed record StateTable(int Number, RelationName Name, bool HasRows, bool Present, string? Digest = null, string? DigestedColumns = null)
{
    public static string Describe(TableDigest digest) => Describe(digest.Rows, digest.ToString());

    public static string Describe(long rows, string digest) => string.Create(CultureInfo.InvariantCulture, $"{rows} rows, {digest}");

    public string Rows(string schema) => SqlText.Identifier(schema, string.Create(CultureInfo.InvariantCulture, $"t{Number}"));
}

/// <summary>
/// A schema that holds a state of some tables: their rows as <c>t1</c>, <c>t2</c>, …, and beside them which tables they are, how they are made, and their sequences' values.
/// Works in the transaction of its session.
/// </summary>
internal sealed class PartSchema(PsqlSession session, string name)
{
    private const int AtOnce = 200;

    public string Name => name;

    private string Tables => SqlText.Identifier(name, "lifeboat_tables");

    private string Definitions => SqlText.Identifier(name, "lifeboat_definitions");

    private string Sequences => SqlText.Identifier(name, "lifeboat_sequences");

    public async Task<bool> ExistsAsync(CancellationToken cancellation) =>
        (await session.QueryAsync($"SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = {SqlText.Literal(name)}", cancellation)).Count > 0;

    /// <summary>Makes the schema alone, for tables that people look at.</summary>
    public Task CreateBareAsync(CancellationToken cancellation) => session.ExecuteAsync($"CREATE SCHEMA {SqlText.Identifier(name)}", cancellation);

    public Task CreateAsync(CancellationToken cancellation) => session.ExecuteAsync(
        $"""
        CREATE SCHEMA {SqlText.Identifier(name)};
        CREATE TABLE {Tables} (number int PRIMARY KEY, schema_name text, table_name text, has_rows boolean, present boolean, digest text, columns text, live_rows bigint, live_xid text);
        CREATE TABLE {Definitions} (number int, position int, phase int, sql text, unless text);
        CREATE TABLE {Sequences} (schema_name text, sequence_name text, last_value bigint, is_called boolean);
        COMMENT ON SCHEMA {SqlText.Identifier(name)} IS 'made by a restore of Lifeboat, and removed by `lifeboat discard`'
        """,
        cancellation);

    public Task AddAsync(IEnumerable<StateTable> tables, CancellationToken cancellation) => InsertAsync(
        Tables, "number, schema_name, table_name, has_rows, present, digest, columns",
        tables.Select(static one => string.Create(CultureInfo.InvariantCulture,
            $"{one.Number}, {SqlText.Literal(one.Name.Schema)}, {SqlText.Literal(one.Name.Name)}, {one.HasRows}, {one.Present}, {SqlText.LiteralOrNull(one.Digest)}, {SqlText.LiteralOrNull(one.DigestedColumns)}")), cancellation);

    public Task AddAsync(int table, IReadOnlyList<DefinitionStatement> definition, CancellationToken cancellation) => InsertAsync(
        Definitions, "number, position, phase, sql, unless",
        definition.Select(one => string.Create(CultureInfo.InvariantCulture,
            $"{table}, {one.Position}, {(int)one.Phase}, {SqlText.Literal(one.Sql)}, {SqlText.LiteralOrNull(one.Unless)}")), cancellation);

    public Task AddAsync(IEnumerable<(RelationName Name, long Value, bool IsCalled)> sequences, CancellationToken cancellation) => InsertAsync(
        Sequences, "schema_name, sequence_name, last_value, is_called",
        sequences.Select(static one => string.Create(CultureInfo.InvariantCulture,
            $"{SqlText.Literal(one.Name.Schema)}, {SqlText.Literal(one.Name.Name)}, {one.Value}, {one.IsCalled}")), cancellation);

    public Task CopyDefinitionsAsync(PartSchema other, CancellationToken cancellation) =>
        session.ExecuteAsync($"INSERT INTO {Definitions} SELECT * FROM {other.Definitions}", cancellation);

    /// <summary>What was put into a live table, so that changes can be told later: how many rows, and by which transaction.</summary>
    public Task NoteLiveAsync(StateTable table, long rows, CancellationToken cancellation) => session.ExecuteAsync(
        string.Create(CultureInfo.InvariantCulture,
            $"UPDATE {Tables} SET live_rows = {rows}, live_xid = (pg_catalog.pg_current_xact_id()::text::numeric % 4294967296)::text WHERE number = {table.Number}"), cancellation);

    public async Task<IReadOnlyList<StateTable>> TablesAsync(CancellationToken cancellation) =>
        [.. (await session.QueryAsync($"SELECT number, schema_name, table_name, has_rows, present, digest, columns FROM {Tables} ORDER BY number", cancellation))
            .Select(static row => new StateTable(int.Parse(row[0]!, CultureInfo.InvariantCulture), new RelationName(row[1]!, row[2]!), row[3] == "t", row[4] == "t", row[5], row[6]))];

    public async Task<IReadOnlyList<RelationName>> SequencesAsync(CancellationToken cancellation) =>
        [.. (await session.QueryAsync($"SELECT schema_name, sequence_name FROM {Sequences}", cancellation)).Select(static row => new RelationName(row[0]!, row[1]!))];

    /// <summary>The statements of a phase, of some tables.</summary>
    public async Task<IReadOnlyList<(string Sql, string? Unless)>> DefinitionsAsync(DefinitionPhase phase, IEnumerable<StateTable> tables, CancellationToken cancellation) =>
        [.. (await session.QueryAsync(
            $"SELECT sql, unless FROM {Definitions} WHERE phase = {(int)phase} AND number IN ({string.Join(", ", tables.Select(static one => one.Number).Append(-1))}) ORDER BY position",
            cancellation)).Select(static row => (row[0]!, row[1]))];

    /// <summary>Brings live sequences to the values of this state, where they are behind it; no sequence goes backwards.</summary>
    public async Task AdvanceSequencesAsync(CancellationToken cancellation)
    {
        foreach (RelationName sequence in await SequencesAsync(cancellation))
            if (await IsThereAsync(sequence, 'S', cancellation))
                await session.QueryAsync(
                    $"""
                    SELECT pg_catalog.setval(p.seqrelid, s.last_value, s.is_called)
                    FROM {Sequences} s, pg_catalog.pg_sequence p, {sequence.Quoted} l
                    WHERE s.schema_name = {SqlText.Literal(sequence.Schema)} AND s.sequence_name = {SqlText.Literal(sequence.Name)} AND p.seqrelid = {sequence.Oid}
                      AND pg_catalog.sign(p.seqincrement) * (s.last_value::numeric + CASE WHEN s.is_called THEN p.seqincrement ELSE 0 END)
                        > pg_catalog.sign(p.seqincrement) * (l.last_value::numeric + CASE WHEN l.is_called THEN p.seqincrement ELSE 0 END)
                      AND s.last_value BETWEEN p.seqmin AND p.seqmax
                    """, cancellation);
    }

    /// <summary>Keeps the values of live sequences; one that is not there is noted without a value.</summary>
    public async Task KeepSequencesAsync(IEnumerable<RelationName> sequences, CancellationToken cancellation)
    {
        foreach (RelationName sequence in sequences)
            await session.ExecuteAsync(
                $"""
                INSERT INTO {Sequences} SELECT {SqlText.Literal(sequence.Schema)}, {SqlText.Literal(sequence.Name)},
                {(await IsThereAsync(sequence, 'S', cancellation) ? $"last_value, is_called FROM {sequence.Quoted}" : "NULL, NULL")}
                """, cancellation);
    }

    /// <summary>Puts the live values in the place of those that were kept.</summary>
    public async Task RenewSequencesAsync(CancellationToken cancellation)
    {
        IReadOnlyList<RelationName> sequences = await SequencesAsync(cancellation);
        await session.ExecuteAsync($"DELETE FROM {Sequences}", cancellation);
        await KeepSequencesAsync(sequences, cancellation);
    }

    /// <summary>Whether somebody else has written into the tables since they were switched. Does away with row security that would hide it: to be rolled back.</summary>
    public async Task<bool> WasUsedAsync(CancellationToken cancellation)
    {
        foreach (string?[] row in await session.QueryAsync($"SELECT schema_name, table_name, live_rows, live_xid FROM {Tables} WHERE live_xid IS NOT NULL", cancellation))
        {
            RelationName table = new(row[0]!, row[1]!);
            if (!await IsThereAsync(table, 'r', cancellation))
                continue;
            if (await session.QueryOneAsync($"SELECT relforcerowsecurity FROM pg_catalog.pg_class WHERE oid = {table.Oid}", cancellation) == "t")
                await session.ExecuteAsync($"ALTER TABLE ONLY {table.Quoted} NO FORCE ROW LEVEL SECURITY", cancellation);
            if (await session.QueryOneAsync(
                $"SELECT count(*) <> {row[2]} OR bool_or(xmin::text <> {SqlText.Literal(row[3]!)}) FROM ONLY {table.Quoted}", cancellation) == "t")
                return true;
        }

        return false;
    }

    /// <summary>Drops the schema with its tables. Whatever of others' depends on them stops it.</summary>
    public async Task DropAsync(CancellationToken cancellation)
    {
        string[] tables = [.. (await session.QueryAsync(
            $"""
            SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = {SqlText.Literal(name)} AND c.relkind IN ('r', 'p')
            """, cancellation)).Select(row => SqlText.Identifier(name, row[0]!))];
        if (tables.Length > 0)
            await session.ExecuteAsync($"DROP TABLE {string.Join(", ", tables)}", cancellation);
        await session.ExecuteAsync($"DROP SCHEMA {SqlText.Identifier(name)}", cancellation);
    }

    public async Task<long> BytesAsync(CancellationToken cancellation) => long.Parse(
        await session.QueryOneAsync(
            $"""
            SELECT coalesce(sum(pg_catalog.pg_total_relation_size(c.oid)), 0) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = {SqlText.Literal(name)} AND c.relkind = 'r'
            """, cancellation) ?? "0", CultureInfo.InvariantCulture);

    private async Task<bool> IsThereAsync(RelationName relation, char kind, CancellationToken cancellation) =>
        (await session.QueryAsync($"SELECT 1 FROM pg_catalog.pg_class WHERE oid = {relation.Oid} AND relkind = '{kind}'", cancellation)).Count > 0;

    private async Task InsertAsync(string table, string columns, IEnumerable<string> rows, CancellationToken cancellation)
    {
        foreach (string[] some in rows.Chunk(AtOnce))
            await session.ExecuteAsync($"INSERT INTO {table} ({columns}) VALUES {string.Join(", ", some.Select(static row => $"({row})"))}", cancellation);
    }

    /// <exception cref="LifeboatException">The schema is not there.</exception>
    public async Task RequireAsync(string source, CancellationToken cancellation)
    {
        if (!await ExistsAsync(cancellation))
            throw KeptState.Missing($"schema {name}", source);
    }
}
