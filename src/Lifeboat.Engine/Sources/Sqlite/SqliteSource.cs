using System.Text.Json;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Sqlite.Parts;

namespace Lifeboat.Engine.Sources.Sqlite;

/// <summary>One SQLite database: a page-exact copy through the online backup API, its rows counted and digested.</summary>
public sealed class SqliteSource(SqliteSettings settings, RunContext run) : ISource
{
    public string Name => settings.Name;

    public async Task<IReadOnlyList<Problem>> CheckAsync(CancellationToken cancellation)
    {
        try
        {
            using SqliteCut cut = await SqliteCut.OpenAsync(settings, run, cancellation);
            return new SqliteRedaction(settings, run.Host).Problems(cut.Database);
        }
        catch (LifeboatException e)
        {
            return e.Problems;
        }
    }

    public Task<ICapture> OpenAsync(CancellationToken cancellation) => OpenAsync(CutTurn.Alone, cancellation);

    /// <remarks>
    /// The copy is made here and at once. With a rollback journal an open cut holds writers up; and another source of this process that
    /// read the same file (a tree with the database in it) would release SQLite's locks when it closes it, as POSIX has it.
    /// </remarks>
    public async Task<ICapture> OpenAsync(CutTurn turn, CancellationToken cancellation)
    {
        await turn.WaitAsync(cancellation);
        using SqliteCut cut = await SqliteCut.OpenAsync(settings, run, cancellation);
        SqliteCopy copy = await SqliteCopy.MakeAsync(cut, settings, run, cancellation);
        return new SqliteCapture(settings, run, cut, copy);
    }

    public IRestoration PrepareRestore(VerifiedSnapshot snapshot, SourceMetadata captured, RestoreRun restore) =>
        FileFailure.Tell(Name, () => new SqliteRestoration(settings, run, snapshot, captured, restore));

    public IRestoration PreparePart(VerifiedSnapshot snapshot, SourceMetadata captured, RestoreScope scope, RestoreRun restore) => scope.Mode == RestoreMode.Beside
        ? throw new LifeboatException(
            ErrorCodes.PartsUnsupported, "a SQLite database has no schemas, so there is no place for tables beside the live ones",
            $"restore them to another file with `--target {Name}=…`", Name)
        : FileFailure.Tell(Name, () => new SqlitePartRestoration(settings, run, snapshot, captured, scope, restore));

    public ISwitch Resume(JsonElement record, RestoreRun restore) => SqliteRestoration.SwitchOf(
        run, Name, PathSwitchRecord.From(record, Name, PathNames.Of(Name, settings.Path), SqliteRestoration.SideSuffixes));
}
