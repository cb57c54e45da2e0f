using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>Loads rows from a snapshot's files.</summary>
internal sealed class DataLoad(RestoreTarget target)
{
    private const int BufferBytes = 256 * 1024;

    /// <summary>Loads some parts of a table in one transaction.</summary>
    public async Task RunAsync(PsqlSession session, LoadJob job, CancellationToken cancellation)
    {
        await session.ExecuteAsync(job.Freeze ? $"BEGIN; TRUNCATE ONLY {job.Table.QuotedName}" : "BEGIN", cancellation);
        foreach (string path in job.Paths)
            await LoadPartAsync(session, job, path, cancellation);
        await session.ExecuteAsync("COMMIT", cancellation);
    }

    /// <summary>Feeds one file of the snapshot to a COPY that has been begun; gives the number of rows that the server took.</summary>
    public async Task<long> FeedAsync(PsqlSession session, string copySql, string path, CancellationToken cancellation) =>
        await session.CopyInAsync(copySql, (destination, token) => PumpAsync(() => target.Snapshot.Open(path), destination, token), cancellation);

    private async Task LoadPartAsync(PsqlSession session, LoadJob job, string path, CancellationToken cancellation)
    {
        try
        {
            // An extension's rows may be adapted to this server, so reading them back proves less of the file.
            Stream open() => job.Table.Extension is null ? target.Snapshot.OpenRows(path) : target.Snapshot.Open(path);
            await session.CopyInAsync(job.Sql, (destination, token) => PumpAsync(open, destination, token), cancellation);
        }
        catch (LifeboatException e) when (PostgresError.Of(e) is not null)
        {
            throw new LifeboatException(
                e.Code, $"loading table {job.Table.QuotedName} from {path}: {e.Problems[0].Message}", e.Hint, target.Source, e.InnerException);
        }
    }

    /// <remarks>Blocking reads and writes, on a thread of their own: cheaper than a turn of the pool for each, and no other work waits for it.</remarks>
    private Task PumpAsync(Func<Stream> open, Stream destination, CancellationToken cancellation) => Task.Factory.StartNew(
        () =>
        {
            using Stream data = open();
            byte[] buffer = new byte[BufferBytes];
            int count;
            while ((count = data.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)) > 0)
            {
                cancellation.ThrowIfCancellationRequested();
                destination.Write(buffer, 0, count);
                target.Context.Progress.Report(new BytesDone(target.Source, Phase.Stage, count));
            }
        },
        cancellation,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);
}
