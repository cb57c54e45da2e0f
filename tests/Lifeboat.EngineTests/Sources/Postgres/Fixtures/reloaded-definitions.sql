-- Definitions that PostgreSQL prints in another way when its own print was read again. Each is right, and none may be refused.
SELECT 'CREATE ROLE reloaded_reader' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reloaded_reader') \gexec
CREATE SCHEMA o; SET search_path = o, public; SET check_function_bodies = off;

-- Checks on tables: a cast of an array is pushed into its elements.
CREATE TABLE c01 (s varchar(20), CONSTRAINT c01 CHECK (s IN ('new', 'done')));
CREATE TABLE c02 (s varchar, CONSTRAINT c02 CHECK (s NOT IN ('new', 'done')));
CREATE TABLE c03 (s char(4), CONSTRAINT c03 CHECK (s IN ('a', 'b')));
CREATE TABLE c04 (s bpchar, CONSTRAINT c04 CHECK (s NOT IN ('a', 'b')));
CREATE TABLE c05 (s varchar, CONSTRAINT c05 CHECK (s = ANY (ARRAY['a', 'b'])));
CREATE TABLE c06 (s varchar, CONSTRAINT c06 CHECK (s <> ALL (ARRAY['a', 'b']::varchar[])));
CREATE TABLE c07 (s text, CONSTRAINT c07 CHECK (s = ANY (ARRAY['a', 'b']::varchar[])));
CREATE TABLE c08 (s name, CONSTRAINT c08 CHECK (s IN ('a', 'b') OR s IS NULL));
CREATE TABLE c09 (n smallint, CONSTRAINT c09 CHECK (n = ANY (ARRAY[1, 2]::bigint[])));
CREATE TABLE c10 (n numeric(5, 2), CONSTRAINT c10 CHECK (n IN (1, 2.5, 3)), CONSTRAINT c10b CHECK (n = ANY (ARRAY[1, 2]::int[]::numeric[])));
CREATE TABLE c11 (d date, CONSTRAINT c11 CHECK (d = ANY (ARRAY['2026-01-01', '2026-02-01']::date[]::timestamp[])));
CREATE TABLE c12 (s varchar[], CONSTRAINT c12 CHECK (s <@ ARRAY['a', 'b']::varchar[]), CONSTRAINT c12b CHECK (s && ARRAY['a'::text, 'b']::varchar[]));
-- Nested ANDs and ORs are flattened.
CREATE TABLE c13 (a date, b date, d date, CONSTRAINT c13 CHECK (d BETWEEN a AND b AND d IS NOT NULL));
CREATE TABLE c14 (a int, b int, CONSTRAINT c14 CHECK (a > 0 AND (b > 0 AND (a > 1 AND b > 1))), CONSTRAINT c14b CHECK ((a = 1 AND b = 2) AND a < b));
CREATE TABLE c15 (a int, b int, CONSTRAINT c15 CHECK (a > 0 OR (b > 0 OR (a > 1 OR b > 1))), CONSTRAINT c15b CHECK (a NOT BETWEEN 1 AND 2 OR b IS NULL));
CREATE TABLE c16 (a int, CONSTRAINT c16 CHECK (a BETWEEN SYMMETRIC 5 AND 1 AND a <> 3));
CREATE TABLE c17 (s varchar, state varchar, CONSTRAINT c17 CHECK ((s IN ('x', 'y') AND (state IN ('u', 'v') AND state IS NOT NULL)) OR s IS NULL));
CREATE TABLE c18 (s varchar) ; ALTER TABLE c18 ADD CONSTRAINT c18 CHECK (s IN ('not', 'valid')) NOT VALID;
CREATE TABLE c19 (s varchar CONSTRAINT c19 CHECK (CASE WHEN s IN ('a', 'b') THEN length(s) BETWEEN 1 AND 3 AND s <> 'c' ELSE false END) NO INHERIT);
CREATE TABLE c20 (s varchar CHECK (s IN ('p', 'q'))); CREATE TABLE c20_child (z int) INHERITS (c20);
CREATE TABLE c21 (s varchar, t varchar, CONSTRAINT c21 CHECK ((s, t) IN (('a', 'b'), ('c', 'd'))));
CREATE TABLE "C 22" ("an ""odd" varchar, CONSTRAINT "it's; odd" CHECK ("an ""odd" IN ('; DROP', 'it''s', E'back\\slash', 'ä')));
CREATE TYPE state AS ENUM ('new', 'done');
CREATE TABLE c23 (s state, CONSTRAINT c23 CHECK (s = ANY (ARRAY['new', 'done']::text[]::state[])));
CREATE TABLE c24 (s varchar COLLATE "C", CONSTRAINT c24 CHECK (s COLLATE "POSIX" IN ('a', 'b')));
CREATE TABLE c25 (a int, b varchar); CREATE FUNCTION whole(c25) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT true';
ALTER TABLE c25 ADD CONSTRAINT c25 CHECK (whole(c25) AND (b IN ('a', 'b') AND a > 0));

-- Domains and types.
CREATE DOMAIN d01 AS varchar(10) CONSTRAINT d01 CHECK (VALUE IN ('a', 'b'));
CREATE DOMAIN d02 AS date CONSTRAINT d02 CHECK (VALUE BETWEEN '2026-01-01' AND '2027-01-01' AND VALUE IS NOT NULL);
CREATE DOMAIN d03 AS varchar[] CONSTRAINT d03 CHECK (VALUE <@ ARRAY['a', 'b']::varchar[]);
CREATE TABLE d04 (s d01 DEFAULT 'a', t d01, CONSTRAINT d04 CHECK (s IN ('a', 'b') AND t <> ALL (ARRAY['c', 'd']::varchar[])));

-- Defaults and generated columns.
CREATE TABLE g01 (s varchar, a text[] DEFAULT ARRAY['x', 'y']::varchar[], ok boolean GENERATED ALWAYS AS (s IN ('a', 'b')) STORED);
CREATE TABLE g02 (a int, b int, ok boolean GENERATED ALWAYS AS (a > 0 AND (b > 0 AND a < b)) STORED, no boolean DEFAULT (1 = 1 OR (2 = 2 OR 3 = 3)));
CREATE VIEW g03 AS SELECT s FROM g01; ALTER VIEW g03 ALTER s SET DEFAULT (ARRAY['u', 'v']::varchar[]::text[])[1];

-- Indexes: partial ones, over expressions, unique, exclusion.
CREATE TABLE i00 (s varchar, n int, d date, r int4range);
CREATE INDEX i01 ON i00 (n) WHERE s IN ('new', 'done');
CREATE UNIQUE INDEX i02 ON i00 (n, (s IN ('a', 'b'))) INCLUDE (d) WHERE n > 0 AND (n < 9 AND s IS NOT NULL);
CREATE INDEX i03 ON i00 ((CASE WHEN s IN ('a', 'b') THEN 1 ELSE 2 END) DESC NULLS LAST, lower(s) text_pattern_ops) WITH (fillfactor = 70);
CREATE INDEX i04 ON i00 USING hash ((n IN (1, 2) OR (n = 3 OR n = 4)));
ALTER TABLE i00 ADD CONSTRAINT i05 EXCLUDE USING gist (r WITH &&) WHERE (s IN ('a', 'b') AND (n > 0 AND n < 5));

-- Views, materialised views, rules.
CREATE VIEW v01 AS SELECT * FROM i00 WHERE s IN ('new', 'done');
CREATE VIEW v02 AS SELECT n FROM i00 WHERE n BETWEEN 1 AND 5 AND s IS NOT NULL WITH CASCADED CHECK OPTION;
CREATE VIEW v03 AS SELECT 1 AS a UNION SELECT 2 UNION ALL SELECT 3;
CREATE VIEW v04 (a, b) AS SELECT s, 'x' FROM i00 UNION SELECT 'y', s FROM c01;
CREATE VIEW v05 WITH (security_barrier) AS SELECT s, count(*) FILTER (WHERE s IN ('a', 'b')) AS f FROM i00 GROUP BY s HAVING bool_or(s NOT IN ('c', 'd'));
CREATE VIEW v06 AS WITH q AS (SELECT s FROM i00 WHERE s IN ('a', 'b') OR (n = 1 OR n = 2)) SELECT q.s FROM q JOIN c01 ON c01.s = q.s AND (q.s <> 'a' AND c01.s <> 'b');
CREATE VIEW v07 AS SELECT sum(n) OVER (PARTITION BY s IN ('a', 'b') ORDER BY s NOT IN ('c', 'd')) AS w FROM i00;
CREATE MATERIALIZED VIEW m01 AS SELECT s, n FROM i00 WHERE s IN ('a', 'b') AND (n > 0 AND n < 5);
CREATE INDEX m01_s ON m01 (n) WHERE s IN ('a', 'b');
CREATE TABLE r00 (s varchar, n int);
CREATE RULE r01 AS ON UPDATE TO r00 WHERE old.s IN ('a', 'b') DO INSTEAD NOTHING;
CREATE RULE r02 AS ON INSERT TO r00 WHERE new.n BETWEEN 1 AND 5 AND new.s IS NOT NULL DO ALSO DELETE FROM i00 WHERE s IN ('a', 'b');
-- Columns that came later: the list of names behind a function of a row type, and of a table with an alias.
CREATE TABLE v10 (a int, b int); CREATE FUNCTION rows_of() RETURNS SETOF v10 LANGUAGE sql AS 'SELECT * FROM o.v10';
CREATE VIEW v11 AS SELECT f.a, f.b FROM rows_of() f; CREATE VIEW v12 AS SELECT x.p FROM rows_of() x(p, q); CREATE VIEW v13 AS SELECT y.p FROM v10 y(p);
ALTER TABLE v10 ADD COLUMN c text;

-- Policies, triggers, statistics, publications.
CREATE TABLE p00 (s varchar, n int); ALTER TABLE p00 ENABLE ROW LEVEL SECURITY;
CREATE POLICY p01 ON p00 FOR UPDATE TO reloaded_reader USING (s IN ('a', 'b')) WITH CHECK (s NOT IN ('c', 'd') AND (n > 0 AND n < 5));
CREATE POLICY p02 ON p00 AS RESTRICTIVE USING (EXISTS (SELECT FROM i00 WHERE i00.s IN ('a', 'b') AND i00.n = p00.n));
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t01 BEFORE UPDATE OF s ON p00 FOR EACH ROW WHEN (old.s IN ('a', 'b') AND (new.n > 0 AND new.n < 5)) EXECUTE FUNCTION touch('it''s');
CREATE CONSTRAINT TRIGGER t02 AFTER INSERT ON p00 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (new.s NOT IN ('a', 'b')) EXECUTE FUNCTION touch();
ALTER TABLE p00 DISABLE TRIGGER t02;
CREATE STATISTICS st01 ON (s IN ('a', 'b')), (n > 0 OR (n < 5 OR n = 7)) FROM p00; ALTER STATISTICS st01 SET STATISTICS 7;
CREATE STATISTICS st02 (ndistinct) ON n, (CASE WHEN s IN ('a', 'b') THEN n END) FROM p00;
CREATE PUBLICATION pub01 FOR TABLE p00 WHERE (s <> 'a' AND (n > 0 AND n < 5)), TABLE i00 WHERE (n BETWEEN 1 AND 5 AND s <> 'b');

-- Partitions: keys, bounds, and checks on the parts.
CREATE TABLE pa01 (s varchar, n int, CONSTRAINT pa01 CHECK (s IN ('a', 'b', 'c'))) PARTITION BY LIST ((CASE WHEN s IN ('a', 'b') THEN 'x' ELSE 'y' END));
CREATE TABLE pa01_x PARTITION OF pa01 FOR VALUES IN ('x'); CREATE TABLE pa01_y PARTITION OF pa01 (CONSTRAINT pa01_y CHECK (n BETWEEN 1 AND 5 AND n <> 3)) DEFAULT;
CREATE TABLE pa02 (s varchar(5)) PARTITION BY LIST (s); CREATE TABLE pa02_1 PARTITION OF pa02 FOR VALUES IN ('a', NULL);
CREATE TABLE pa03 (n numeric(6, 2), d date) PARTITION BY RANGE (n, d);
CREATE TABLE pa03_1 PARTITION OF pa03 FOR VALUES FROM (MINVALUE, MINVALUE) TO (1 + 1.5, current_date - current_date + date '2026-01-01');
CREATE TABLE pa04 (s varchar, n int) PARTITION BY RANGE ((n > 0 AND (n < 5 AND n <> 3))); CREATE TABLE pa04_1 PARTITION OF pa04 FOR VALUES FROM (false) TO (true);
CREATE INDEX pa04_i ON pa04 (n) WHERE s IN ('a', 'b');
ALTER TABLE pa01_x ADD CONSTRAINT pa01_x CHECK (s IN ('a', 'b') AND (n > 0 AND n < 5));

-- Functions: bodies of standard SQL, defaults of arguments.
CREATE FUNCTION f01(s varchar) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN s IN ('a', 'b');
CREATE FUNCTION f02(s varchar, n int DEFAULT (CASE WHEN 'a'::varchar IN ('a', 'b') THEN 1 ELSE 2 END)) RETURNS int LANGUAGE sql
BEGIN ATOMIC DELETE FROM i00 WHERE i00.s IN ('x', 'y') AND (i00.n > 0 AND i00.n < 5); SELECT CASE WHEN f02.s IN ('a', 'b') THEN 1 ELSE 2 END; END;
CREATE FUNCTION f03(a text[] DEFAULT ARRAY['a', 'b']::varchar[], b boolean DEFAULT (1 = 1 AND (2 = 2 AND 3 = 3))) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE f04(s varchar) LANGUAGE sql BEGIN ATOMIC INSERT INTO r00 SELECT f04.s, 1 WHERE f04.s NOT IN ('a', 'b'); END;
CREATE VIEW v20 AS SELECT f01(s) AS a FROM i00 WHERE f02(s) = ANY (ARRAY[1, 2]::smallint[]::int[]);
-- A view that groups by a key is made behind the key.
CREATE TABLE k01 (id int PRIMARY KEY, s varchar); CREATE VIEW k02 AS SELECT id, s FROM k01 WHERE s IN ('a', 'b') GROUP BY id;
-- Two views that read each other, and a table's default that calls what reads the table.
CREATE FUNCTION next_n() RETURNS int LANGUAGE sql AS 'SELECT coalesce(max(n), 0) + 1 FROM o.l01';
CREATE TABLE l01 (n int DEFAULT next_n(), s varchar CHECK (s IN ('a', 'b'))); CREATE FUNCTION of_l01(l01) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT $1.n > 0';
CREATE INDEX l01_whole ON l01 (n) WHERE of_l01(l01) AND (s IN ('a', 'b') AND n < 5);
-- Foreign tables.
CREATE FOREIGN DATA WRAPPER nobody; CREATE SERVER nowhere FOREIGN DATA WRAPPER nobody;
CREATE FOREIGN TABLE ft01 (s varchar DEFAULT (ARRAY['u', 'v']::varchar[]::text[])[1], n int, CONSTRAINT ft01 CHECK (s IN ('a', 'b') AND (n > 0 AND n < 5))) SERVER nowhere;

INSERT INTO c01 SELECT 'new'; INSERT INTO i00 VALUES ('new', 1, '2026-01-01', '[1,5)'); INSERT INTO pa01 VALUES ('a', 1); INSERT INTO g01 (s) VALUES ('a'); INSERT INTO k01 VALUES (1, 'a');
REFRESH MATERIALIZED VIEW m01;
