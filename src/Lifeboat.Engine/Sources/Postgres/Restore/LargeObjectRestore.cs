using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>Creates large objects with their owners, rights and comments, and fills them with their pages.</summary>
internal sealed class LargeObjectRestore(RestoreTarget target)
{
    /// <summary>Statements are sent on in pieces of about this many characters.</summary>
    private const int PieceCharacters = 256 * 1024;

    public async Task RunAsync(PsqlSession session, CancellationToken cancellation)
    {
        if (target.Details.LargeObjects.Count == 0)
            return;
        await CreateAsync(session, cancellation);
        DataLoad load = new(target);
        await session.ExecuteAsync("CREATE TEMPORARY TABLE lifeboat_pages (loid oid, pageno int4, data bytea)", cancellation);
        foreach (string path in target.Details.LargeObjects.Paths)
        {
            await load.FeedAsync(session, "COPY pg_temp.lifeboat_pages FROM STDIN", path, cancellation);
            await session.QueryAsync(
                """
                SELECT count(*) FROM (SELECT pg_catalog.lo_put(loid, pageno * (pg_catalog.current_setting('block_size')::int8 / 4), data)
                FROM pg_temp.lifeboat_pages) put
                """,
                cancellation);
            await session.ExecuteAsync("TRUNCATE pg_temp.lifeboat_pages", cancellation);
        }

        await session.ExecuteAsync("DROP TABLE pg_temp.lifeboat_pages", cancellation);
    }

    private async Task CreateAsync(PsqlSession session, CancellationToken cancellation)
    {
        string path = $"{target.Folder}/large-objects/objects.sql";
        await using Stream stream = target.Snapshot.OpenHeld(path);
        using StreamReader reader = new(stream, session.TextEncoding, detectEncodingFromByteOrderMarks: false);
        StringBuilder piece = new();
        while (await reader.ReadLineAsync(cancellation) is { } line)
        {
            piece.Append(line).Append('\n');
            if (piece.Length >= PieceCharacters && line.EndsWith(';') && TryJoin(piece.ToString(), path) is { } whole)
            {
                await session.ExecuteAsync(whole, cancellation);
                piece.Clear();
            }
        }

        if (piece.Length == 0)
            return;
        await session.ExecuteAsync(
            TryJoin(piece.ToString(), path) ?? throw new LifeboatException(
                ErrorCodes.BundleDamaged, "a statement near the end is not complete",
                "use another snapshot; this one was altered or damaged", path),
            cancellation);
    }

    /// <summary>The statements again, in one transaction; null where a quote is still open.</summary>
    /// <exception cref="LifeboatException">One is about something else than large objects.</exception>
    private static string? TryJoin(string sql, string path)
    {
        SqlStatement[] statements;
        try
        {
            statements = [.. SqlStatements.Split(sql)];
        }
        catch (FormatException)
        {
            return null;
        }

        if (statements.FirstOrDefault(static one => !IsOfLargeObject(one)) is { } other)
            throw RestoreTarget.NotADump(new FormatException($"the statement in line {other.Line} of a piece is not about a large object"), path);
        return $"BEGIN; {string.Join(";\n", statements.Select(static statement => statement.Text))}; COMMIT";
    }

    /// <summary><c>SELECT pg_catalog.lo_create(1)</c>, and what gives one its owner, rights, comment and labels.</summary>
    private static bool IsOfLargeObject(SqlStatement statement)
    {
        IReadOnlyList<SqlToken> tokens = statement.Tokens;
        if (tokens[0].Is("select"))
            return tokens.Count == 7 && tokens[1].Is("pg_catalog") && tokens[3].Is("lo_create") && char.IsAsciiDigit(tokens[5].Value[0]);
        int at = tokens[0].Is("alter") ? 1 : SqlKinds.TopLevel(tokens, "on") + 1;
        return !statement.IsMeta && SchemaStatements.Fault(statement) is null && SqlKinds.Begins(tokens, at, ["large object"]) is not null;
    }
}
