using System.Globalization;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Trees;
using Microsoft.Win32.SafeHandles;

namespace Lifeboat.Engine.Sources.Chroma;

/// <summary>
/// Private copies of the files of a persist directory in the temporary folder, but for the database. What was copied once and has not changed is not
/// copied again.
/// </summary>
internal sealed class DirectoryCopy(string path, string source, RunContext run)
{
    private readonly string _folder = Path.Combine(run.Host.TempDirectory, $"lifeboat-{source}-{run.Host.NewId()}");
    private readonly Dictionary<string, Copied> _copies = new(StringComparer.Ordinal);
    private int _number;

    /// <summary>Brings the copies up to what was looked at, as far as that is still there unchanged.</summary>
    /// <exception cref="IOException">A file cannot be read, or there is no room.</exception>
    public void Update(Folder root, DirectoryState state, CancellationToken cancellation)
    {
        LookedAt[] stale =
        [
            .. state.Look.Entries.Where(entry => entry.Status.Kind == FileKind.Regular && !entry.IsDatabase && !state.IsLeftOver(entry)
                && FileOf(entry) is null),
        ];
        TemporarySpace.Require(run.Host, stale.Sum(static entry => entry.Status.Size), path, source);
        PrivateCopy.CreateFolder(_folder);
        foreach (LookedAt entry in stale)
        {
            if (_copies.Remove(entry.Key, out Copied? old))
                File.Delete(old.File);
            if (TryCopy(root, entry, cancellation) is { } copy)
                _copies.Add(entry.Key, copy);
        }
    }

    /// <summary>The copy of what was looked at; null where there is none of just that state.</summary>
    public string? FileOf(LookedAt entry) => _copies.TryGetValue(entry.Key, out Copied? copy) && copy.Of.IsSame(entry) ? copy.File : null;

    /// <summary>Whether nobody wrote to the file while it was read.</summary>
    public bool IsSettled(LookedAt entry) => _copies[entry.Key].IsSettled;

    public void Delete() => PrivateCopy.DeleteFolder(_folder);

    /// <summary>Null where it is not there as it was looked at; a file of no segment may have changed while it was read.</summary>
    private Copied? TryCopy(Folder root, LookedAt entry, CancellationToken cancellation)
    {
        string file = Path.Combine(_folder, (++_number).ToString(CultureInfo.InvariantCulture));
        try
        {
            byte[] name = TreePath.NameOf(entry.Path);
            using Folder parent = FolderStack.OpenParentOf(root, entry.Path);
            using SafeFileHandle live = parent.OpenFile(name);
            FileStatus status = parent.StatusOf(live, name);
            bool ofSegment = entry.Segment is not null;
            if (status.Kind != FileKind.Regular || (ofSegment && !entry.IsSame(entry with { Status = status })))
                return null;
            using FileStream copy = new(file, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
            bool unchanged = LiveFile.Copy(parent, name, live, status, copy, meter: null, cancellation);
            if (unchanged || !ofSegment)
                return new Copied(entry, file, unchanged);
        }
        catch (FileFailure e) when (e.Trouble is FileTrouble.Missing or FileTrouble.WrongKind)
        {
            return null;
        }

        File.Delete(file);
        return null;
    }

    private sealed record Copied(LookedAt Of, string File, bool IsSettled);
}
