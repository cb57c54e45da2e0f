using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;

namespace Lifeboat.Engine.Storage;

/// <summary>
/// A file that gets its name only when it is complete and on the disk. Until <see cref="CommitAsync"/> it is
/// <c>.NAME.OWNER.ID.partial</c> beside its final place, readable by its owner alone; disposing without a commit deletes it.
/// </summary>
public sealed class PartialFile : IAsyncDisposable
{
    public const string Suffix = ".partial";

    private readonly FileStream _file;
    private readonly StorageStream _stream;
    private bool _committed;

    private PartialFile(string finalPath, string partialPath, FileStream file)
    {
        FinalPath = finalPath;
        PartialPath = partialPath;
        _file = file;
        _stream = new StorageStream(file, finalPath);
    }

    /// <summary>The path that it gets; another one where that was taken meanwhile and <see cref="OtherPath"/> knows one.</summary>
    public string FinalPath { get; private set; }

    /// <summary>Gives a free path in the same folder where somebody else has taken the first one meanwhile; null where that is an error.</summary>
    public Func<string>? OtherPath { get; set; }

    public string PartialPath { get; }

    /// <summary>Where the bytes go, forward only. A full disk is a <see cref="LifeboatException"/> already here.</summary>
    public Stream Stream => _stream;

    /// <summary>Creates the partial file; its folder must exist.</summary>
    /// <param name="finalPath">Absolute.</param>
    /// <param name="host">Gives the id that tells runs apart.</param>
    /// <exception cref="LifeboatException">It cannot be created, or something has the final name already.</exception>
    /// <param name="owner">Who is writing, so that others let it be; null where nobody else can be there.</param>
    public static PartialFile Create(string finalPath, HostEnvironment host, PartialOwner? owner = null)
    {
        if (Path.Exists(finalPath))
            throw AlreadyThere(finalPath);
        string folder = Path.GetDirectoryName(finalPath) ?? throw new ArgumentException("not the path of a file", nameof(finalPath));
        string partialPath = Path.Combine(folder, $".{Path.GetFileName(finalPath)}.{owner?.ToString(host)}{host.NewId()}{Suffix}");
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.Read, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            return new PartialFile(finalPath, partialPath, new FileStream(partialPath, options));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StorageErrors.Writing(e, "the file", finalPath);
        }
    }

    /// <summary>Flushes the bytes to the disk, gives the file its final name (never replacing another), and flushes the folder.</summary>
    /// <exception cref="LifeboatException">The disk is full or failed, or something has the final name by now; the partial file is deleted
    /// on disposal.</exception>
    public async Task CommitAsync(CancellationToken cancellation)
    {
        // Flushing gigabytes takes as long as the disk takes; not on the caller's thread.
        await Task.Run(Commit, cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        if (_committed)
            return;
        try
        {
            File.Delete(PartialPath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Whatever made the write fail (a disk that is gone) also keeps the file from being deleted: that first error is the one to
            // report.
        }
    }

    private void Commit()
    {
        try
        {
            _file.Flush(flushToDisk: true);
            _stream.Dispose();
            TakeName();
            _committed = true;
            if (!OperatingSystem.IsWindows())
                UnixFiles.FlushFolder(Path.GetDirectoryName(FinalPath)!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw !_committed && Path.Exists(FinalPath) ? AlreadyThere(FinalPath) : StorageErrors.Writing(e, "the file", FinalPath);
        }
    }

    private void TakeName()
    {
        while (true)
        {
            try
            {
                if (OperatingSystem.IsWindows())
                    File.Move(PartialPath, FinalPath, overwrite: false);
                else
                    UnixFiles.RenameWithoutReplacing(PartialPath, FinalPath);
                return;
            }
            catch (IOException) when (OtherPath is not null && Path.Exists(FinalPath) && Path.Exists(PartialPath))
            {
                FinalPath = OtherPath();
            }
        }
    }

    private static LifeboatException AlreadyThere(string path) => new(
        ErrorCodes.StorageFailed, "a file of this name is there already, and is never replaced",
            "choose another name, or move that file away", path);
}
