using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Output;

/// <summary>
/// Tells how large the phases of a restore are, which the snapshot knows: about as many bytes are staged, and read back, as were captured.
/// </summary>
internal sealed class SizedProgress(IProgressSink next, SnapshotMetadata metadata) : IProgressSink
{
    private readonly Dictionary<string, long> _bytes = metadata.Sources
        .DistinctBy(static source => source.Name)
        .ToDictionary(static source => source.Name, static source => source.Bytes, StringComparer.Ordinal);

    public void Report(RunEvent happened) => next.Report(
        happened is PhaseStarted { Source: { } source, Phase: Phase.Stage or Phase.Verify, TotalBytes: 0 } started
            ? started with { TotalBytes = _bytes.GetValueOrDefault(source) }
            : happened);
}
