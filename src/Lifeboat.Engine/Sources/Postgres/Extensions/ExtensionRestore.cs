using System.Text;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Extensions;

/// <summary>
/// What a restore does for the known extensions of a database, as SQL: for the program and for <c>restore.sql</c> alike. Schema texts are
/// given and taken as bytes, a character for each.
/// </summary>
internal sealed class ExtensionRestore
{
    private readonly PostgresDetails _details;
    private readonly List<(KnownExtension Known, PostgresExtension Captured)> _extensions;
    private readonly Dictionary<(string Schema, string Name), (KnownExtension Known, PostgresExtensionView View)> _views = [];

    public ExtensionRestore(PostgresDetails details)
    {
        _details = details;
        _extensions = [.. details.Extensions.Select(static e => (Known: KnownExtensions.Find(e.Name)!, Captured: e)).Where(static e => e.Known is not null)];
        foreach ((KnownExtension known, PostgresExtension captured) in _extensions)
            foreach (PostgresExtensionView view in captured.Views ?? [])
                _views[(Bytes(view.Schema), Bytes(view.Name))] = (known, view with { Columns = [.. view.Columns.Select(columns => columns.Select(Bytes).ToArray())] });
    }

    /// <summary>Whether the schema's text must be changed before it is run.</summary>
    public bool EditsSchema => _views.Count > 0 || _extensions.Any(static e => e.Known.AfterCreateSql is not null);

    /// <summary>What follows when all rows are loaded: object ids become those of this server.</summary>
    public IEnumerable<string> AfterLoadSql => _extensions.Where(static e => e.Captured.ObjectIds is not null)
        .SelectMany(static e => e.Known.ObjectIdColumns.GroupBy(static c => c.Table, static c => c.Column), static (e, columns) => (e.Captured, Columns: columns))
        .Select(e => RemapSql(e.Captured, e.Columns.Key, [.. e.Columns]))
        .Aggregate("", static (all, sql) => all + sql) is { Length: > 0 } remap
        ? [$"BEGIN;\nSET LOCAL session_replication_role = replica;\n{remap}COMMIT"]
        : [];

    /// <summary>What follows when everything else is done.</summary>
    public IEnumerable<string> AtEndSql => _extensions.Select(static e => e.Known.AtEndSql).OfType<string>();

    /// <summary>What lets extensions act by themselves, once the database is live.</summary>
    public IEnumerable<string> WhenLiveSql => _extensions.Select(static e => e.Known.WhenLiveSql).OfType<string>();

    /// <summary>The text of what comes before the rows, for psql.</summary>
    /// <param name="versions">The version of each extension that is not created in the server's default one.</param>
    public string EditSchema(string sql, IReadOnlyDictionary<string, string> versions)
    {
        StringBuilder text = new();
        int copied = 0;
        bool known = false;
        foreach (SqlStatement statement in SqlStatements.Split(sql))
        {
            int start = statement.Tokens[0].Start;
            string edited = Edit(statement, static id => $":'{Variable(id)}'");
            edited += AfterCreated(statement, versions);
            if (edited == statement.Text)
                continue;
            text.Append(sql, copied, start - copied);
            if (!known && IsView(statement) is not null)
                text.Append(Variables());
            known |= IsView(statement) is not null;
            text.Append(edited);
            copied = start + statement.Text.Length;
        }

        return text.Append(sql, copied, sql.Length - copied).ToString();
    }

    /// <summary>A statement of the schema as it is run.</summary>
    /// <param name="id">What stands for an object id that was captured: a literal, or psql's form of one.</param>
    public string Edit(SqlStatement statement, Func<string, string> id) =>
        IsView(statement) is { } view ? view.Known.RepairView(statement.Text, view.View, id) : statement.Text;

    /// <summary>What is added to a statement that creates an extension; "" to others.</summary>
    /// <param name="versions">The version of each extension that is not created in the server's default one.</param>
    public string AfterCreated(SqlStatement statement, IReadOnlyDictionary<string, string> versions) =>
        CreatedExtension(statement) is { } name ? WithVersion(name, versions) + AfterCreate(name) : "";

    /// <summary>What is run for a statement of the schema, each by itself.</summary>
    /// <param name="versions">As for <see cref="EditSchema"/>.</param>
    /// <param name="id">As for <see cref="Edit"/>.</param>
    public IEnumerable<string> StatementsFor(SqlStatement statement, IReadOnlyDictionary<string, string> versions, Func<string, string> id)
    {
        if (CreatedExtension(statement) is not { } name)
            return [Edit(statement, id)];
        string create = statement.Text + WithVersion(name, versions);
        return Known(name)?.AfterCreateSql is { } after ? [create, after] : [create];
    }

    /// <summary>Whether a statement creates a view whose text is made anew.</summary>
    public bool Edits(SqlStatement statement) => IsView(statement) is not null;

    /// <summary>
    /// The query for a table whose object ids were replaced: its rows with the captured ids again, so that they can be compared with what was
    /// captured. A row with an id that is not one of this server's is missing from it. Null for other tables.
    /// </summary>
    public string? CapturedRowsSql(PostgresTable table)
    {
        foreach ((KnownExtension known, PostgresExtension captured) in _extensions.Where(static e => e.Captured.ObjectIds is not null))
        {
            ObjectIdColumn[] columns = [.. known.ObjectIdColumns.Where(c => c.Table == table.QuotedName)];
            if (columns.Length > 0)
                return $"SELECT {List(table.Columns, columns, "old")} FROM (SELECT * FROM ONLY {table.QuotedName} {table.Where}) t {Joins(captured, columns, "JOIN", "new")}";
        }

        return null;
    }

    /// <summary>Object ids of this server by those that were captured.</summary>
    public async Task<IReadOnlyDictionary<string, string>> IdsAsync(PsqlSession session, CancellationToken cancellation)
    {
        Dictionary<string, string> ids = [];
        foreach (PostgresObjectId id in _extensions.SelectMany(static e => e.Captured.ObjectIds ?? []))
            ids[id.Id] = await session.QueryOneAsync($"SELECT {NewId(id)}", cancellation) ?? "";
        return ids;
    }

    private string Bytes(string text) => _details.ServerEncoding == "SQL_ASCII" ? text : Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    private static string Variable(string id) => "lifeboat_id_" + id;

    private static string NewId(PostgresObjectId id) => $"{SqlText.Literal(id.Name)}::pg_catalog.{id.Type}::pg_catalog.oid";

    private static string? CreatedExtension(SqlStatement statement)
    {
        IReadOnlyList<SqlToken> tokens = statement.Tokens;
        return tokens.Count > 5 && tokens[0].Is("create") && tokens[1].Is("extension") && tokens[2].Is("if") ? tokens[5].Value : null;
    }

    private static string WithVersion(string name, IReadOnlyDictionary<string, string> versions) =>
        versions.TryGetValue(name, out string? version) ? $" VERSION {SqlText.Literal(version)}" : "";

    private string AfterCreate(string name) => Known(name)?.AfterCreateSql is { } sql ? ";\n" + sql : "";

    private KnownExtension? Known(string name) => _extensions.Where(e => e.Captured.Name == name).Select(static e => e.Known).FirstOrDefault();

    /// <summary>psql's variables with this server's ids, which there are once the schemas are.</summary>
    private string Variables() => string.Concat(_extensions.SelectMany(static e => e.Captured.ObjectIds ?? [])
        .Select(id => $"SELECT {Bytes(NewId(id))} AS {Variable(id.Id)} \\gset\n"));

    private (KnownExtension Known, PostgresExtensionView View)? IsView(SqlStatement statement)
    {
        IReadOnlyList<SqlToken> tokens = statement.Tokens;
        int at = tokens.Count > 5 && tokens[0].Is("create") ? tokens[1].Is("view") ? 2 : tokens[1].Is("materialized") && tokens[2].Is("view") ? 3 : 0 : 0;
        return at > 0 && _views.TryGetValue((tokens[at].Value, tokens[at + 2].Value), out (KnownExtension, PostgresExtensionView) view) ? view : null;
    }

    // Ids may change places with each other, which an UPDATE's unique index would refuse.
    private string RemapSql(PostgresExtension captured, string table, string[] columns)
    {
        PostgresTable described = _details.Tables.First(t => t.QuotedName == table);
        ObjectIdColumn[] ids = [.. columns.Select(column => new ObjectIdColumn(table, column))];
        return $"""
            CREATE TEMPORARY TABLE lifeboat_rows ON COMMIT DROP AS SELECT {List(described.Columns, ids, "new")} FROM {table} t {Joins(captured, ids, "LEFT JOIN", "old")};
            DELETE FROM ONLY {table};
            INSERT INTO {table}{described.ColumnList} SELECT * FROM pg_temp.lifeboat_rows;
            DROP TABLE pg_temp.lifeboat_rows;

            """;
    }

    private static string List(IReadOnlyList<string> columns, ObjectIdColumn[] ids, string side) => string.Join(", ", columns.Select(column =>
        Array.FindIndex(ids, id => id.Column == column) is var i and >= 0
            ? $"coalesce(m{i}.{side}, t.{SqlText.Identifier(column)}) AS {SqlText.Identifier(column)}"
            : $"t.{SqlText.Identifier(column)}"));

    private static string Joins(PostgresExtension captured, ObjectIdColumn[] ids, string join, string side)
    {
        string values = string.Join(", ", captured.ObjectIds!.Select(static id => $"({SqlText.Literal(id.Id)}::pg_catalog.oid, {NewId(id)})"));
        return string.Join(' ', ids.Select((id, i) => $"{join} (VALUES {values}) m{i}(old, new) ON m{i}.{side} = t.{SqlText.Identifier(id.Column)}"));
    }
}
