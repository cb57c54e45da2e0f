using System.Text;

namespace Lifeboat.Engine.Sources.MySql.Sql;

/// <summary>
/// Finds what a definition of the server's own making refers to. A name before a point is a database, a table or an alias: which of them, its
/// place tells. Texts and comments are no names, whatever stands in them.
/// </summary>
internal static class QualifiedNames
{
    private static readonly string[] s_beforeTable = ["FROM", "JOIN", "STRAIGHT_JOIN"];
    private static readonly string[] s_endOfTables =
        ["ON", "USING", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "EXCEPT", "INTERSECT", "WINDOW", "PROCEDURE", "FOR"];
    private static readonly string[] s_ofSequence = ["NEXTVAL", "LASTVAL", "SETVAL"];

    /// <summary>The same definition, with names in one database put into another.</summary>
    /// <param name="from">A character for a byte.</param>
    /// <param name="to">Likewise; null to leave the names without a database.</param>
    public static string Replace(string sql, string from, string? to)
    {
        StringBuilder text = new();
        int done = 0;
        foreach ((SqlToken name, SqlToken point) in Databases(SqlTokens.Read(sql)).Where(found => found.Name.Value == from))
        {
            text.Append(sql, done, name.Start - done);
            if (to is not null)
                text.Append(SqlText.Identifier(to)).Append('.');
            done = point.End;
        }

        return text.Append(sql, done, sql.Length - done).ToString();
    }

    /// <summary>The tables and views that a query reads, whatever their database.</summary>
    public static IReadOnlySet<string> Tables(string sql)
    {
        IReadOnlyList<SqlToken> tokens = SqlTokens.Read(sql);
        HashSet<string> tables = [];
        foreach (int i in TablePlaces(tokens))
            tables.Add(IsQualified(tokens, i) ? tokens[i + 2].Value : tokens[i].Value);
        return tables;
    }

    private static bool IsQualified(IReadOnlyList<SqlToken> tokens, int i) =>
        i + 2 < tokens.Count && tokens[i].Kind == SqlTokenKind.Name && tokens[i + 1].IsSign('.') && tokens[i + 2].Kind == SqlTokenKind.Name;

    /// <summary>Names of databases, each with the point behind it.</summary>
    private static IEnumerable<(SqlToken Name, SqlToken Point)> Databases(IReadOnlyList<SqlToken> tokens)
    {
        HashSet<int> tables = [.. TablePlaces(tokens)];
        for (int i = 0; i < tokens.Count; i++)
        {
            if (!IsQualified(tokens, i) || (i > 0 && tokens[i - 1].IsSign('.')))
                continue;
            bool isColumnOfTable = IsQualified(tokens, i + 2);
            bool isFunction = i + 3 < tokens.Count && tokens[i + 3].IsSign('(');
            bool isSequence = i > 1 && tokens[i - 1].IsSign('(') && s_ofSequence.Any(tokens[i - 2].IsWord);
            if (isColumnOfTable || isFunction || isSequence || tables.Contains(i))
                yield return (tokens[i], tokens[i + 1]);
        }
    }

    /// <summary>Where names of tables begin. Words in the parentheses of a function, as FROM in <c>extract(year from d)</c>, lead to no table.</summary>
    private static IEnumerable<int> TablePlaces(IReadOnlyList<SqlToken> tokens)
    {
        Stack<Clause> outer = new();
        Clause clause = new(IsQuery: true, InTables: false);
        for (int i = 0; i < tokens.Count; i++)
        {
            SqlToken token = tokens[i];
            if (token.IsSign('('))
            {
                outer.Push(clause);
                bool query = i + 1 < tokens.Count && (tokens[i + 1].IsWord("SELECT") || tokens[i + 1].IsWord("WITH"));
                bool tables = clause.InTables && ExpectsTable(tokens, i);
                bool union = i > 1 && tokens[i - 1].IsSign('=') && tokens[i - 2].IsWord("UNION"); // of a MERGE table
                clause = new Clause(query || tables, !query && (tables || union));
            }
            else if (token.IsSign(')') && outer.Count > 0)
                clause = outer.Pop();
            else if (token.Kind == SqlTokenKind.Word && (clause.IsQuery || clause.InTables))
                clause = Next(clause, token);
            if (token.Kind == SqlTokenKind.Name && ((clause.InTables && ExpectsTable(tokens, i)) || (i > 0 && tokens[i - 1].IsWord("REFERENCES"))))
                yield return i;
        }
    }

    private static Clause Next(Clause clause, SqlToken word) =>
        s_beforeTable.Any(word.IsWord) ? clause with { InTables = true }
        : word.IsWord("SELECT") || s_endOfTables.Any(word.IsWord) ? clause with { InTables = false }
        : clause;

    /// <summary>Whether a table, or a parenthesis around tables, stands at a place of a list of tables.</summary>
    private static bool ExpectsTable(IReadOnlyList<SqlToken> tokens, int i) =>
        i > 0 && (tokens[i - 1].IsSign(',') || tokens[i - 1].IsSign('(') || s_beforeTable.Any(tokens[i - 1].IsWord));

    private readonly record struct Clause(bool IsQuery, bool InTables);
}
