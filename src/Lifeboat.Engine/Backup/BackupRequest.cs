using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Backup;

/// <param name="OutputFile">Where to write the bundle instead of the stores; absolute.</param>
/// <param name="Only">Names of the sources to capture; empty for all.</param>
/// <param name="DryRun">Open and check everything, write nothing.</param>
public sealed record BackupRequest(string? OutputFile, IReadOnlyList<string> Only, bool DryRun);

/// <param name="BundlePath">Null after a dry run.</param>
/// <param name="Metadata">What was captured; after a dry run, what would be, with estimated sizes.</param>
public sealed record BackupResult(string? BundlePath, SnapshotMetadata Metadata, long BundleBytes, IReadOnlyList<Problem> Warnings);
