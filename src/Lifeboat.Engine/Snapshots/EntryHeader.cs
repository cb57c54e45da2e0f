namespace Lifeboat.Engine.Snapshots;

/// <summary>What is said of one regular file of a snapshot before its bytes are written. (A snapshot tree holds only regular files.)</summary>
/// <param name="Path">See <see cref="SnapshotPath"/>.</param>
/// <param name="Modified">Modification time; stored to the second in a bundle.</param>
/// <param name="UnixMode">Permission bits, as in chmod(2).</param>
/// <param name="ExpectedBytes">A guess at the size, for progress and buffering; -1 where unknown.</param>
public sealed record EntryHeader(string Path, DateTimeOffset Modified, int UnixMode = 0b110_100_100, long ExpectedBytes = -1);

/// <summary>What was written.</summary>
/// <param name="Bytes">The file's size.</param>
/// <param name="Sha256">The SHA-256 of the file's bytes, lower-case hex.</param>
public sealed record EntryReceipt(string Path, long Bytes, string Sha256);

/// <summary>One file of a snapshot as a reader lists it.</summary>
public sealed record SnapshotEntry(string Path, long Bytes, long StoredBytes, DateTimeOffset Modified, int UnixMode);
