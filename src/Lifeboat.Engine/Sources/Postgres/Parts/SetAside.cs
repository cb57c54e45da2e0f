using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Parts;

/// <summary>A foreign key to or from some tables; of partitions, the one of the parent that theirs come from.</summary>
internal sealed record ForeignKey(RelationName Table, char Kind, RelationName References, string Name, string Definition, string? Comment, bool Enforced);

/// <summary>
/// What would meddle while rows are exchanged: triggers, rules, row security that binds the owner too, foreign keys. A table's owner may set it aside, no
/// superuser is needed; at the end of the same transaction everything is as it was. The server checks foreign keys when they come back, so none dangles, and
/// nothing cascades, because they are not there when rows go.
/// </summary>
internal sealed class SetAside(PsqlSession session)
{
    private readonly List<(RelationName Table, string Sql)> _back = [];
    private IReadOnlyList<ForeignKey> _keys = [];

    /// <summary>The foreign keys to and from some tables.</summary>
    public static async Task<IReadOnlyList<ForeignKey>> KeysAsync(PsqlSession session, IEnumerable<uint> tables, CancellationToken cancellation)
    {
        string oids = $"ANY ('{{{string.Join(',', tables)}}}'::oid[])";
        IReadOnlyList<string?[]> rows = await session.QueryAsync(
            $"""
            WITH RECURSIVE touched(oid, parent) AS (
              SELECT oid, conparentid FROM pg_catalog.pg_constraint WHERE contype = 'f' AND (confrelid = {oids} OR conrelid = {oids})
              UNION SELECT p.oid, p.conparentid FROM pg_catalog.pg_constraint p JOIN touched t ON p.oid = t.parent)
            SELECT n.nspname, c.relname, c.relkind, fn.nspname, f.relname, k.conname, pg_catalog.pg_get_constraintdef(k.oid),
              pg_catalog.obj_description(k.oid, 'pg_constraint'), NOT EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE g.tgconstraint = k.oid AND g.tgenabled <> 'O')
            FROM touched t JOIN pg_catalog.pg_constraint k ON k.oid = t.oid
            JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_class f ON f.oid = k.confrelid JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
            WHERE t.parent = 0 ORDER BY k.oid
            """, cancellation);
        return [.. rows.Select(static row => new ForeignKey(
            new RelationName(row[0]!, row[1]!), row[2]![0], new RelationName(row[3]!, row[4]!), row[5]!, row[6]!, row[7], row[8] == "t"))];
    }

    public async Task DropKeysAsync(IReadOnlyList<ForeignKey> keys, CancellationToken cancellation)
    {
        _keys = keys;
        foreach (ForeignKey key in keys)
            await session.ExecuteAsync($"ALTER TABLE {Only(key)}{key.Table.Quoted} DROP CONSTRAINT {SqlText.Identifier(key.Name)}", cancellation);
    }

    /// <summary>Keeps triggers, rules and row security of a table from acting.</summary>
    public async Task DisableAsync(LiveTable table, CancellationToken cancellation)
    {
        string alter = $"ALTER TABLE ONLY {table.Name.Quoted}";
        // Before 15, a trigger that a partition has from its parent is called internal.
        foreach (string?[] row in await session.QueryAsync(
            $"""
            SELECT 'TRIGGER', tgname, tgenabled FROM pg_catalog.pg_trigger
            WHERE tgrelid = {table.Oid} AND (NOT tgisinternal OR tgparentid <> 0 AND tgconstraint = 0) AND tgenabled <> 'D'
            UNION ALL SELECT 'RULE', rulename, ev_enabled FROM pg_catalog.pg_rewrite WHERE ev_class = {table.Oid} AND ev_enabled <> 'D'
            """, cancellation))
        {
            // Rules are none of a single table's: ALTER TABLE ONLY takes them as well.
            await session.ExecuteAsync($"{alter} DISABLE {row[0]} {SqlText.Identifier(row[1]!)}", cancellation);
            _back.Add((table.Name, $"{alter} ENABLE {row[2] switch { "R" => "REPLICA ", "A" => "ALWAYS ", _ => "" }}{row[0]} {SqlText.Identifier(row[1]!)}"));
        }

        // Rows that were there before such a check was made need not pass it.
        foreach (string?[] row in await session.QueryAsync(
            $"""
            SELECT conname, pg_catalog.pg_get_constraintdef(oid), pg_catalog.obj_description(oid, 'pg_constraint') FROM pg_catalog.pg_constraint
            WHERE conrelid = {table.Oid} AND contype = 'c' AND NOT convalidated AND coninhcount = 0
            """, cancellation))
        {
            string name = SqlText.Identifier(row[0]!);
            await session.ExecuteAsync($"ALTER TABLE {table.Name.Quoted} DROP CONSTRAINT {name}", cancellation);
            _back.Add((table.Name, $"ALTER TABLE {table.Name.Quoted} ADD CONSTRAINT {name} {row[1]}"));
            if (row[2] is not null)
                _back.Add((table.Name, $"COMMENT ON CONSTRAINT {name} ON {table.Name.Quoted} IS {SqlText.Literal(row[2]!)}"));
        }

        if (await session.QueryOneAsync($"SELECT relforcerowsecurity FROM pg_catalog.pg_class WHERE oid = {table.Oid}", cancellation) != "t")
            return;
        await session.ExecuteAsync($"{alter} NO FORCE ROW LEVEL SECURITY", cancellation);
        _back.Add((table.Name, $"{alter} FORCE ROW LEVEL SECURITY"));
    }

    /// <summary>Puts everything back as it was, except on tables that are gone.</summary>
    /// <exception cref="Errors.LifeboatException">Rows would refer to rows that are not there.</exception>
    public async Task PutBackAsync(IReadOnlySet<RelationName> gone, CancellationToken cancellation)
    {
        foreach (ForeignKey key in _keys.Where(one => !gone.Contains(one.Table) && !gone.Contains(one.References)))
        {
            await session.ExecuteAsync($"ALTER TABLE {Only(key)}{key.Table.Quoted} ADD CONSTRAINT {SqlText.Identifier(key.Name)} {key.Definition}", cancellation);
            if (key.Comment is not null)
                await session.ExecuteAsync($"COMMENT ON CONSTRAINT {SqlText.Identifier(key.Name)} ON {key.Table.Quoted} IS {SqlText.Literal(key.Comment)}", cancellation);
        }

        foreach ((_, string sql) in _back.Where(one => !gone.Contains(one.Table)))
            await session.ExecuteAsync(sql, cancellation);
    }

    // The parent of partitions has its key with all of them, or not at all.
    private static string Only(ForeignKey key) => key.Kind == 'p' ? "" : "ONLY ";
}
