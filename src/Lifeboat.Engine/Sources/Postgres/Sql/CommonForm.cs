using System.Text;

namespace Lifeboat.Engine.Sources.Postgres.Sql;

/// <summary>
/// A form of pg_dump's statements in which those of different major versions can be compared. What it leaves out is what versions write
/// differently: settings of the session that reads the dump; brackets and white space; in views and rules, the name of the table in
/// front of a column (16 and later write it only where two could be meant); and whether an owner is set by ALTER TABLE or ALTER VIEW.
/// </summary>
/// <param name="statements">One of the dumps, which names the schemas.</param>
internal sealed class CommonForm(IEnumerable<SqlStatement> statements)
{
    private readonly HashSet<string> _schemas =
    [
        "public", "pg_catalog", "information_schema",
        .. statements.Where(static s => s.Tokens.Count > 2 && s.Tokens[0].Is("create") && s.Tokens[1].Is("schema")).Select(static s => s.Tokens[2].Value),
    ];

    /// <summary>The form of a statement; "" where it says nothing of the schema.</summary>
    public string Of(SqlStatement statement)
    {
        IReadOnlyList<SqlToken> tokens = statement.Tokens;
        if (tokens[0].Is("set") || (tokens.Count > 3 && tokens[0].Is("select") && tokens[3].Is("set_config")))
            return "";
        bool owner = tokens.Count > 5 && tokens[0].Is("alter") && tokens[^3].Is("owner") && tokens[^2].Is("to");
        int start = owner && OwnedAsTable(tokens) is var words and > 0 ? words + 1 : 0;
        bool query = tokens[0].Is("create") && tokens.Take(4).Any(static t => t.Is("view") || t.Is("rule"));
        StringBuilder form = new(start > 0 ? "alter table" : "");
        for (int i = start; i < tokens.Count; i++)
        {
            bool qualifies = query && tokens[i].IsName && i + 2 < tokens.Count && tokens[i + 1].IsSymbol('.') && !_schemas.Contains(tokens[i].Value)
                && !(i > 0 && tokens[i - 1].IsSymbol('.'));
            if (qualifies)
                i++; // and the dot
            else if (!tokens[i].IsSymbol('(') && !tokens[i].IsSymbol(')'))
                form.Append(' ').Append(tokens[i].Kind == SqlTokenKind.Text ? SqlText.Literal(tokens[i].Value) : tokens[i].Value);
        }

        return form.ToString();
    }

    /// <summary>How many words name the kind of object, for those kinds that ALTER TABLE takes too.</summary>
    private static int OwnedAsTable(IReadOnlyList<SqlToken> tokens) =>
        tokens[1].Is("table") || tokens[1].Is("view") || tokens[1].Is("sequence") || tokens[1].Is("index") ? 1
        : (tokens[1].Is("materialized") && tokens[2].Is("view")) || (tokens[1].Is("foreign") && tokens[2].Is("table")) ? 2
        : 0;
}
