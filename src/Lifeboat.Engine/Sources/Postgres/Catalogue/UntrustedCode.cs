using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres.Catalogue;

/// <summary>
/// Finds what somebody with fewer rights could make an expression of the database run in our session. To evaluate a captured expression is to read its text again, and
/// every name in it is looked up anew: so a function or operator of it may be called only where neither it nor the schema that it is found in can be changed by others. What
/// is the system's own (nothing in the catalogue depends on that) is found in pg_catalog, which the search path sees to.
/// </summary>
internal static class UntrustedCode
{
    /// <param name="catalogue">The catalogue table that the object is in: <c>pg_constraint</c>.</param>
    /// <returns>A function of somebody else's that an evaluation could call, directly, through an operator or through a domain; null where there is none.</returns>
    public static Task<string?> FindAsync(PsqlSession session, string catalogue, uint oid, CancellationToken cancellation) => session.QueryOneAsync(
        $"""
        WITH RECURSIVE uses(classid, objid) AS (
            SELECT 'pg_catalog.{catalogue}'::regclass::oid, {oid}::oid
            UNION
            SELECT further.classid, further.objid FROM uses u, LATERAL (
                SELECT d.refclassid, d.refobjid FROM pg_depend d WHERE d.classid = u.classid AND d.objid = u.objid
                    AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass)
                UNION ALL SELECT 'pg_constraint'::regclass, c.oid FROM pg_constraint c WHERE u.classid = 'pg_type'::regclass AND c.contypid = u.objid
                UNION ALL SELECT 'pg_type'::regclass, a.atttypid FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid
                    WHERE u.classid = 'pg_type'::regclass AND t.oid = u.objid AND t.typrelid <> 0 AND a.attnum > 0 AND NOT a.attisdropped
                UNION ALL SELECT 'pg_type'::regclass, within.oid FROM pg_type t, LATERAL (VALUES (t.typelem), (t.typbasetype)) within(oid)
                    WHERE u.classid = 'pg_type'::regclass AND t.oid = u.objid AND within.oid <> 0
                UNION ALL SELECT 'pg_type'::regclass, r.rngsubtype FROM pg_range r WHERE u.classid = 'pg_type'::regclass AND r.rngtypid = u.objid) further(classid, objid))
        SELECT p.oid::regprocedure FROM uses u JOIN pg_proc p ON u.classid = 'pg_proc'::regclass AND p.oid = u.objid JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE EXISTS (
            SELECT FROM pg_roles r WHERE NOT r.rolsuper AND r.rolname <> current_user
                AND (r.oid = p.proowner OR r.oid = n.nspowner OR has_schema_privilege(r.oid, p.pronamespace, 'CREATE'))
                AND (r.rolname <> 'pg_database_owner' OR EXISTS (
                    SELECT FROM pg_database d JOIN pg_roles o ON o.oid = d.datdba
                    WHERE d.datname = current_database() AND NOT o.rolsuper AND o.rolname <> current_user)))
        ORDER BY p.oid LIMIT 1
        """,
        cancellation);
}
