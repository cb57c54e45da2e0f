using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Chroma;

/// <summary>
/// The files of vector segments. A server writes <c>header.bin</c>, <c>data_level0.bin</c>, <c>length.bin</c> and <c>link_lists.bin</c> in place, then
/// <c>index_metadata.pickle</c> anew, then the index's sequence number into the database.
/// </summary>
internal static class SegmentFiles
{
    /// <summary>Longer than a server takes from one file to the next, unless the disk stands still.</summary>
    private static readonly TimeSpan LongAgo = TimeSpan.FromSeconds(5);

    /// <summary>A file of a segment of which there is no copy; null where there is none.</summary>
    public static string? NotCopied(DirectoryState state, DirectoryCopy files) =>
        Of(state).FirstOrDefault(entry => entry.Status.Kind == FileKind.Regular && files.FileOf(entry) is null) is { } entry
            ? $"{entry.Name} was written to while it was read"
            : null;

    /// <summary>Why a segment looks as if a server were in the middle of writing it; null where none does.</summary>
    /// <param name="now">By the clock that stamps files.</param>
    public static string? HalfWritten(DirectoryState state, DirectoryCopy files, DateTimeOffset now)
    {
        foreach (IGrouping<string, LookedAt> segment in Of(state).Where(static entry => entry.Status.Kind == FileKind.Regular).GroupBy(static entry => entry.Segment!))
        {
            if (segment.FirstOrDefault(IsIndexMetadata) is not { } metadata)
                continue; // it was never written as a whole: a server makes it anew from the queue
            if (!IsComplete(files.FileOf(metadata)!))
                return $"{metadata.Name} was not written to its end";
            FileTime newest = segment.Max(static entry => entry.Status.Modified);
            if (newest.CompareTo(metadata.Status.Modified) > 0 && newest.ToDateTimeOffset() > now - LongAgo)
                return $"the index of segment {segment.Key} was written, and {metadata.Name} was not yet";
        }

        return null;
    }

    /// <summary>
    /// Whether a segment was written by Chroma before 1.0, in Python: that writes a segment's files inside the transaction that brings what is new in
    /// them, so they must not be taken while that one waits.
    /// </summary>
    public static bool AnyOfPython(DirectoryState state, DirectoryCopy files) =>
        Of(state).Where(IsIndexMetadata).Any(entry => files.FileOf(entry) is { } file && Head(file).Contains("PersistentData", StringComparison.Ordinal));

    /// <summary>Collections whose index was written once by what the database says, and is not there.</summary>
    public static IEnumerable<Problem> Missing(DirectoryState state, IEnumerable<ChromaCollection> collections, string source)
    {
        HashSet<string> written = [.. Of(state).Where(IsIndexMetadata).Select(static entry => entry.Segment!)];
        foreach (ChromaCollection collection in collections.Where(one => one.IndexedTo > 0 && one.VectorSegment is { } segment && !written.Contains(segment)))
            yield return new Problem(
                ErrorCodes.ChromaIncomplete,
                $"the index of collection {collection.DisplayName} is not there ({collection.VectorSegment}/{ChromaNames.IndexMetadata}), so queries miss vectors; "
                + "the snapshot has the directory as it is",
                "restore an older snapshot, or add the collection's records again",
                source);
    }

    /// <summary>The copy of a segment's pickle; null where it has none.</summary>
    public static string? IndexMetadataOf(string segment, DirectoryState state, DirectoryCopy files) =>
        Of(state).FirstOrDefault(entry => entry.Segment == segment && IsIndexMetadata(entry)) is { } entry ? files.FileOf(entry) : null;

    /// <summary>The segments' files and folders.</summary>
    private static IEnumerable<LookedAt> Of(DirectoryState state) =>
        state.Look.Entries.Where(entry => entry.Segment is { } segment && state.Segments.Contains(segment));

    private static bool IsIndexMetadata(LookedAt entry) =>
        TreePath.Depth(entry.Path) == 2 && TreePath.NameOf(entry.Path).AsSpan().SequenceEqual(Encoding.ASCII.GetBytes(ChromaNames.IndexMetadata));

    /// <summary>A pickle ends with a full stop (Python's pickletools: STOP).</summary>
    private static bool IsComplete(string file)
    {
        using FileStream stream = File.OpenRead(file);
        if (stream.Length == 0)
            return false;
        stream.Seek(-1, SeekOrigin.End);
        return stream.ReadByte() == '.';
    }

    private static string Head(string file)
    {
        byte[] head = new byte[256];
        using FileStream stream = File.OpenRead(file);
        return Encoding.ASCII.GetString(head, 0, stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false));
    }
}
