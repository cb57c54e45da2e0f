using Lifeboat.Engine.Apps.Keys;
using Lifeboat.Engine.Apps.Yaml;

namespace Lifeboat.Engine.Apps.Validation;

/// <summary>
/// What single values cannot show: stores inside what is backed up, and two names for one thing. Looks only at values that are
/// right by themselves, so that it adds to the other mistakes and repeats none.
/// </summary>
internal sealed class OverlapRules(string directory, Mistakes mistakes)
{
    // Any bundle's name will do to ask a glob whether it leaves out bundles.
    private const string SomeBundle = "app_20200101_000000Z.zip";

    private sealed record Placed(string Name, TextNode Node, string FullPath, MapNode Map)
    {
        /// <summary>Where symbolic links lead to.</summary>
        public string RealPath { get; } = AppPaths.Real(FullPath);
    }

    public void Check(MapNode root)
    {
        List<Placed> files = [.. PathsOf(root, "sources", "files")];
        List<Placed> stores = [.. PathsOf(root, "stores", null)];
        Placed[] chroma = [.. PathsOf(root, "sources", "chroma")];
        RefuseTwice([.. files, .. chroma], "sources", "source");
        Placed[] sqlite = [.. PathsOf(root, "sources", "sqlite")];
        RefuseTwice([.. sqlite, .. SettingsFiles(root)], "sources", "source");
        RefuseTwice(stores, "stores", "store");
        foreach (Placed store in stores)
            foreach (Placed source in files.Concat(chroma))
                RefuseInside(store, source);
        foreach (Placed source in files.Concat(chroma).Concat(sqlite).Concat(SettingsFiles(root)))
            RefuseInChroma(source, chroma);
        foreach (MapNode settings in Sources(root, "settings").Select(static e => (MapNode)e.Value))
            RefuseSameFiles(settings);
    }

    /// <summary>All that is in a Chroma directory is captured at one moment, and nothing of it is left out.</summary>
    private void RefuseInChroma(Placed source, Placed[] chroma)
    {
        if (Array.Find(chroma, other => other.Name != source.Name && AppPaths.Inside(other.RealPath, source.RealPath) is not (null or ".")) is { } around)
            mistakes.Add(
                source.Node.At, $"sources.{source.Name}", $"the path lies inside of the Chroma directory of source `{around.Name}`, which captures it too",
                "remove this source, or keep what it names outside of that directory");
    }

    private void RefuseInside(Placed store, Placed source)
    {
        string? written = AppPaths.Inside(source.FullPath, store.FullPath);
        if ((written ?? AppPaths.Inside(source.RealPath, store.RealPath)) is not { } inside || (inside != "." && IsExcluded(source.Map, inside)))
            return;
        string remedy = inside == "." || source.Map.Text("type") == "chroma"
            ? "give the store a directory of its own, outside of the source"
            : $"move the store elsewhere, or leave it out: `exclude: [\"{Quotable(inside)}\"]` in source `{source.Name}`";
        mistakes.Add(
            store.Node.At, $"stores.{store.Name}.path",
            $"the store lies inside of source `{source.Name}`{(written is null ? " where symbolic links lead to" : "")}, which would back up its own bundles",
            remedy);
    }

    private static bool IsExcluded(MapNode source, string inside)
    {
        if (source.Value("exclude") is not ListNode excludes)
            return false;
        string[] names = inside.Split('/');
        IEnumerable<string> paths = Enumerable.Range(1, names.Length).Select(count => string.Join('/', names.Take(count)))
            .Append($"{inside}/{SomeBundle}");
        Glob[] globs =
        [
            .. excludes.Items.OfType<TextNode>()
                .Where(static item => item.Text is { Length: > 0 and <= 1000 } && TextRules.Glob(item.Text) is null)
                .Select(static item => new Glob(item.Text)),
        ];
        return paths.Any(path => Array.Exists(globs, glob => glob.Matches(path)));
    }

    private void RefuseTwice(List<Placed> all, string section, string thing)
    {
        for (int i = 1; i < all.Count; i++)
        {
            Placed? earlier = all.Take(i).FirstOrDefault(e => AppPaths.Equal(e.RealPath, all[i].RealPath));
            if (earlier is not null && !(earlier.Name == all[i].Name && earlier.Map == all[i].Map))
                mistakes.Add(
                    all[i].Node.At, $"{section}.{all[i].Name}.{(all[i].Map.Text("type") == "settings" ? "files" : "path")}",
                    $"the path is the same as that of {thing} `{earlier.Name}`", $"remove one of the two {thing}s");
        }
    }

    private void RefuseSameFiles(MapNode settings)
    {
        if (settings.Value("files") is not ListNode files)
            return;
        List<(TextNode Node, string FullPath)> seen = [];
        foreach (TextNode file in files.Items.OfType<TextNode>().Where(IsGoodPath))
        {
            string path = AppPaths.Resolve(directory, file.Text);
            (TextNode? earlier, _) = seen.Find(s => AppPaths.Equal(s.FullPath, path));
            if (earlier is not null && earlier.Text != file.Text)
                mistakes.Add(file.At, "", $"the file is the same as the one on line {earlier.At.Line}", "keep one of the two");
            seen.Add((file, path));
        }
    }

    private IEnumerable<Placed> PathsOf(MapNode root, string section, string? type)
    {
        IEnumerable<MapEntry> entries = type is not null ? Sources(root, type)
            : root.Value(section) is MapNode map ? map.Entries.Where(static e => e.Value is MapNode) : [];
        foreach (MapEntry entry in entries)
            if (entry.Value is MapNode node && node.Value("path") is TextNode path && IsGoodPath(path))
                yield return new Placed(entry.Key, path, AppPaths.Resolve(directory, path.Text), node);
    }

    private IEnumerable<Placed> SettingsFiles(MapNode root) =>
        from entry in Sources(root, "settings")
        let map = (MapNode)entry.Value
        where map.Value("files") is ListNode
        from file in ((ListNode)map.Value("files")!).Items.OfType<TextNode>()
        where IsGoodPath(file)
        select new Placed(entry.Key, file, AppPaths.Resolve(directory, file.Text), map);

    private static IEnumerable<MapEntry> Sources(MapNode root, string type) =>
        root.Value("sources") is MapNode map ? map.Entries.Where(e => e.Value is MapNode source && source.Text("type") == type) : [];

    private static bool IsGoodPath(TextNode node) =>
        !node.IsNothing && !string.IsNullOrWhiteSpace(node.Text) && node.Text.Length <= 4096 && TextRules.Path(node.Text) is null;

    private static string Quotable(string path) => path.Replace("\"", "?", StringComparison.Ordinal);
}
