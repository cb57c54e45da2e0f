using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Tests.Sources.MySql;

/// <summary>Definitions are taken apart as the servers read them, whatever their names and texts look like.</summary>
public sealed class SqlTokensTests
{
    [Fact]
    public void Names_texts_and_comments_hold_what_they_like()
    {
        const string sql = "a /* ' ` */ `b``\n,(` -- it's\n'c\\'d''e' # \"\n\"f`\" /*!50100 g */ /*M!100200 h*/ 1.5 --x";
        Assert.Equal(
            ["Word a", "Name b`\n,(", "Text 'c\\'d''e'", "Text \"f`\"", "Word g", "Word h", "Word 1", "Sign .", "Word 5", "Sign -", "Sign -", "Word x"],
            SqlTokens.Read(sql).Select(static token => $"{token.Kind} {token.Value}"));
    }

    [Fact]
    public void The_mode_says_what_quotes_and_backslashes_are()
    {
        Assert.Equal(["Name a\"b", "Text '\\'", "Word x"], SqlTokens.Read("\"a\"\"b\" '\\' x", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES").Select(static t => $"{t.Kind} {t.Value}"));
        Assert.Equal(SqlTokenKind.Name, SqlTokens.Read("\"a\"", "PIPES_AS_CONCAT,ANSI_QUOTES,ORACLE")[0].Kind);
        Assert.Equal(SqlTokenKind.Text, SqlTokens.Read("\"a\"")[0].Kind);
    }

    [Theory]
    [InlineData("`never closed")]
    [InlineData("'never closed\\")]
    [InlineData("/* never closed")]
    [InlineData("/*!")]
    [InlineData("'")]
    [InlineData("`")]
    [InlineData("-- ")]
    public void What_is_not_closed_ends_with_the_statement(string sql) =>
        Assert.All(SqlTokens.Read(sql), token => Assert.InRange(token.End, 1, sql.Length));

    [Fact]
    public void A_tables_parts_are_told_apart_by_what_they_are_not_by_lines()
    {
        const string create =
            "CREATE TABLE `new\nline` (\n  `a\n  KEY `` int(11) DEFAULT 5 COMMENT ',\n) ENGINE=InnoDB',\n  `n` int(11) NOT NULL AUTO_INCREMENT,\n"
            + "  PRIMARY KEY (`n`),\n  KEY `k\n1` (`b`),\n  UNIQUE KEY `u,(` (`a`,`b`) USING BTREE,\n  FULLTEXT KEY `f` (`b`),\n"
            + "  CONSTRAINT `f\nk` FOREIGN KEY (`a`) REFERENCES `p\n)` (`id`),\n  CONSTRAINT `c\nk` CHECK (`a` > (0))\n"
            + ") ENGINE=MyISAM DEFAULT CHARSET=utf8mb4 COMMENT='ENGINE=InnoDB DATA DIRECTORY=''/x''' DATA DIRECTORY='/d/'";
        TableDefinition table = TableDefinition.Read(create.Replace("`a\n  KEY ``", "`a\n  KEY ```", StringComparison.Ordinal))!;
        Assert.Equal(
            [
                (TablePartKind.Column, "a\n  KEY `"), (TablePartKind.Column, "n"), (TablePartKind.PrimaryKey, ""), (TablePartKind.Key, "k\n1"), (TablePartKind.Key, "u,("),
                (TablePartKind.FullTextKey, "f"), (TablePartKind.ForeignKey, "f\nk"), (TablePartKind.Check, "c\nk"),
            ],
            table.Parts.Select(static part => (part.Kind, part.Name)));
        Assert.False(table.IsInnoDb);
        Assert.Equal((null, "p\n)"), table.Parts[6].Referenced);
        Assert.Equal(["/d/"], table.Directories);
        Assert.EndsWith("''/x'''", table.WithoutDirectories.Sql, StringComparison.Ordinal);
        Assert.Equal(create.Replace("`a\n  KEY ``", "`a\n  KEY ```", StringComparison.Ordinal), table.Sql);
    }

    [Fact]
    public void Parts_keep_what_is_for_servers_of_some_version()
    {
        const string create = "CREATE TABLE `t` (\n  `a` int /*!80023 INVISIBLE */,\n  KEY `k` (`a`) /*!80000 INVISIBLE */,\n  CONSTRAINT `c` CHECK ((`a` > 0)) /*!80016 NOT ENFORCED */\n)"
            + " ENGINE=InnoDB\n/*!50100 PARTITION BY HASH (`a`)\n(PARTITION p0 DATA DIRECTORY = '/x' ENGINE = InnoDB) */";
        TableDefinition table = TableDefinition.Read(create)!;
        Assert.Equal(create, table.Sql);
        Assert.Equal("`a` int /*!80023 INVISIBLE */", table.Parts[0].Text);
        Assert.Equal([TablePartKind.Column, TablePartKind.Key, TablePartKind.Check], table.Parts.Select(static part => part.Kind));
        Assert.Equal(create.Replace(" DATA DIRECTORY = '/x'", "", StringComparison.Ordinal), table.WithoutDirectories.Sql);
    }

    [Theory]
    [InlineData("CREATE TABLE `t` LIKE `u`")]
    [InlineData("CREATE TABLE `t` (")]
    [InlineData("CREATE TABLE `t` ()")]
    [InlineData("")]
    public void What_is_no_table_of_that_form_is_not_taken_apart(string create) => Assert.Null(TableDefinition.Read(create));

    [Theory]
    [InlineData("select `db`.`t`.`c` AS `c` from `db`.`t`", "select `new`.`t`.`c` AS `c` from `new`.`t`")]
    [InlineData("select `db`.`id` AS `id`,`db`.`f`(1) AS `x` from `db`", "select `db`.`id` AS `id`,`new`.`f`(1) AS `x` from `db`")]
    [InlineData(
        "select '`db`.`t`' from ((`db`.`a` join `db`.`b` on(`a`.`id` = `db`.`id`)) left join `db`.`c` `db` on(`db`.`id` = 1)) where `db`.`x` in (select `db`.`y` from `db`.`t`)",
        "select '`db`.`t`' from ((`new`.`a` join `new`.`b` on(`a`.`id` = `db`.`id`)) left join `new`.`c` `db` on(`db`.`id` = 1)) where `db`.`x` in (select `db`.`y` from `new`.`t`)")]
    [InlineData("select extract(year from `db`.`d`) AS `y` from `t` `db`", "select extract(year from `db`.`d`) AS `y` from `t` `db`")]
    [InlineData(
        "CREATE TABLE `t` (`a` int DEFAULT nextval(`db`.`s`) COMMENT '`db`.`s`', CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `db`.`p` (`id`)) COMMENT='see `db`.`x`' UNION=(`db`.`m`)",
        "CREATE TABLE `t` (`a` int DEFAULT nextval(`new`.`s`) COMMENT '`db`.`s`', CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `new`.`p` (`id`)) COMMENT='see `db`.`x`' UNION=(`new`.`m`)")]
    [InlineData("(nextval(`db`.`s`) + lastval(`db`.`s`))", "(nextval(`new`.`s`) + lastval(`new`.`s`))")]
    public void Databases_are_told_from_tables_and_aliases_of_the_same_name(string sql, string expected)
    {
        Assert.Equal(expected, QualifiedNames.Replace(sql, "db", "new"));
        Assert.Equal(expected.Replace("`new`.", "", StringComparison.Ordinal), QualifiedNames.Replace(sql, "db", null));
    }

    [Fact]
    public void A_query_reads_the_tables_that_stand_where_tables_do() => Assert.Equal(
        ["a", "b", "c", "d", "e"],
        QualifiedNames.Tables("select `x`.`y`, trim('a' from `z`) from (`a` `q` join `db`.`b` on(`w` = 1)) where exists(select 1 from `c`) union select 1 from `d`,`e` limit 1").Order());

    [Theory]
    [InlineData("CREATE DEFINER=`a b`@`%` TRIGGER db.`t``r` BEFORE INSERT ON `db` . x FOR EACH ROW SET @a = db.x", "", "CREATE DEFINER=`a b`@`%` TRIGGER `t``r` BEFORE INSERT ON x FOR EACH ROW SET @a = db.x")]
    [InlineData("CREATE TRIGGER /* on db.t */ IF NOT EXISTS t AFTER UPDATE ON t FOR EACH ROW BEGIN END", "", "CREATE TRIGGER /* on db.t */ IF NOT EXISTS t AFTER UPDATE ON t FOR EACH ROW BEGIN END")]
    [InlineData("CREATE TRIGGER \"db\".\"t\" AFTER DELETE ON \"db\".\"x\" FOR EACH ROW SET @a = 1", "ANSI_QUOTES", "CREATE TRIGGER \"t\" AFTER DELETE ON \"x\" FOR EACH ROW SET @a = 1")]
    public void A_trigger_is_made_in_another_database(string create, string mode, string expected) => Assert.Equal(expected, TriggerText.Unqualified(create, mode));
}
