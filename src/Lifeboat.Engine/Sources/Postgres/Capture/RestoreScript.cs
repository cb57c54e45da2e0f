using System.Globalization;
using System.Text;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Extensions;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Capture;

/// <summary>
/// <c>restore.sql</c>: what psql runs, from the folder that holds it, to restore the database by hand into an empty one. Everything in it
/// is psql's own; the schema's text is pg_restore's, in which a psql that knows how runs no commands of its own.
/// </summary>
/// <param name="key">What ends that again: nobody who has written a definition can know it.</param>
internal sealed class RestoreScript(PostgresDetails details, IReadOnlyList<IReadOnlyList<string>> paths, string folder, Encoding encoding, string key)
{
    private const string LoadTable = "pg_temp.lifeboat_load";
    private readonly ExtensionRestore _extensions = new(details);

    public async Task WriteAsync(Stream stream, SchemaDump schema, CancellationToken cancellation)
    {
        await WriteAsync(stream, Header(), cancellation);
        await WriteSectionAsync(
            stream, schema, "pre-data", sql => _extensions.EditsSchema ? _extensions.EditSchema(sql, new Dictionary<string, string>()) : sql, cancellation);
        await WriteAsync(stream, Settings(), cancellation);
        await WriteAsync(stream, "\n-- The tables' rows.\n", cancellation);
        for (int i = 0; i < details.Tables.Count; i++)
            await WriteAsync(stream, Load(details.Tables[i], paths[i]), cancellation);
        await WriteAsync(stream, string.Concat(_extensions.AfterLoadSql.Select(static sql => $"\n-- Object ids that rows hold become this server's.\n{sql};\n")), cancellation);
        await WriteAsync(stream, "\n-- Sequences.\n\\ir sequences.sql\n" + LargeObjects(), cancellation);
        await WriteSectionAsync(stream, schema, "post-data", static sql => sql, cancellation);
        await WriteAsync(stream, Refresh() + "\nRESET ALL;\nANALYZE;\n" + string.Concat(_extensions.AtEndSql.Concat(_extensions.WhenLiveSql).Select(static sql => sql + ";\n")), cancellation);
    }

    /// <summary>Schema texts are bytes, a character for each. The script is for the captured server's version first, which the programs may not be of.</summary>
    private async Task WriteSectionAsync(Stream stream, SchemaDump schema, string section, Func<string, string> edit, CancellationToken cancellation)
    {
        using MemoryStream text = new();
        await schema.WriteTextAsync(["--section=" + section], text, cancellation);
        string sql = ColumnBooks.Without(edit(Encoding.Latin1.GetString(text.GetBuffer(), 0, (int)text.Length)));
        // Definitions that depend on this server's ids are put together by psql.
        bool guarded = !sql.Contains("\\gset\n", StringComparison.Ordinal);
        await WriteAsync(stream, guarded ? ":restrict\n" : "", cancellation);
        await stream.WriteAsync(Encoding.Latin1.GetBytes(OlderServer.Edit(sql, details.ServerVersionNumber / 10000)), cancellation);
        await WriteAsync(stream, guarded ? "\n:unrestrict\n" : "", cancellation);
    }

    /// <summary><c>sequences.sql</c>.</summary>
    public static string Sequences(IReadOnlyList<PostgresSequence> sequences) => string.Concat(sequences.Select(static s => string.Create(
        CultureInfo.InvariantCulture,
        $"SELECT pg_catalog.setval({SqlText.Literal(SqlText.Identifier(s.Schema, s.Name))}, {s.LastValue}, "
        + $"{(s.IsCalled ? "true" : "false")});\n")));

    private string Header() =>
        $"""
        -- Restores this database into an empty one, with psql alone, from the folder that holds this file:
        --     psql -X -v ON_ERROR_STOP=1 -d NEW_DATABASE -f restore.sql
        -- Roles come from globals.sql, the database itself from database.sql: run those first.
        \set ON_ERROR_STOP on
        \pset pager off
        \pset tuples_only on
        -- Where psql can, it takes definitions for SQL alone.
        \set restrict ''
        \set unrestrict ''
        SELECT :VERSION_NUM >= 180000 OR :VERSION_NUM / 10000 = 17 AND :VERSION_NUM >= 170006 OR :VERSION_NUM / 10000 = 16 AND :VERSION_NUM >= 160010
            OR :VERSION_NUM / 10000 = 15 AND :VERSION_NUM >= 150014 OR :VERSION_NUM / 10000 = 14 AND :VERSION_NUM >= 140019
            OR :VERSION_NUM / 10000 = 13 AND :VERSION_NUM >= 130022 AS knows_restrict \gset
        \if :knows_restrict
        \set restrict '\\restrict {key}'
        \set unrestrict '\\unrestrict {key}'
        \endif

        """;

    private static string Settings() => "\n-- Values were written under these settings.\n" + string.Concat(SessionSettings.ForData
        .Where(static s => s.Name is not ("idle_session_timeout" or "transaction_timeout")) // those came with later versions
        .Select(static s => $"SET {s.Name} TO {(s.Name == "DateStyle" ? s.Value : SqlText.Literal(s.Value))};\n"));

    private string Load(PostgresTable table, IReadOnlyList<string> files)
    {
        // \copy takes a single line and no escapes, so names with line ends go through a table whose name has none.
        bool oneLine = !(table.QuotedName + table.ColumnList).AsSpan().ContainsAny('\n', '\r');
        StringBuilder sql = new();
        if (!oneLine)
            sql.Append("CREATE TEMPORARY TABLE lifeboat_load AS SELECT ").AppendJoin(", ", table.Columns.Select(SqlText.Identifier))
                .Append(CultureInfo.InvariantCulture, $" FROM ONLY {table.QuotedName} WITH NO DATA;\n");
        foreach (string file in files)
            sql.Append(CopyLine(oneLine ? table.QuotedName + table.ColumnList : LoadTable, file)).Append('\n');
        if (!oneLine)
            sql.Append(CultureInfo.InvariantCulture,
                $"INSERT INTO {table.QuotedName}{table.ColumnList} OVERRIDING SYSTEM VALUE TABLE {LoadTable};\nDROP TABLE {LoadTable};\n");
        return sql.ToString();
    }

    private string CopyLine(string target, string path)
    {
        // Files' names are UTF-8 whatever the database's bytes are.
        string file = encoding.GetString(Encoding.UTF8.GetBytes(path[(folder.Length + 1)..]));
        return $"\\copy {target} FROM {SqlText.Literal(file)} (ENCODING '{details.ServerEncoding}')";
    }

    private string LargeObjects()
    {
        if (details.LargeObjects.Count == 0)
            return "\n";
        StringBuilder sql = new("\n-- Large objects.\n\\ir large-objects/objects.sql\n");
        sql.Append(CultureInfo.InvariantCulture, $"CREATE TEMPORARY TABLE lifeboat_load (loid oid, pageno int4, data bytea);\n");
        foreach (string path in details.LargeObjects.Paths)
            sql.Append(CopyLine(LoadTable, path)).Append('\n');
        sql.Append("DO $$ BEGIN PERFORM pg_catalog.lo_put(loid, pageno * (pg_catalog.current_setting('block_size')::int8 / 4), data) "
            + "FROM pg_temp.lifeboat_load; END $$;\n");
        return sql.Append(CultureInfo.InvariantCulture, $"DROP TABLE {LoadTable};\n\n").ToString();
    }

    private string Refresh() => "\n-- Materialised views that were populated.\n" + string.Concat(details.MaterializedViews
        .Where(static v => v.Populated).Select(static v => $"REFRESH MATERIALIZED VIEW {SqlText.Identifier(v.Schema, v.Name)};\n"));

    private async Task WriteAsync(Stream stream, string text, CancellationToken cancellation) =>
        await stream.WriteAsync(encoding.GetBytes(text), cancellation);
}
