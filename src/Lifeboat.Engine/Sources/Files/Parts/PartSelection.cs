using System.Text;
using Lifeboat.Engine.Apps.Validation;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Files.Parts;

/// <summary>An entry that was asked for.</summary>
/// <param name="IsTop">Whether none of the folders above it was asked for.</param>
/// <param name="Above">The folders above it, from the root down; to be read before the next entry is taken.</param>
internal readonly record struct PartEntry(ManifestEntry Entry, bool IsTop, IReadOnlyList<ManifestEntry> Above);

/// <summary>Which entries of a tree were asked for: what a glob matches, with all that is below it; everything where none is given.</summary>
/// <param name="source">The source's name.</param>
internal sealed class PartSelection(string source, IReadOnlyList<string> parts)
{
    private const int NamesShown = 5;
    private const int NamesCompared = 10_000;
    private readonly ExcludeGlobs _globs = new(parts);

    /// <param name="entries">All of the tree's, in the manifest's order.</param>
    public IEnumerable<PartEntry> Of(IEnumerable<ManifestEntry> entries)
    {
        List<ManifestEntry> above = [];
        byte[]? top = null;
        foreach (ManifestEntry entry in entries)
        {
            int depth = TreePath.Depth(entry.Path);
            above.RemoveRange(depth, above.Count - depth);
            bool isBelow = top is not null && TreePath.IsAtOrBelow(entry.Path, top);
            bool isTop = !isBelow && !TreePath.IsRoot(entry.Path) && (_globs.IsEmpty || _globs.Match(entry.Path));
            if (isTop)
                top = entry.Path;
            if (isTop || isBelow)
                yield return new PartEntry(entry, isTop, above);
            if (entry.Kind == FileKind.Folder)
                above.Add(entry);
        }
    }

    /// <summary>
    /// What is staged: the entries that were asked for and are in one of the places, and the folders above them. A folder above a place is there to
    /// hold it alone, so it gets no traits.
    /// </summary>
    /// <param name="places">The paths that are switched, none inside another, in the manifest's order; null for the whole tree.</param>
    public IEnumerable<ManifestEntry> Staged(IEnumerable<ManifestEntry> entries, IReadOnlyList<byte[]>? places)
    {
        List<ManifestEntry> given = [];
        int next = 0;
        foreach (PartEntry part in Of(entries))
        {
            ManifestEntry entry = part.Entry;
            while (places is not null && next < places.Count && TreePath.Compare(places[next], entry.Path) < 0 && !TreePath.IsAtOrBelow(entry.Path, places[next]))
                next++;
            if (places is not null && (next == places.Count || !TreePath.IsAtOrBelow(entry.Path, places[next])))
                continue;
            int same = 0;
            while (same < given.Count && same < part.Above.Count && ReferenceEquals(given[same], part.Above[same]))
                same++;
            given.RemoveRange(same, given.Count - same);
            for (; same < part.Above.Count; same++)
            {
                ManifestEntry folder = part.Above[same];
                given.Add(folder);
                yield return places is null || TreePath.IsAtOrBelow(folder.Path, places[next]) ? folder : folder with { Traits = new FileTraits(0b111_000_000, null, null) };
            }

            yield return entry;
            if (entry.Kind == FileKind.Folder)
                given.Add(entry);
        }
    }

    /// <summary>The patterns that match nothing: mistakes of whoever wrote them.</summary>
    /// <param name="read">Reads all of the tree's entries.</param>
    public IEnumerable<Problem> Unmatched(Func<IEnumerable<ManifestEntry>> read)
    {
        List<(string Part, ExcludeGlobs Glob)> open = [.. parts.Select(static part => (part, new ExcludeGlobs([part])))];
        foreach (ManifestEntry entry in open.Count == 0 ? [] : read())
        {
            open.RemoveAll(one => one.Glob.Match(entry.Path));
            if (open.Count == 0)
                break;
        }

        return open.Select(one => new Problem(
            ErrorCodes.PartNotInSnapshot, $"the snapshot has nothing in {source} that matches {one.Part}", Near(one.Part, read), source));
    }

    /// <summary>What there is in the deepest folder that the pattern names.</summary>
    private static string Near(string part, Func<IEnumerable<ManifestEntry>> read)
    {
        string[] names = part.Split('/', StringSplitOptions.RemoveEmptyEntries);
        byte[] folder = TreePath.Root;
        List<string> there = [];
        foreach (ManifestEntry entry in read())
        {
            int depth = TreePath.Depth(folder);
            if (TreePath.IsRoot(entry.Path) || !TreePath.ParentOf(entry.Path).SequenceEqual(folder))
                continue;
            if (entry.Kind == FileKind.Folder && depth < names.Length && TreePath.NameOf(entry.Path).AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(names[depth])))
            {
                folder = entry.Path;
                there.Clear();
            }
            else if (there.Count < NamesCompared)
            {
                there.Add(Folder.Readable(TreePath.Relative(entry.Path)));
            }
        }

        string where = TreePath.IsRoot(folder) ? "at its root" : $"in {Folder.Readable(TreePath.Relative(folder))}";
        if (there.Count == 0)
            return $"there is nothing {where}; paths are relative to the source's folder";
        return NearMiss.Find(part, there) is { } meant
            ? $"did you mean {meant}?"
            : $"{where} there is {string.Join(", ", there.Take(NamesShown))}{(there.Count > NamesShown ? ", …" : "")}; paths are relative to the source's folder";
    }
}
