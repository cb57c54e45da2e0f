using System.Collections.Concurrent;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Bundles;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Stores;

namespace Lifeboat.Engine.Verify;

/// <summary>
/// Reads a whole snapshot: structure, decryption, the SHA-256 of every file, and each table's rows counted and digested again from its dump.
/// </summary>
public sealed class VerifyOperation(App? app, RunContext context)
{
    /// <summary>What the snapshot says of itself, and what of that its bundle shows.</summary>
    public async Task<ShownSnapshot> ShowAsync(StoredSnapshot snapshot, CancellationToken cancellation)
    {
        await using VerifiedSnapshot opened = await new SnapshotOpener(app, context).OpenAsync(snapshot, cancellation);
        return new ShownSnapshot(opened.Metadata, opened.IsAuthentic, new SnapshotTrust(app, context).Contradictions(snapshot, opened));
    }

    /// <summary>Verifies everything and lists all damage, rather than stopping at the first.</summary>
    /// <param name="trusted">Whether a person vouches for a snapshot that does not show who wrote it.</param>
    /// <exception cref="LifeboatException">The snapshot cannot be opened at all.</exception>
    public async Task<VerifyResult> RunAsync(StoredSnapshot snapshot, bool trusted, CancellationToken cancellation)
    {
        BundleReader bundle = await new SnapshotOpener(app, context).OpenBundleAsync(snapshot, cancellation);
        await using VerifiedSnapshot opened = await VerifiedSnapshot.OpenAsync(bundle, cancellation);
        TableMetadata[] tables = [.. opened.Metadata.Sources.SelectMany(static source => source.Tables ?? []).Where(static table => table.Paths.Count > 0)];
        HashSet<string> inTables = [.. tables.SelectMany(static table => table.Paths)];
        string[] others = [.. opened.Sha256.Keys.Where(path => !inTables.Contains(path))];

        long since = context.Host.Time.GetTimestamp();
        context.Progress.Report(new PhaseStarted(null, Phase.Verify, opened.Entries.Values.Sum(static entry => entry.Bytes)));
        ConcurrentQueue<Problem> problems = new();
        long bytes = 0;
        void Passed(int count)
        {
            Interlocked.Add(ref bytes, count);
            context.Progress.Report(new BytesDone(null, Phase.Verify, count));
        }

        IEnumerable<Func<CancellationToken, Task>> jobs =
        [
            .. tables.OrderByDescending(static table => table.Bytes)
                .Select(table => (Func<CancellationToken, Task>)(token => CheckTableAsync(opened, table, problems, Passed, token))),
            token => Task.Run(() => bundle.AuthenticateCover(token), token),
            .. others.Select(path => (Func<CancellationToken, Task>)(token => ReadAsync(opened, path, Passed, token))),
        ];
        ParallelOptions parallel = new() { MaxDegreeOfParallelism = app?.Workers ?? context.Host.Workers, CancellationToken = cancellation };
        await Parallel.ForEachAsync(jobs, parallel, (job, token) => CollectAsync(() => job(token), problems));
        context.Progress.Report(new PhaseFinished(null, Phase.Verify, context.Host.Time.GetElapsedTime(since)));
        IReadOnlyList<Problem> contradictions = trusted ? [] : new SnapshotTrust(app, context).Contradictions(snapshot, opened);
        return new VerifyResult(snapshot, opened.Metadata, opened.Sha256.Count, bytes, tables.Length, [.. problems, .. contradictions]);
    }

    /// <summary>Damage of one file must not hide that of another.</summary>
    private static async ValueTask CollectAsync(Func<Task> check, ConcurrentQueue<Problem> problems)
    {
        try
        {
            await check();
        }
        catch (LifeboatException e)
        {
            foreach (Problem problem in e.Problems)
                problems.Enqueue(problem);
        }
    }

    private static async Task CheckTableAsync(
        VerifiedSnapshot opened, TableMetadata table, ConcurrentQueue<Problem> problems, Action<int> passed, CancellationToken cancellation)
    {
        TableMetadata found = await TableCounter.CountAsync(opened, table, passed, cancellation);
        if (found.Rows != table.Rows || found.Bytes != table.Bytes || found.Digest != table.Digest)
            problems.Enqueue(new Problem(
                ErrorCodes.ContentDiffers,
                $"the dump has {found.Rows} rows with digest {found.Digest}; the metadata says {table.Rows} rows with {table.Digest}",
                "use another snapshot; this one was altered or damaged",
                table.Name));
    }

    private static async Task ReadAsync(VerifiedSnapshot opened, string path, Action<int> passed, CancellationToken cancellation)
    {
        byte[] buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(1 << 17);
        try
        {
            await using Stream stream = opened.Open(path);
            while (await stream.ReadAsync(buffer, cancellation) is var count and > 0)
                passed(count);
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
