using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Sqlite;

namespace Lifeboat.Engine.Sources.Chroma;

/// <summary>
/// Takes a consistent cut of a persist directory that a server writes to. Files of vector segments are copied first, then a read transaction on
/// <c>chroma.sqlite3</c> is begun, then the files are looked at again: none may have changed since before it was copied, so that all of it is of the
/// moment of the transaction. docs/chroma.md says why nothing less will do.
/// </summary>
internal sealed class ChromaCutter(ChromaSettings settings, RunContext run, Folder root, DirectoryCopy files)
{
    private const int AttemptsBeforeHolding = 8;
    private const int AttemptsWithoutHolding = 40;

    /// <summary>Longer than the ticks in which a kernel stamps files, so that a later write has a later stamp.</summary>
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// How long files have to stand still, while the database can be written: a server that has just written an index writes its number into the
    /// database next.
    /// </summary>
    private static readonly TimeSpan Still = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan LongestHold = TimeSpan.FromSeconds(15);

    private readonly SqliteSettings _database = ChromaDirectory.DatabaseOf(settings);
    private int _attempts;
    private string _why = "";

    /// <exception cref="LifeboatException">It is no Chroma directory, or does not stand still.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public async Task<ChromaCut> TakeAsync(CancellationToken cancellation)
    {
        DirectoryState state;
        bool mayHold;
        using (SqliteCut first = await OpenAsync(cancellation))
        {
            state = LookThrough(first, cancellation);
            mayHold = !first.IsWal; // there readers do not keep writers from committing
        }

        for (int most = AttemptsWithoutHolding; _attempts < most;)
        {
            await CopyAsync(state, cancellation);
            using SqliteCut cut = await OpenAsync(cancellation);
            DirectoryState later = LookThrough(cut, cancellation);
            if (IsWhole(state, later))
                return await FinishAsync(cut, later, heldWriters: false, cancellation);
            state = later;
            mayHold &= !SegmentFiles.AnyOfPython(state, files);
            most = mayHold ? AttemptsBeforeHolding : AttemptsWithoutHolding;
        }

        return (mayHold ? await HoldAsync(cancellation) : null) ?? throw new LifeboatException(
            ErrorCodes.ChromaChanging,
            $"{settings.Path} was written to all the time, so no consistent copy could be made: {_why}",
            "run the backup when fewer vectors are written, raise the collections' sync_threshold, or stop the Chroma server for the backup",
            settings.Name);
    }

    /// <summary>
    /// Copies while the database's lock keeps everybody from committing: a server can then write the index that it is at, and nothing after it.
    /// </summary>
    private async Task<ChromaCut?> HoldAsync(CancellationToken cancellation)
    {
        using SqliteCut cut = await OpenAsync(cancellation);
        DirectoryState state = LookThrough(cut, cancellation);
        for (long since = run.Host.Time.GetTimestamp(); run.Host.Time.GetElapsedTime(since) < LongestHold;)
        {
            await CopyAsync(state, cancellation);
            if (SegmentFiles.AnyOfPython(state, files))
                return null;
            DirectoryState later = LookThrough(cut, cancellation);
            if (IsWhole(state, later))
                return await FinishAsync(cut, later, heldWriters: true, cancellation);
            state = later;
        }

        return null;
    }

    private Task<SqliteCut> OpenAsync(CancellationToken cancellation) => SqliteCut.OpenAsync(_database, run, cancellation);

    private DirectoryState LookThrough(SqliteCut cut, CancellationToken cancellation)
    {
        ChromaDatabase database = new(cut.Database);
        ChromaDirectory.RequireTables(database, settings);
        return new DirectoryState(DirectoryLook.Take(root, cancellation), database.VectorSegments());
    }

    private async Task CopyAsync(DirectoryState state, CancellationToken cancellation)
    {
        _attempts++;
        long since = run.Host.Time.GetTimestamp();
        await Task.Delay(Tick, run.Host.Time, cancellation);
        await Task.Run(() => files.Update(root, state, cancellation), cancellation);
        if (run.Host.Time.GetElapsedTime(since) is var elapsed && elapsed < Still)
            await Task.Delay(Still - elapsed, run.Host.Time, cancellation);
    }

    /// <summary>Whether the copies are those of one moment, the later one.</summary>
    private bool IsWhole(DirectoryState copied, DirectoryState later)
    {
        string? why = copied.Look.DifferenceTo(later.Look, later.Segments)
            ?? SegmentFiles.NotCopied(later, files)
            ?? SegmentFiles.HalfWritten(later, files, run.Host.Time.GetUtcNow());
        if (why is not null)
            run.Progress.Report(new Progress.Noted(settings.Name, $"attempt {_attempts}: {why}"));
        _why = why ?? _why;
        return why is null;
    }

    private async Task<ChromaCut> FinishAsync(SqliteCut cut, DirectoryState state, bool heldWriters, CancellationToken cancellation)
    {
        SqliteCopy copy = await SqliteCopy.MakeAsync(cut, _database, run, cancellation);
        return new ChromaCut(cut.At, state, files, copy, _attempts, heldWriters);
    }
}
