using System.Collections.Concurrent;
using System.Threading.Channels;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Owners;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Servers;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>
/// Loads the tables and reads back what was loaded, over the same sessions: one that finds nothing more to load reads back tables that
/// are complete, while others still load, and while indexes are built. Nothing that follows changes a row.
/// </summary>
internal sealed class TableLoad
{
    private readonly RestoreTarget _target;
    private readonly LoadPlan _plan;
    private readonly PostgresCatalogue _catalogue;
    private readonly TableReadBack _readBack;
    private readonly DataLoad _data;
    private readonly OwnerSessions? _owners;
    private readonly ChecksSetAside? _checks;
    private readonly ConcurrentDictionary<int, int> _jobsLeft;
    private readonly Channel<TablePart> _parts = Channel.CreateUnbounded<TablePart>();
    private readonly Turn[] _turns;
    private int _tablesLeft;

    /// <param name="catalogue">Of the staged database before the load.</param>
    /// <param name="owners">In whose sessions rows are loaded; null for the restore's own alone.</param>
    /// <param name="checks">Where checks go that rows do not pass; null where none may.</param>
    public TableLoad(
        RestoreTarget target, LoadPlan plan, PostgresCatalogue catalogue, TableReadBack readBack, OwnerSessions? owners = null, ChecksSetAside? checks = null)
    {
        _owners = owners;
        _checks = checks;
        _target = target;
        _plan = plan;
        _catalogue = catalogue;
        _readBack = readBack;
        _data = new DataLoad(target);
        _turns = [.. plan.Turns.Select(static jobs => new Turn(jobs))];
        _jobsLeft = new(plan.Turns.SelectMany(static turn => turn).GroupBy(static job => job.Index).ToDictionary(static jobs => jobs.Key, static jobs => jobs.Count()));
        _tablesLeft = _jobsLeft.Count;
    }

    /// <summary>Ends when all rows are loaded; what is left then is to read them back.</summary>
    public Task AllLoaded => _turns.Length == 0 ? Task.CompletedTask : _turns[^1].Done.Task;

    /// <summary>Loads and reads back all tables.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        Dictionary<(string, string), CatalogueRelation> relations = _catalogue.Tables.ToDictionary(static r => (r.Schema, r.Name));
        // Reading back is verification, which begins here, beside the staging.
        _target.Context.Progress.Report(new PhaseStarted(_target.Source, Phase.Verify, _plan.Turns.SelectMany(static turn => turn).Sum(static job => job.Bytes)));
        if (_tablesLeft == 0)
            _parts.Writer.Complete();
        int workers = Math.Max(1, Math.Min(_target.Workers, _plan.Turns.Sum(static turn => turn.Count)));
        await Together.RunAsync(cancellation, [.. Enumerable.Repeat<Func<CancellationToken, Task>>(token => WorkAsync(relations, token), workers)]);
    }

    private async Task WorkAsync(Dictionary<(string, string), CatalogueRelation> relations, CancellationToken cancellation)
    {
        await using LoadSessions sessions = new(_target, _owners);
        foreach (Turn turn in _turns)
        {
            while (turn.Jobs.TryDequeue(out LoadJob? job))
            {
                await LoadAsync(sessions, job, cancellation);
                if (_jobsLeft.AddOrUpdate(job.Index, 0, static (_, left) => left - 1) == 0)
                    await LoadedAsync(await sessions.OwnAsync(cancellation), job, relations, cancellation);
                turn.JobDone();
            }

            if (turn != _turns[^1])
                await turn.Done.Task.WaitAsync(cancellation);
        }

        await foreach (TablePart part in _parts.Reader.ReadAllAsync(cancellation))
            await _readBack.ReadAsync(await sessions.OwnAsync(cancellation), part, cancellation);
    }

    private async Task LoadAsync(LoadSessions sessions, LoadJob job, CancellationToken cancellation)
    {
        bool underOwnPath = false; // A generated column may call what only that finds.
        while (true)
        {
            try
            {
                PsqlSession session = await sessions.OfOwnerAsync(job.Table, cancellation);
                if (underOwnPath)
                    await UnderOwnPath.SetAsync(_target, session, cancellation);
                await _data.RunAsync(session, job, cancellation);
                if (underOwnPath)
                    await UnderOwnPath.ResetAsync(session, cancellation);
                return;
            }
            catch (LifeboatException e) when (_checks is not null && PostgresError.Of(e) is { RefusesTheStatement: true })
            {
                // A COPY that fails takes its session along.
                await sessions.CloseAsync();
                if (await _checks.TryAsync(job.Table, PostgresError.Of(e)!, cancellation))
                    continue;
                if (underOwnPath || !UnderOwnPath.MayHelp(PostgresError.Of(e)))
                    throw;
                underOwnPath = true;
            }
        }
    }

    private async Task LoadedAsync(PsqlSession session, LoadJob job, Dictionary<(string, string), CatalogueRelation> relations, CancellationToken cancellation)
    {
        // An extension's own tables may still be adapted to this server: verification reads them.
        if (job.Table.Extension is null && relations.TryGetValue((job.Table.Schema, job.Table.Name), out CatalogueRelation? relation))
            foreach (TablePart part in await _readBack.CutAsync(job.Index, session, relation, cancellation))
                _parts.Writer.TryWrite(part);
        if (Interlocked.Decrement(ref _tablesLeft) == 0)
            _parts.Writer.Complete();
    }

    /// <summary>Jobs that may run at the same time, and their end.</summary>
    private sealed class Turn(IReadOnlyList<LoadJob> jobs)
    {
        private int _left = jobs.Count;

        public ConcurrentQueue<LoadJob> Jobs { get; } = new(jobs);

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void JobDone()
        {
            if (Interlocked.Decrement(ref _left) == 0)
                Done.SetResult();
        }
    }
}
