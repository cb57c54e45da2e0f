using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres.Catalogue;

/// <summary>
/// Puts materialised views into an order in which they can be refreshed: each after those that it reads, directly or through views.
/// </summary>
internal static class MaterializedViewOrder
{
    public static async Task<IReadOnlyList<PostgresMaterializedView>> ReadAsync(
        PsqlSession session, PostgresCatalogue catalogue, CancellationToken cancellation)
    {
        Dictionary<uint, CatalogueRelation> views = catalogue.MaterializedViews.ToDictionary(static v => v.Oid);
        if (views.Count == 0)
            return [];
        ILookup<uint, uint> reads = (await session.QueryAsync(ReadsSql, cancellation))
            .ToLookup(static row => PostgresCatalogue.Oid(row[0]), static row => PostgresCatalogue.Oid(row[1]));
        List<PostgresMaterializedView> ordered = [];
        HashSet<uint> visited = [];
        Stack<(uint View, bool Left)> path = new(catalogue.MaterializedViews.Reverse().Select(static v => (v.Oid, false)));
        while (path.TryPop(out (uint View, bool Left) at))
        {
            if (at.Left && views.TryGetValue(at.View, out CatalogueRelation? view))
                ordered.Add(new PostgresMaterializedView(view.Schema, view.Name, view.Populated));
            if (at.Left || !visited.Add(at.View))
                continue;
            path.Push((at.View, true));
            foreach (uint read in reads[at.View].Where(read => !visited.Contains(read)))
                path.Push((read, false));
        }

        return ordered;
    }

    private const string ReadsSql =
        """
        SELECT DISTINCT r.ev_class, d.refobjid FROM pg_rewrite r
        JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
            AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
        JOIN pg_class c ON c.oid = d.refobjid
        WHERE c.relkind IN ('v', 'm') ORDER BY 1, 2
        """;
}
