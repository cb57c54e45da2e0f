using System.Text;
using System.Text.RegularExpressions;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Extensions;

/// <summary>
/// Apache AGE. A graph is known by its schema's object id, in two configuration tables and in the definitions of views over
/// <c>cypher()</c>. Such views have two more flaws in the text that the server writes: the names of the result's columns are missing, and
/// (from 1.8 on) so are the casts that make rows vertices and edges.
/// </summary>
internal sealed partial class AgeExtension : KnownExtension
{
    // Of a vertex: id, label, properties; of an edge: id, label, end, start, properties.
    private const int VertexFields = 3;
    private const int EdgeFields = 5;

    public override string Name => "age";

    // A copy of a copy may hold ids that were stale before: the name of the schema is what counts.
    public override string ObjectIdsSql =>
        "SELECT graphid, 'regnamespace', namespace::pg_catalog.regnamespace FROM ag_catalog.ag_graph ORDER BY name";

    public override IReadOnlyList<ObjectIdColumn> ObjectIdColumns =>
        [new(SqlText.Identifier("ag_catalog", "ag_graph"), "graphid"), new(SqlText.Identifier("ag_catalog", "ag_label"), "graph")];

    public override string SessionSql => "LOAD 'age'; SET LOCAL search_path = pg_catalog, ag_catalog, pg_temp";

    /// <summary>Every label is counted by name, and every edge with the labels at its ends.</summary>
    public override string QuestionsSql =>
        """
        SELECT pg_catalog.format('SELECT * FROM ag_catalog.cypher(%L, $lifeboat$ %s $lifeboat$) AS (%s) ORDER BY 1, 2, 3', g.name, q.cypher, q.columns)
        FROM ag_catalog.ag_graph g, (VALUES
            (1, 'MATCH (n) RETURN ''vertices'', label(n), count(*)', 'a ag_catalog.agtype, b ag_catalog.agtype, n ag_catalog.agtype'),
            (2, 'MATCH (a)-[r]->(b) RETURN label(a), type(r), label(b), count(*)',
                'a ag_catalog.agtype, b ag_catalog.agtype, c ag_catalog.agtype, n ag_catalog.agtype')) q(place, cypher, columns)
        ORDER BY g.name, q.place
        """;

    public override async Task<(IReadOnlyList<PostgresExtensionView> Views, IReadOnlyList<Problem> Problems)> ViewsAsync(
        PsqlSession session, CancellationToken cancellation)
    {
        List<PostgresExtensionView> views = [];
        List<Problem> problems = [];
        foreach (string?[] row in await session.QueryAsync(ViewsSql, cancellation))
        {
            PostgresExtensionView view = new(row[0]!, row[1]!, [.. Calls(row[2]!)]);
            if (await FaultAsync(session, view, row[2]!, row[3]!.TrimEnd(';'), cancellation) is { } fault)
                problems.Add(Unsupported(session, view, fault));
            else
                views.Add(view);
        }

        return (views, problems);
    }

    /// <inheritdoc/>
    public override string RepairView(string sql, PostgresExtensionView view, Func<string, string> id)
    {
        IReadOnlyList<SqlToken> tokens = SqlStatements.Split(sql).Single().Tokens;
        List<(int At, int Length, string Text)> changes = [];
        int call = 0;
        for (int i = 0; i < tokens.Count; i++)
        {
            if (IsCall(tokens, i) && call < view.Columns.Count)
                changes.Add((End(tokens[i]), 0, $"({string.Join(", ", view.Columns[call++].Select(Quoted))})"));
            else if (tokens[i].Kind == SqlTokenKind.Text && i > 1 && tokens[i - 1].IsSymbol('(') && tokens[i - 2].Is("_label_name"))
                changes.Add((tokens[i].Start, tokens[i].Length, id(tokens[i].Value)));
            else if (tokens[i].Is("row") && RowType(tokens, i) is { } cast)
                changes.Add((cast.At, 0, cast.Text));
        }

        StringBuilder repaired = new(sql);
        foreach ((int at, int length, string text) in changes.OrderByDescending(static change => change.At))
            repaired.Remove(at, length).Insert(at, text);
        return repaired.ToString();
    }

    private static Problem Unsupported(PsqlSession session, PostgresExtensionView view, string why) => new(
        ErrorCodes.PostgresExtensionUnsupported,
        $"view {SqlText.Identifier(view.Schema, view.Name)} over cypher() cannot be carried in a backup: {why}",
        "keep its CREATE statement with the application, drop it in the database, and make it again after a restore",
        session.Connection.Source);

    /// <summary>Why a view could not be made again; null where the server takes the repaired definition.</summary>
    private async Task<string?> FaultAsync(PsqlSession session, PostgresExtensionView view, string tree, string definition, CancellationToken cancellation)
    {
        string repaired = RepairView(definition, view, SqlText.Literal);
        IReadOnlyList<SqlToken> tokens = SqlStatements.Split(definition).Single().Tokens;
        int calls = Enumerable.Range(0, tokens.Count).Count(i => IsCall(tokens, i));
        bool alike = view.Columns.Select(static columns => string.Join('\n', columns)).Distinct().Count() < 2;
        if (calls != view.Columns.Count || (!alike && tree.Contains("{SUBLINK", StringComparison.Ordinal)))
            return "its calls of cypher() cannot be told apart in what the server writes of it";
        // PREPARE reads the text as CREATE VIEW would, and makes nothing.
        await session.ExecuteAsync("SAVEPOINT lifeboat_view", cancellation);
        try
        {
            await session.AllowRelationsAsync(cancellation); // the view may be over other views
            await session.ExecuteAsync($"PREPARE lifeboat_view AS {repaired}", cancellation);
            await session.ExecuteAsync("DEALLOCATE lifeboat_view", cancellation);
            return null;
        }
        catch (LifeboatException e) when (PostgresError.Of(e) is { } error)
        {
            return $"the server does not take back what it writes of it ({error.Message})";
        }
        finally
        {
            await session.ExecuteAsync("ROLLBACK TO SAVEPOINT lifeboat_view; RELEASE SAVEPOINT lifeboat_view", cancellation);
        }
    }

    private static int End(SqlToken token) => token.Start + token.Length;

    private static string Quoted(string name) => PlainName().IsMatch(name) ? name : SqlText.Identifier(name);

    /// <summary>The name of a call's result: AGE wraps what it makes of the query into a subquery called <c>_</c>.</summary>
    private static bool IsCall(IReadOnlyList<SqlToken> tokens, int i) =>
        i > 2 && tokens[i].IsName && tokens[i - 1].IsSymbol(')') && tokens[i - 2].Is("_") && tokens[i - 3].IsSymbol(')')
        && !(i + 1 < tokens.Count && tokens[i + 1].IsSymbol('('));

    /// <summary>Where a cast is missing after <c>ROW(…)</c>, and which; null where it is none of AGE's, or has its cast.</summary>
    private static (int At, string Text)? RowType(IReadOnlyList<SqlToken> tokens, int row)
    {
        int depth = 0, fields = 1, second = 0;
        for (int i = row + 1; i < tokens.Count; i++)
        {
            depth += tokens[i].IsSymbol('(') ? 1 : tokens[i].IsSymbol(')') ? -1 : 0;
            if (depth == 1 && tokens[i].IsSymbol(',') && ++fields == 2)
                second = i + 1;
            if (depth > 0)
                continue;
            bool labelled = second > 0 && second + 2 < tokens.Count && tokens[second + 2].Is("_label_name");
            bool cast = i + 1 < tokens.Count && tokens[i + 1].IsSymbol(':');
            return !labelled || cast ? null : fields switch
            {
                VertexFields => (End(tokens[i]), "::ag_catalog.vertex"),
                EdgeFields => (End(tokens[i]), "::ag_catalog.edge"),
                _ => null,
            };
        }

        return null;
    }

    /// <summary>The columns of each call, in the order of the view's text, from the server's own form of its rule.</summary>
    private static IEnumerable<IReadOnlyList<string>> Calls(string tree) => CallInTree().Matches(tree)
        .Select(static match => (IReadOnlyList<string>)[.. NameInTree().Matches(match.Groups[1].Value).Select(static name => Escape().Replace(name.Groups[1].Value, "$1"))]);

    [GeneratedRegex("""
        :alias\ (?:<>|\{ALIAS\ :aliasname\ (?:[^\s\\]|\\.)+\ :colnames\ <>\})\ :eref\ \{ALIAS\ :aliasname\ (?:[^\s\\]|\\.)+\ :colnames\ \(((?:[^\\)]|\\.)*)\)\}\ :rtekind\ 1\ :subquery\ \{QUERY\ [^{}]*:rtable\ \(\{RANGETBLENTRY\ :alias\ \{ALIAS\ :aliasname\ _\ :colnames\ <>\}
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex CallInTree();

    [GeneratedRegex(@"""((?:[^\\\s]|\\.)*)""(?:\s|$)")]
    private static partial Regex NameInTree();

    [GeneratedRegex(@"\\(.)", RegexOptions.Singleline)]
    private static partial Regex Escape();

    [GeneratedRegex("^[a-z_][a-z0-9_]*$")]
    private static partial Regex PlainName();

    // Functions keep their text, and the server refuses cypher() in a body of its own form; rules are views'.
    private const string ViewsSql =
        """
        SELECT n.nspname, c.relname, r.ev_action, pg_catalog.pg_get_viewdef(c.oid)
        FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('v', 'm') AND r.ev_action::text LIKE '%{ALIAS :aliasname \_ :colnames <>}%' ORDER BY 1, 2
        """;
}
