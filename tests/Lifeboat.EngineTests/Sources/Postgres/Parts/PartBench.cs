using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Sources.Postgres;

namespace Lifeboat.EngineTests.Sources.Postgres.Parts;

/// <summary>A database that is captured, damaged, and gets parts back; what other processes would do to the restore.</summary>
internal sealed class PartBench(PostgresServer server, string database, string user = "postgres") : IAsyncDisposable
{
    private readonly RestoreBench _bench = new();
    private VerifiedSnapshot? _snapshot;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public PostgresServer Server => server;

    public VerifiedSnapshot Snapshot => _snapshot!;

    /// <summary>How long a switch tries for its locks: here as long as a test may take on a busy machine.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(5);

    public string Sql(string sql) => server.Sql(database, sql).TrimEnd('\n');

    /// <summary>Makes the database by some SQL, and captures it.</summary>
    public async Task CreateAsync(string sql, string options = "", string? owner = null)
    {
        server.CreateDatabase(database, options);
        server.Sql(database, sql, owner ?? "postgres");
        await CaptureAsync();
    }

    /// <summary>Makes a database with every kind of object, captures it, and gives what it looks like.</summary>
    public async Task<string> CreateEveryKindAsync()
    {
        RestoreBench.CreateFixture(server, "every-object-kind.sql", database);
        await CaptureAsync();
        return Look();
    }

    public async Task CaptureAsync() => _snapshot = await _bench.CaptureAsync(server, database);

    public PostgresSource Source(string? into = null) => new(server.Settings(into ?? database, user), server.Bin, _bench.Host.Context, new NoSecrets()) { LockTimeout = Patience };

    public IRestoration Part(string id, RestoreMode mode, params string[] parts) =>
        Source().PreparePart(Snapshot, Snapshot.Metadata.Sources[0], new RestoreScope(parts, mode), new RestoreRun(id));

    /// <summary>Plans a restore that cannot be done, and gives the reasons.</summary>
    public async Task<string[]> BlockersAsync(RestoreMode mode, params string[] parts)
    {
        string before = Look();
        await using IRestoration restoration = Part("blocked", mode, parts);
        RestorePlan plan = await restoration.PlanAsync(Cancellation);
        Assert.Equal(before, Look());
        return [.. plan.Blockers.Select(static one => $"{one.Code.Id} {one.Message} HINT: {one.Hint}")];
    }

    /// <summary>All steps, each of which must succeed; gives the plan and the record of the switch.</summary>
    public async Task<(RestorePlan Plan, ISwitch Switch, IReadOnlyList<MergeCount> Merged)> RestoreAsync(string id, RestoreMode mode, params string[] parts)
    {
        await using IRestoration restoration = Part(id, mode, parts);
        RestorePlan plan = await StageAsync(restoration);
        await restoration.Switch.ForwardAsync(Cancellation);
        await restoration.Switch.ForwardAsync(Cancellation);
        await restoration.Switch.FinishAsync(Cancellation);
        Assert.Equal("0", Sql("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'lifeboat__staging%'"));
        return (plan, Source().Resume(restoration.Switch.Record, new RestoreRun(id)), restoration.Merged);
    }

    public static async Task<RestorePlan> StageAsync(IRestoration restoration)
    {
        RestorePlan plan = await restoration.PlanAsync(Cancellation);
        Assert.Equal([], plan.Blockers.Select(static one => one.Message));
        await restoration.StageAsync(Cancellation);
        RestoreBench.AssertPassed(await restoration.VerifyAsync(Cancellation));
        return plan;
    }

    /// <summary>Takes a finished restore back; gives the switch that did.</summary>
    public async Task<ISwitch> UndoAsync(ISwitch done, string id)
    {
        ISwitch undo = Source().Resume(await done.InverseAsync(id, Cancellation), new RestoreRun(id));
        await undo.ForwardAsync(Cancellation);
        await undo.FinishAsync(Cancellation);
        return undo;
    }

    /// <summary>Definitions, rights and rows, says pg_dump; without what restores keep.</summary>
    public string Look() => string.Join('\n', RestoreBench.Lines(server.Dump(database, "--schema-only", "--exclude-schema=lifeboat__*"))
        .Concat(RestoreBench.Lines(server.Dump(database, "--data-only", "--inserts", "--exclude-schema=lifeboat__*")).Order(StringComparer.Ordinal)));

    public void AssertNothingLeft() => Assert.Equal("", Sql("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'lifeboat%' OR nspname LIKE 'restored%'"));

    public ValueTask DisposeAsync()
    {
        _bench.Dispose();
        return ValueTask.CompletedTask;
    }
}
