-- Every built-in type at its extremes. Run by a superuser in an empty database.
CREATE EXTENSION hstore;
CREATE TABLE numbers (i2 smallint, i4 int, i8 bigint, n numeric, n_scaled numeric(1000, 999), f4 real, f8 double precision, m money, o oid);
INSERT INTO numbers VALUES
  (-32768, -2147483648, -9223372036854775808, 'NaN', 'NaN', 'NaN', 'NaN', '-92233720368547758.08', 0),
  (32767, 2147483647, 9223372036854775807, 'Infinity', '1e-999', 'Infinity', 'Infinity', '92233720368547758.07', 4294967295),
  (0, 0, 0, '-Infinity', -0.1, '-Infinity', '-Infinity', 0, 1),
  (1, 1, 1, repeat('9', 131072)::numeric, 0, '-0', '-0', '-0.01', 2),
  (NULL, NULL, NULL, ('0.' || repeat('0', 16382) || '1')::numeric, NULL, '1e-45', '5e-324', NULL, NULL),
  (NULL, NULL, NULL, 1.000000, NULL, 3.4028235e38, 1.7976931348623157e308, NULL, NULL),
  (NULL, NULL, NULL, -0.0000, NULL, 0.1, 0.1, NULL, NULL),
  (NULL, NULL, NULL, 1e-16383, NULL, 16777217, 9007199254740993, NULL, NULL),
  (NULL, NULL, NULL, NULL, NULL, 1.17549435e-38, 2.2250738585072014e-308, NULL, NULL);
INSERT INTO numbers (f4, f8) SELECT (random() - 0.5) * 10 ^ (random() * 70 - 35), (random() - 0.5) * 10 ^ (random() * 600 - 300) FROM generate_series(1, 3000);

CREATE TABLE moments (d date, t time, tz timetz, ts timestamp, tsz timestamptz, i interval, t3 time(3), ts0 timestamp(0), iym interval year to month);
INSERT INTO moments VALUES
  ('4713-01-01 BC', '00:00', '00:00+15:59:59', '4713-01-01 00:00:00 BC', '4713-01-01 00:00:00+00 BC', '-178000000 years', '00:00:00.001', '4713-01-01 BC', '1 year 2 mons'),
  ('5874897-12-31', '24:00', '24:00-15:59:59', '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999+00', '178000000 years', '24:00', '294276-12-31', '-1 year'),
  ('infinity', '23:59:59.999999', '12:00:00.000001+05:45', 'infinity', 'infinity', '-1 mon +2 days -03:04:05.000006', '12:34:56.789', 'infinity', '0'),
  ('-infinity', '00:00:00.000001', '12:00+00', '-infinity', '-infinity', '1 mon -1 day 00:00:00.000001', NULL, '-infinity', NULL),
  ('0001-12-31 BC', NULL, NULL, '0044-03-15 12:00:00 BC', '0001-01-01 00:00:00+00', '0', NULL, NULL, NULL),
  ('1582-10-10', NULL, NULL, '2016-12-31 23:59:60', '1883-11-18 12:03:57.999999-08', '24:00:00', NULL, NULL, NULL),
  ('2024-02-29', NULL, NULL, '1999-12-31 23:59:59.999999', '2026-10-25 02:30:00+02', '-00:00:00.000001', NULL, NULL, NULL);

CREATE TABLE texts (t text, v varchar(10), c char(10), n name, one "char", b bytea, bits bit(9), vbits bit varying(70), x xml, j json, jb jsonb, jp jsonpath);
INSERT INTO texts VALUES
  ('', '', '', '', '', '', B'000000000', B'', '', 'null', 'null', '$'),
  (E'\\.', E'\\N', E'\t', E'\\', '\', '\x00', B'111111111', B'1', '<a/>', '  {"a" : 1, "a":2, "\u0000":null}', '{"a": 1e400, "b": -0, "c": 1.10}', 'strict $.a[*] ? (@.b like_regex "^\\d" flag "i")'),
  (E'\b\f\n\r\t\v\x01\x7f', E'a\nb', 'x         ', E'tab\t', E'\n', '\x5c2e0a5c4e0d0a', B'101010101', repeat('10', 35)::varbit, 'text only &amp; no element', '[1, "\\u00e9"]', '"\\u00e9 🛟"', '$.**{2 to last}'),
  ('🛟 e' || U&'\0301' || ' ﷽ ' || U&'\+01F1E9' || U&'\+01F1EA' || U&'\200D\FEFF\202E', 'éééééééééé', 'ü', repeat('ä', 31), '\377', decode(repeat('00ff', 5000), 'hex'), NULL, NULL,
    '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE a><a b="ü">&lt;</a>', to_json(repeat('x', 100000)), jsonb_build_object(repeat('k', 1000), repeat('v', 100000)), NULL),
  ('NULL', 'null', '\N', 'NULL', 'N', '\x4e554c4c', NULL, NULL, NULL, '""', '[]', NULL),
  (repeat('long ', 200000), NULL, NULL, NULL, NULL, decode(repeat('deadbeef', 100000), 'hex'), NULL, NULL, NULL, '{}', '{}', NULL),
  (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO texts (t, b) SELECT chr(i), decode(lpad(to_hex(i % 256), 2, '0'), 'hex') FROM generate_series(1, 1500) i;
INSERT INTO texts (jb) SELECT j FROM (WITH RECURSIVE deep(n, j) AS (SELECT 1, '1'::jsonb UNION ALL SELECT n + 1, jsonb_build_array(j) FROM deep WHERE n < 1000) SELECT j FROM deep WHERE n = 1000) d;

CREATE TYPE inner_type AS (a text, b int[]);
CREATE TYPE outer_type AS (i inner_type, j inner_type[], k timestamptz);
CREATE TABLE composed (a1 int[], a6 text[][][][][][], bounds int[], nulls text[], empty text[], r inner_type, rr outer_type, ra outer_type[], h hstore);
INSERT INTO composed VALUES
  ('{1,NULL,-1}', '{{{{{{a,NULL,"NULL"},{"","\"","\\"}}}}}}', '[-5:-3]={1,2,3}', ARRAY[NULL, 'NULL', '', ' ', '{', '}', ',', E'\n', '"', '\'], '{}',
    ROW('a,(")' || E'\n\\', '{1,NULL}'), ROW(ROW(NULL, NULL), ARRAY[ROW('', '{}')::inner_type, NULL], 'infinity'), ARRAY[ROW(NULL, NULL, NULL)::outer_type], '"a"=>NULL, "b\"=>"=>"", c=>"NULL"'),
  ('{}', NULL, '[0:1][2:3]={{1,2},{3,4}}', NULL, NULL, ROW(NULL, NULL), NULL, NULL, ''),
  (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO composed (a1) SELECT array_agg(i) FROM generate_series(1, 200000) i;

CREATE TABLE ranges (i4 int4range, i8 int8range, n numrange, t tsrange, tz tstzrange, d daterange, m4 int4multirange, mn nummultirange, mtz tstzmultirange);
INSERT INTO ranges VALUES
  ('empty', '(,)', '[-Infinity,Infinity]', '(-infinity,infinity)', '[2026-01-01 00:00+00,2026-01-01 00:00+00]', '[4713-01-01 BC,5874897-12-30]', '{}', '{(,)}', '{[-infinity,2000-01-01 00:00+00),(2001-01-01 00:00+00,infinity)}'),
  ('[1,2147483647)', '[-9223372036854775808,9223372036854775807)', '(1.0,1.00]', '[,]', 'empty', 'empty', '{[1,2),[5,6)}', '{(1,2),(3,)}', '{}'),
  (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

CREATE TABLE shapes (p point, l line, s lseg, b box, pa path, po polygon, c circle);
INSERT INTO shapes VALUES ('(NaN,-Infinity)', '{1,-0,5e-324}', '[(1e300,0),(0.1,0.2)]', '(1,1),(-0,0)', '[(0,0),(1,1)]', '((0,0),(0,1),(1,NaN))', '<(0,0),Infinity>'),
  ('(0.1,0.30000000000000004)', '{0,-1,1}', '[(0,0),(0,0)]', '(2,2),(1,1)', '((0,0),(1,1))', '((0,0))', '<(1,2),3>');

CREATE TABLE networks (i inet, c cidr, m macaddr, m8 macaddr8, u uuid);
INSERT INTO networks VALUES ('0.0.0.0/0', '::/0', 'ff:ff:ff:ff:ff:ff', 'ff:ff:ff:ff:ff:ff:ff:ff', 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
  ('::ffff:1.2.3.4/96', '10.0.0.0/8', '00:00:00:00:00:00', '00:00:00:ff:fe:00:00:00', '00000000-0000-0000-0000-000000000000'), ('192.168.1.5/24', '2001:db8::/32', NULL, NULL, NULL);

CREATE TABLE searches (v tsvector, q tsquery);
INSERT INTO searches VALUES ('''a''''b'':1A,2B,16383C ''\\'' '' '':5', '!(''a b'':*AB & c) | (d <-> e <16384> ''\\'')'), ('', ''), (array_to_tsvector(ARRAY[repeat('x', 2046)]), NULL);
INSERT INTO searches SELECT to_tsvector('simple', string_agg('word' || i, ' ')), NULL FROM generate_series(1, 20000) i;

CREATE TABLE names_of_things (c regclass, n regnamespace, t regtype, p regproc, pp regprocedure, o regoper, oo regoperator, r regrole, tc regconfig, td regdictionary, co regcollation);
CREATE SCHEMA "odd ""names"; CREATE TABLE "odd ""names"."Table.1" ();
INSERT INTO names_of_things VALUES ('"odd ""names"."Table.1"', '"odd ""names"', 'numbers', 'now', 'lower(text)', '|/', '-(NONE,int4)', 'postgres', 'german', 'simple', '"C"'),
  ('pg_class', 'pg_catalog', 'timestamp with time zone', 'pg_catalog.now', 'upper(text)', NULL, '+(int,int)', 'pg_monitor', 'simple', 'german_stem', '"POSIX"'),
  ('-', '-', '-', '-', '-', '0', '0', '-', '-', '-', '-');

CREATE TABLE internals (t tid, x xid, x8 xid8, c cid, l pg_lsn, s pg_snapshot, ts txid_snapshot, acl aclitem, acls aclitem[], iv int2vector, ov oidvector, rc refcursor);
INSERT INTO internals VALUES ('(4294967295,65535)', '4294967295', '18446744073709551615', '4294967295', 'FFFFFFFF/FFFFFFFF', '10:20:10,14,15', '10:20:10,14,15', 'postgres=arwdDxt/postgres', '{=r/postgres}', '1 2 -3', '1 2 4294967295', 'a "cursor"');

-- 1,600 columns, most of them null; dropped columns before, between and after
DO $$ BEGIN
  EXECUTE 'CREATE TABLE wide (' || (SELECT string_agg(format('c%s %s', i, (ARRAY['int', 'text', 'bool', 'date'])[1 + i % 4]), ', ') FROM generate_series(1, 1600) i) || ')';
END $$;
INSERT INTO wide (c1, c2, c3, c4, c1597, c1598, c1599, c1600) VALUES ('x', true, 'infinity', 1, '', false, NULL, 1600);
INSERT INTO wide DEFAULT VALUES;
CREATE TABLE dropped (gone1 int, a int, gone2 text, gone3 int, b text, gone4 int);
INSERT INTO dropped VALUES (1, 2, 'x', 3, 'b', 4);
ALTER TABLE dropped DROP COLUMN gone1, DROP COLUMN gone2, DROP COLUMN gone3, DROP COLUMN gone4;
INSERT INTO dropped VALUES (3, NULL);
CREATE TABLE all_dropped (a int, b int);
INSERT INTO all_dropped VALUES (1, 2), (3, 4);
ALTER TABLE all_dropped DROP COLUMN a, DROP COLUMN b;
CREATE TABLE added (a int);
INSERT INTO added VALUES (1);
ALTER TABLE added ADD COLUMN b text DEFAULT 'never written', ADD COLUMN c timestamptz DEFAULT '2026-01-01 00:00+00';
CREATE TABLE only_generated (a int GENERATED ALWAYS AS (5) STORED);
INSERT INTO only_generated DEFAULT VALUES;
CREATE TABLE no_columns ();
INSERT INTO no_columns SELECT FROM generate_series(1, 1000);
CREATE TABLE empty_table (a int);
CREATE TABLE equal_rows (a text);
INSERT INTO equal_rows SELECT 'same' FROM generate_series(1, 5000);

-- Names: quotes, dots, blanks, line ends, backslashes, emoji, 63 bytes, key words, psql's own characters, differing only in case
DO $$
DECLARE
  odd text;
BEGIN
  FOREACH odd IN ARRAY ARRAY['a"b', 'a''b', 'a.b', 'a b', ' a', 'a ', E'a\nb', E'a\r\nb', E'a\tb', 'a\b', 'a\nb', '\.', '\!', ':a', ':''a''', '$a$', '🛟🛟', repeat('ü', 31) || 'x', repeat('x', 63),
    'select', 'user', 'table', 'A', 'a', 'a/b', '../a', 'a%b', 'a;b', '--a', '/*a', '.', '..', 'con', 'a~', 'a.0002', '1', '#', '-', '*', '?', 'a,b', '(', '{', E'\x01', 'ﬁ', U&'e\0301', 'é']
  LOOP
    EXECUTE format('CREATE SCHEMA %I', 's ' || left(odd, 29));
    EXECUTE format('CREATE TABLE %I.%I (%I int GENERATED BY DEFAULT AS IDENTITY, %I text UNIQUE CHECK (%I <> %L))', 's ' || left(odd, 29), odd, odd, 'y' || odd, 'y' || odd, odd);
    EXECUTE format('INSERT INTO %I.%I (%I) VALUES (%L), (NULL)', 's ' || left(odd, 29), odd, 'y' || odd, odd || odd);
  END LOOP;
END $$;
