using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>Runs the statements that make a staged database neutral: all of them or none.</summary>
internal sealed class PostgresNeutral(string source, IReadOnlyList<string> wanted)
{
    /// <summary>Lines of the plan.</summary>
    public IEnumerable<string> Steps => wanted.SelectMany(static one => one == SourceSettings.OdooList
        ? OdooNeutral.All.Select(static statement => $"{statement.What} (where the copy has {statement.Table})")
        : [one]).Select(Neutralizing.Step);

    /// <param name="session">In the staged database.</param>
    /// <returns>How many statements were run.</returns>
    /// <exception cref="LifeboatException">One of them failed.</exception>
    public async Task<int> RunAsync(PsqlSession session, CancellationToken cancellation)
    {
        int count = 0;
        // Names are found as the application finds them: by the path of the database and the role.
        await session.ExecuteAsync("BEGIN; RESET search_path", cancellation);
        foreach (string one in wanted)
        {
            if (one != SourceSettings.OdooList)
            {
                await RunAsync(session, one, one, cancellation);
                count++;
                continue;
            }

            if (!await HasAsync(session, "ir_config_parameter", ["key", "value"], cancellation))
                throw new LifeboatException([Neutralizing.Failed(source, one, "this is no database of Odoo's: it has no table ir_config_parameter")]);
            foreach (OdooStatement statement in OdooNeutral.All)
            {
                if (!await HasAsync(session, statement.Table, statement.Columns, cancellation)
                    || (statement.Without is { } column && await HasAsync(session, statement.Table, [column], cancellation)))
                    continue;
                await RunAsync(session, statement.What, statement.Sql, cancellation);
                count++;
            }
        }

        await RunAsync(session, "deferred constraints", "SET CONSTRAINTS ALL IMMEDIATE", cancellation);
        await session.ExecuteAsync("COMMIT", cancellation);
        return count;
    }

    private async Task RunAsync(PsqlSession session, string what, string sql, CancellationToken cancellation)
    {
        try
        {
            // As a text inside of a text nothing of it is psql's, and an unclosed quote is the server's error. It cannot end the transaction either.
            await session.ExecuteAsync($"DO {SqlText.Literal($"BEGIN EXECUTE {SqlText.Literal(sql)}; END")}", cancellation);
        }
        catch (LifeboatException e) when (PostgresError.Of(e) is { } error && error.SqlState != PostgresError.ConnectionLost)
        {
            throw new LifeboatException([Neutralizing.Failed(source, what, error.Message)], e);
        }
    }

    private static async Task<bool> HasAsync(PsqlSession session, string table, IReadOnlyList<string> columns, CancellationToken cancellation) =>
        await session.QueryOneAsync(
            $"""
            SELECT count(*) FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass({SqlText.Literal(table)}) AND attnum > 0 AND NOT attisdropped
                AND attname IN ({string.Join(", ", columns.Select(SqlText.Literal))})
            """,
            cancellation) == columns.Count.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
