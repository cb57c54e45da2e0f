using System.Globalization;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Catalogue;

/// <summary>A table, foreign table, sequence or materialised view as the catalogue has it.</summary>
/// <param name="DisplayName">As people write it: quoted where needed.</param>
/// <param name="Kind"><c>pg_class.relkind</c>.</param>
/// <param name="Pages">Pages of the table itself.</param>
/// <param name="Bytes">Bytes with its TOAST table.</param>
/// <param name="Heap">Whether its rows are in PostgreSQL's own heap, where a row's address begins with its page.</param>
/// <param name="Readable">Whether we have SELECT on it and USAGE on its schema.</param>
/// <param name="HidesRows">Whether row security would hide rows from us.</param>
/// <param name="Where">The extension's condition; "" for all rows.</param>
internal sealed record CatalogueRelation(
    uint Oid, string Schema, string Name, string DisplayName, char Kind, bool Unlogged, bool IsPartition, long Pages, long Bytes, bool Heap,
    bool Readable, bool HidesRows, bool Populated, string? Extension, int ConfigurationRank, string Where)
{
    public string QuotedName => SqlText.Identifier(Schema, Name);
}

/// <summary>What there is to capture in a database, as of one snapshot.</summary>
internal sealed record PostgresCatalogue(
    IReadOnlyList<CatalogueRelation> Relations, IReadOnlyDictionary<uint, IReadOnlyList<string>> Columns, bool MayReadRolePasswords,
        bool MayReadLargeObjects)
{
    /// <summary>User mappings (a user and a server each) whose options are not shown to us, if they have any.</summary>
    public IReadOnlyList<(string User, string Server)> HiddenUserMappings { get; init; } = [];

    /// <summary>The versions of the database's locale: with which it was made, and which the server has now; null where the server does not know.</summary>
    public (string? Recorded, string? Actual) CollationVersion { get; init; }

    /// <summary>Tables and sequences that somebody made members of an extension whose own script does not make them.</summary>
    public IReadOnlyList<AddedMember> AddedToExtensions { get; init; } = [];

    /// <summary>The collations of columns and indexes.</summary>
    public IReadOnlyList<UsedCollation> Collations { get; init; } = [];

    /// <summary>Views that select from themselves, as people write their names.</summary>
    public IReadOnlyList<string> SelfReadingViews { get; init; } = [];

    /// <summary>Tables with rows of their own that belong to the app: those of extensions only where they are its configuration.</summary>
    public IEnumerable<CatalogueRelation> Tables => Relations.Where(static r => r.Kind == 'r' && Ours(r));

    public IEnumerable<CatalogueRelation> Sequences => Relations.Where(static r => r.Kind == 'S' && Ours(r));

    public IEnumerable<CatalogueRelation> ForeignTables => Relations.Where(static r => r.Kind == 'f' && r.Extension is null);

    public IEnumerable<CatalogueRelation> MaterializedViews => Relations.Where(static r => r.Kind == 'm' && r.Extension is null);

    /// <summary>What is locked, so that it cannot be dropped or altered while it is captured; as pg_dump does.</summary>
    public IEnumerable<CatalogueRelation> Locked => Relations.Where(static r => r.Kind is 'r' or 'p' && (Ours(r) || r.Extension is null));

    public static async Task<PostgresCatalogue> ReadAsync(PsqlSession session, CancellationToken cancellation)
    {
        IReadOnlyList<string?[]> rows = await session.QueryAsync(RelationsSql, cancellation);
        CatalogueRelation[] relations = [.. rows.Select(ReadRelation)];
        rows = await session.QueryAsync(ColumnsSql, cancellation);
        Dictionary<uint, IReadOnlyList<string>> columns = rows.GroupBy(static row => Oid(row[0]))
            .ToDictionary(static group => group.Key, static group => (IReadOnlyList<string>)[.. group.Select(static row => row[1]!)]);
        rows = await session.QueryAsync(
            "SELECT has_table_privilege('pg_catalog.pg_authid', 'SELECT'), has_table_privilege('pg_catalog.pg_largeobject', 'SELECT')",
                cancellation);
        return new PostgresCatalogue(relations, columns, rows[0][0] == "t", rows[0][1] == "t")
        {
            HiddenUserMappings = session.IsSuperuser ? []
                : [.. (await session.QueryAsync("SELECT usename, srvname FROM pg_user_mappings WHERE umoptions IS NULL ORDER BY srvname, usename", cancellation))
                    .Select(static row => (row[0] ?? "", row[1]!))],
            CollationVersion = await CollationVersionAsync(session, cancellation),
            AddedToExtensions = await AddedMember.ReadAsync(session, cancellation),
            Collations = await UsedCollation.ReadAsync(session, cancellation),
            SelfReadingViews = [.. (await session.QueryAsync(SelfReadingViewsSql, cancellation)).Select(static row => row[0]!)],
        };
    }

    private static async Task<(string? Recorded, string? Actual)> CollationVersionAsync(PsqlSession session, CancellationToken cancellation)
    {
        if (session.ServerMajor < 15)
            return default;
        IReadOnlyList<string?[]> rows = await session.QueryAsync(
            "SELECT datcollversion, pg_database_collation_actual_version(oid) FROM pg_database WHERE datname = current_database()", cancellation);
        return (rows[0][0], rows[0][1]);
    }

    /// <summary>Adds the tables' sizes. Asking for a size waits for an exclusive lock to go, so the tables are locked first.</summary>
    public async Task<PostgresCatalogue> WithSizesAsync(PsqlSession session, CancellationToken cancellation)
    {
        IReadOnlyList<string?[]> rows = await session.QueryAsync(
            $$"""
            SELECT c.oid, size.heap / current_setting('block_size')::int8, size.heap + coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0)
            FROM unnest('{ {{string.Join(',', Tables.Select(static t => t.Oid))}} }'::oid[]) t JOIN pg_class c ON c.oid = t
            CROSS JOIN LATERAL (SELECT coalesce(pg_relation_size(t), 0) AS heap OFFSET 0) size
            """,
            cancellation);
        Dictionary<uint, string?[]> sizes = rows.ToDictionary(static row => Oid(row[0]));
        return this with
        {
            Relations =
            [
                .. Relations.Select(r => sizes.TryGetValue(r.Oid, out string?[]? size)
                    ? r with { Pages = Number(size[1]), Bytes = Number(size[2]) } : r),
            ],
        };
    }

    internal static uint Oid(string? text) => uint.Parse(text!, CultureInfo.InvariantCulture);

    internal static long Number(string? text) => long.Parse(text!, CultureInfo.InvariantCulture);

    private static bool Ours(CatalogueRelation relation) => relation.Extension is null || relation.ConfigurationRank >= 0;

    private static CatalogueRelation ReadRelation(string?[] row) => new(
        Oid(row[0]), row[1]!, row[2]!, row[3]!, row[4]![0], row[5] == "t", row[6] == "t", 0, 0, row[7] == "t",
        row[8] == "t", row[9] == "t", row[10] == "t", row[11], (int)Number(row[12]), row[13] ?? "");

    // Tables that an extension marks as configuration hold data; every other object of an extension comes with CREATE EXTENSION.
    private const string RelationsSql =
        """
        SELECT c.oid, n.nspname, c.relname, quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relkind,
            c.relpersistence = 'u', c.relispartition,
            coalesce(am.amname = 'heap', false),
            -- Null where it has been dropped since the snapshot: the lock will tell.
            coalesce(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'), true),
            c.relrowsecurity AND row_security_active(c.oid), c.relispopulated,
            e.extname, coalesce(config.rank - 1, -1), config.condition
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_am am ON am.oid = c.relam
        LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
            AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
        LEFT JOIN pg_extension e ON e.oid = d.refobjid
        LEFT JOIN LATERAL (SELECT u.rank, u.condition FROM unnest(e.extconfig, e.extcondition) WITH ORDINALITY u(relation, condition, rank)
            WHERE u.relation = c.oid) config ON true
        WHERE c.relkind IN ('r', 'p', 'm', 'f', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
        """;

    // CREATE OR REPLACE VIEW makes such a view; no CREATE VIEW can. Before 16 every view's rule depends on the view as a whole (its OLD and NEW), and one that selects from
    // itself on its columns.
    private const string SelfReadingViewsSql =
        """
        SELECT DISTINCT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN'
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
            AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = c.oid AND d.deptype = 'n'
            AND (d.refobjsubid > 0 OR pg_catalog.current_setting('server_version_num')::int4 >= 160000)
        WHERE c.relkind = 'v' ORDER BY 1
        """;

    private const string ColumnsSql =
        """
        SELECT a.attrelid, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
            AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        ORDER BY a.attrelid, a.attnum
        """;
}
