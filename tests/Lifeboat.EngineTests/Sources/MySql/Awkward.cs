namespace Lifeboat.EngineTests.Sources.MySql;

/// <summary>A database in which everything is in that stock dumps get wrong, or nearly.</summary>
internal static class Awkward
{
    public const string Database = "awkward";

    /// <summary>Every kind of value, and NULL beside what looks like it.</summary>
    public const string Values = """
        CREATE DATABASE awkward CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci COMMENT 'it''s a \\ test';
        USE awkward;
        SET sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO';
        CREATE TABLE floats (id INT PRIMARY KEY, f FLOAT, d DOUBLE, g FLOAT(7,2), h DOUBLE(20,5), n DECIMAL(65,30), u BIGINT UNSIGNED, z INT(8) ZEROFILL) COMMENT='exact';
        INSERT INTO floats SELECT seq, RAND(seq) * POW(10, seq % 70) / 1e35, RAND(seq + 7) * POW(10, seq % 300) / 1e150, RAND(seq) * 99999, RAND(seq) * 1e14,
            CAST(RAND(seq) AS DECIMAL(65,30)), 18446744073709551615 - seq, seq FROM seq_1_to_3000;
        INSERT INTO floats (id, f, d, n) VALUES (0, 1.17549435e-38, 1.7976931348623157e308, '99999999999999999999999999999999999.999999999999999999999999999999'),
            (-1, 3.40282347e+38, 5e-324, '-0.000000000000000000000000000001'), (-2, NULL, NULL, NULL), (-3, 16777217, 0.1, 0);
        CREATE TABLE bytes (id INT AUTO_INCREMENT PRIMARY KEY, b VARBINARY(600), t TEXT, l LONGBLOB, bit1 BIT, bit64 BIT(64), bit9 BIT(9) NOT NULL DEFAULT b'0');
        INSERT INTO bytes (b, t, l, bit1, bit64, bit9) VALUES
            (UNHEX(CONCAT('000102030405060708090A0B0C0D0E0F101A1B272222225C60FF', REPEAT('00', 3), '5C4E')), 'NULL', 'NULL', b'1', 0x0A5C0927FFFFFFFF, b'101010101'),
            (NULL, NULL, NULL, NULL, NULL, 0), ('', '', '', b'0', 0, 9), ('NULL', '\\N', '\\', b'1', 0x5C, 92), ('\\N', 'a\tb\nc\rd\0e\\f''g"h%i_j', REPEAT('\\''\t\n', 1000), NULL, 10, 10),
            ('!', '; ;~lifeboat~; delimiter', 'x', b'1', 9, 39), (UNHEX('E282'), CONCAT('😀', 'ümlaut', CHAR(0x1A)), UNHEX(REPEAT('DEADBEEF27', 1000)), b'0', 39, 0);
        ALTER TABLE bytes AUTO_INCREMENT = 4711;
        CREATE TABLE texts (id INT PRIMARY KEY, latin VARCHAR(50) CHARACTER SET latin1, sj VARCHAR(50) CHARACTER SET sjis, gb VARCHAR(50) CHARACTER SET gbk,
            big VARCHAR(50) CHARACTER SET big5, uc VARCHAR(50) CHARACTER SET ucs2, u16 TEXT CHARACTER SET utf16, u32 CHAR(20) CHARACTER SET utf32,
            koi VARCHAR(50) CHARACTER SET koi8r, asc7 VARCHAR(20) CHARACTER SET ascii, u3 VARCHAR(20) CHARACTER SET utf8mb3, bin CHAR(5) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin);
        INSERT INTO texts VALUES (1, 'äöü€', _sjis 0x835C, _gbk 0xD55C, _big5 0xA55C, 'äΩ', '😀Ω', '😀', 'Привет', 'plain', 'Ω', 'a  '), (2, _latin1 0x8127FF5C, '', '', '', '', '', '', '', '', '', '');
        INSERT INTO texts (id, asc7) VALUES (3, _binary 0x61FF6280);
        CREATE TABLE moments (id INT PRIMARY KEY, d DATE, dt DATETIME(6), ts TIMESTAMP(6) NULL, t TIME(6), y YEAR);
        SET time_zone = '+00:00';
        INSERT INTO moments VALUES (1, '0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '838:59:59.999999', 0),
            (2, '2021-02-31', '2021-00-00 12:00:00.000001', '2026-10-25 00:30:00.123456', '-838:59:59', 2155), (3, '2020-00-10', '9999-12-31 23:59:59.999999', '2026-10-25 01:30:00', '-00:00:01', 1901),
            (4, NULL, NULL, NULL, NULL, NULL), (5, '1000-01-01', '1000-01-01', '2038-01-19 03:14:07', '00:00:00', 1970);
        CREATE TABLE choices (id INT PRIMARY KEY, e ENUM('', 'a', 'it''s', 'x,y', '1', '2', 'NULL', '\\') NOT NULL, f ENUM('one', 'two') NULL, s SET('', 'a', 'b''c', 'd') NOT NULL,
            s2 SET('x', 'y') NULL, e1 ENUM('ä', 'Ω') CHARACTER SET latin1 NULL);
        INSERT INTO choices VALUES (1, 1, 1, 1, 3, 'ä'), (2, 2, 2, 2, 0, NULL), (3, 3, NULL, 15, NULL, NULL), (4, 5, 1, 9, 1, 'ä'), (5, 6, 1, 0, 2, NULL), (6, 7, 1, 4, 2, NULL), (7, 8, 1, 5, 2, NULL);
        INSERT IGNORE INTO choices VALUES (8, 'no such', 'no such', '', '', NULL);
        CREATE TABLE shapes (id INT PRIMARY KEY, p POINT NOT NULL, g GEOMETRY, SPATIAL KEY (p));
        INSERT INTO shapes VALUES (1, POINT(0.1, -1e300), ST_GeomFromText('POLYGON((0 0,10 0,10 10,0 10,0 0))', 4326)), (2, POINT(9, 39), NULL),
            (3, POINT(0x5C, 10), ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(1 2,3 4))'));
        CREATE TABLE others (id INT PRIMARY KEY, j JSON, u UUID, i6 INET6, i4 INET4);
        INSERT INTO others VALUES (1, '{"a": [1, 2.50, "x\\ty\\\\", null, "😀"], "a": 1e400}', UUID(), '::ffff:1.2.3.4', '10.0.0.1'), (2, NULL, NULL, NULL, NULL),
            (3, '"NULL"', '5c27090a-0000-4000-8000-5c270a095c27', '2001:db8::5c27', '39.92.9.10');
        """;

    /// <summary>Every kind of table and object.</summary>
    public const string Objects = """
        USE awkward;
        SET NAMES utf8mb4, sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
        CREATE TABLE parent (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(100) NOT NULL, UNIQUE KEY by_name (name), FULLTEXT KEY words (name)) AUTO_INCREMENT = 1000;
        INSERT INTO parent VALUES (0, 'zero'), (1, 'one'), (-5, 'minus five');
        CREATE TABLE child (a INT, b INT, parent_id INT, gen INT AS (a + b) VIRTUAL, stored VARCHAR(20) AS (CONCAT(a, '-', b)) STORED, hidden INT INVISIBLE DEFAULT 7,
            made DATETIME DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, PRIMARY KEY (a, b), KEY by_gen (gen), KEY by_parent (parent_id DESC, stored(3)),
            CONSTRAINT fk_parent FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE CASCADE ON UPDATE SET NULL, CONSTRAINT positive CHECK (a > 0));
        INSERT INTO child (a, b, parent_id, hidden) VALUES (1, 2, 1, 3), (2, 2, 0, NULL), (3, 1, NULL, 9);
        CREATE TABLE tree (id INT PRIMARY KEY, up INT, CONSTRAINT fk_tree FOREIGN KEY (up) REFERENCES tree (id));
        INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 2);
        CREATE TABLE parts (id INT, at DATE, PRIMARY KEY (id, at)) PARTITION BY RANGE (YEAR(at)) SUBPARTITION BY HASH (id) SUBPARTITIONS 2
            (PARTITION p0 VALUES LESS THAN (2020), PARTITION p1 VALUES LESS THAN MAXVALUE);
        INSERT INTO parts SELECT seq, '2015-01-01' + INTERVAL seq DAY FROM seq_1_to_3000;
        CREATE TABLE my (id INT AUTO_INCREMENT, grp INT, t TEXT, PRIMARY KEY (grp, id), FULLTEXT (t)) ENGINE=MyISAM;
        INSERT INTO my (grp, t) VALUES (1, 'a'), (1, 'b'), (2, 'c');
        CREATE TABLE mem (id INT KEY) ENGINE=MEMORY; INSERT INTO mem VALUES (1), (2);
        CREATE TABLE ar (a INT, b TEXT) ENGINE=Aria; INSERT INTO ar VALUES (1, 'x'), (1, 'x');
        CREATE TABLE csvs (a INT NOT NULL, b VARCHAR(10) NOT NULL) ENGINE=CSV; INSERT INTO csvs VALUES (1, 'x"y');
        CREATE TABLE nokey (a INT, b INT); INSERT INTO nokey VALUES (1, 1), (1, 1), (NULL, 2);
        CREATE TABLE `odd ``name`` ü/..%` (`col ``umn` INT, `ü` INT, `select` INT); INSERT INTO `odd ``name`` ü/..%` VALUES (1, 2, 3);
        CREATE TABLE Upper (a INT); INSERT INTO Upper VALUES (1); CREATE TABLE upper (a INT); INSERT INTO upper VALUES (2);
        CREATE TABLE history (id INT PRIMARY KEY, v VARCHAR(10)) WITH SYSTEM VERSIONING;
        INSERT INTO history VALUES (1, 'a'), (2, 'b'); UPDATE history SET v = 'c' WHERE id = 1; DELETE FROM history WHERE id = 2;
        CREATE TABLE period (id INT, v INT, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START INVISIBLE, e TIMESTAMP(6) GENERATED ALWAYS AS ROW END INVISIBLE, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING;
        INSERT INTO period VALUES (1, 1); UPDATE period SET v = 2;
        CREATE SEQUENCE numbers START WITH 100 INCREMENT BY 5 CACHE 10 CYCLE MAXVALUE 1000;
        SELECT NEXTVAL(numbers), NEXTVAL(numbers);
        CREATE TABLE numbered (id INT DEFAULT NEXTVAL(numbers), v INT); INSERT INTO numbered (v) VALUES (1);
        CREATE VIEW z_base AS SELECT a, b FROM child WHERE a > 0;
        CREATE DEFINER = ghost@nowhere SQL SECURITY INVOKER VIEW a_over AS SELECT z.a, p.name AS `näme` FROM z_base z JOIN parent p ON p.id = z.b WITH CASCADED CHECK OPTION;
        DELIMITER //
        CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC COMMENT 'it''s' RETURN x * 2 //
        CREATE VIEW b_uses_function AS SELECT twice(a) AS t, a FROM z_base //
        SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT' //
        CREATE PROCEDURE odd_quotes(IN "p q" VARCHAR(10)) BEGIN /* kept */ SELECT 'a\' || "p q"; -- kept too
        END //
        SET NAMES latin1, sql_mode = 'STRICT_ALL_TABLES' //
        CREATE PROCEDURE in_latin1() SELECT 'ä' //
        SET NAMES utf8mb4, sql_mode = '' //
        CREATE TRIGGER awkward.first_of_two BEFORE INSERT ON awkward.nokey FOR EACH ROW SET NEW.a = IFNULL(NEW.a, 0) + 1 //
        CREATE TRIGGER before_first BEFORE INSERT ON nokey FOR EACH ROW PRECEDES first_of_two BEGIN SET NEW.b = 5; END //
        CREATE TRIGGER touched AFTER UPDATE ON child FOR EACH ROW INSERT INTO awkward.tree (id) VALUES (NEW.a + 100) //
        CREATE EVENT hourly ON SCHEDULE EVERY 1 HOUR STARTS '2030-01-01 00:00:00' ON COMPLETION PRESERVE COMMENT 'e' DO BEGIN SET @x = 1; SET @y = 2; END //
        CREATE EVENT asleep ON SCHEDULE EVERY 1 DAY DISABLE DO SET @x = 1 //
        SET sql_mode = 'ORACLE' //
        CREATE PACKAGE tools AS FUNCTION three RETURN INT; PROCEDURE nothing; END //
        CREATE PACKAGE BODY tools AS FUNCTION three RETURN INT AS BEGIN RETURN 3; END; PROCEDURE nothing AS BEGIN NULL; END; END //
        DELIMITER ;
        SET sql_mode = '';
        """;
}
