using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Verify;

/// <summary>What a snapshot says of itself.</summary>
/// <param name="IsEncrypted">Whether its bundle is, whatever the metadata says.</param>
/// <param name="Contradictions">What speaks against it.</param>
public sealed record ShownSnapshot(SnapshotMetadata Metadata, bool IsEncrypted, IReadOnlyList<Problem> Contradictions);
