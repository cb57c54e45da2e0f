using System.Text;

namespace Lifeboat.Engine.Sources.Postgres.Sql;

/// <summary>
/// A form of pg_dump's statements in which those of different major versions can be compared. What it leaves out is what versions write
/// differently: settings of the session that reads the dump; white space; in views and rules, the name of the table in front of a column
/// (16 and later write it only where two could be meant); whether an owner is set by ALTER TABLE or ALTER VIEW; ALTER FOREIGN TABLE with ONLY or without; the names of NOT NULL
/// constraints (18 and later have them); all rights on tables (ALL, or those of before 17 by their names); and a subscription's options that were defaults before.
/// </summary>
/// <param name="statements">One of the dumps, which names the schemas.</param>
/// <param name="major">The major version of the older of the programs that wrote them.</param>
internal sealed class CommonForm(IEnumerable<SqlStatement> statements, int major)
{
    // All rights on tables that there were; 17 has one more.
    private static readonly string[] s_allBefore17 = ["select", ",", "insert", ",", "references", ",", "delete", ",", "trigger", ",", "truncate", ",", "update"];

    private readonly HashSet<string> _schemas =
    [
        "public", "pg_catalog", "information_schema",
        .. statements.Where(static s => s.Tokens.Count > 2 && s.Tokens[0].Is("create") && s.Tokens[1].Is("schema")).Select(static s => s.Tokens[2].Value),
    ];

    /// <summary>The form of a statement; "" where it says nothing of the schema.</summary>
    public string Of(SqlStatement statement, bool brackets = true)
    {
        List<SqlToken> tokens = Tokens(statement);
        StringBuilder form = new();
        for (int i = 0; i < tokens.Count; i++)
        {
            if (StatementOutline.IsQuery(tokens) && Qualifies(tokens, i))
                i++; // and the dot
            else if (brackets || !(tokens[i].IsSymbol('(') || tokens[i].IsSymbol(')')))
                Append(form, tokens[i]);
        }

        return form.ToString();
    }

    /// <summary>The form without expressions: two statements in which it is the same make the same object.</summary>
    public string OutlineOf(SqlStatement statement) => StatementOutline.Of(Tokens(statement)).Aggregate(new StringBuilder(), Append).ToString();

    /// <summary>Whether two statements of the same form name the same tables in front of columns, wherever the newer one names one.</summary>
    public bool SameTables(SqlStatement older, SqlStatement newer)
    {
        List<SqlToken> before = Tokens(older), after = Tokens(newer);
        int i = 0;
        for (int j = 0; j < after.Count; i++, j++)
        {
            while (i < before.Count && before[i].Value != after[j].Value && Qualifies(before, i))
                i += 2;
            if (i == before.Count || before[i].Value != after[j].Value)
                return false;
        }

        return i == before.Count;
    }

    private bool Qualifies(List<SqlToken> tokens, int i) =>
        tokens[i].IsName && i + 2 < tokens.Count && tokens[i + 1].IsSymbol('.') && !_schemas.Contains(tokens[i].Value) && !(i > 0 && tokens[i - 1].IsSymbol('.'));

    private List<SqlToken> Tokens(SqlStatement statement)
    {
        IReadOnlyList<SqlToken> tokens = statement.Tokens;
        if (tokens[0].Is("set") || (tokens.Count > 3 && tokens[0].Is("select") && tokens[3].Is("set_config")))
            return [];
        bool owner = tokens.Count > 5 && tokens[0].Is("alter") && tokens[^3].Is("owner") && tokens[^2].Is("to");
        if (owner && OwnedAsTable(tokens) is var words and > 0)
            return [tokens[0], new SqlToken(SqlTokenKind.Word, "table", 0, 0), .. tokens.Skip(words + 1)];
        if (major < 17 && tokens.Count > s_allBefore17.Length && tokens.Skip(1).Take(s_allBefore17.Length).Select(static t => t.Value).SequenceEqual(s_allBefore17))
            return [tokens[0], new SqlToken(SqlTokenKind.Word, "all", 0, 0), .. tokens.Skip(1 + s_allBefore17.Length)];
        List<SqlToken> form = [];
        for (int i = 0; i < tokens.Count; i++)
        {
            while (IsFormerDefault(tokens, i))
                i += 4;
            if (IsNameOfNotNull(tokens, i))
                i += 2;
            else if (tokens[i].Is("only") && i == 3 && tokens[1].Is("foreign"))
                i++;
            form.Add(tokens[i]);
        }

        return form;
    }

    private bool IsNameOfNotNull(IReadOnlyList<SqlToken> tokens, int i) =>
        major < 18 && tokens[i].Is("constraint") && i + 3 < tokens.Count && tokens[i + 2].Is("not") && tokens[i + 3].Is("null");

    /// <summary>What <see cref="SubscriptionDefaults"/> sets; after a comma, because other options come first.</summary>
    private bool IsFormerDefault(IReadOnlyList<SqlToken> tokens, int i) =>
        tokens[1].Is("subscription") && tokens[i].IsSymbol(',') && i + 4 < tokens.Count
        && ((major < SubscriptionDefaults.RunsAsTablesOwner && tokens[i + 1].Is("run_as_owner") && tokens[i + 3].Is("true"))
            || (major < SubscriptionDefaults.StreamsInParallel && tokens[i + 1].Is("streaming") && tokens[i + 3].Is("off")));

    private static StringBuilder Append(StringBuilder form, SqlToken token) =>
        form.Append(' ').Append(token.Kind == SqlTokenKind.Text ? SqlText.Literal(token.Value) : token.Value);

    /// <summary>How many words name the kind of object, for those kinds that ALTER TABLE takes too.</summary>
    private static int OwnedAsTable(IReadOnlyList<SqlToken> tokens) =>
        tokens[1].Is("table") || tokens[1].Is("view") || tokens[1].Is("sequence") || tokens[1].Is("index") ? 1
        : (tokens[1].Is("materialized") && tokens[2].Is("view")) || (tokens[1].Is("foreign") && tokens[2].Is("table")) ? 2
        : 0;
}
