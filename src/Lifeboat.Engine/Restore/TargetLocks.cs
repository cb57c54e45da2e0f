using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Sources;

namespace Lifeboat.Engine.Restore;

/// <summary>
/// The places that a run changes, held where they are: two app files, on two machines even, may name one database, and the app's own lock does not know of that.
/// A place is held by a session with its server, and is free as soon as that ends, however it ends.
/// </summary>
/// <param name="command">For whoever finds a place held.</param>
internal sealed class TargetLocks(App app, RunContext run, string command) : IAsyncDisposable
{
    private readonly TargetHolder _holder = new(command, app.Name, run.Host);
    private readonly List<IAsyncDisposable> _held = [];

    /// <summary>Takes more places; gives why some could not be reached.</summary>
    /// <exception cref="LifeboatException">Another run holds one (<see cref="ErrorCodes.Locked"/>).</exception>
    public async Task<IReadOnlyList<Problem>> HoldAsync(IEnumerable<ISource> sources, CancellationToken cancellation)
    {
        List<Problem> problems = [];
        foreach (ISource source in sources)
        {
            try
            {
                if (await source.HoldTargetAsync(_holder, cancellation) is { } held)
                    _held.Add(held);
            }
            catch (LifeboatException e) when (e.Code != ErrorCodes.Locked)
            {
                problems.AddRange(e.Problems.Select(problem => problem with { Where = problem.Where ?? source.Name }));
            }
        }

        return problems;
    }

    /// <summary>The same, where each place must be had.</summary>
    /// <exception cref="LifeboatException">Some place could not be taken.</exception>
    public async Task RequireAsync(IEnumerable<ISource> sources, CancellationToken cancellation)
    {
        IReadOnlyList<Problem> problems = await HoldAsync(sources, cancellation);
        if (problems.Count > 0)
            throw new LifeboatException(problems);
    }

    /// <summary>The same, for what can as well be done another time: false where another run holds a place. What else is wrong, whoever tries it is told.</summary>
    public async Task<bool> TryHoldAsync(IEnumerable<ISource> sources, CancellationToken cancellation)
    {
        try
        {
            await HoldAsync(sources, cancellation);
            return true;
        }
        catch (LifeboatException e)
        {
            return e.Code != ErrorCodes.Locked;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable held in _held)
            await held.DisposeAsync();
        _held.Clear();
    }
}
