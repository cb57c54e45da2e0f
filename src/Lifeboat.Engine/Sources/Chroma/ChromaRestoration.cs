using System.Globalization;
using System.Text.Json;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Files;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Sqlite;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Chroma;

/// <summary>Puts a persist directory back: as the file tree that it is, and what its database says compared with the metadata.</summary>
internal sealed class ChromaRestoration : IRestoration
{
    private readonly ChromaSettings _settings;
    private readonly RunContext _run;
    private readonly SourceMetadata _captured;
    private readonly ChromaDetails _details;
    private readonly FilesRestoration _tree;
    private readonly StayingRules _staying;

    /// <param name="reserved">What in the directory is not the source's.</param>
    public ChromaRestoration(
        ChromaSettings settings, RunContext run, VerifiedSnapshot snapshot, SourceMetadata captured, RestoreRun restore, IReadOnlyList<ReservedPath> reserved)
    {
        _staying = new StayingRules([], reserved, restore);
        _settings = settings;
        _run = run;
        _captured = captured;
        _details = ChromaDetails.From(captured);
        SourceMetadata tree = captured with { Details = JsonSerializer.SerializeToElement(_details.Tree, TreeJson.Default.TreeDetails) };
        _tree = new FilesRestoration(new FilesSettings(settings.Name, settings.Path, []), run, snapshot, tree, restore) { Reserved = reserved };
    }

    public async Task<RestorePlan> PlanAsync(CancellationToken cancellation)
    {
        RestorePlan plan = await _tree.PlanAsync(cancellation);
        string contents = string.Create(
            CultureInfo.InvariantCulture, $"{_details.Collections.Count} collections, {_details.Collections.Sum(static one => one.Records)} records");
        return plan with
        {
            Steps = [$"restore {contents}, as Chroma {_details.Version} keeps them", .. plan.Steps],
            Warnings = InUse(_tree.Place.Path, _settings.Name, _run) is { } problem ? [.. plan.Warnings, problem] : plan.Warnings,
        };
    }

    public Task StageAsync(CancellationToken cancellation) => _tree.StageAsync(cancellation);

    public async Task<VerifyReport> VerifyAsync(CancellationToken cancellation)
    {
        VerifyReport files = await _tree.VerifyAsync(cancellation);
        IReadOnlyList<VerifyCheck> database = await Task.Run(() => CompareDatabase(cancellation), cancellation);
        return new VerifyReport([.. files.Checks, .. database]);
    }

    public ISwitch Switch => SwitchOf(_run, _settings.Name, new PathSwitchRecord([_tree.Place.Exchange], []), _staying);

    /// <summary>A switch that has the live database's exclusive lock while the directory is renamed, and refuses where a server has it open.</summary>
    public static PathSwitch SwitchOf(RunContext run, string source, PathSwitchRecord record, StayingRules staying) => new(run, source, record, async cancellation =>
    {
        string live = record.Paths[0].Path;
        return InUse(live, source, run) is { } problem ? throw new LifeboatException([problem])
            : await SqliteLiveLock.TakeAsync(Path.Combine(live, ChromaNames.Database), source, run, cancellation);
    })
    {
        Staying = staying,
    };

    public ValueTask DisposeAsync() => _tree.DisposeAsync();

    /// <summary>A server that goes on would write the index that it has in memory into the restored directory, by its path.</summary>
    private static Problem? InUse(string directory, string source, RunContext run)
    {
        IReadOnlyList<int> holders = OpenFiles.HoldersOf(Path.Combine(directory, ChromaNames.Database), run.Host.ProcessId);
        return holders.Count == 0 ? null : new Problem(
            ErrorCodes.ChromaInUse,
            $"{directory} is open in process {string.Join(", ", holders)}",
            "stop the Chroma server, and applications that use the directory themselves, before the switch (a before_commit hook can), or it is refused; or choose another folder with --target",
            source);
    }

    private List<VerifyCheck> CompareDatabase(CancellationToken cancellation)
    {
        DatabaseContents found;
        try
        {
            found = DatabaseContents.Read(Path.Combine(_tree.Place.StagingPath, ChromaNames.Database), cancellation);
        }
        catch (SqliteFailure e)
        {
            return [new VerifyCheck(ChromaNames.Database, "readable", e.Message)];
        }

        List<VerifyCheck> checks =
        [
            new("integrity_check", _details.Integrity, found.Integrity),
            new("collections", Number(_details.Collections.Count), Number(found.Collections.Count)),
        ];
        Dictionary<string, string> there = found.Collections.ToDictionary(static one => one.Collection.Id, static one => Text(one.Collection, one.Records));
        foreach ((ChromaCollection collection, TableMetadata records) in _details.Collections.Zip(_captured.Tables ?? []))
            checks.Add(new VerifyCheck(
                $"collection {collection.DisplayName}", Text(collection, records), there.GetValueOrDefault(collection.Id, "missing")));
        return checks;
    }

    private static string Text(ChromaCollection collection, TableMetadata records) => string.Create(
        CultureInfo.InvariantCulture,
        $"{collection.DisplayName}: dimension {collection.Dimension?.ToString(CultureInfo.InvariantCulture) ?? "none"}, {collection.Records} records, {records.Digest}");

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
