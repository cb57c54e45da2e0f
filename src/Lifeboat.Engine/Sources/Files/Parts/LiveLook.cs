using System.Globalization;
using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Files.Parts;

/// <summary>
/// Looks what of the entries that were asked for is live, and so which paths are switched: those that were asked for, or, where folders above them are
/// missing, the uppermost of these. A merge switches only what is missing.
/// </summary>
/// <param name="root">The live tree's; null where nothing is live, so that all of it is missing.</param>
/// <param name="meter">Told of the bytes of live files that are compared; null where a merge need not compare any yet.</param>
internal sealed class LiveLook(string source, PartSelection selection, Folder? root, bool merges, ByteMeter? meter)
{
    private const int ExamplesShown = 10;
    private const int ProblemsShown = 20;
    private readonly Lock _lock = new();
    private readonly SortedSet<string> _examples = new(StringComparer.Ordinal);
    private readonly List<Problem> _blockers = [];
    private readonly Dictionary<long, (long Taken, long Names)> _linked = [];
    private readonly ulong? _device = root?.Status().Device;
    private readonly byte[][] _mounted =
        root is null ? [] : [.. MountPoints.Below(root.Display).Select(point => Encoding.UTF8.GetBytes("./" + point[(root!.Display.Length + 1)..]))];
    private long _added;
    private long _equal;
    private long _different;

    public List<PartPath> Parts { get; } = [];

    public List<PartFolder> Folders { get; } = [];

    /// <summary>Every reason why it cannot be done.</summary>
    public IReadOnlyList<Problem> Blockers => _blockers.Count <= ProblemsShown ? _blockers :
        [.. _blockers.Take(ProblemsShown), Unusable(string.Create(CultureInfo.InvariantCulture, $"{_blockers.Count - ProblemsShown} more places cannot be switched"), "mend the ones that are named first")];

    /// <summary>Files, symbolic links and fifos that are live; they were compared only if there is a meter.</summary>
    public MergeCount Merged => new("files", _added, _equal, _different, [.. _examples]);

    /// <summary>Files with names that are not among those that are switched.</summary>
    public long PartlyLinked => _linked.Values.Count(static one => one.Taken < one.Names);

    public async Task ReadAsync(IEnumerable<ManifestEntry> entries, int workers, CancellationToken cancellation)
    {
        await using BoundedWork work = new(workers, cancellation);
        using LiveFolders? live = root is null ? null : new LiveFolders(root);
        foreach (PartEntry part in selection.Of(entries))
        {
            cancellation.ThrowIfCancellationRequested();
            if (live is null)
                CountAdded(part.Entry);
            else if (!merges && !part.IsTop)
                CountAdded(part.Entry); // goes with what it is in
            else if (live.Last(part.Above) is { Folder: { } folder } parent)
                await LookAsync(work, part.Entry, parent, folder);
            else
                NoFolder(part.Entry, live.Last(part.Above));
        }

        await work.FinishAsync(cancellation);
        meter?.Flush();
    }

    private async Task LookAsync(BoundedWork work, ManifestEntry entry, LiveFolder parent, Folder folder)
    {
        byte[] name = TreePath.NameOf(entry.Path);
        FileStatus? found = folder.Find(name);
        if (!merges || found is null)
        {
            CountAdded(entry);
            Add(entry.Path, entry, found, parent, folder);
        }
        else if (entry.Kind != found.Value.Kind)
        {
            CountPresent(entry, false);
        }
        else if (entry.Kind == FileKind.Regular)
        {
            await CompareAsync(work, entry, found.Value, folder, name);
        }
        else if (entry.Kind != FileKind.Folder)
        {
            CountPresent(entry, entry.Kind != FileKind.SymbolicLink || entry.Target.AsSpan().SequenceEqual(folder.ReadLink(name)));
        }
    }

    private async Task CompareAsync(BoundedWork work, ManifestEntry entry, FileStatus found, Folder folder, byte[] name)
    {
        if (meter is null || found.Size != entry.Size)
        {
            CountPresent(entry, meter is null);
            return;
        }

        folder.Share();
        await work.AddAsync(token =>
        {
            using (folder)
                CountPresent(entry, StagedFile.Hash(folder, name, meter, token) == entry.Sha256);
            return Task.CompletedTask;
        });
    }

    /// <summary>The folder that an entry would be in is not there.</summary>
    private void NoFolder(ManifestEntry entry, LiveFolder parent)
    {
        if (parent.IsMissing)
        {
            CountAdded(entry);
            if (Parts.Count == 0 || !TreePath.IsAtOrBelow(entry.Path, Parts[^1].Path))
                AddMissing(parent);
        }
        else if (merges)
        {
            if (entry.Kind != FileKind.Folder)
                CountPresent(entry, false);
        }
        else
        {
            Block(
                parent.Status!.Value.Kind == FileKind.SymbolicLink
                    ? $"{Live(parent.Where)} is a symbolic link, and nothing is written through it"
                    : $"{Live(parent.Where)} is not a folder as it was in the snapshot",
                $"restore it as a whole with `--only {source}/{Readable(parent.Where)}`, or choose another folder with --target");
        }
    }

    /// <summary>A folder that is missing is put back with what was asked for in it.</summary>
    private void AddMissing(LiveFolder missing)
    {
        // The folder above it is there; it was looked at on the way.
        using Folder folder = FolderStack.OpenParentOf(root!, missing.Where);
        Add(missing.Where, missing.Entry, null, null, folder);
    }

    private void Add(byte[] path, ManifestEntry entry, FileStatus? found, LiveFolder? parent, Folder folder)
    {
        Parts.Add(new PartPath(path, Arrives: true, Replaces: found is not null));
        bool isFirst = Folders.Count == 0 || !Folders[^1].Path.AsSpan().SequenceEqual(TreePath.ParentOf(path));
        PartExchange.AddFolder(Folders, path, folder);
        if (isFirst)
            CheckFolder(parent?.Status ?? folder.Status(), folder);
        if (_mounted.FirstOrDefault(point => TreePath.IsAtOrBelow(point, path)) is { } mounted)
            Block($"another file system is mounted at {Live(mounted)}, which a restore cannot switch", "unmount it, or restore what is beside it");
        if (OperatingSystem.IsWindows() || UnixFolder.IsRoot)
            return;
        if (found is { Kind: FileKind.Folder } live && !IsOwnerWritable(live.Mode))
            Block($"the mode of {Live(path)} lets nobody but root move it", "run as root, or `chmod u+w` it");
        else if (entry.Kind == FileKind.Folder && !IsOwnerWritable(entry.Traits.Mode))
            Block($"{Live(path)} will have a mode that lets nobody but root move it into its place", "run as root, or restore it to another place with --target");
    }

    private void CheckFolder(FileStatus status, Folder folder)
    {
        if (status.Device != _device)
            Block($"{folder.Display} is on another file system than {root!.Display}, so nothing can be renamed into it", "make it a source of its own, or choose another folder with --target");
        else if (!folder.MayWrite())
            Block($"no right to change anything in {folder.Display}", "run as a user who may write there, or choose another folder with --target");
    }

    private void CountAdded(ManifestEntry entry)
    {
        _added += entry.Kind == FileKind.Folder ? 0 : 1;
        if (entry.HardLinkId != 0)
            _linked[entry.HardLinkId] = (_linked.GetValueOrDefault(entry.HardLinkId).Taken + 1, entry.Links);
    }

    private void CountPresent(ManifestEntry entry, bool isEqual)
    {
        lock (_lock)
        {
            if (isEqual)
            {
                _equal++;
                return;
            }

            _different++;
            _examples.Add(Readable(entry.Path));
            if (_examples.Count > ExamplesShown)
                _examples.Remove(_examples.Max!);
        }
    }

    private static bool IsOwnerWritable(int? mode) => mode is not { } bits || (bits & 0b010_000_000) != 0;

    private string Live(byte[] path) => Path.Combine(root!.Display, Readable(path));

    private static string Readable(byte[] path) => Folder.Readable(TreePath.Relative(path));

    private void Block(string message, string hint)
    {
        Problem problem = Unusable(message, hint);
        if (!_blockers.Contains(problem))
            _blockers.Add(problem);
    }

    private Problem Unusable(string message, string hint) => new(ErrorCodes.TargetUnusable, message, hint, source);
}
