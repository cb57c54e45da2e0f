using System.Text;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.MySql.Accounts;
using Lifeboat.Engine.Sources.MySql.Restore;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Tests.Sources.MySql;

/// <summary>Texts that go to the client program and come from it.</summary>
public sealed class MySqlTextTests
{
    [Theory]
    [InlineData("1\tit's\\t\\n\\0\\\\\t\\N\n", "I (('1',_binary'it\\'s\\t\\n\\0\\\\',NULL)")]
    [InlineData("\t\tNULL\n", "I (('',_binary'','NULL')")]
    [InlineData("a\tb\tc", "I (('a',_binary'b','c')")]
    public void Lines_become_tuples(string lines, string sql)
    {
        InsertStatements inserts = new("I (", [ValueForm.Plain, ValueForm.Bytes, ValueForm.Plain]);
        Assert.Equal([sql], Statements(inserts, lines));
    }

    [Theory]
    [InlineData("1\n")]
    [InlineData("1\t2\t3\n")]
    [InlineData("x\\\ty\n")]
    [InlineData("1\ty\\\n")]
    [InlineData("1\ty\\'\n")]
    [InlineData("1\ty\\\\\\'; DROP\n")]
    public void Lines_that_the_client_never_writes_are_refused(string lines) =>
        Assert.Throws<FormatException>(() => Statements(new InsertStatements("I ", [ValueForm.Plain, ValueForm.Bytes]), lines));

    [Theory]
    [InlineData("12\n", "I (12)")]
    [InlineData("\\N\n", "I (NULL)")]
    public void Numbers_stand_without_quotes(string line, string sql) => Assert.Equal([sql], Statements(new InsertStatements("I ", [ValueForm.Number]), line));

    [Theory]
    [InlineData("""{"a": 1.1, "b": [1, 2.0, "1.10", 1e5, -7], "c": 18446744073709551615, "d": 0.000001}""", "")]
    [InlineData("""{"a": 1.10}""", "$.\"a\" CAST('1.10' AS DECIMAL(3,2))")]
    [InlineData("""[[], {}, {"x": {"k\"\\": [0, {"y": -0.050}, 5]}}, 7.00]""",
        "$[2].\"x\".\"k\\\"\\\\\"[1].\"y\" CAST('-0.050' AS DECIMAL(4,3)); $[3] CAST('7.00' AS DECIMAL(3,2))")]
    [InlineData("123456789012345678901234567890", "$ CAST('123456789012345678901234567890' AS DECIMAL(30,0))")]
    [InlineData("not json 1.10", "")]
    public void Decimals_of_documents_are_those_that_no_double_is_printed_as(string json, string found) =>
        Assert.Equal(found, string.Join("; ", JsonDecimals.Find(Encoding.UTF8.GetBytes(json)).Select(static one => $"{one.Path} {one.Sql}")));

    [Fact]
    public void A_document_with_decimals_is_written_as_an_expression() => Assert.Equal(
        ["""I (_utf8mb4'{"a": 1.5, "t": "x\\t"}'),(JSON_REPLACE(CAST(_utf8mb4'{"it\'s": 1.10}' AS JSON),_utf8mb4'$."it\'s"',CAST('1.10' AS DECIMAL(3,2)))),(NULL)"""],
        Statements(new InsertStatements("I ", [ValueForm.Utf8], jsonDecimals: true), """
            {"a": 1.5, "t": "x\\t"}
            {"it's": 1.10}
            \N

            """.ReplaceLineEndings("\n")));

    [Fact]
    public void A_number_that_is_none_is_refused() =>
        Assert.Throws<FormatException>(() => Statements(new InsertStatements("I ", [ValueForm.Number]), "1)\n"));

    [Fact]
    public void Statements_are_cut_at_about_a_mebibyte_and_rows_are_never()
    {
        string lines = string.Concat(Enumerable.Range(0, 1000).Select(static i => $"{i}{new string('x', i == 500 ? 3_000_000 : 5000)}\n"));
        string[] statements = Statements(new InsertStatements("I ", [ValueForm.Plain]), lines);
        Assert.InRange(statements.Length, 5, 9);
        Assert.Equal(1000, statements.Sum(static s => s.Split("),(").Length));
        Assert.All(statements, static s => Assert.True(s.StartsWith("I ('", StringComparison.Ordinal) && s.EndsWith("')", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100_000)]
    public void Nulls_are_told_by_the_masks_and_rows_by_the_mark(int piece)
    {
        string large = new('y', 700_000);
        string output = $"0\ta\tNULL\tb\n2\tNULL\tNULL\tNULL\n3\tNULL\tNULL\tx\n1\tNULL\t{large}\t!n\t\n!n\t7\t1\n".Replace("!n\t\n", "!z\n", StringComparison.Ordinal);
        using MemoryStream rows = new();
        MySqlOutput reader = new(new Slow(Encoding.ASCII.GetBytes(output), piece), "!n\t");
        (string? end, DumpedRows dumped) = reader.ReadStatement(new RowShape(1, [0, 1, -1]), rows, null);
        Assert.Equal("7\t1", end);
        string expected = $"a\tNULL\tb\nNULL\t\\N\tNULL\n\\N\t\\N\tx\n\\N\t{large}\t!z\n";
        Assert.Equal(expected, Encoding.ASCII.GetString(rows.ToArray()));
        RowDigester digester = new();
        digester.Append(Encoding.ASCII.GetBytes(expected));
        Assert.Equal((digester.Finish(), (long)expected.Length), (dumped.Digest, dumped.Bytes));
        Assert.Equal(4, dumped.Digest.Rows);
        Assert.Equal(700_007, dumped.LongestRow);
    }

    [Fact]
    public void Output_that_ends_early_has_no_end()
    {
        MySqlOutput reader = new(new Slow("1\ta\n0\tb"u8.ToArray(), 3), "!n\t");
        Assert.Null(reader.ReadStatement(new RowShape(1, [0]), Stream.Null, null).End);
    }

    [Theory]
    [InlineData()]
    [InlineData("a;\n;;\nb", "", "x\n;~0~;\n", "DELIMITER ;\n")]
    [InlineData("one", "zwei \u00c3\u00a4")]
    public void Statement_files_come_apart_as_they_were_put_together(params string[] statements) =>
        Assert.Equal(statements, StatementFile.Read(StatementFile.Write("a comment", statements)));

    [Fact]
    public void A_statement_file_that_is_cut_is_refused()
    {
        byte[] file = StatementFile.Write("c", ["one", "two"]);
        for (int length = 0; length < file.Length; length++)
            Assert.Throws<FormatException>(() => StatementFile.Read(file.AsSpan(0, length)));
    }

    [Fact]
    public void Keys_are_taken_off_a_table_and_put_back_behind_its_rows()
    {
        const string create = """
            CREATE TABLE `t` (
              `id` int(11) NOT NULL AUTO_INCREMENT,
              `a` text DEFAULT 'KEY `x` (',
              PRIMARY KEY (`id`),
              UNIQUE KEY `u` (`a`(3)),
              KEY `k, (` (`id`,`a`(9)) USING BTREE COMMENT 'FOREIGN KEY',
              FULLTEXT KEY `f` (`a`),
              CONSTRAINT `fk` FOREIGN KEY (`id`) REFERENCES `p` (`id`) ON DELETE CASCADE,
              CONSTRAINT `c` CHECK (`id` > 0)
            ) ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4
             PARTITION BY HASH (`id`)
            """;
        DeferredTable table = DeferredTable.Of("t", create);
        Assert.Equal(
            """
            CREATE TABLE `t` (
              `id` int(11) NOT NULL AUTO_INCREMENT,
              `a` text DEFAULT 'KEY `x` (',
              PRIMARY KEY (`id`),
              CONSTRAINT `c` CHECK (`id` > 0)
            ) ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4
             PARTITION BY HASH (`id`)
            """, table.Create);
        Assert.Equal(
            ["ALTER TABLE `t` ADD UNIQUE KEY `u` (`a`(3)), ADD KEY `k, (` (`id`,`a`(9)) USING BTREE COMMENT 'FOREIGN KEY'", "ALTER TABLE `t` ADD FULLTEXT KEY `f` (`a`)"],
            table.Keys);
        Assert.Equal("ALTER TABLE `t` ADD CONSTRAINT `fk` FOREIGN KEY (`id`) REFERENCES `p` (`id`) ON DELETE CASCADE", table.ForeignKeys);
    }

    [Theory]
    [InlineData("CREATE TABLE `t` (\n  `g` int(11),\n  `id` int(11) NOT NULL AUTO_INCREMENT,\n  PRIMARY KEY (`g`),\n  KEY `k` (`id`)\n) ENGINE=InnoDB")]
    [InlineData("CREATE TABLE `t` (\n  `g` int(11),\n  KEY `k` (`g`)\n) ENGINE=MyISAM")]
    public void A_key_that_a_counter_needs_or_another_engine_has_stays(string create)
    {
        DeferredTable table = DeferredTable.Of("t", create);
        Assert.Equal(create, table.Create);
        Assert.Empty(table.Keys);
    }

    [Theory]
    [InlineData("GRANT SELECT ON *.* TO `a`@`%`", "*", "*")]
    [InlineData("GRANT SELECT (`x`, `y`), UPDATE ON `d ``b`.`t. ON ``` TO `a`@`%`", "d `b", "t. ON `")]
    [InlineData("GRANT EXECUTE ON PROCEDURE `d`.`p` TO `a`@`%` WITH GRANT OPTION", "d", "p")]
    public void A_grants_place_is_found(string grant, string database, string name) => Assert.Equal((database, name), GrantText.Place(grant));

    [Fact]
    public void A_grant_of_a_role_has_no_place() => Assert.Null(GrantText.Place("GRANT `r` TO `a`@`%`"));

    [Fact]
    public void Related_accounts_are_those_with_rights_definers_and_roles()
    {
        Account make(string user, params string[] grants) => new(user, user.StartsWith('r') ? "" : "%", user.StartsWith('r'), "", grants);
        Account[] all =
        [
            make("global", "GRANT PROCESS ON *.* TO x"), make("none", "GRANT USAGE ON *.* TO x"), make("pattern", "GRANT SELECT ON `sh_p%`.* TO x"),
            make("escaped", "GRANT SELECT ON `sh\\_p`.* TO x"), make("member", "GRANT `r1` TO `member`@`%`"), make("r1", "GRANT SELECT ON `shop`.`t` TO `r1`"),
            make("r2", "GRANT SELECT ON `other`.* TO `r2`"), make("definer"), make("r3"),
        ];
        IReadOnlyList<Account> related = AccountReader.Related(all, "shop", ["CREATE DEFINER=`definer`@`%` VIEW v AS SELECT 1"]);
        Assert.Equal(["global", "pattern", "member", "r1", "definer"], related.Select(static a => a.User));
    }

    [Fact]
    public void Long_names_fit_and_stay_apart()
    {
        RestoreNames names = RestoreNames.For(new string('ü', 64), "abcdefghij");
        Assert.Equal(64, names.Staging.Length);
        Assert.EndsWith("__before_abcdefghij", names.Before, StringComparison.Ordinal);
        Assert.NotEqual(names.Staging, RestoreNames.For(new string('ü', 63) + "a", "abcdefghij").Staging);
        Assert.Equal("shop__staging_x", RestoreNames.For("shop", "x").Staging);
    }

    [Fact]
    public void A_servers_error_is_found_among_repeated_statements()
    {
        MySqlError error = MySqlError.Parse("--------------\nCREATE USER x IDENTIFIED BY 'secret'\n--------------\n\nERROR 1205 (HY000) at line 12: Lock wait timeout\n")!;
        Assert.Equal((1205, "HY000", "Lock wait timeout"), (error.Number, error.SqlState, error.Message));
        Assert.Equal(2002, MySqlError.Parse("ERROR 2002 (HY000): Can't connect to local server\n")!.Number);
        Assert.Null(MySqlError.Parse("mysql: unknown option '--x'\n"));
    }

    private static string[] Statements(InsertStatements inserts, string lines)
    {
        using MemoryStream stream = new(Encoding.UTF8.GetBytes(lines));
        List<string> statements = [];
        foreach (ReadOnlyMemory<byte> statement in inserts.Read(stream, static _ => { }))
            statements.Add(Encoding.UTF8.GetString(statement.Span));
        return [.. statements];
    }

    /// <summary>Gives a few bytes at a time, as pipes do.</summary>
    private sealed class Slow(byte[] bytes, int piece) : MemoryStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(piece, count));

        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(piece, buffer.Length)]);
    }
}
