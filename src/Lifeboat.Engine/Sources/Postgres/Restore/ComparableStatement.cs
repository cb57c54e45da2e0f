using System.Text.RegularExpressions;
using Lifeboat.Engine.Sources.Postgres.Roles;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>
/// A statement of a schema's dump without what pg_dump writes in another way after a restore although the object is the same. Each kind is explained in
/// docs/postgres.md.
/// </summary>
internal static partial class ComparableStatement
{
    public static string Of(SqlStatement statement)
    {
        IReadOnlyList<SqlToken> tokens = statement.Tokens;
        if (tokens[0].Is("create") && tokens.Count > 1 && tokens[1].Is("policy"))
            return WithSortedRoles(statement);
        if (tokens[0].Is("create") && tokens.Take(4).Any(static token => token.Is("table")) && GlobalStatement.IndexOf(tokens, "inherits") > 0)
            return WithSortedColumns(statement);
        return tokens[0].Is("alter") && GlobalStatement.IndexOf(tokens, "generated") > 0 ? WithDefaultBounds(statement.Text) : statement.Text;
    }

    /// <summary>A child of inheritance: the order of its columns is <see cref="ColumnOrder"/>'s to judge. They come in that of their texts, with the constraints.</summary>
    private static string WithSortedColumns(SqlStatement statement)
    {
        IReadOnlyList<SqlToken> tokens = statement.Tokens;
        int start = tokens[0].Start, depth = 0, open = -1, from = 0;
        List<string> parts = [];
        foreach (SqlToken token in tokens.Where(static token => token.Kind == SqlTokenKind.Symbol))
        {
            int at = token.Start - start;
            depth += token.IsSymbol('(') ? 1 : 0;
            if (token.IsSymbol('(') && depth == 1 && open < 0)
                (open, from) = (at, at + 1);
            else if (depth == 1 && (token.IsSymbol(',') || token.IsSymbol(')')))
            {
                parts.Add(statement.Text[from..at].Trim());
                from = at + 1;
                if (token.IsSymbol(')'))
                    return $"{statement.Text[..(open + 1)]}{string.Join(", ", parts.Order(StringComparer.Ordinal))}{statement.Text[at..]}";
            }

            depth -= token.IsSymbol(')') ? 1 : 0;
        }

        return statement.Text;
    }

    /// <summary>A policy's roles come in the order in which the server has its roles.</summary>
    private static string WithSortedRoles(SqlStatement statement)
    {
        IReadOnlyList<SqlToken> tokens = statement.Tokens;
        int to = GlobalStatement.IndexOf(tokens, "to"), end = to + 1;
        if (to < 0)
            return statement.Text;
        while (end < tokens.Count && !tokens[end].Is("using") && !tokens[end].Is("with"))
            end++;
        IEnumerable<string> roles = tokens.Take(end).Skip(to + 1).Where(static token => token.IsName).Select(static token => SqlText.Identifier(token.Value));
        string rest = end < tokens.Count ? statement.Text[(tokens[end].Start - tokens[0].Start)..] : "";
        return $"{statement.Text[..(tokens[to].Start - tokens[0].Start)]}TO {string.Join(", ", roles.Order(StringComparer.Ordinal))} {rest}";
    }

    /// <summary>
    /// The sequence of an identity column can have another type than the column (CREATE TABLE … LIKE makes such), which the dump does not say; its bounds are
    /// the column type's, and are written out for one type and left out for the other.
    /// </summary>
    private static string WithDefaultBounds(string sql) => Bound().Replace(sql, "NO $1VALUE");

    [GeneratedRegex(@"\b(MAX|MIN)VALUE (?:32767|2147483647|9223372036854775807|-32768|-2147483648|-9223372036854775808)\b", RegexOptions.CultureInvariant)]
    private static partial Regex Bound();
}
