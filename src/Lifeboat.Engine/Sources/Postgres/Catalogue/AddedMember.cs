using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres.Catalogue;

/// <summary>
/// A table or sequence that was made a member of an extension later on (<c>ALTER EXTENSION … ADD TABLE</c>): pg_dump takes all members for what CREATE EXTENSION makes.
/// </summary>
/// <param name="DisplayName">As people write it: quoted where needed.</param>
/// <param name="Kind"><c>table</c> or <c>sequence</c>.</param>
internal sealed record AddedMember(string DisplayName, string Kind, string Extension)
{
    public static async Task<IReadOnlyList<AddedMember>> ReadAsync(PsqlSession session, CancellationToken cancellation) =>
        [.. (await session.QueryAsync(Sql, cancellation)).Select(static row => new AddedMember(row[0]!, row[1]!, row[2]!))];

    // The catalogue does not tell who made a member one; the transaction that did so does. CREATE EXTENSION makes the extension's tie to its schema in the same one, an update changes
    // the extension's row, and adds functions with most tables. After pg_upgrade, which adds every member by itself, no member has it: then those that have rows are told.
    private const string Sql =
        """
        SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, e.extname
        FROM pg_extension e
        JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e' AND d.classid = 'pg_class'::regclass
        JOIN pg_class c ON c.oid = d.objid JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_depend made ON made.classid = 'pg_extension'::regclass AND made.objid = e.oid AND made.refclassid = 'pg_namespace'::regclass
        WHERE c.relkind IN ('r', 'p', 'f', 'm', 'S') AND c.oid <> ALL (coalesce(e.extconfig, '{}'))
            AND d.xmin <> e.xmin AND d.xmin <> made.xmin
            AND NOT EXISTS (SELECT FROM pg_depend o WHERE o.refclassid = d.refclassid AND o.refobjid = e.oid AND o.deptype = 'e' AND o.classid = 'pg_proc'::regclass AND o.xmin = d.xmin)
            AND CASE WHEN EXISTS (SELECT FROM pg_depend o WHERE o.refclassid = d.refclassid AND o.refobjid = e.oid AND o.deptype = 'e' AND (o.xmin = e.xmin OR o.xmin = made.xmin))
                THEN true ELSE c.relkind = 'r' AND pg_relation_size(c.oid) > 0 END
        ORDER BY 1
        """;
}
