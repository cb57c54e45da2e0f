using Lifeboat.Engine.Processes;

namespace Lifeboat.Tests.Processes;

public sealed class ProgramMessageTests
{
    [Fact]
    public void The_reason_is_kept_and_a_statement_of_many_lines_is_not()
    {
        string statement = string.Join('\n', Enumerable.Range(1, 200).Select(static i => $"    column_{i} integer DEFAULT 1,"));
        string said = ProgramMessage.Of($"""
            pg_restore: while PROCESSING TOC:
            pg_restore: from TOC entry 3392; 1259 16402 INDEX item_f_idx postgres
            pg_restore: error: could not execute query: ERROR:  function public.g(integer) does not exist
            LINE 1: SELECT public.g($1)
                           ^
            DETAIL:  something more
            HINT:  No function matches the given name and argument types.
            QUERY:  SELECT public.g($1)
            CONTEXT:  SQL function "f" during inlining
            Command was: CREATE TABLE wide (
            {statement}
                last integer
            );

            """);

        Assert.Equal(
            "pg_restore: error: could not execute query: ERROR:  function public.g(integer) does not exist / DETAIL:  something more"
            + " / HINT:  No function matches the given name and argument types. / CONTEXT:  SQL function \"f\" during inlining", said);
    }

    [Theory]
    [InlineData("", "it said nothing")]
    [InlineData("\n  \n", "it said nothing")]
    [InlineData("one\ntwo\n", "one / two")]
    [InlineData("1\n2\n3\n4\n5\n6\n7\n8\n", "3 / 4 / 5 / 6 / 7 / 8")]
    [InlineData("ERROR 1064 (42000) at line 3: You have an error in your SQL syntax\n", "ERROR 1064 (42000) at line 3: You have an error in your SQL syntax")]
    [InlineData("psql: error: connection to server failed: FATAL:  role \"x\" does not exist\n", "psql: error: connection to server failed: FATAL:  role \"x\" does not exist")]
    [InlineData("FEHLER:  Funktion g(integer) existiert nicht\nKONTEXT:  SQL-Funktion f\nCommand was: CREATE INDEX i\nON t (f(n));\n", "FEHLER:  Funktion g(integer) existiert nicht / KONTEXT:  SQL-Funktion f")]
    public void What_a_program_says_is_one_line(string errors, string expected) => Assert.Equal(expected, ProgramMessage.Of(errors));

    [Fact]
    public void A_line_without_end_is_cut() => Assert.Equal("ERROR:  " + new string('x', 292) + "…", ProgramMessage.Of("ERROR:  " + new string('x', 5000)));
}
