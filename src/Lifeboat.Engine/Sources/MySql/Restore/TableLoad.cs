using System.Collections.Concurrent;
using System.Text;
using System.Threading.Channels;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;
using Lifeboat.Engine.Sources.Servers;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>
/// Loads the staged tables and builds their keys over several sessions; one that finds nothing of that to do reads back tables that are loaded, as long as
/// others still work. What is not read by then is left to the verification.
/// </summary>
internal sealed class TableLoad
{
    /// <summary>How often a file is loaded before a deadlock is passed on.</summary>
    private const int Attempts = 5;

    private static readonly TimeSpan s_untilNextAsked = TimeSpan.FromMilliseconds(100);

    private readonly RestoreTarget _target;
    private readonly IReadOnlyList<DeferredTable> _tables;
    private readonly TableReadBack _readBack;
    private readonly Dictionary<string, CatalogueTable> _catalogue;
    private readonly ConcurrentQueue<LoadedFile> _files;
    private readonly int[] _filesLeft;
    private readonly Channel<Job> _jobs = Channel.CreateUnboundedPrioritized(
        new UnboundedPrioritizedChannelOptions<Job> { Comparer = Comparer<Job>.Create(static (a, b) => a.Rank.CompareTo(b.Rank)) });

    private int _workLeft;
    private volatile bool _done;

    /// <param name="tables">As the snapshot has them, in its order.</param>
    /// <param name="catalogue">The staged tables, which are empty.</param>
    public TableLoad(RestoreTarget target, IReadOnlyList<DeferredTable> tables, IReadOnlyList<CatalogueTable> catalogue, TableReadBack readBack)
    {
        (_target, _tables, _readBack) = (target, tables, readBack);
        IReadOnlyList<TableMetadata> captured = target.Captured.Tables!;
        _catalogue = catalogue.ToDictionary(static table => table.Name, StringComparer.Ordinal);
        // Whoever writes the first rows of a table may have it for himself until they are committed: so each session begins with another table.
        int workers = target.Workers;
        _files = new(captured.Select(static (table, i) => (Table: table, Index: i)).OrderByDescending(static t => t.Table.Bytes)
            .SelectMany((t, rank) => t.Table.Paths.Select((path, part) => (Later: rank >= workers || part > 0, File: new LoadedFile(t.Index, path, 1))))
            .OrderBy(static one => one.Later).Select(static one => one.File));
        _filesLeft = [.. captured.Select(static table => table.Paths.Count)];
        _workLeft = _files.Count + tables.Count(static table => table.Keys.Count > 0);
    }

    /// <summary>Ends when all rows, keys and foreign keys are there.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        for (int i = 0; i < _tables.Count; i++)
        {
            if (_filesLeft[i] == 0)
                Loaded(i);
        }

        if (_workLeft == 0)
            AllBuilt();
        int sessions = Math.Min(_target.Workers, _files.Count + _tables.Count);
        await Together.RunAsync(cancellation, [.. Enumerable.Repeat<Func<CancellationToken, Task>>(WorkAsync, sessions)]);
    }

    /// <summary>
    /// A deadlock (with what the server itself does in the background, say) undoes the transaction that the server chose: that file is loaded again, as the manuals
    /// of both servers ask for. The first error ends a session, so another one goes on.
    /// </summary>
    private async Task WorkAsync(CancellationToken cancellation)
    {
        while (!await WorkToTheEndAsync(cancellation))
        {
        }
    }

    /// <returns>Whether there is nothing left to do; false after a deadlock.</returns>
    private async Task<bool> WorkToTheEndAsync(CancellationToken cancellation)
    {
        await using MySqlSession session = await _target.OpenStagingAsync(cancellation);
        while (_files.TryDequeue(out LoadedFile? file))
        {
            try
            {
                await LoadAsync(session, _target.Details.Tables[file.Table], file.Path, cancellation);
            }
            catch (LifeboatException e) when (file.Attempt < Attempts && MySqlError.Of(e)?.Number == MySqlError.Deadlock)
            {
                _files.Enqueue(file with { Attempt = file.Attempt + 1 });
                return false;
            }

            if (Interlocked.Decrement(ref _filesLeft[file.Table]) == 0)
                Loaded(file.Table);
            WorkDone();
        }

        await foreach (Job job in _jobs.Reader.ReadAllAsync(cancellation))
            await job.Run(session, cancellation);
        return true;
    }

    private void Loaded(int index)
    {
        DeferredTable table = _tables[index];
        // A full-text index rebuilds the table, and what was read before would not count.
        bool rebuilt = table.Keys.Any(static key => key.Contains(" ADD FULLTEXT ", StringComparison.Ordinal));
        if (table.Keys.Count > 0)
            Enqueue(Rank.Build, async (session, token) =>
            {
                await ExecuteAsync(session, table.Keys, token);
                if (rebuilt)
                    ReadBack(index);
                WorkDone();
            });
        if (!rebuilt)
            ReadBack(index);
    }

    private void ReadBack(int index)
    {
        if (_catalogue.TryGetValue(_target.Details.Tables[index].Name, out CatalogueTable? found)
            && found with { Bytes = _target.Captured.Tables![index].Bytes } is var table && TableReadBack.IsWorthwhile(table))
            Enqueue(Rank.ReadBack, (session, token) => BeginReadBackAsync(session, table, token));
    }

    private async Task BeginReadBackAsync(MySqlSession session, CatalogueTable table, CancellationToken cancellation)
    {
        if (_done)
            return;
        if (await _readBack.BeginAsync(session, table, cancellation) is not { } parts)
        {
            await Task.Delay(s_untilNextAsked, _target.Context.Host.Time, cancellation);
            Enqueue(Rank.ReadBackLater, (again, token) => BeginReadBackAsync(again, table, token));
            return;
        }

        foreach (Capture.TablePart part in parts)
            Enqueue(Rank.ReadBack, (other, token) => _done ? Task.CompletedTask : _readBack.ReadAsync(other, table, part, token));
    }

    private void WorkDone()
    {
        if (Interlocked.Decrement(ref _workLeft) == 0)
            AllBuilt();
    }

    /// <summary>Foreign keys refer to keys of other tables, so they come last, one after another.</summary>
    private void AllBuilt()
    {
        Enqueue(Rank.Build, async (session, token) =>
        {
            await ExecuteAsync(session, _tables.Select(static table => table.ForeignKeys).OfType<string>(), token);
            _done = true;
            _jobs.Writer.Complete();
        });
    }

    /// <summary>Where all is done, nothing is taken any more.</summary>
    private void Enqueue(Rank rank, Func<MySqlSession, CancellationToken, Task> run) => _jobs.Writer.TryWrite(new Job(rank, run));

    private static async Task ExecuteAsync(MySqlSession session, IEnumerable<string> statements, CancellationToken cancellation)
    {
        foreach (string sql in statements)
            await session.ExecuteAsync(Encoding.Latin1.GetBytes(sql), cancellation);
    }

    private async Task LoadAsync(MySqlSession session, MySqlTable table, string path, CancellationToken cancellation)
    {
        try
        {
            await session.ExecuteAsync("BEGIN", cancellation);
            await using (Stream rows = _target.Snapshot.OpenRows(path))
            {
                InsertStatements inserts = new(
                    CatalogueTable.Insert(_target.Names.Staging, table), [.. table.Columns.Select(static c => c.Form)], _target.Details.Family == "mysql");
                await session.LoadAsync(rows, inserts, bytes => _target.Context.Progress.Report(new BytesDone(_target.Source, Phase.Stage, bytes)), cancellation);
            }

            await session.ExecuteAsync("COMMIT", cancellation);
        }
        catch (LifeboatException e) when (MySqlError.Of(e) is not null)
        {
            throw new LifeboatException(e.Code, $"loading table {table.Name} from {path}: {e.Problems[0].Message}", e.Hint, _target.Source, e.InnerException);
        }
        catch (FormatException e)
        {
            throw new LifeboatException(ErrorCodes.BundleDamaged, $"loading table {table.Name}: {e.Message}", "use another snapshot; this one was altered or damaged", path, e);
        }
    }

    private sealed record LoadedFile(int Table, string Path, int Attempt);

    private enum Rank
    {
        Build,
        ReadBack,
        ReadBackLater,
    }

    private sealed record Job(Rank Rank, Func<MySqlSession, CancellationToken, Task> Run);
}
