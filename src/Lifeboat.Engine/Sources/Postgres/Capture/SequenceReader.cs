using System.Globalization;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Capture;

/// <summary>
/// Reads sequences' values. They are not part of any snapshot: the values are of now. No function gives the value of a sequence that was not called yet by the object id
/// (<c>pg_sequence_last_value</c> does not, and <c>pg_get_sequence_data</c> came with 18), so each is read by its name, with what it is found to be: a table in its
/// place has another object id, and a view is not read at all (<see cref="PsqlSession.RestrictRelationsAsync"/>).
/// </summary>
internal static class SequenceReader
{
    private const int NamesPerStatement = 500;

    /// <summary>What the server says where there is no such relation any more, or another kind of one.</summary>
    private static readonly string[] s_otherStates = [PostgresError.UndefinedTable, "3F000", "XX000", "42809", "42703", "55000"];

    /// <param name="session">In a transaction, and restricted.</param>
    /// <returns>The values; null where one of the sequences is not there any more, or something else is.</returns>
    public static async Task<IReadOnlyList<PostgresSequence>?> ReadAsync(
        PsqlSession session, IReadOnlyList<CatalogueRelation> sequences, CancellationToken cancellation)
    {
        List<PostgresSequence> values = [];
        // The locks that reading takes are let go: with thousands of sequences they would use the server's lock table up.
        await session.ExecuteAsync("SAVEPOINT sequences", cancellation);
        foreach (CatalogueRelation[] some in sequences.Chunk(NamesPerStatement))
        {
            if (!session.CanRestrictRelations && !await AreThereAsync(session, some, cancellation))
                return null;
            foreach (string?[] row in await RowsAsync(session, some, cancellation))
            {
                CatalogueRelation sequence = some[(int)PostgresCatalogue.Number(row[0])];
                if (PostgresCatalogue.Oid(row[1]) != sequence.Oid)
                    return null;
                values.Add(new PostgresSequence(sequence.Schema, sequence.Name, PostgresCatalogue.Number(row[2]), row[3] == "t"));
            }

            await session.ExecuteAsync("ROLLBACK TO SAVEPOINT sequences", cancellation);
        }

        return values.Count == sequences.Count ? values : null;
    }

    /// <summary>The number in the list, the object id, the value, whether it was called. None where the server says that one is something else.</summary>
    private static async Task<IReadOnlyList<string?[]>> RowsAsync(PsqlSession session, CatalogueRelation[] sequences, CancellationToken cancellation)
    {
        string sql = string.Join("\nUNION ALL ", sequences.Select(static (sequence, i) =>
            string.Create(CultureInfo.InvariantCulture, $"SELECT {i}, tableoid, last_value, is_called FROM ONLY {sequence.QuotedName}")));
        try
        {
            return await session.QueryAsync(sql, cancellation);
        }
        catch (LifeboatException e) when (PostgresError.Of(e) is { } error && s_otherStates.Contains(error.SqlState))
        {
            return [];
        }
    }

    /// <summary>
    /// Whether each name still is that sequence's, for a server that cannot keep us off views. It narrows the time in which a view can come between, and does not close it:
    /// that took a change of the server.
    /// </summary>
    private static async Task<bool> AreThereAsync(PsqlSession session, CatalogueRelation[] sequences, CancellationToken cancellation)
    {
        string names = string.Join(", ", sequences.Select(static s => string.Create(CultureInfo.InvariantCulture, $"({SqlText.Literal(s.QuotedName)}, {s.Oid}::oid)")));
        return await session.QueryOneAsync(
            $"SELECT count(*) FROM (VALUES {names}) s(name, oid) WHERE pg_catalog.to_regclass(s.name) IS DISTINCT FROM s.oid::pg_catalog.regclass", cancellation) == "0";
    }
}
