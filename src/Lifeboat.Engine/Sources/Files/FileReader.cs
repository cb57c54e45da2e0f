using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Trees;
using Microsoft.Win32.SafeHandles;

namespace Lifeboat.Engine.Sources.Files;

/// <summary>Reads the files of a tree into the snapshot, and reports what cannot be read as it should be.</summary>
internal sealed class FileReader(string source, RunContext run, ISnapshotWriter writer, UnreadableFiles unreadable, OwnerNames names)
{

    public ByteMeter Meter { get; } = new(run.Progress, source, Phase.Capture);

    /// <summary>Something could not be looked at, opened or read.</summary>
    public void Failed(byte[] path, FileFailure failure)
    {
        if (failure.Trouble is FileTrouble.Missing or FileTrouble.WrongKind)
            Warn(ErrorCodes.FileVanished, path, "vanished or was replaced while the tree was read, and is not in the snapshot");
        else
            unreadable.Add(path, failure.Message);
    }

    public void Skipped(TreeItem item) => Warn(
        ErrorCodes.FileSkipped,
        item.Path,
        item.Status.Kind == FileKind.Socket ? "is a socket, which cannot be captured" : "is a device, which is not captured",
        "list it under exclude: so that it is known that it is left out");

    /// <summary>The manifest entry of what has no content; null where it vanished.</summary>
    public ManifestEntry? Describe(TreeItem item)
    {
        try
        {
            return Entry(item, item.Status) with
            {
                Target = item.Status.Kind == FileKind.SymbolicLink ? item.Parent!.ReadLink(item.Name) : null,
            };
        }
        catch (FileFailure e)
        {
            Failed(item.Path, e.Trouble == FileTrouble.Unsupported ? new FileFailure(FileTrouble.WrongKind, e.Message) : e);
            return null;
        }
    }

    /// <summary>Writes a regular file's content and gives its manifest entry; null where it vanished or cannot be read.</summary>
    public async Task<ManifestEntry?> ReadAsync(TreeItem item, CancellationToken cancellation)
    {
        try
        {
            for (int attempt = 1; ; attempt++)
            {
                using SafeFileHandle file = item.Parent!.OpenFile(item.Name);
                FileStatus before = item.Parent.StatusOf(file, item.Name);
                if (before.Kind != FileKind.Regular)
                    throw new FileFailure(FileTrouble.WrongKind, $"{item.Parent.Describe(item.Name)} is not a regular file any more");
                if (unreadable.Any)
                    return null; // nothing will come of this snapshot: only find out what else cannot be opened
                if (await TryAddAsync(item, file, before, mustSettle: attempt < LiveFile.Attempts, cancellation) is { } entry)
                    return entry;
            }
        }
        catch (FileFailure e)
        {
            Failed(item.Path, e);
            return null;
        }
    }

    /// <summary>The entry of a file whose content is left out: as it is but for that.</summary>
    public async Task<ManifestEntry?> ReadEmptyAsync(TreeItem item, CancellationToken cancellation)
    {
        string path = ContentPath.Of($"files/{source}", item.Path);
        EntryReceipt receipt = await writer.AddAsync(
            new EntryHeader(path, item.Status.Modified.ToDateTimeOffset(), ModeOf(item.Status), 0), static (_, _) => Task.CompletedTask, cancellation);
        return Entry(item, item.Status) with { Size = 0, Sha256 = receipt.Sha256, Contents = path };
    }

    private static int ModeOf(FileStatus status) => (status.Mode & 0b111_111_111 | 0b110_000_000) ?? 0b110_100_100;

    /// <summary>Null where the file changed meanwhile and should be read again.</summary>
    private async Task<ManifestEntry?> TryAddAsync(
        TreeItem item, SafeFileHandle file, FileStatus before, bool mustSettle, CancellationToken cancellation)
    {
        string path = ContentPath.Of($"files/{source}", item.Path);
        bool changed = false;
        try
        {
            EntryReceipt receipt = await writer.AddAsync(
                new EntryHeader(path, before.Modified.ToDateTimeOffset(), ModeOf(before), before.Size),
                (stream, token) =>
                {
                    changed = !LiveFile.Copy(item.Parent!, item.Name, file, before, stream, Meter, token);
                    return changed && mustSettle ? Task.FromException(new ChangedWhileRead()) : Task.CompletedTask;
                },
                cancellation);
            if (changed)
                Warn(
                    ErrorCodes.FileChanging,
                    item.Path,
                    "was being written to while it was read; the snapshot has it as it was last read",
                    "capture it while nothing writes to it, or list it under exclude:");
            return Entry(item, before) with { Size = receipt.Bytes, Sha256 = receipt.Sha256, Contents = path, IsSparse = before.IsSparse };
        }
        catch (ChangedWhileRead)
        {
            return null;
        }
    }

    private ManifestEntry Entry(TreeItem item, FileStatus status) => new(item.Path, status.Kind, status.Traits)
    {
        User = status.Owner is { } owner ? names.User(owner.Uid) : null,
        Group = status.Owner is { } again ? names.Group(again.Gid) : null,
    };

    private void Warn(
        ErrorCode code, byte[] path, string what, string hint = "run the backup again if it should be in it") => run.Progress.Report(
        new Warned(source, new Problem(code, $"{Folder.Readable(TreePath.Relative(path))} {what}", hint, source)));
}
