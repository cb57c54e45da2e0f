using System.Collections.Concurrent;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>Loads tables' rows from a snapshot over several sessions.</summary>
/// <param name="open">Opens a session with the staged database.</param>
internal sealed class DataLoad(
    RunContext context, VerifiedSnapshot snapshot, string source, Func<CancellationToken, Task<PsqlSession>> open)
{
    private const int BufferBytes = 256 * 1024;

    public async Task RunAsync(LoadPlan plan, CancellationToken cancellation)
    {
        foreach (IReadOnlyList<LoadJob> turn in plan.Turns)
        {
            ConcurrentQueue<LoadJob> jobs = new(turn);
            await SessionPool.RunAsync(Math.Min(context.Host.Workers, turn.Count), open, (session, token) => WorkAsync(session, jobs, token), cancellation);
        }
    }

    /// <summary>Feeds one file of the snapshot to a COPY that has been begun; gives the number of rows that the server took.</summary>
    public async Task<long> FeedAsync(PsqlSession session, string copySql, string path, CancellationToken cancellation) =>
        await session.CopyInAsync(copySql, (destination, token) => PumpAsync(path, destination, token), cancellation);

    private async Task WorkAsync(PsqlSession session, ConcurrentQueue<LoadJob> jobs, CancellationToken cancellation)
    {
        while (jobs.TryDequeue(out LoadJob? job))
        {
            await session.ExecuteAsync(job.Freeze ? $"BEGIN; TRUNCATE ONLY {job.Table.QuotedName}" : "BEGIN", cancellation);
            foreach (string path in job.Paths)
                await LoadPartAsync(session, job, path, cancellation);
            await session.ExecuteAsync("COMMIT", cancellation);
        }
    }

    private async Task LoadPartAsync(PsqlSession session, LoadJob job, string path, CancellationToken cancellation)
    {
        try
        {
            await FeedAsync(session, job.Sql, path, cancellation);
        }
        catch (LifeboatException e) when (PostgresError.Of(e) is not null)
        {
            throw new LifeboatException(
                e.Code, $"loading table {job.Table.QuotedName} from {path}: {e.Problems[0].Message}", e.Hint, source, e.InnerException);
        }
    }

    /// <remarks>Blocking reads and writes, on a thread of their own: cheaper than a turn of the pool for each, and no other work waits for it.</remarks>
    private Task PumpAsync(string path, Stream destination, CancellationToken cancellation) => Task.Factory.StartNew(
        () =>
        {
            using Stream data = snapshot.Open(path);
            byte[] buffer = new byte[BufferBytes];
            int count;
            while ((count = data.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)) > 0)
            {
                cancellation.ThrowIfCancellationRequested();
                destination.Write(buffer, 0, count);
                context.Progress.Report(new BytesDone(source, Phase.Stage, count));
            }
        },
        cancellation,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);
}
