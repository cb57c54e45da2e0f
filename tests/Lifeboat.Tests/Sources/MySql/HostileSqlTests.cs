using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Tests.Sources.MySql;

/// <summary>Statements out of a bundle: each is one, to every server that may run it, and of a kind that its file has.</summary>
public sealed class HostileSqlTests
{
    private const string Settings = "SET character_set_client = utf8mb4, collation_connection = utf8mb4_general_ci, sql_mode = ''";

    [Theory]
    [InlineData("CREATE TABLE `t` (`a` int); DROP DATABASE x")]
    [InlineData("CREATE TABLE `t` (`a` int) SELECT * FROM mysql.user")]
    [InlineData("CREATE TABLE `t` (`a` int) (SELECT 1)")]
    [InlineData("CREATE TABLE `t` (`a` int) TABLE mysql.user")]
    [InlineData("CREATE TABLE `t` (`a` int) /*!99999 ; DROP DATABASE x */")]
    [InlineData("CREATE TABLE `t` (`a` int) /*!99999 ' */ ; DROP DATABASE x; /* ' */")]
    [InlineData("CREATE TABLE `t` (`a` int) /*M!100000 \" */ ; DROP DATABASE x; /* \" */")]
    [InlineData("CREATE TABLE `t` (`a` int) COMMENT '\\\\'; DROP DATABASE x; -- '")]
    [InlineData("CREATE TABLE `t\\` (`a` int); DROP DATABASE x; -- `")]
    [InlineData("CREATE TABLE `t` (`a` int) --1\n; DROP DATABASE x")]
    [InlineData("CREATE TABLE `t` (`a` int) --\u007f ' \n; DROP DATABASE x; -- '")]
    [InlineData("CREATE TABLE `t` (`a` int) # '\n; DROP DATABASE x; -- '")]
    [InlineData("CREATE TABLE `t` (`a` int) \\! touch pwned")]
    [InlineData("CREATE TABLE `t` (`a` int\0)")]
    [InlineData("CREATE TABLE `t` (`a` int) COMMENT 'x")]
    [InlineData("SELECT 1 INTO OUTFILE '/tmp/pwned'")]
    [InlineData("LOAD DATA INFILE '/etc/passwd' INTO TABLE t")]
    [InlineData("system touch pwned")]
    [InlineData("\\! touch pwned")]
    [InlineData("source /etc/passwd")]
    [InlineData("delimiter x")]
    [InlineData("DROP TABLE t")]
    public void Only_a_tables_definition_is_one(string sql) => Assert.Throws<FormatException>(() => DumpStatements.RequireTable(sql));

    [Theory]
    [InlineData("CREATE TABLE `t;\\` (\n  `a` int(11) NOT NULL DEFAULT 1 COMMENT 'a; b''s \\' \\\\',\n  `g` int(11) GENERATED ALWAYS AS (`a` + 1) VIRTUAL,\n  PRIMARY KEY (`a`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci COMMENT='x -- y # z /* w'")]
    [InlineData("CREATE TABLE `t` (\n  `a` int NOT NULL /*!80023 INVISIBLE */\n) ENGINE=InnoDB\n/*!50100 PARTITION BY RANGE (`a`)\n(PARTITION p0 VALUES LESS THAN (10) COMMENT = 'a # b' ENGINE = InnoDB) */")]
    [InlineData("CREATE TABLE `select` (\n  `table` int(11) CHECK (`table` > 0)\n) ENGINE=InnoDB WITH SYSTEM VERSIONING")]
    public void What_the_server_prints_of_a_table_is_one(string sql) => DumpStatements.RequireTable(sql);

    [Theory]
    [InlineData("CREATE VIEW `v` AS select 1; DROP DATABASE x")]
    [InlineData("CREATE FUNCTION evil RETURNS STRING SONAME 'evil.so'")]
    [InlineData("CREATE PROCEDURE `p`() SELECT 1; DROP DATABASE x")]
    [InlineData("CREATE PROCEDURE `p`() SELECT 1 AS begin; DROP DATABASE x; SELECT 1 AS end")]
    [InlineData("CREATE PROCEDURE `p`() SELECT (1) begin; DROP DATABASE x; SELECT (1) end")]
    [InlineData("CREATE PROCEDURE `p`() BEGIN END; DROP DATABASE x; CREATE PROCEDURE `q`() BEGIN END")]
    [InlineData("CREATE PROCEDURE `p`() BEGIN /*!99999 BEGIN */ END; DROP DATABASE x; SELECT 1; END")]
    [InlineData("CREATE PROCEDURE `p`() BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; END; DROP DATABASE x; BEGIN END")]
    [InlineData("CREATE PROCEDURE `p`() BEGIN SELECT REPEAT('x', 3); END; DROP DATABASE x; SELECT 1 until")]
    [InlineData("CREATE PROCEDURE `p`() BEGIN SELECT IF(1, 2, 3); END; DROP DATABASE x; SELECT 1 END IF; END")]
    [InlineData("CREATE PROCEDURE `p`() IF 1 THEN SELECT 1; END IF; DROP DATABASE x; END IF")]
    [InlineData("CREATE PROCEDURE `p`() BEGIN SELECT '\\'; END; DROP DATABASE x; SELECT '; END', 'x\\' END' END")]
    [InlineData("CREATE TRIGGER `t` BEFORE INSERT ON `t` FOR EACH ROW SET @a = 1; DROP DATABASE x")]
    [InlineData("CREATE TRIGGER `t` BEFORE INSERT ON `t` FOR EACH ROW BEGIN END; DROP DATABASE x")]
    [InlineData("CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY DO SET @a = 1; DROP DATABASE x")]
    [InlineData("CREATE EVENT `e` ON SCHEDULE AT do - begin DO SET @a = 1; DROP DATABASE x; END")]
    [InlineData("DROP DATABASE x")]
    [InlineData("GRANT ALL ON *.* TO evil")]
    [InlineData("CREATE USER evil")]
    [InlineData("CREATE TABLE t AS SELECT 1")]
    [InlineData("INSERT INTO mysql.user VALUES ('view')")]
    [InlineData("CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'view')")]
    public void Only_one_objects_definition_is_one(string sql) =>
        Assert.Throws<FormatException>(() => DumpStatements.RequireObject([Settings, sql], dollarQuotes: false, trusted: false));

    /// <summary>The session has the mode of the object before it.</summary>
    [Fact]
    public void An_object_says_in_which_mode_it_is_read()
    {
        Assert.Throws<FormatException>(() => DumpStatements.RequireObject(["CREATE VIEW `v` AS select 1"], dollarQuotes: false, trusted: false));
        Assert.Throws<FormatException>(() => DumpStatements.RequireObject(["SET character_set_client = utf8mb4", "CREATE VIEW `v` AS select 1"], dollarQuotes: false, trusted: false));
    }

    [Theory]
    [InlineData("SET GLOBAL local_infile = 1")]
    [InlineData("SET sql_mode = '', GLOBAL general_log_file = '/tmp/pwned'")]
    [InlineData("SET sql_mode = (SELECT 1)")]
    [InlineData("SET @@global.sql_mode = ''")]
    [InlineData("SET PASSWORD = 'x'")]
    [InlineData("SET sql_mode = ''; DROP DATABASE x")]
    [InlineData("ALTER DATABASE COLLATE utf8_bin; DROP DATABASE x")]
    [InlineData("ALTER DATABASE mysql COLLATE utf8_bin")]
    public void An_objects_settings_are_its_own(string sql) =>
        Assert.Throws<FormatException>(() => DumpStatements.RequireObject([sql, "CREATE VIEW `v` AS select 1"], dollarQuotes: false, trusted: true));

    /// <summary>A character of two bytes may end in a backslash, and a mode may make one of it.</summary>
    [Theory]
    [InlineData("gbk", "", "CREATE PROCEDURE `p`() SELECT 'a\u00bf\\'; DROP DATABASE x; -- '")]
    [InlineData("sjis", "", "CREATE PROCEDURE `p`() SELECT 'a\u0083\\'; DROP DATABASE x; -- '")]
    [InlineData("big5", "", "CREATE PROCEDURE `p`() SELECT 'a\u00a4\\'; DROP DATABASE x; -- '")]
    [InlineData("utf8mb4", "NO_BACKSLASH_ESCAPES", "CREATE PROCEDURE `p`() SELECT '\\'; DROP DATABASE x; -- '")]
    [InlineData("utf8mb4", "ANSI_QUOTES", "CREATE PROCEDURE `p`() SELECT \"\\\"; DROP DATABASE x; -- \"")]
    [InlineData("utf8mb4", "STRICT_ALL_TABLES,ORACLE", "CREATE PROCEDURE `p`() SELECT \"\\\"; DROP DATABASE x; -- \"")]
    public void Quotes_are_read_in_the_sessions_character_set_and_mode(string set, string mode, string sql)
    {
        string settings = $"SET character_set_client = {set}, collation_connection = utf8mb4_general_ci, sql_mode = '{mode}'";
        Assert.Throws<FormatException>(() => DumpStatements.RequireObject([settings, sql], dollarQuotes: false, trusted: false));
    }

    [Theory]
    [InlineData("CREATE ALGORITHM=UNDEFINED DEFINER=`a;b`@`%` SQL SECURITY DEFINER VIEW `v` AS select 'x;y' AS `z`")]
    [InlineData("CREATE DEFINER=`root`@`localhost` PROCEDURE `p`(IN `a` int, OUT b varchar(20))\n    READS SQL DATA\n    SQL SECURITY INVOKER\n    COMMENT 'it''s; so'\nBEGIN\n  DECLARE done INT DEFAULT 0; DECLARE c CURSOR FOR SELECT 1;\n  DECLARE CONTINUE HANDLER FOR NOT FOUND, SQLSTATE '02000' SET done = 1;\n  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;\n  outer_loop: LOOP\n    IF done THEN LEAVE outer_loop; ELSEIF a > CASE WHEN 1 THEN 2 END THEN ITERATE outer_loop; ELSE SET a = IF(a, 1, 2); END IF;\n  END LOOP outer_loop;\n  WHILE a DO SET a = a - 1; END WHILE;\n  REPEAT SET a = REPEAT('x', 2); UNTIL a > CASE 1 WHEN 1 THEN 2 END END REPEAT;\n  CASE a WHEN 1 THEN SELECT 1; ELSE BEGIN END; END CASE;\n  CASE WHEN a = 1 THEN SELECT 1; END CASE;\nEND")]
    [InlineData("CREATE DEFINER=`a`@`b` FUNCTION `f`(a INT) RETURNS varchar(10) CHARSET utf8mb4 COLLATE utf8mb4_bin\n    DETERMINISTIC\nBEGIN RETURN 'x'; END")]
    [InlineData("CREATE FUNCTION `f`() RETURNS int(11) RETURN 1")]
    [InlineData("CREATE PROCEDURE `p`() l: BEGIN NOT ATOMIC SELECT 1; END l")]
    [InlineData("CREATE PROCEDURE `p`() FOR i IN 1..10 DO SELECT i; END FOR")]
    [InlineData("CREATE DEFINER=`a`@`b` TRIGGER t BEFORE INSERT ON `t` FOR EACH ROW FOLLOWS other BEGIN SET NEW.a = 1; -- end; \n END;")]
    [InlineData("CREATE DEFINER=`a`@`b` TRIGGER t AFTER DELETE ON t FOR EACH ROW IF OLD.a THEN DELETE FROM u; END IF")]
    [InlineData("CREATE DEFINER=`a`@`b` EVENT `e` ON SCHEDULE EVERY 1 DAY STARTS '2026-01-01 00:00:00' ON COMPLETION NOT PRESERVE ENABLE COMMENT 'x' DO BEGIN DELETE FROM t; END")]
    [InlineData("CREATE EVENT `e` ON SCHEDULE AT '2026-01-01 00:00:00' ON COMPLETION NOT PRESERVE ENABLE DO DELETE FROM t WHERE a = 'x;y'")]
    public void What_the_server_prints_of_an_object_is_one(string sql)
    {
        DumpStatements.RequireObject([Settings, sql], dollarQuotes: false, trusted: false);
        DumpStatements.RequireObject(["ALTER DATABASE COLLATE utf8mb4_bin", Settings + ", time_zone = 'SYSTEM'", sql, "ALTER DATABASE COLLATE utf8mb4_general_ci"], dollarQuotes: true, trusted: true);
    }

    /// <summary>What only some servers understand is the server's own text where somebody who knows the password wrote it.</summary>
    [Fact]
    public void Bodies_that_are_not_understood_are_taken_from_an_encrypted_bundle()
    {
        string settings = Settings.Replace("''", "'ORACLE'", StringComparison.Ordinal);
        string[] package = [settings, "CREATE PACKAGE BODY `p` AS FUNCTION f RETURN INT AS BEGIN RETURN 1; END; END"];
        DumpStatements.RequireObject(package, dollarQuotes: false, trusted: true);
        Assert.Throws<FormatException>(() => DumpStatements.RequireObject(package, dollarQuotes: false, trusted: false));
    }

    [Theory]
    [InlineData("CREATE USER IF NOT EXISTS `a`@`%` IDENTIFIED VIA mysql_native_password USING '*AB' REQUIRE NONE", true)]
    [InlineData("CREATE ROLE IF NOT EXISTS `r`", true)]
    [InlineData("GRANT SELECT ON `shop`.* TO `a`@`%` WITH GRANT OPTION", true)]
    [InlineData("REVOKE INSERT ON `x`.* FROM `a`@`%`", true)]
    [InlineData("SET DEFAULT ROLE `r` FOR `a`@`%`", true)]
    [InlineData("ALTER USER `a`@`%` DEFAULT ROLE `r`@`%`", true)]
    [InlineData("ALTER USER `root`@`localhost` IDENTIFIED BY 'x'", false)]
    [InlineData("SET PASSWORD FOR `root`@`localhost` = 'x'", false)]
    [InlineData("CREATE USER `a`@`%`; GRANT ALL ON *.* TO `a`@`%`", false)]
    [InlineData("DROP USER `root`@`localhost`", false)]
    [InlineData("CREATE DATABASE `x`", false)]
    [InlineData("INSTALL PLUGIN x SONAME 'y.so'", false)]
    [InlineData("FLUSH PRIVILEGES", false)]
    [InlineData("GRANT EXECUTE ON PACKAGE `x`.`y` TO \"a\\\"; DROP DATABASE x; -- \"", false)]
    public void Accounts_are_made_and_given_rights_and_no_more(string sql, bool right)
    {
        Exception? refused = Record.Exception(() => DumpStatements.RequireAccount(sql));
        Assert.Equal(right, refused is null);
        Assert.True(refused is null or FormatException);
    }

    [Theory]
    [InlineData("/*!40100 DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci */", true)]
    [InlineData("/*!40100 DEFAULT CHARACTER SET utf8mb4 */ /*!80016 DEFAULT ENCRYPTION='N' */", true)]
    [InlineData("/*!40100 DEFAULT CHARACTER SET utf8mb4 COMMENT 'a; -- b' */", true)]
    [InlineData("; DROP DATABASE x", false)]
    [InlineData("/*!99999 ' */ ; DROP DATABASE x; /* ' */", false)]
    public void A_databases_options_are_options(string sql, bool right) =>
        Assert.Equal(right, Record.Exception(() => DumpStatements.RequireDatabaseOptions(sql)) is null);
}
