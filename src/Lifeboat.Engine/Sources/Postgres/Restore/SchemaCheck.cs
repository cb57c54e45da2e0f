using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Processes;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>
/// Looks at every statement of a snapshot's schema before any is run: of <c>schema.dump</c> the text of all of it, which is what pg_restore would run, and of
/// <c>schema.sql</c>, by which the restored one is judged. Both must hold definitions alone.
/// </summary>
internal sealed class SchemaCheck(RestoreTarget target)
{
    private const int BufferBytes = 128 * 1024;

    /// <summary>How much longer the text may be than <c>schema.sql</c>, which is the same dump's by the programs of that time.</summary>
    private const int Slack = 1 << 20;

    private string Path => $"{target.Folder}/schema.dump";

    private string TextPath => $"{target.Folder}/schema.sql";

    /// <exception cref="LifeboatException">A statement is none of a schema dump's, or the dump cannot be read.</exception>
    public async Task RequireAsync(CancellationToken cancellation)
    {
        Require(Encoding.Latin1.GetString(await ReadAsync(cancellation)), Path, cancellation);
        Require(await target.ReadTextAsync(TextPath, Encoding.Latin1, cancellation), TextPath, cancellation);
    }

    private static void Require(string text, string path, CancellationToken cancellation)
    {
        try
        {
            foreach (SqlStatement statement in SqlStatements.Split(text))
            {
                cancellation.ThrowIfCancellationRequested();
                SchemaStatements.Require(statement);
            }
        }
        catch (FormatException e)
        {
            throw RestoreTarget.NotADump(e, path);
        }
    }

    private async Task<byte[]> ReadAsync(CancellationToken cancellation)
    {
        long limit = (target.Snapshot.Entries.TryGetValue(TextPath, out Snapshots.SnapshotEntry? described) ? 2 * described.Bytes : 0) + Slack;
        PostgresCommand reader = target.Connection.Command(target.RestoreTools.PgRestore, ["-f", "-"], connect: false);
        using MemoryStream text = new();
        (int exit, string errors) = await ProgramRunner.PumpAsync(reader.Start, FeedAsync, (output, token) => CopyAsync(output, text, limit, token), cancellation);
        return exit == 0 ? text.ToArray() : throw ProgramRunner.Failed(reader.Start, exit, errors);
    }

    private async Task FeedAsync(Stream input, CancellationToken cancellation)
    {
        await using Stream dump = target.Snapshot.Open(Path);
        await dump.CopyToAsync(input, cancellation);
    }

    private async Task CopyAsync(Stream output, MemoryStream text, long limit, CancellationToken cancellation)
    {
        byte[] buffer = new byte[BufferBytes];
        int count;
        while ((count = await output.ReadAsync(buffer, cancellation)) > 0)
        {
            if (text.Length + count > limit)
                throw RestoreTarget.NotADump(new FormatException("its text is much longer than schema.sql, which is the same"), Path);
            await text.WriteAsync(buffer.AsMemory(0, count), cancellation);
        }
    }
}
