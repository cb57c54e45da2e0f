
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Tests.Sources.Postgres;

public sealed class SqlStatementsTests
{
    [Theory]
    [InlineData("SELECT 1; SELECT 2;", 2)]
    [InlineData("SELECT ';''; '; SELECT 2", 2)]
    [InlineData(@"SELECT E'\'; '; SELECT 2", 2)]
    [InlineData(@"SELECT '\'; SELECT 2;", 2)]
    [InlineData("SELECT \"a;\"\"b;\"; SELECT 2;", 2)]
    [InlineData("SELECT $$;$a$;$$; SELECT $a$ ; $$ ; $a$;", 2)]
    [InlineData("SELECT $1; SELECT a$b$; SELECT $b$;$b$", 3)]
    [InlineData("-- a ; b\nSELECT 1 /* ; /* ; */ ' */ + 1; SELECT 2;", 2)]
    [InlineData("CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2); SELECT 3;", 2)]
    [InlineData("CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 3;", 2)]
    [InlineData("CREATE OR REPLACE PROCEDURE f() BEGIN ATOMIC SELECT 2; END; SELECT 3;", 2)]
    [InlineData("BEGIN; SELECT 3; END;", 3)]
    [InlineData("\\restrict a;'b\nSELECT 1;\n\\unrestrict x", 3)]
    [InlineData(" -- nothing\n ;; ", 0)]
    public void A_semicolon_ends_a_statement_only_outside_quotes_comments_and_bodies(string sql, int statements) =>
        Assert.Equal(statements, SqlStatements.Split(sql).Count());

    [Fact]
    public void Lines_and_texts_are_those_of_the_file()
    {
        SqlStatement[] statements = [.. SqlStatements.Split("-- one\nSELECT\n 'a\nb';\n\\connect x y\n  SELECT 2 -- end\n;")];

        Assert.Equal([(2, "SELECT\n 'a\nb'", false), (5, "\\connect x y", true), (6, "SELECT 2", false)], statements.Select(s => (s.Line, s.Text, s.IsMeta)));
    }

    [Theory]
    [InlineData("SELECT 1;\n SELECT 'a")]
    [InlineData("\n SELECT \"a;")]
    [InlineData("\n SELECT $x$ $$;")]
    [InlineData("\n /* /* */ SELECT 1;")]
    public void What_is_never_closed_is_an_error_that_names_the_line(string sql) =>
        Assert.Contains("line 2", Assert.Throws<FormatException>(() => SqlStatements.Split(sql).ToArray()).Message);

    [Fact]
    public void Names_and_strings_give_their_values()
    {
        SqlStatement statement = Assert.Single(SqlStatements.Split("ALTER Rôle \"a\"\"B\nc\" SET x TO E'it''s\\\\ \\n', 'b\\', $t$c'$t$"));

        Assert.Equal(["alter", "rôle", "a\"B\nc", "set", "x", "to", "it's\\ \n", ",", "b\\", ",", "c'"], statement.Tokens.Select(t => t.Value));
    }
}
