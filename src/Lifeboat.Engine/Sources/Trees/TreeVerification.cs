using System.Globalization;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Trees;

/// <summary>Reads a staged tree back and compares everything in it with the manifest, both in the same order.</summary>
internal sealed class TreeVerification(TreeManifest manifest, Folder root, TraitRules rules, ByteMeter meter)
{
    private readonly TreeComparison _comparison = new(rules, root.HasTraits);
    private readonly Dictionary<long, HardLinked> _hardLinks = [];

    public async Task<VerifyReport> CompareAsync(int workers, CancellationToken cancellation)
    {
        await using BoundedWork work = new(workers, cancellation);
        using IEnumerator<ManifestEntry> expected = manifest.Entries(cancellation).GetEnumerator();
        TreeWalk walk = new(root, static _ => false, static (_, failure) => throw failure);
        using IEnumerator<TreeItem> found = walk.Items(cancellation).GetEnumerator();
        ManifestCounts counts = new();
        bool more = expected.MoveNext();
        bool moreFound = found.MoveNext();
        while (more || moreFound)
        {
            int order = !more ? 1 : !moreFound ? -1 : TreePath.Compare(expected.Current.Path, found.Current.Path);
            if (order < 0)
                _comparison.Missing(expected.Current);
            else if (order > 0)
                _comparison.Extra(found.Current);
            else
                await CompareAsync(work, expected.Current, found.Current);
            if (order <= 0)
                counts.Add(expected.Current);
            more = order > 0 ? more : expected.MoveNext();
            moreFound = order < 0 ? moreFound : found.MoveNext();
        }

        await work.FinishAsync(cancellation);
        meter.Flush();
        foreach (HardLinked linked in _hardLinks.Values)
            _comparison.HardLinks(linked.Name, linked.Names, linked.AreOne ? linked.Links : 0);
        return new VerifyReport([.. CompareCounts(counts), .. _comparison.Checks]);
    }

    private async Task CompareAsync(BoundedWork work, ManifestEntry expected, TreeItem found)
    {
        _comparison.Traits(expected, found.Status);
        if (expected.Kind != found.Status.Kind)
            return;
        if (expected.Kind == FileKind.SymbolicLink)
            _comparison.Target(expected, found.Parent!.ReadLink(found.Name));
        if (root.HasTraits && expected.Kind != FileKind.Folder)
            CompareNames(expected, found.Status);
        if (expected.Kind != FileKind.Regular)
            return;
        Folder parent = found.Parent!.Share();
        await work.AddAsync(token =>
        {
            using (parent)
                _comparison.Content(expected, StagedFile.Hash(parent, found.Name, meter, token));
            return Task.CompletedTask;
        });
    }

    private void CompareNames(ManifestEntry expected, FileStatus found)
    {
        if (expected.HardLinkId == 0)
        {
            if (found.Links != 1)
                _comparison.HardLinks(expected.Path, 1, found.Links);
            return;
        }

        if (!_hardLinks.TryGetValue(expected.HardLinkId, out HardLinked? linked))
            _hardLinks.Add(expected.HardLinkId, linked = new HardLinked(expected.Path, found.Device, found.Inode, found.Links));
        linked.Names++;
        linked.AreOne &= linked.Device == found.Device && linked.Inode == found.Inode;
    }

    /// <summary>The manifest must be the one that the metadata counts, and use every content that the snapshot has.</summary>
    private IEnumerable<VerifyCheck> CompareCounts(ManifestCounts counts)
    {
        TreeDetails details = manifest.Details;
        TreeDetails found = counts.ToDetails(details.Path, details.Manifest, details.Exclude);
        yield return new VerifyCheck("entries", Text(details), Text(found));
        if (!manifest.IsWhole)
            yield break;
        string folder = TreeDetails.ContentsOf(details.Manifest) + "/";
        int contents = manifest.Snapshot.Entries.Keys.Count(path => path.StartsWith(folder, StringComparison.Ordinal));
        yield return new VerifyCheck("contents in the snapshot", Number(details.Contents), Number(contents));
    }

    private static string Text(TreeDetails details) => string.Create(
        CultureInfo.InvariantCulture,
        $"{details.Folders} folders, {details.RegularFiles} files, {details.SymbolicLinks} symbolic links, {details.Fifos} fifos, "
        + $"{details.ContentBytes} bytes");

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>The names of one file as they were found.</summary>
    private sealed class HardLinked(byte[] name, ulong device, ulong inode, long links)
    {
        public byte[] Name { get; } = name;

        public ulong Device { get; } = device;

        public ulong Inode { get; } = inode;

        public long Links { get; } = links;

        public long Names { get; set; }

        public bool AreOne { get; set; } = true;
    }
}
