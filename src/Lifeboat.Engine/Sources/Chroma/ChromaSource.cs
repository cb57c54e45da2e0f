using System.Text.Json;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Sqlite;

namespace Lifeboat.Engine.Sources.Chroma;

/// <summary>
/// One Chroma persist directory: <c>chroma.sqlite3</c>, the files of its vector segments, and whatever else is in it, all of one moment. A server may
/// be writing to it.
/// </summary>
public sealed class ChromaSource(ChromaSettings settings, RunContext run) : ISource
{
    public string Name => settings.Name;

    /// <summary>What in the directory is not the source's.</summary>
    internal IReadOnlyList<ReservedPath> Reserved { get; init; } = [];

    public async Task<IReadOnlyList<Problem>> CheckAsync(CancellationToken cancellation)
    {
        try
        {
            using Folder root = ChromaDirectory.Open(settings);
            using SqliteCut cut = await SqliteCut.OpenAsync(ChromaDirectory.DatabaseOf(settings), run, cancellation);
            List<Problem> problems = [];
            await ChromaDirectory.TellAsync(settings, () => Task.Run(() => problems = Look(root, cut, cancellation), cancellation));
            return problems;
        }
        catch (LifeboatException e)
        {
            return e.Problems;
        }
    }

    public Task<ICapture> OpenAsync(CancellationToken cancellation) => OpenAsync(CutTurn.Alone, cancellation);

    /// <remarks>The copies are made here and at once: later, the files and the database would be of two moments.</remarks>
    public async Task<ICapture> OpenAsync(CutTurn turn, CancellationToken cancellation)
    {
        await turn.WaitAsync(cancellation);
        using Folder root = ChromaDirectory.Open(settings);
        DirectoryCopy files = new(settings.Path, settings.Name, run);
        try
        {
            ChromaCut? cut = null;
            await ChromaDirectory.TellAsync(
                settings, async () => cut = await new ChromaCutter(settings, run, root, files).TakeAsync(cancellation));
            return new ChromaCapture(settings, run, cut!);
        }
        catch
        {
            files.Delete();
            throw;
        }
    }

    public IRestoration PrepareRestore(VerifiedSnapshot snapshot, SourceMetadata captured, RestoreRun restore) =>
        FileFailure.Tell(Name, () => new ChromaRestoration(settings, run, snapshot, captured, restore, Reserved));

    public ISwitch Resume(JsonElement record, RestoreRun restore) => ChromaRestoration.SwitchOf(
        run, Name, PathSwitchRecord.From(record, Name, PathNames.Of(Name, settings.Path), []), new StayingRules([], Reserved, restore));

    private List<Problem> Look(Folder root, SqliteCut cut, CancellationToken cancellation)
    {
        ChromaDatabase database = new(cut.Database);
        ChromaDirectory.RequireTables(database, settings);
        DirectoryState state = new(DirectoryLook.Take(root, cancellation), database.VectorSegments());
        List<Problem> problems = [.. SegmentFiles.Missing(state, database.ListCollections(), Name)];
        if (OperatingSystem.IsWindows() || UnixFolder.IsRoot)
            return problems;
        foreach (LookedAt entry in state.Look.Entries.Where(entry => entry.Status.Kind == FileKind.Regular && !state.IsLeftOver(entry)))
        {
            using Folder parent = Trees.FolderStack.OpenParentOf(root, entry.Path);
            if (!parent.MayRead(Trees.TreePath.NameOf(entry.Path)))
                problems.Add(new Problem(ErrorCodes.FileUnreadable, $"no right to read {settings.Path}/{entry.Name}", "run as a user who may read it, or correct its mode", Name));
        }

        return problems;
    }
}
