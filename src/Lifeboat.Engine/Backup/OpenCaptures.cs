using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources;

namespace Lifeboat.Engine.Backup;

/// <summary>The cuts of all sources, opened as close together as possible and let go of together.</summary>
internal sealed class OpenCaptures : IAsyncDisposable
{
    private readonly List<(SourceSettings Settings, ICapture Capture)> _captures = [];

    public IReadOnlyList<(SourceSettings Settings, ICapture Capture)> All => _captures;

    public long EstimatedBytes => _captures.Sum(static one => one.Capture.EstimatedBytes);

    /// <summary>The most temporary space that one source needs; sources are written one after another.</summary>
    public long TemporaryBytes => _captures.Select(static one => one.Capture.TemporaryBytes).DefaultIfEmpty().Max();

    public TimeSpan Width => _captures.Count == 0
        ? TimeSpan.Zero
        : _captures.Max(static one => one.Capture.CutAt) - _captures.Min(static one => one.Capture.CutAt);

    /// <summary>Opens every source at once.</summary>
    /// <exception cref="LifeboatException">Every reason of every source that cannot be opened.</exception>
    public static async Task<OpenCaptures> OpenAsync(
        IReadOnlyList<SourceSettings> sources, Func<SourceSettings, ISource> create, CancellationToken cancellation)
    {
        OpenCaptures opened = new();
        List<Problem> problems = [];
        CutGate gate = new();
        (SourceSettings Source, CutTurn Turn)[] turns = [.. sources.Select(source => (source, gate.Join()))];
        Task<ICapture>[] opening = [.. turns.Select(one => Task.Run(() => OpenAsync(create(one.Source), one.Turn, cancellation), CancellationToken.None))];
        await ((Task)Task.WhenAll(opening)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Exception? other = null;
        foreach ((SourceSettings settings, Task<ICapture> task) in sources.Zip(opening))
        {
            if (task.IsCompletedSuccessfully)
                opened._captures.Add((settings, await task));
            else if (task.Exception?.InnerException is LifeboatException failure)
                problems.AddRange(failure.Problems.Select(problem => problem with { Where = problem.Where ?? settings.Name }));
            else
                other = task.Exception?.InnerException ?? new OperationCanceledException(cancellation);
        }

        if (problems.Count == 0 && other is null)
            return opened;
        await opened.DisposeAsync();
        cancellation.ThrowIfCancellationRequested();
        throw problems.Count > 0 ? new LifeboatException(problems, other) : other!;
    }

    /// <summary>Tells the trees which columns of the databases name files of them.</summary>
    public void Connect(IReadOnlyList<FileReference> references)
    {
        foreach ((SourceSettings settings, ICapture tree) in _captures)
            tree.Refer([.. references.Where(one => one.Files == settings.Name).SelectMany(one => _captures.Where(database => database.Settings.Name == one.Database)
                .Select(database => new ReferringColumn(one.Name, (value, token) => database.Capture.ReadColumnAsync(one.Column, value, token))))]);
    }

    private static async Task<ICapture> OpenAsync(ISource source, CutTurn turn, CancellationToken cancellation)
    {
        using (turn)
            return await source.OpenAsync(turn, cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        foreach ((_, ICapture capture) in _captures)
            await capture.DisposeAsync();
        _captures.Clear();
    }
}
