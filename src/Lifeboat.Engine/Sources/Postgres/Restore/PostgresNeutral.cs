using System.Globalization;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>Runs the statements that make a staged database neutral: all of them or none.</summary>
internal sealed class PostgresNeutral(string source, IReadOnlyList<string> wanted, IProgressSink progress)
{
    private const string RowsSetting = "lifeboat.rows";

    /// <summary>Lines of the plan.</summary>
    public IEnumerable<string> Steps => wanted.SelectMany(static one => one == SourceSettings.OdooList
        ? OdooNeutral.All.Select(static statement => $"{statement.What} (where the copy has {statement.Table})")
        : [one]).Select(Neutralizing.Step);

    /// <param name="session">In the staged database.</param>
    /// <param name="owner">Whose the database is to be; as long as it is staged, it need not be his.</param>
    /// <returns>How many statements were run.</returns>
    /// <exception cref="LifeboatException">One of them failed.</exception>
    public async Task<int> RunAsync(PsqlSession session, string owner, CancellationToken cancellation)
    {
        int count = 0;
        string path = await session.QueryOneAsync(PathSql(owner), cancellation) ?? "public";
        await session.ExecuteAsync("BEGIN", cancellation);
        // Names are found as the application finds them. From here to the end, whatever we say ourselves says pg_catalog.
        await session.QueryAsync($"SELECT pg_catalog.set_config('search_path', {SqlText.Literal(path)}, true)", cancellation);
        foreach (string one in wanted)
            count += one == SourceSettings.OdooList ? await RunOdooAsync(session, cancellation) : await RunOneAsync(session, one, cancellation);
        await RunAsync(session, "deferred constraints", "SET CONSTRAINTS ALL IMMEDIATE", cancellation);
        await session.ExecuteAsync("COMMIT", cancellation);
        return count;
    }

    /// <summary>One of the app file's. It is not known what it is to bring about; that it changed nothing is told.</summary>
    private async Task<int> RunOneAsync(PsqlSession session, string sql, CancellationToken cancellation)
    {
        long rows = await RunAsync(session, sql, sql, cancellation);
        if (!Neutralizing.ChangesRows(sql))
            return 1;
        progress.Report(new Noted(source, Neutralizing.Changed(sql, rows)));
        if (rows == 0)
            progress.Report(new Warned(source, Neutralizing.NothingChanged(source, sql)));
        return 1;
    }

    private async Task<int> RunOdooAsync(PsqlSession session, CancellationToken cancellation)
    {
        if (!await HasAsync(session, "ir_config_parameter", ["key", "value"], cancellation))
            throw new LifeboatException([Neutralizing.Failed(source, SourceSettings.OdooList, "this is no database of Odoo's: it has no table ir_config_parameter")]);
        int count = 0;
        foreach (OdooStatement statement in OdooNeutral.All)
        {
            if (!await HasAsync(session, statement.Table, statement.Columns, cancellation)
                || (statement.Without is { } column && await HasAsync(session, statement.Table, [column], cancellation)))
                continue;
            long rows = await RunAsync(session, statement.What, statement.Sql, cancellation);
            if (await session.QueryOneAsync($"SELECT {statement.IsNotSo(rows)}", cancellation) == "t")
                throw new LifeboatException([Neutralizing.Failed(
                    source, statement.What, string.Create(CultureInfo.InvariantCulture, $"it changed {rows} rows of {statement.Table}, and what it is for is not so: a trigger or a rule of the database keeps it from being"))]);
            progress.Report(new Noted(source, Neutralizing.Changed(statement.What, rows)));
            count++;
        }

        return count;
    }

    /// <summary>Runs a statement; gives the number of rows that it changed.</summary>
    private async Task<long> RunAsync(PsqlSession session, string what, string sql, CancellationToken cancellation)
    {
        try
        {
            // As a text inside of a text nothing of it is psql's, and an unclosed quote is the server's error. It cannot end the transaction either.
            string block = $"DECLARE lifeboat_rows pg_catalog.int8; BEGIN EXECUTE {SqlText.Literal(sql)}; GET DIAGNOSTICS lifeboat_rows = ROW_COUNT; "
                + $"PERFORM pg_catalog.set_config('{RowsSetting}', CAST(lifeboat_rows AS pg_catalog.text), true); END";
            await session.ExecuteAsync($"DO {SqlText.Literal(block)}", cancellation);
        }
        catch (LifeboatException e) when (PostgresError.Of(e) is { } error && error.SqlState != PostgresError.ConnectionLost)
        {
            throw new LifeboatException([Neutralizing.Failed(source, what, error.Message)], e);
        }

        return long.Parse(await session.QueryOneAsync($"SELECT pg_catalog.current_setting('{RowsSetting}')", cancellation) ?? "0", CultureInfo.InvariantCulture);
    }

    private static async Task<bool> HasAsync(PsqlSession session, string table, IReadOnlyList<string> columns, CancellationToken cancellation) =>
        await session.QueryOneAsync(
            $"""
            SELECT pg_catalog.count(*) FROM pg_catalog.pg_attribute WHERE attrelid OPERATOR(pg_catalog.=) CAST(pg_catalog.to_regclass({SqlText.Literal(table)}) AS pg_catalog.oid)
                AND attnum OPERATOR(pg_catalog.>) 0 AND NOT attisdropped
                AND attname OPERATOR(pg_catalog.=) ANY (CAST(ARRAY[{string.Join(", ", columns.Select(SqlText.Literal))}] AS pg_catalog.name[]))
            """,
            cancellation) == columns.Count.ToString(CultureInfo.InvariantCulture);

    /// <summary>The path that the database's owner finds names by: of its settings the one that wins, as in a session of its own.</summary>
    private static string PathSql(string owner) =>
        $"""
        SELECT pg_catalog.replace(coalesce((
            SELECT pg_catalog.substr(c.setting, 13) FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) c(setting)
            WHERE s.setdatabase IN (0, d.oid) AND (s.setrole = 0 OR s.setrole = r.oid) AND pg_catalog.starts_with(c.setting, 'search_path=')
            ORDER BY s.setrole = 0, s.setdatabase = 0 LIMIT 1), '"$user", public'), '"$user"', pg_catalog.quote_ident(r.rolname))
        FROM pg_catalog.pg_database d JOIN pg_catalog.pg_roles r ON r.rolname = {SqlText.Literal(owner)} WHERE d.datname = pg_catalog.current_database()
        """;
}
