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
    private readonly FolderSwitch _place;

    public ChromaRestoration(ChromaSettings settings, RunContext run, VerifiedSnapshot snapshot, SourceMetadata captured, string restoreId)
    {
        _settings = settings;
        _run = run;
        _captured = captured;
        _details = ChromaDetails.From(captured);
        SourceMetadata tree = captured with { Details = JsonSerializer.SerializeToElement(_details.Tree, TreeJson.Default.TreeDetails) };
        _tree = new FilesRestoration(new FilesSettings(settings.Name, settings.Path, []), run, snapshot, tree, restoreId);
        _place = new FolderSwitch(settings.Path, restoreId);
    }

    public async Task<RestorePlan> PlanAsync(CancellationToken cancellation)
    {
        RestorePlan plan = await _tree.PlanAsync(cancellation);
        string contents = string.Create(
            CultureInfo.InvariantCulture, $"{_details.Collections.Count} collections, {_details.Collections.Sum(static one => one.Records)} records");
        return plan with
        {
            Steps = [$"restore {contents}, as Chroma {_details.Version} keeps them", .. plan.Steps],
            Blockers = InUse() is { } problem ? [.. plan.Blockers, problem] : plan.Blockers,
        };
    }

    public Task StageAsync(CancellationToken cancellation) => _tree.StageAsync(cancellation);

    public async Task<VerifyReport> VerifyAsync(CancellationToken cancellation)
    {
        VerifyReport files = await _tree.VerifyAsync(cancellation);
        IReadOnlyList<VerifyCheck> database = await Task.Run(() => CompareDatabase(cancellation), cancellation);
        return new VerifyReport([.. files.Checks, .. database]);
    }

    public async Task CommitAsync(CancellationToken cancellation)
    {
        if (InUse() is { } problem)
            throw new LifeboatException([problem]);
        using SqliteLiveLock? held = await SqliteLiveLock.TakeAsync(LiveDatabase, _settings.Name, _run, cancellation);
        await _tree.CommitAsync(cancellation);
    }

    public Task RevertAsync(CancellationToken cancellation) => _tree.RevertAsync(cancellation);

    public Task DiscardAsync(CancellationToken cancellation) => _tree.DiscardAsync(cancellation);

    public async ValueTask DisposeAsync()
    {
        await _tree.DisposeAsync();
        _place.Dispose();
    }

    private string LiveDatabase => Path.Combine(_place.Path, ChromaNames.Database);

    /// <summary>A server that goes on would write the index that it has in memory into the restored directory, by its path.</summary>
    private Problem? InUse()
    {
        IReadOnlyList<int> holders = OpenFiles.HoldersOf(LiveDatabase, _run.Host.ProcessId);
        return holders.Count == 0 ? null : new Problem(
            ErrorCodes.ChromaInUse,
            $"{_place.Path} is open in process {string.Join(", ", holders)}",
            "stop the Chroma server, and applications that use the directory themselves, and restore again; or choose another folder with --target",
            _settings.Name);
    }

    private List<VerifyCheck> CompareDatabase(CancellationToken cancellation)
    {
        DatabaseContents found;
        try
        {
            found = DatabaseContents.Read(Path.Combine(_place.StagingPath, ChromaNames.Database), cancellation);
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
