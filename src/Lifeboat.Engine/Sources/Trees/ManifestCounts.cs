using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Trees;

/// <summary>Adds up a manifest's entries.</summary>
internal sealed class ManifestCounts
{
    private const int MostOwners = 1000;
    private const long Block = 4096;
    private readonly HashSet<long> _hardLinks = [];
    private readonly HashSet<CapturedOwner> _owners = [];
    private long _folders;
    private long _regularFiles;
    private long _contents;
    private long _symbolicLinks;
    private long _fifos;
    private long _contentBytes;
    private long _diskBytes;

    public void Add(ManifestEntry entry)
    {
        bool first = entry.HardLinkId == 0 || _hardLinks.Add(entry.HardLinkId);
        _ = entry.Kind switch
        {
            FileKind.Folder => _folders++,
            FileKind.Regular => _regularFiles++,
            FileKind.SymbolicLink => _symbolicLinks++,
            _ => _fifos++,
        };
        if (entry.Kind == FileKind.Regular && first)
        {
            _contents++;
            _contentBytes += entry.Size;
        }

        if (first)
            _diskBytes += (((entry.Size + Block - 1) / Block) + 1) * Block;
        if (entry.Traits.Owner is { } owner && _owners.Count < MostOwners)
            _owners.Add(new CapturedOwner(owner.Uid, owner.Gid, entry.User, entry.Group));
    }

    public TreeDetails ToDetails(string path, string manifest, IReadOnlyList<string> exclude) => new()
    {
        Path = path,
        Manifest = manifest,
        Folders = _folders,
        RegularFiles = _regularFiles,
        Contents = _contents,
        SymbolicLinks = _symbolicLinks,
        Fifos = _fifos,
        ContentBytes = _contentBytes,
        DiskBytes = _diskBytes,
        Owners = [.. _owners.OrderBy(static owner => owner.Uid).ThenBy(static owner => owner.Gid)],
        Exclude = exclude,
    };
}
