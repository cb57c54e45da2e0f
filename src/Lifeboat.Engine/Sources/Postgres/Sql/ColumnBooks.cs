using System.Text;

namespace Lifeboat.Engine.Sources.Postgres.Sql;

/// <summary>
/// PostgreSQL 15.20 keeps books among the options of columns: <c>pg_attver=N</c>, another number in each database. Its own pg_dump leaves them out; newer versions' pg_dump may write
/// them as if they were options, which newer servers refuse and which no restored database has again.
/// </summary>
internal static class ColumnBooks
{
    private const string Option = "pg_attver";

    /// <summary>A dump's text without them.</summary>
    public static string Without(string sql)
    {
        if (!sql.Contains(Option, StringComparison.Ordinal))
            return sql;
        StringBuilder text = new();
        int copied = 0;
        foreach (IReadOnlyList<SqlToken> tokens in SqlStatements.Split(sql).Select(static statement => statement.Tokens))
        {
            int at = Enumerable.Range(0, tokens.Count).FirstOrDefault(i => tokens[i].Is(Option));
            if (at < 2 || at + 3 >= tokens.Count || !tokens[0].Is("alter") || !tokens[at - 1].IsSymbol('(') || !tokens[at - 2].Is("set"))
                continue;
            bool alone = tokens[at + 3].IsSymbol(')');
            text.Append(sql, copied, (alone ? tokens[0].Start : tokens[at].Start) - copied);
            // Alone, the whole statement goes, with its semicolon.
            copied = alone ? tokens[^1].Start + tokens[^1].Length + 1 : tokens[at + 4].Start;
        }

        return text.Append(sql, copied, sql.Length - copied).ToString();
    }
}
