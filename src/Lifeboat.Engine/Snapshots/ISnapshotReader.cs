namespace Lifeboat.Engine.Snapshots;

/// <summary>Gives out the files of a snapshot tree. Several may be open at once.</summary>
public interface ISnapshotReader : IAsyncDisposable
{
    /// <summary>The snapshot's files by path, in stored order; every path is a valid <see cref="SnapshotPath"/>, none twice.</summary>
    IReadOnlyDictionary<string, SnapshotEntry> Entries { get; }

    /// <summary>Whether what it gives out was written by somebody who knows the password; if not, anybody may have written it.</summary>
    bool IsAuthentic { get; }

    /// <summary>Opens a file for reading from its start to its end.</summary>
    /// <remarks>
    /// Damage is an exception from <c>Read</c>, at the latest from the read that would return 0: whoever reads to the end
    /// without an exception has read exactly what was written. Nothing is verified of a file that is not read to its end.
    /// </remarks>
    /// <exception cref="Errors.LifeboatException">No such file, wrong password, or damage.</exception>
    Stream Open(string path);
}
