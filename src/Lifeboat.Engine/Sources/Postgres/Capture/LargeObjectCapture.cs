using System.Globalization;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres.Capture;

/// <summary>
/// Large objects: their pages as COPY text (object id, page number, bytes), and SQL that creates them with owners, rights, comments and
/// labels. A page is a quarter of a block (LOBLKSIZE), and a page that was never written is absent, as in the catalogue.
/// </summary>
internal sealed class LargeObjectCapture(PsqlSession session, string folder)
{
    private const int ObjectsPerQuery = 5000;

    /// <summary>How many there are.</summary>
    public long Count { get; private set; }

    public string ObjectsPath => $"{folder}/large-objects/objects.sql";

    /// <summary>The parts that give the pages; none where there are no large objects.</summary>
    /// <param name="index">The index under which they are captured.</param>
    public async Task<IReadOnlyList<TablePart>> PlanAsync(
        int index, bool mayReadCatalogue, TablePartition partition, CancellationToken cancellation)
    {
        Count = PostgresCatalogue.Number(await session.QueryOneAsync("SELECT count(*) FROM pg_largeobject_metadata", cancellation));
        if (Count == 0)
            return [];
        IReadOnlyList<string?[]> size = await session.QueryAsync(
            "SELECT pg_relation_size(oid) / current_setting('block_size')::int8, pg_relation_size(oid) "
            + "FROM pg_class WHERE oid = 'pg_largeobject'::regclass", cancellation);
        return partition.Cut(
            index,
            "large objects",
            PostgresCatalogue.Number(size[0][0]),
            PostgresCatalogue.Number(size[0][1]),
            heap: mayReadCatalogue,
            $"{folder}/large-objects/pages",
            condition => mayReadCatalogue ? CatalogueSql(condition) : FunctionsSql);
    }

    /// <summary>Writes the SQL that creates them.</summary>
    public async Task WriteObjectsAsync(Stream stream, CancellationToken cancellation)
    {
        string last = "0";
        while (true)
        {
            IReadOnlyList<string?[]> rows = await session.QueryAsync(
                string.Create(CultureInfo.InvariantCulture, $"{ObjectsSql} WHERE l.oid > {last} ORDER BY l.oid LIMIT {ObjectsPerQuery}"),
                cancellation);
            if (rows.Count == 0)
                return;
            foreach (string?[] row in rows)
                await stream.WriteAsync(session.TextEncoding.GetBytes(row[1] + "\n"), cancellation);
            last = rows[^1][0]!;
        }
    }

    private static string CatalogueSql(string? condition) =>
        $"COPY (SELECT loid, pageno, data FROM ONLY pg_catalog.pg_largeobject{(condition is null ? "" : " WHERE " + condition)}) TO STDOUT";

    // Without the right to read the catalogue, each object is read through the functions that its own rights allow.
    private const string FunctionsSql =
        """
        COPY (SELECT l.oid, p.page, lo_get(l.oid, p.page * s.page_size, s.page_size::int4)
        FROM (SELECT current_setting('block_size')::int8 / 4 AS page_size) s, pg_largeobject_metadata l,
            LATERAL (SELECT lo_open(l.oid, 262144) AS fd OFFSET 0) f, LATERAL (SELECT lo_lseek64(f.fd, 0, 2) AS size OFFSET 0) e,
            LATERAL (SELECT lo_close(f.fd) + 0 * e.size AS closed OFFSET 0) c,
            LATERAL (SELECT generate_series(0, (e.size - 1) / s.page_size + 0 * c.closed) AS page) p
        WHERE e.size > 0) TO STDOUT
        """;

    private const string ObjectsSql =
        """
        SELECT l.oid, format(E'SELECT pg_catalog.lo_create(%s);\nALTER LARGE OBJECT %s OWNER TO %I;', l.oid, l.oid,
            pg_get_userbyid(l.lomowner))
            || CASE WHEN l.lomacl IS NULL THEN '' ELSE format(E'\nREVOKE ALL ON LARGE OBJECT %s FROM PUBLIC, %I;', l.oid,
                pg_get_userbyid(l.lomowner)) END
            || coalesce((SELECT string_agg(format(E'\nGRANT %s ON LARGE OBJECT %s TO %s%s;', a.privilege_type, l.oid,
                CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), '') FROM aclexplode(l.lomacl) a), '')
            || coalesce(format(E'\nCOMMENT ON LARGE OBJECT %s IS %L;', l.oid, obj_description(l.oid, 'pg_largeobject')), '')
            || coalesce((SELECT string_agg(format(E'\nSECURITY LABEL FOR %I ON LARGE OBJECT %s IS %L;', s.provider, l.oid, s.label), '')
                FROM pg_seclabel s WHERE s.classoid = 'pg_largeobject'::regclass AND s.objoid = l.oid), '')
        FROM pg_largeobject_metadata l
        """;
}
