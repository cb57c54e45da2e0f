using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Hosting;

namespace Lifeboat.Engine.Restore;

/// <summary>Tells what restores of an app were interrupted or keep a previous state; changes nothing.</summary>
public sealed class StatusOperation(App app, RunContext run)
{
    /// <summary>Targets that references to secrets are taken from, by source.</summary>
    public IReadOnlyDictionary<string, string> Targets { get; init; } = new Dictionary<string, string>();

    public Task<IReadOnlyList<PastRestore>> RunAsync(CancellationToken cancellation) => new PastRestores(app, run) { Targets = Targets }.ListAsync(cancellation);
}
