-- A database with every kind of object that PostgreSQL 15 has. Run by a superuser in an empty database of the name "every kind".
CREATE ROLE "ek ""Odd' role" LOGIN;
CREATE ROLE ek_owner NOLOGIN;
CREATE ROLE ek_reader LOGIN;
GRANT CREATE ON DATABASE "every kind" TO ek_owner;

-- Schemas, their owners, rights and comments
CREATE SCHEMA app AUTHORIZATION ek_owner;
CREATE SCHEMA "odd ""schema'. 🛟" AUTHORIZATION "ek ""Odd' role";
GRANT USAGE ON SCHEMA app TO ek_reader;
GRANT CREATE, USAGE ON SCHEMA app TO "ek ""Odd' role" WITH GRANT OPTION;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
COMMENT ON SCHEMA app IS 'it''s the "app"
in two lines, with a \ and a 🛟';
SET search_path = app, public;

-- Extensions of contrib
CREATE SCHEMA ext;
CREATE EXTENSION hstore SCHEMA ext;
CREATE EXTENSION btree_gist SCHEMA ext;
CREATE EXTENSION postgres_fdw SCHEMA ext;
CREATE EXTENSION file_fdw SCHEMA ext;
CREATE EXTENSION citext SCHEMA public;
CREATE EXTENSION bloom SCHEMA ext;

-- Types: enum (with values put in later, in between), composite, range and its multirange, domains over domains, base, shell
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
ALTER TYPE mood ADD VALUE 'fine' BEFORE 'happy';
ALTER TYPE mood ADD VALUE 'it''s "great"' AFTER 'happy';
CREATE TYPE empty_enum AS ENUM ();
CREATE TYPE pair AS (a int, "B" text COLLATE "C", c mood[]);
CREATE TYPE empty_composite AS ();
COMMENT ON COLUMN pair."B" IS 'second of a pair';
CREATE FUNCTION diff(x float8, y float8) RETURNS float8 LANGUAGE sql IMMUTABLE STRICT AS 'SELECT x - y';
CREATE TYPE spread AS RANGE (subtype = float8, subtype_diff = diff, multirange_type_name = spreads);
CREATE TYPE texts AS RANGE (subtype = text, collation = "C");
CREATE FUNCTION positive(i int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT i > 0';
CREATE DOMAIN natural_number AS int DEFAULT 1 NOT NULL CONSTRAINT above_zero CHECK (positive(VALUE));
CREATE DOMAIN small_number AS natural_number CHECK (VALUE < 100);
ALTER DOMAIN small_number ADD CONSTRAINT not_thirteen CHECK (VALUE <> 13) NOT VALID;
COMMENT ON DOMAIN small_number IS 'a domain over a domain';
COMMENT ON CONSTRAINT not_thirteen ON DOMAIN small_number IS 'not for old rows';
CREATE TYPE own_text;
CREATE FUNCTION own_text_in(cstring) RETURNS own_text LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION own_text_out(own_text) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE own_text (INPUT = own_text_in, OUTPUT = own_text_out, INTERNALLENGTH = VARIABLE, STORAGE = extended, ALIGNMENT = int4,
  CATEGORY = 'S', DELIMITER = ';', COLLATABLE = true);
ALTER TYPE mood OWNER TO ek_owner;
REVOKE USAGE ON TYPE mood FROM PUBLIC;
GRANT USAGE ON TYPE mood TO ek_reader;

-- Languages, with an own one
CREATE FUNCTION own_handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION own_inline(internal) RETURNS void LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_inline_handler';
CREATE FUNCTION own_validator(oid) RETURNS void LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE LANGUAGE own_sql HANDLER own_handler INLINE own_inline VALIDATOR own_validator;
CREATE TRUSTED LANGUAGE own_trusted HANDLER own_handler;
REVOKE USAGE ON LANGUAGE own_trusted FROM PUBLIC;
GRANT USAGE ON LANGUAGE own_trusted TO ek_owner WITH GRANT OPTION;
COMMENT ON LANGUAGE own_sql IS 'plpgsql by another name';

-- Functions and procedures in all their forms
CREATE FUNCTION ten() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 3 RETURN 10;
CREATE FUNCTION atomic(n int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT n + ten(); SELECT ten() * n; END;
CREATE FUNCTION many(n int DEFAULT ten(), VARIADIC rest text[] DEFAULT '{a}') RETURNS TABLE (i int, t text) LANGUAGE plpgsql STABLE ROWS 42
  SECURITY DEFINER LEAKPROOF SET search_path = app, pg_temp SET work_mem = '5MB'
  AS $body$ BEGIN RETURN QUERY SELECT g, $$it's a $q$ \ "body"$$ || rest[1] FROM generate_series(1, n) g; END; $body$;
CREATE FUNCTION outs(INOUT a int, OUT b text, c int DEFAULT NULL) LANGUAGE own_sql AS 'BEGIN b := a::text; END';
CREATE FUNCTION any_one(anyelement, anycompatiblearray) RETURNS anyelement LANGUAGE sql CALLED ON NULL INPUT AS 'SELECT $1';
CREATE FUNCTION overloaded(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION overloaded(text) RETURNS int LANGUAGE sql AS 'SELECT 2';
CREATE FUNCTION overloaded(pair) RETURNS int LANGUAGE sql AS 'SELECT $1.a';
CREATE FUNCTION windowed(int) RETURNS int LANGUAGE internal WINDOW IMMUTABLE STRICT AS 'window_ntile';
CREATE FUNCTION supported(float8, float8) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT SUPPORT pg_catalog.generate_series_int8_support AS 'float8lt';
CREATE PROCEDURE act(INOUT n int, note text DEFAULT 'none') LANGUAGE plpgsql AS $$ BEGIN COMMIT; n := n + 1; END $$;
CREATE FUNCTION "Odd ""name'
\ 🛟"("odd ""arg" int) RETURNS text LANGUAGE plpgsql AS $_$ BEGIN RETURN 'a;
\.
-- not a comment
$$'; END $_$;
-- Refers to what comes only later and may not be checked
SET check_function_bodies = off;
CREATE FUNCTION early() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM app.tracked';
RESET check_function_bodies;
REVOKE EXECUTE ON FUNCTION atomic(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION atomic(int) TO ek_reader;
ALTER FUNCTION many(int, text[]) OWNER TO ek_owner;
COMMENT ON FUNCTION overloaded(text) IS 'of text';
COMMENT ON PROCEDURE act(int, text) IS 'acts';

-- Aggregates: plain, with final function and moving state, ordered-set, hypothetical, variadic
CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0', PARALLEL = safe, COMBINEFUNC = int4pl);
CREATE AGGREGATE moving(float8) (SFUNC = float8pl, STYPE = float8, INITCOND = '0', MSFUNC = float8pl, MINVFUNC = float8mi, MSTYPE = float8, MINITCOND = '0');
CREATE FUNCTION add_pair(state text, VARIADIC items text[]) RETURNS text LANGUAGE sql AS $$ SELECT coalesce(state, '') || array_to_string(items, ',') $$;
CREATE AGGREGATE joined(VARIADIC text[]) (SFUNC = add_pair, STYPE = text);
CREATE AGGREGATE percentile(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
CREATE AGGREGATE smallest(int) (SFUNC = int4smaller, STYPE = int, SORTOP = <);
ALTER AGGREGATE total(int) OWNER TO ek_owner;
COMMENT ON AGGREGATE total(int) IS 'a sum';

-- Operators, families and classes
CREATE FUNCTION close_to(int, int) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS 'SELECT abs($1 - $2) < 3';
CREATE FUNCTION far_from(int, int) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS 'SELECT abs($1 - $2) >= 3';
CREATE OPERATOR <~> (LEFTARG = int, RIGHTARG = int, FUNCTION = close_to, COMMUTATOR = <~>, NEGATOR = <!~>, RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR <!~> (LEFTARG = int, RIGHTARG = int, FUNCTION = far_from, COMMUTATOR = <!~>, NEGATOR = <~>);
CREATE FUNCTION negated(pair) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT -$1.a';
CREATE OPERATOR !~~@ (RIGHTARG = pair, FUNCTION = negated);
COMMENT ON OPERATOR !~~@ (NONE, pair) IS 'prefix';
CREATE FUNCTION backwards(int, int) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS 'SELECT CASE WHEN $1 < $2 THEN 1 WHEN $1 > $2 THEN -1 ELSE 0 END';
CREATE OPERATOR FAMILY loose USING btree;
CREATE OPERATOR CLASS backwards_ops FOR TYPE int USING btree FAMILY loose AS
  OPERATOR 1 > , OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 backwards(int, int);
ALTER OPERATOR FAMILY loose USING btree ADD FUNCTION 2 (int) btint4sortsupport(internal);
CREATE OPERATOR FAMILY alone USING hash;
CREATE OPERATOR CLASS own_hash_ops DEFAULT FOR TYPE pair USING hash AS OPERATOR 1 =(record, record), FUNCTION 1 hash_record(record);
COMMENT ON OPERATOR CLASS backwards_ops USING btree IS 'largest first';
COMMENT ON OPERATOR FAMILY alone USING hash IS 'empty';
ALTER OPERATOR CLASS backwards_ops USING btree OWNER TO ek_owner;

-- Casts, transforms, conversions, collations, access methods
CREATE CAST (pair AS int) WITH FUNCTION overloaded(pair) AS ASSIGNMENT;
CREATE CAST (own_text AS text) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (mood AS json) WITH INOUT;
COMMENT ON CAST (pair AS int) IS 'its first';
CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal));
COMMENT ON TRANSFORM FOR int LANGUAGE sql IS 'never used';
CREATE DEFAULT CONVERSION own_conversion FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE CONVERSION other_conversion FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;
ALTER CONVERSION other_conversion OWNER TO ek_owner;
COMMENT ON CONVERSION own_conversion IS 'as the built-in one';
CREATE COLLATION german (PROVIDER = icu, LOCALE = 'de-u-co-phonebk');
CREATE COLLATION no_case (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);
CREATE COLLATION plain (PROVIDER = libc, LC_COLLATE = 'C', LC_CTYPE = 'POSIX');
CREATE COLLATION copied FROM "C";
COMMENT ON COLLATION german IS 'telephone book';
CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
CREATE ACCESS METHOD btree2 TYPE INDEX HANDLER bthandler;
CREATE OPERATOR CLASS int_ops2 DEFAULT FOR TYPE int USING btree2 AS
  OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int);
COMMENT ON ACCESS METHOD heap2 IS 'the heap again';

-- Text search: parser, template, dictionary, configuration
CREATE TEXT SEARCH PARSER own_parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype, HEADLINE = prsd_headline);
CREATE TEXT SEARCH TEMPLATE own_template (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY own_dictionary (TEMPLATE = own_template, STOPWORDS = 'english', ACCEPT = true);
CREATE TEXT SEARCH CONFIGURATION own_search (PARSER = own_parser);
ALTER TEXT SEARCH CONFIGURATION own_search ADD MAPPING FOR asciiword, word WITH own_dictionary, simple;
CREATE TEXT SEARCH CONFIGURATION copied_search (COPY = pg_catalog.german);
ALTER TEXT SEARCH CONFIGURATION copied_search ALTER MAPPING REPLACE german_stem WITH own_dictionary;
ALTER TEXT SEARCH DICTIONARY own_dictionary OWNER TO ek_owner;
COMMENT ON TEXT SEARCH CONFIGURATION own_search IS 'search';
COMMENT ON TEXT SEARCH PARSER own_parser IS 'parser';

-- Sequences: every option, an own type, owned, cycling, going down, never used
CREATE SEQUENCE numbers AS smallint INCREMENT 3 MINVALUE -5 MAXVALUE 1000 START 4 CACHE 7 CYCLE;
SELECT nextval('numbers') \gset
CREATE UNLOGGED SEQUENCE fleeting;
CREATE SEQUENCE "odd ""sequence" INCREMENT -1;
SELECT nextval('"odd ""sequence"'), nextval('"odd ""sequence"');
CREATE SEQUENCE unused START 77;
GRANT USAGE, SELECT ON SEQUENCE numbers TO ek_reader;
ALTER SEQUENCE numbers OWNER TO ek_owner;

-- Tables: identity, generated, defaults that use functions and sequences, every constraint, storage, compression, parameters
CREATE FUNCTION default_note() RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'made by ' || current_user $$;
CREATE TABLE tracked (
  id bigint GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 5 CACHE 2),
  other int GENERATED BY DEFAULT AS IDENTITY,
  serial_one smallserial,
  num int DEFAULT nextval('numbers') CONSTRAINT num_positive CHECK (num > -10) NO INHERIT,
  note text DEFAULT default_note() COLLATE german,
  doubled int GENERATED ALWAYS AS (num * 2) STORED,
  m mood DEFAULT 'ok' NOT NULL,
  p pair, s spread, ss spreads, d small_number, o own_text, h ext.hstore, ci public.citext,
  big text, packed text, gone int,
  period tstzrange,
  "Odd ""column'
🛟" int DEFAULT 1,
  CONSTRAINT tracked_pk PRIMARY KEY (id) INCLUDE (num),
  CONSTRAINT tracked_unique UNIQUE NULLS NOT DISTINCT (other, num) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT no_overlap EXCLUDE USING gist (num WITH =, period WITH &&) WHERE (num > 0) DEFERRABLE,
  CONSTRAINT own_operator CHECK (num <~> num)
) WITH (fillfactor = 71, autovacuum_enabled = false, toast.autovacuum_vacuum_threshold = 1234);
ALTER TABLE tracked DROP COLUMN gone;
ALTER TABLE tracked ALTER COLUMN big SET STORAGE EXTERNAL, ALTER COLUMN packed SET COMPRESSION lz4, ALTER COLUMN note SET STATISTICS 321;
ALTER TABLE tracked ALTER COLUMN num SET (n_distinct = -0.5, n_distinct_inherited = 7);
ALTER TABLE tracked ADD CONSTRAINT later CHECK (num < 999) NOT VALID;
ALTER TABLE tracked OWNER TO ek_owner;
COMMENT ON TABLE tracked IS 'tracked';
COMMENT ON COLUMN tracked."Odd ""column'
🛟" IS 'odd; DROP TABLE tracked; --';
COMMENT ON CONSTRAINT later ON tracked IS 'not for old rows';
INSERT INTO tracked (num, p, s, ss, d, o, h, ci, big, packed, period)
  SELECT i, ROW(i, 'x', ARRAY['sad', 'happy']::mood[])::pair, spread(i, i + 1), spreads(spread(i, i + 1)), 1 + i % 12, 'o' || i,
    ext.hstore('k', i::text), 'CiText', repeat('b', i * 10), repeat('p', i * 30), tstzrange('2026-01-01', '2026-01-02')
  FROM generate_series(1, 300) i;

CREATE TABLE a_side (id int PRIMARY KEY, b int NOT NULL);
CREATE TABLE b_side (id int PRIMARY KEY, a int);
INSERT INTO a_side SELECT i, i FROM generate_series(1, 5) i;
INSERT INTO b_side SELECT i, i FROM generate_series(1, 5) i;
ALTER TABLE a_side ADD CONSTRAINT a_to_b FOREIGN KEY (b) REFERENCES b_side MATCH FULL ON UPDATE CASCADE ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE b_side ADD CONSTRAINT b_to_a FOREIGN KEY (a) REFERENCES a_side ON DELETE SET NULL (a) ON UPDATE SET DEFAULT DEFERRABLE;
CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree);
INSERT INTO tree VALUES (1, 2), (2, 1), (3, NULL);
CREATE TABLE broken_reference (id int);
INSERT INTO broken_reference VALUES (404);
ALTER TABLE broken_reference ADD CONSTRAINT not_checked FOREIGN KEY (id) REFERENCES tree NOT VALID;
CREATE TABLE broken_check (a int);
INSERT INTO broken_check VALUES (-1);
ALTER TABLE broken_check ADD CONSTRAINT above CHECK (a > 0) NOT VALID;

CREATE TABLE no_columns ();
INSERT INTO no_columns DEFAULT VALUES;
CREATE TABLE empty_one (a int, b text);
CREATE UNLOGGED TABLE unlogged_one (a int PRIMARY KEY);
INSERT INTO unlogged_one VALUES (1), (2);
CREATE TABLE typed OF pair (PRIMARY KEY (a), "B" WITH OPTIONS DEFAULT 'b');
INSERT INTO typed VALUES (1, 'x', '{sad}');
CREATE TABLE by_heap2 (a int) USING heap2;
INSERT INTO by_heap2 VALUES (1);
CREATE TABLE like_columns (LIKE tracked INCLUDING ALL EXCLUDING IDENTITY);
CREATE TABLE fillers (a int, b text) WITH (parallel_workers = 2, user_catalog_table = true);
CREATE TABLE "odd ""schema'. 🛟"."odd ""table'
\. ;--" ("c.1" int, "c""2" text);
INSERT INTO "odd ""schema'. 🛟"."odd ""table'
\. ;--" VALUES (1, E'\\.\n\t\\N'), (NULL, NULL);
ALTER TABLE "odd ""schema'. 🛟"."odd ""table'
\. ;--" OWNER TO "ek ""Odd' role";

-- Inheritance: several parents, a diamond, joined and left later
CREATE TABLE parent (a int NOT NULL, b text DEFAULT 'p', CONSTRAINT b_short CHECK (length(b) < 100));
CREATE TABLE mixin (a int, m mood);
CREATE TABLE child (c int, b text DEFAULT 'c') INHERITS (parent);
CREATE TABLE grandchild (d int) INHERITS (child, mixin);
CREATE TABLE joined_later (a int NOT NULL, b text DEFAULT 'j', extra int, CONSTRAINT b_short CHECK (length(b) < 100));
ALTER TABLE joined_later INHERIT parent;
CREATE TABLE left_again () INHERITS (mixin);
ALTER TABLE left_again NO INHERIT mixin;
ALTER TABLE child ALTER COLUMN b SET NOT NULL;
INSERT INTO parent VALUES (1, 'one');
INSERT INTO child (a, b, c) VALUES (2, 'two', 2);
INSERT INTO grandchild (a, b, c, d, m) VALUES (3, 'three', 3, 3, 'happy');
INSERT INTO joined_later (a, b, extra) VALUES (4, 'four', 4);

-- Partitions: range, list, hash, at three levels, default, by expression, with other column orders, attached, detached
CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz NOT NULL, region text NOT NULL, kind int, what jsonb, PRIMARY KEY (id, at, region)) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM (MINVALUE) TO ('2026-01-01+00') PARTITION BY LIST (region);
CREATE TABLE events_2025_eu PARTITION OF events_2025 FOR VALUES IN ('eu', 'uk') PARTITION BY HASH (id);
CREATE TABLE events_2025_eu_0 PARTITION OF events_2025_eu FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE events_2025_eu_1 PARTITION OF events_2025_eu FOR VALUES WITH (MODULUS 2, REMAINDER 1) WITH (fillfactor = 80);
CREATE TABLE events_2025_rest PARTITION OF events_2025 DEFAULT;
CREATE TABLE events_2026 (what jsonb, kind int DEFAULT 26, region text NOT NULL, gone int, at timestamptz NOT NULL, id bigint NOT NULL);
ALTER TABLE events_2026 DROP COLUMN gone;
ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01+00') TO (MAXVALUE);
CREATE TABLE events_detached PARTITION OF events_2025 FOR VALUES IN ('gone');
INSERT INTO events (at, region) VALUES ('2025-02-03+00', 'gone');
ALTER TABLE events_2025 DETACH PARTITION events_detached;
CREATE INDEX events_kind ON events (kind) INCLUDE (region);
CREATE INDEX only_parent ON ONLY events (region);
INSERT INTO events (at, region, kind, what) SELECT timestamptz '2025-10-01+00' + i * interval '1 day', (ARRAY['eu', 'us', 'uk'])[1 + i % 3], i, jsonb_build_object('i', i) FROM generate_series(1, 200) i;
CREATE TABLE refers_to_rows (id bigint, at timestamptz, region text, FOREIGN KEY (id, at, region) REFERENCES events);
INSERT INTO refers_to_rows SELECT id, at, region FROM events WHERE id % 9 = 0;
CREATE TABLE measured (at date, v numeric) PARTITION BY RANGE (date_part('year', at), (v + 1));
CREATE TABLE measured_all PARTITION OF measured DEFAULT;
INSERT INTO measured VALUES ('2026-03-01', 1.5);
CREATE TABLE no_partitions (a int) PARTITION BY LIST (a);
CREATE TABLE refers_to_partitioned (id bigint, at timestamptz, region text, FOREIGN KEY (id, at, region) REFERENCES events);
COMMENT ON INDEX events_kind IS 'of all partitions';
CREATE FUNCTION notice_event() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER on_events AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION notice_event();
ALTER TABLE events_2025_rest DISABLE TRIGGER on_events;

-- Indexes
CREATE INDEX by_expression ON tracked (lower(note) DESC NULLS LAST, (num + 1)) WHERE num > 5;
CREATE INDEX by_class ON tracked (num backwards_ops) INCLUDE (note) WITH (fillfactor = 60, deduplicate_items = off);
CREATE INDEX by_bloom ON tracked USING bloom (num, other) WITH (length = 100);
CREATE INDEX by_hash ON tracked USING hash (note);
CREATE INDEX by_gin ON tracked USING gin (to_tsvector('app.own_search', note)) WITH (fastupdate = off);
CREATE INDEX by_brin ON tracked USING brin (num) WITH (pages_per_range = 4, autosummarize = on);
CREATE INDEX by_gist ON tracked USING gist (period);
CREATE INDEX by_spgist ON tracked USING spgist (note text_ops);
CREATE INDEX by_trigram_collation ON tracked (note COLLATE "C" text_pattern_ops);
CREATE UNIQUE INDEX "odd ""index" ON tracked ("Odd ""column'
🛟", id);
ALTER INDEX by_expression ALTER COLUMN 2 SET STATISTICS 500;
CREATE TABLE clustered (a int PRIMARY KEY, b int NOT NULL);
CREATE UNIQUE INDEX clustered_by ON clustered (b);
CLUSTER clustered USING clustered_by;
ALTER TABLE clustered REPLICA IDENTITY USING INDEX clustered_by;
CREATE TABLE full_identity (a int);
ALTER TABLE full_identity REPLICA IDENTITY FULL;
CREATE TABLE no_identity (a int);
ALTER TABLE no_identity REPLICA IDENTITY NOTHING;

-- Statistics objects
CREATE STATISTICS on_two (ndistinct, dependencies, mcv) ON num, other FROM tracked;
CREATE STATISTICS on_expression ON (num % 7), lower(note) FROM tracked;
ALTER STATISTICS on_two SET STATISTICS 99;
ALTER STATISTICS on_two OWNER TO ek_owner;
COMMENT ON STATISTICS on_two IS 'of two columns';

-- Triggers: every time and level, transition tables, constraint triggers, disabled and replica ones
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;
CREATE TRIGGER before_update BEFORE UPDATE OF note, num ON tracked FOR EACH ROW WHEN (OLD.note IS DISTINCT FROM NEW.note) EXECUTE FUNCTION touched('an ''arg', E'back\\slash');
CREATE TRIGGER refuse_all BEFORE INSERT OR DELETE ON a_side FOR EACH ROW EXECUTE FUNCTION refuses();
CREATE TRIGGER with_tables AFTER INSERT ON tracked REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION touched();
CREATE TRIGGER on_truncate BEFORE TRUNCATE ON tracked EXECUTE FUNCTION refuses();
CREATE CONSTRAINT TRIGGER checked_late AFTER UPDATE ON tracked DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION touched();
CREATE TRIGGER disabled_one BEFORE INSERT ON tree FOR EACH ROW EXECUTE FUNCTION refuses();
CREATE TRIGGER replica_one BEFORE INSERT ON tree FOR EACH ROW EXECUTE FUNCTION refuses();
CREATE TRIGGER always_one BEFORE INSERT ON tree FOR EACH ROW EXECUTE FUNCTION refuses();
ALTER TABLE tree DISABLE TRIGGER disabled_one, ENABLE REPLICA TRIGGER replica_one, ENABLE ALWAYS TRIGGER always_one;
COMMENT ON TRIGGER refuse_all ON a_side IS 'nothing may come';

-- Views: with check option, security barrier and invoker, recursive, with rules and triggers, cyclic through a function
CREATE VIEW barrier WITH (security_barrier = true, security_invoker = true) AS SELECT id, note FROM tracked WHERE num > 5;
CREATE VIEW updatable AS SELECT * FROM tree WHERE id < 10 WITH CASCADED CHECK OPTION;
CREATE VIEW updatable_locally WITH (check_option = local) AS SELECT * FROM updatable;
CREATE RECURSIVE VIEW counting (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM counting WHERE n < 10;
CREATE VIEW "odd ""view" AS SELECT t."Odd ""column'
🛟" AS "x ""y", 'a''b'::text AS c FROM tracked t;
ALTER VIEW updatable ALTER COLUMN id SET DEFAULT 9;
CREATE VIEW ruled AS SELECT 1 AS a;
CREATE RULE ruled_insert AS ON INSERT TO ruled DO INSTEAD (INSERT INTO empty_one VALUES (NEW.a, 'by rule'); NOTIFY ruled);
CREATE RULE quiet AS ON DELETE TO ruled WHERE OLD.a > 5 DO INSTEAD NOTHING;
CREATE RULE also AS ON UPDATE TO empty_one DO ALSO SELECT 1;
CREATE RULE disabled_rule AS ON DELETE TO empty_one DO INSTEAD NOTHING;
ALTER TABLE empty_one DISABLE RULE disabled_rule;
CREATE TRIGGER instead INSTEAD OF UPDATE ON ruled FOR EACH ROW EXECUTE FUNCTION touched();
COMMENT ON VIEW barrier IS 'a view';
COMMENT ON RULE also ON empty_one IS 'also';
-- Views that need each other: pg_dump must break the circle
CREATE VIEW circle_a AS SELECT 1 AS x, 'a'::text AS y;
CREATE VIEW circle_b AS SELECT x, y FROM circle_a;
CREATE OR REPLACE VIEW circle_a AS SELECT x, y FROM (SELECT 1 AS x, 'a'::text AS y) q WHERE EXISTS (SELECT 1 FROM pg_class WHERE relname = 'circle_b');
-- A view that groups by a primary key depends on the constraint, which comes after the data
CREATE VIEW grouped AS SELECT id, note, count(*) FROM tracked GROUP BY id;

-- Materialised views: on each other, against their names' order, through views, filled and not, with indexes
CREATE MATERIALIZED VIEW z_first WITH (fillfactor = 50) AS SELECT num, count(*) AS n FROM tracked GROUP BY num;
CREATE UNIQUE INDEX z_first_num ON z_first (num);
CLUSTER z_first USING z_first_num;
CREATE VIEW between_them AS SELECT sum(n) AS n FROM z_first;
CREATE MATERIALIZED VIEW a_second AS SELECT n FROM between_them;
CREATE MATERIALIZED VIEW not_filled AS SELECT * FROM a_second WITH NO DATA;
CREATE MATERIALIZED VIEW filled_from_grouped AS SELECT count FROM grouped;
CREATE INDEX not_filled_n ON not_filled (n);
GRANT SELECT ON between_them TO ek_owner;
ALTER MATERIALIZED VIEW a_second OWNER TO ek_owner;
COMMENT ON MATERIALIZED VIEW z_first IS 'counted';

-- Row security and policies
ALTER TABLE tree ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON tree USING (id > 0);
CREATE POLICY readers ON tree AS RESTRICTIVE FOR SELECT TO ek_reader, "ek ""Odd' role" USING (EXISTS (SELECT 1 FROM a_side WHERE a_side.id = tree.id));
CREATE POLICY writers ON tree FOR INSERT TO CURRENT_USER WITH CHECK (parent IS NOT NULL);
COMMENT ON POLICY readers ON tree IS 'only these';
CREATE TABLE policy_without_security (a int);
CREATE POLICY unused ON policy_without_security FOR UPDATE USING (true) WITH CHECK (a > 0);

-- Rights: on tables, columns, with grant option, by other grantors; default privileges
GRANT SELECT, INSERT ON tracked TO ek_reader WITH GRANT OPTION;
GRANT SELECT (id, note), UPDATE (note) ON tracked TO PUBLIC;
GRANT ALL ON ALL TABLES IN SCHEMA app TO "ek ""Odd' role";
REVOKE TRUNCATE, TRIGGER ON tracked FROM ek_owner;
SET ROLE ek_reader;
GRANT SELECT ON app.tracked TO "ek ""Odd' role";
RESET ROLE;
GRANT SELECT ON pg_catalog.pg_authid TO ek_reader;
REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(float8) FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE ek_owner IN SCHEMA app GRANT SELECT ON TABLES TO ek_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE ek_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE ek_owner GRANT USAGE ON TYPES TO ek_reader WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO "ek ""Odd' role";
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO ek_reader;

-- Foreign data: wrappers, servers, user mappings, tables, an imported column option
CREATE FOREIGN DATA WRAPPER own_wrapper OPTIONS (debug 'true', "odd ""key" 'it''s');
CREATE FOREIGN DATA WRAPPER handled_wrapper HANDLER ext.postgres_fdw_handler VALIDATOR ext.postgres_fdw_validator;
CREATE SERVER far TYPE 'other' VERSION '1.0' FOREIGN DATA WRAPPER own_wrapper OPTIONS (host 'x''y', port '1');
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '1', dbname 'nowhere');
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
ALTER SERVER far OWNER TO ek_owner;
GRANT USAGE ON FOREIGN DATA WRAPPER own_wrapper TO ek_owner WITH GRANT OPTION;
GRANT USAGE ON FOREIGN SERVER far TO ek_reader;
CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (secret 'p''w');
CREATE USER MAPPING FOR ek_reader SERVER elsewhere OPTIONS (user 'u', password 'p"w\');
CREATE USER MAPPING FOR "ek ""Odd' role" SERVER far;
CREATE FOREIGN TABLE remote (a int OPTIONS (column_name 'A') NOT NULL, b text DEFAULT 'x', CONSTRAINT a_positive CHECK (a > 0)) SERVER elsewhere OPTIONS (schema_name 's', table_name 't');
CREATE FOREIGN TABLE remote_child () INHERITS (parent) SERVER elsewhere;
CREATE TABLE with_foreign (a int, b text) PARTITION BY LIST (a);
CREATE FOREIGN TABLE with_foreign_1 PARTITION OF with_foreign FOR VALUES IN (1) SERVER elsewhere;
COMMENT ON SERVER far IS 'a server';
COMMENT ON FOREIGN DATA WRAPPER own_wrapper IS 'a wrapper';
COMMENT ON FOREIGN TABLE remote IS 'a foreign table';

-- Publications: all tables, chosen columns and rows, schemas, chosen operations
CREATE PUBLICATION everything FOR ALL TABLES;
CREATE PUBLICATION part FOR TABLE tracked (id, note) WHERE (num > 5), clustered WITH (publish = 'insert, delete', publish_via_partition_root = true);
CREATE PUBLICATION schemas FOR TABLES IN SCHEMA app, "odd ""schema'. 🛟";
CREATE PUBLICATION nothing;
ALTER PUBLICATION part OWNER TO ek_owner;
COMMENT ON PUBLICATION part IS 'some';
CREATE SUBSCRIPTION taking CONNECTION 'host=127.0.0.1 port=1 dbname=''no where'' password=pw' PUBLICATION one, "odd ""two"
  WITH (connect = false, slot_name = 'taking_slot', binary = true, streaming = true, synchronous_commit = 'remote_apply', disable_on_error = true);
CREATE SUBSCRIPTION without_slot CONNECTION 'dbname=x' PUBLICATION one WITH (connect = false, slot_name = NONE, two_phase = true);
COMMENT ON SUBSCRIPTION taking IS 'takes';
ALTER SUBSCRIPTION taking ENABLE;

-- Large objects with owners, rights and comments; one is empty, one has holes
SELECT lo_from_bytea(4711, decode(repeat('c0ffee00', 3000), 'hex')), lo_create(4712), lo_create(4713);
SELECT lo_put(4713, 100000, 'after a hole');
ALTER LARGE OBJECT 4711 OWNER TO ek_owner;
GRANT SELECT ON LARGE OBJECT 4711 TO ek_reader WITH GRANT OPTION;
GRANT UPDATE ON LARGE OBJECT 4712 TO PUBLIC;
COMMENT ON LARGE OBJECT 4712 IS 'it''s "empty" \';

-- Objects that go when an extension goes
ALTER FUNCTION touched() DEPENDS ON EXTENSION hstore;
ALTER TRIGGER before_update ON tracked DEPENDS ON EXTENSION hstore;
ALTER INDEX by_bloom DEPENDS ON EXTENSION bloom;

-- Event triggers of each event and state; they would refuse what comes after them
CREATE FUNCTION refuse_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no % here', tg_tag; END $$;
CREATE EVENT TRIGGER refuse_start ON ddl_command_start WHEN TAG IN ('CREATE TABLE', 'DROP TABLE') EXECUTE FUNCTION refuse_ddl();
CREATE EVENT TRIGGER refuse_end ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION refuse_ddl();
CREATE EVENT TRIGGER refuse_drop ON sql_drop EXECUTE FUNCTION refuse_ddl();
CREATE EVENT TRIGGER refuse_rewrite ON table_rewrite EXECUTE FUNCTION refuse_ddl();
ALTER EVENT TRIGGER refuse_end DISABLE;
ALTER EVENT TRIGGER refuse_drop ENABLE REPLICA;
ALTER EVENT TRIGGER refuse_rewrite ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER refuse_start IS 'no tables';
COMMENT ON DATABASE "every kind" IS 'every kind of ''object''';
