-- Run by the owner of a database: for every operator, function, type and table of the system one of the same name, whose use fails, in a schema that comes before the system's.
CREATE TABLE public.shop (id serial PRIMARY KEY, v text CHECK (v <> ''), n numeric(6,2) DEFAULT 1.50, at timestamptz DEFAULT '2026-01-02 03:04:05+00');
INSERT INTO public.shop (v) VALUES ('a'), ('b'), ('c');
CREATE VIEW public.seen AS SELECT id FROM public.shop WHERE v = 'a';
CREATE MATERIALIZED VIEW public.kept AS SELECT id FROM public.seen;
CREATE INDEX ON public.shop (lower(v));
SELECT lo_from_bytea(4711, 'large');
SET search_path = pg_catalog, pg_temp;
SET client_min_messages = error;
CREATE SCHEMA evil;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
CREATE FUNCTION evil.shadow() RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION 'a shadow was called'; END $f$;
DO $do$
DECLARE one record;
BEGIN
  FOR one IN
    SELECT format('CREATE FUNCTION evil.shadow_%s(%s) RETURNS %s LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION ''shadow of operator %s''; END $f$', o.oid,
        concat_ws(', ', nullif(o.oprleft, 0)::regtype, nullif(o.oprright, 0)::regtype), o.oprresult::regtype, o.oprname) AS function,
      format('CREATE OPERATOR evil.%s (%s FUNCTION = evil.shadow_%s)', o.oprname,
        CASE WHEN o.oprleft <> 0 THEN format('LEFTARG = %s, ', o.oprleft::regtype) END || format('RIGHTARG = %s,', o.oprright::regtype), o.oid) AS operator
    FROM pg_operator o
    WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprresult <> 0 AND o.oprright <> 0 AND o.oprname <> '=>'
  LOOP
    BEGIN
      EXECUTE one.function;
      EXECUTE one.operator;
    EXCEPTION WHEN OTHERS THEN NULL; -- of types that no function of ours may take
    END;
  END LOOP;
  FOR one IN
    SELECT DISTINCT format('CREATE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION ''shadow of function %s''; END $f$', p.proname,
      (SELECT string_agg(format_type(t, NULL), ', ' ORDER BY place) FROM unnest(p.proargtypes) WITH ORDINALITY a(t, place)),
      CASE WHEN p.proretset THEN 'SETOF ' ELSE '' END || p.prorettype::regtype, p.proname) AS function
    FROM pg_proc p
    WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prorettype <> ALL ('{internal, trigger, event_trigger, cstring, language_handler, fdw_handler, index_am_handler}'::regtype[])
      AND NOT 'internal'::regtype = ANY (p.proargtypes) AND NOT 'cstring'::regtype = ANY (p.proargtypes)
      -- Those behind operators, which nobody calls by name.
      AND NOT EXISTS (SELECT FROM pg_operator o WHERE o.oprcode = p.oid)
  LOOP
    BEGIN
      EXECUTE one.function;
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  FOR one IN SELECT typname FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype = 'b' AND typelem = 0 AND typname !~ '^_' LOOP
    EXECUTE format('CREATE DOMAIN evil.%I AS pg_catalog.%1$I CHECK (evil.shadow())', one.typname);
  END LOOP;
  FOR one IN SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v') LOOP
    BEGIN
      EXECUTE format('CREATE VIEW evil.%I AS SELECT * FROM pg_catalog.%1$I WHERE evil.shadow()', one.relname);
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
END $do$;
DO $do$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = evil, pg_catalog, public', current_database()); END $do$;
