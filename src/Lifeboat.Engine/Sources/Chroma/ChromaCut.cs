using Lifeboat.Engine.Sources.Sqlite;

namespace Lifeboat.Engine.Sources.Chroma;

/// <summary>A persist directory at one moment, copied into the temporary folder.</summary>
/// <param name="At">When that moment was.</param>
/// <param name="State">What was in the directory then.</param>
/// <param name="Files">The segments' files, and whatever else is in the directory.</param>
/// <param name="Database">The copy of <c>chroma.sqlite3</c>.</param>
/// <param name="Attempts">How often the directory was looked at until it stood still.</param>
/// <param name="HeldWriters">Whether it was made to stand still in the end, by the database's lock.</param>
internal sealed record ChromaCut(
    DateTimeOffset At, DirectoryState State, DirectoryCopy Files, SqliteCopy Database, int Attempts, bool HeldWriters)
{
    public void Delete()
    {
        Files.Delete();
        Database.Delete();
    }
}

/// <param name="Segments">The vector segments that the database names.</param>
internal sealed record DirectoryState(DirectoryLook Look, IReadOnlySet<string> Segments)
{
    /// <summary>Whether something is in the folder of a segment that the database does not name: what a deleted collection left behind.</summary>
    public bool IsLeftOver(LookedAt entry) => entry.Segment is { } segment && !Segments.Contains(segment);
}
