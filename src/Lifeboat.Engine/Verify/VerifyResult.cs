using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Stores;

namespace Lifeboat.Engine.Verify;

/// <param name="FilesChecked">Files of the snapshot whose every byte was read and compared.</param>
/// <param name="TablesChecked">Tables whose rows were counted and digested again from the dump.</param>
/// <param name="Problems">Everything that is wrong; empty if the snapshot is whole.</param>
public sealed record VerifyResult(
    StoredSnapshot Snapshot, SnapshotMetadata Metadata, long FilesChecked, long BytesChecked, long TablesChecked, IReadOnlyList<Problem> Problems);
