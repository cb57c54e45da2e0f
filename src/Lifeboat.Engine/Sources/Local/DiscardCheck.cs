using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>Looks in a kept state for what must not be deleted with it, because it may be nowhere else: bundles, journals, app files, other file systems.</summary>
internal sealed class DiscardCheck
{
    private const int Named = 5;

    private readonly Dictionary<(ulong Device, ulong Inode), string> _reserved = [];
    private readonly List<string> _found = [];

    /// <param name="reserved">The app's own.</param>
    public DiscardCheck(IReadOnlyList<ReservedPath> reserved)
    {
        foreach (ReservedPath one in reserved.Where(static one => one.Why != Reservation.Source))
        {
            if (StatusOf(one.Path) is { Inode: not 0 } status)
                _reserved.TryAdd((status.Device, status.Inode), one.What);
        }
    }

    /// <summary>Why a kept state cannot be removed; null where it can be.</summary>
    /// <param name="kept">Its path.</param>
    public Problem? Look(string kept, string source)
    {
        if (Path.GetDirectoryName(kept) is not { } above || !Directory.Exists(above))
            return null;
        using Folder parent = Folder.Open(above);
        Look(parent, Folder.Name(Path.GetFileName(kept)));
        string more = _found.Count > Named ? " and more" : "";
        return _found.Count == 0 ? null : new Problem(
            ErrorCodes.KeptStateHoldsMore,
            $"{kept}, which a restore kept, is not removed, because it holds {string.Join(", ", _found.Take(Named))}{more}",
            "move what is still wanted to where it belongs, remove the rest of it by hand, then discard again", source);
    }

    private static FileStatus? StatusOf(string path)
    {
        if (Path.GetDirectoryName(path) is not { } above || !Directory.Exists(above))
            return null;
        using Folder parent = Folder.Open(above);
        return Directory.Exists(path) ? Inside(path) : parent.Find(Folder.Name(Path.GetFileName(path)));
    }

    private static FileStatus Inside(string path)
    {
        using Folder folder = Folder.Open(path); // through a symbolic link
        return folder.Status();
    }

    private void Look(Folder parent, byte[] name)
    {
        if (_found.Count > Named || parent.Find(name) is not { } status)
            return;
        string? what = status.IsMountPoint ? "a mount point" : _reserved.GetValueOrDefault((status.Device, status.Inode)) ?? OfItsName(parent, name, status);
        if (what is not null)
            _found.Add($"{what} ({parent.Describe(name)})");
        else if (status.Kind == FileKind.Folder)
            LookBelow(parent, name);
    }

    private void LookBelow(Folder parent, byte[] name)
    {
        using Folder folder = parent.OpenFolder(name);
        NameList names = folder.List(CancellationToken.None);
        for (int i = 0; i < names.Count; i++)
            Look(folder, names[i]);
    }

    /// <summary>What it is by its name, also where it is another app's.</summary>
    private static string? OfItsName(Folder parent, byte[] name, FileStatus status)
    {
        if (status.Kind != FileKind.Regular)
            return null;
        ReadOnlySpan<byte> text = name;
        if (text.EndsWith(".zip.metadata.json"u8) && parent.Find(name[..^".metadata.json".Length]) is not null)
            return "a bundle";
        if (text.EndsWith(".journal"u8) && Path.GetFileName(parent.Display) == ".lifeboat")
            return "the journal of a restore";
        return text.SequenceEqual("lifeboat.yaml"u8) && parent.Find("metadata.json"u8.ToArray()) is null ? "an app file" : null; // a snapshot's copy is none
    }
}
