using System.Globalization;
using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Trees;

/// <summary>Counts what is as it was captured, and keeps the first differences by name. Safe for several threads.</summary>
internal sealed class TreeComparison(TraitRules rules, bool hasTraits)
{
    private const int Named = 100;
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, (long Expected, long Matched)> _tallies = new(StringComparer.Ordinal);
    private readonly List<VerifyCheck> _differences = [];

    /// <summary>One check for each thing that was compared, and one for each of the first differences.</summary>
    public IEnumerable<VerifyCheck> Checks
    {
        get
        {
            lock (_lock)
            {
                List<VerifyCheck> checks = [.. _tallies.Select(static tally => new VerifyCheck(
                    tally.Key, $"{Number(tally.Value.Expected)} as captured", $"{Number(tally.Value.Matched)} as captured"))];
                if (!rules.SetsOwners)
                    checks.Add(new VerifyCheck("owners", "not compared: only root can set them", "not compared: only root can set them"));
                return [.. checks, .. _differences];
            }
        }
    }

    public void Missing(ManifestEntry expected) => Compare("names", expected.Path, "there", "missing");

    public void Extra(TreeItem found) => Compare("names", found.Path, "not there", "there");

    public void Traits(ManifestEntry expected, FileStatus found)
    {
        Compare("names", expected.Path, "there", "there");
        Compare(
            "kinds",
            expected.Path,
            MtreeWriter.TypeOf(expected.Kind),
            expected.Kind == found.Kind ? MtreeWriter.TypeOf(found.Kind) : found.Kind.ToString());
        FileTraits wanted = rules.Effective(expected.Traits);
        if (hasTraits && expected.Kind != FileKind.SymbolicLink)
            Compare("modes", expected.Path, Octal(wanted.Mode), Octal(found.Mode));
        if (hasTraits && wanted.Owner is { } owner)
            Compare("owners", expected.Path, owner.ToString(), found.Owner.ToString()!);
        if (wanted.Modified is { } time && (hasTraits || expected.Kind != FileKind.SymbolicLink))
            Compare("times", expected.Path, Stored(time).ToString(), Stored(found.Modified).ToString());
    }

    public void Target(ManifestEntry expected, byte[] target) =>
        Compare(
            "symbolic link targets",
            expected.Path,
            Folder.Readable(expected.Target),
            Folder.Readable(target),
            expected.Target.AsSpan().SequenceEqual(target));

    public void Content(ManifestEntry expected, string sha256) => Compare(
        "contents", expected.Path, "sha256 " + expected.Sha256, "sha256 " + sha256);

    public void HardLinks(byte[] path, long names, long found) =>
        Compare(
            "hard links",
            path,
            $"one file with {Number(names)} names",
            found == 0 ? "several files" : $"one file with {Number(found)} names");

    /// <summary>Windows keeps times to 100 ns.</summary>
    private FileTime Stored(FileTime time) => hasTraits ? time : time with { Nanoseconds = time.Nanoseconds / 100 * 100 };

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Octal(int? mode) => "0" + Convert.ToString(mode.GetValueOrDefault(), 8);

    private void Compare(string what, byte[] path, string expected, string found) =>
        Compare(what, path, expected, found, expected == found);

    private void Compare(string what, byte[] path, string expected, string found, bool equal)
    {
        lock (_lock)
        {
            (long all, long matched) = _tallies.GetValueOrDefault(what);
            _tallies[what] = (all + 1, matched + (equal ? 1 : 0));
            if (!equal && _differences.Count < Named)
                _differences.Add(new VerifyCheck(
                    $"{what}: {Folder.Readable(TreePath.Relative(path))}",
                    expected,
                    expected == found ? found + " (other bytes)" : found));
        }
    }
}
