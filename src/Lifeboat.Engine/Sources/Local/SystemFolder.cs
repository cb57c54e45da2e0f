using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>
/// A folder by its path, through what .NET has on every system: used on Windows, where names are text and where there are no modes,
/// owners or fifos.
/// </summary>
internal sealed class SystemFolder(string path) : Folder(path)
{
    public override bool HasTraits => false;

    protected override void Close()
    {
    }

    public override NameList List(CancellationToken cancellation)
    {
        NameList names = new();
        foreach (FileSystemInfo entry in new DirectoryInfo(Display).EnumerateFileSystemInfos("*", AllEntries))
        {
            names.Add(Name(entry.Name));
            cancellation.ThrowIfCancellationRequested();
        }

        names.Sort();
        return names;
    }

    public override FileStatus Status()
    {
        DirectoryInfo info = new(Display);
        return info.Exists ? StatusOf(info) : throw new FileFailure(FileTrouble.Missing, $"cannot look at {Display}: it is not there");
    }

    public override FileStatus? Find(byte[] name)
    {
        FileInfo file = new(PathOf(name));
        if (file.Exists)
            return StatusOf(file);
        DirectoryInfo folder = new(file.FullName);
        return folder.Exists ? StatusOf(folder) : file.LinkTarget is null ? null : StatusOf(file);
    }

    public override FileStatus StatusOf(SafeFileHandle file, byte[] name)
    {
        FileTime modified = FileTime.From(File.GetLastWriteTimeUtc(file));
        long size = RandomAccess.GetLength(file);
        return new FileStatus(FileKind.Regular, null, null, size, size, modified, modified, 0, 0, 1, false);
    }

    public override Folder OpenFolder(byte[] name)
    {
        FileStatus status = Find(name) ?? throw new FileFailure(FileTrouble.Missing, $"cannot open {Describe(name)}: it is not there");
        return status.Kind == FileKind.Folder
            ? new SystemFolder(PathOf(name))
            : throw new FileFailure(FileTrouble.WrongKind, $"cannot open {Describe(name)}: it is not a folder");
    }

    public override SafeFileHandle OpenFile(byte[] name)
    {
        if (Find(name) is { Kind: not FileKind.Regular })
            throw new FileFailure(FileTrouble.WrongKind, $"cannot open {Describe(name)}: it is not a regular file");
        return File.OpenHandle(PathOf(name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
    }

    public override bool MayRead(byte[] name) => true;

    public override bool MayWrite() => true;

    public override byte[] ReadLink(byte[] name) =>
        Name(new FileInfo(PathOf(name)).LinkTarget
            ?? throw new FileFailure(FileTrouble.WrongKind, $"{Describe(name)} is not a symbolic link"));

    public override void CreateFolder(byte[] name)
    {
        string folder = PathOf(name);
        if (Path.Exists(folder))
            throw new FileFailure(FileTrouble.Exists, $"cannot create the folder {folder}: the name is taken");
        Directory.CreateDirectory(folder);
    }

    public override SafeFileHandle CreateFile(byte[] name) => File.OpenHandle(PathOf(name), FileMode.CreateNew, FileAccess.Write);

    public override void CreateSymbolicLink(byte[] name, byte[] target) =>
        File.CreateSymbolicLink(PathOf(name), Encoding.UTF8.GetString(target));

    public override void CreateFifo(byte[] name) => throw new FileFailure(
        FileTrouble.Unsupported, $"cannot create {Describe(name)}: this system has no fifos");

    public override void CreateHardLink(byte[] name, Folder existing, byte[] existingName) =>
        File.Copy(((SystemFolder)existing).PathOf(existingName), PathOf(name), overwrite: false);

    public override void ApplyTo(SafeFileHandle file, byte[] name, FileTraits traits)
    {
        if (traits.Modified is { } time)
            File.SetLastWriteTimeUtc(file, time.ToDateTimeOffset().UtcDateTime);
    }

    public override void Apply(byte[] name, FileKind kind, FileTraits traits)
    {
        if (traits.Modified is not { } time || kind == FileKind.SymbolicLink)
            return;
        if (kind == FileKind.Folder)
            Directory.SetLastWriteTimeUtc(PathOf(name), time.ToDateTimeOffset().UtcDateTime);
        else
            File.SetLastWriteTimeUtc(PathOf(name), time.ToDateTimeOffset().UtcDateTime);
    }

    public override void ApplyToSelf(FileTraits traits)
    {
        if (traits.Modified is { } time)
            Directory.SetLastWriteTimeUtc(Display, time.ToDateTimeOffset().UtcDateTime);
    }

    public override void Rename(byte[] name, Folder to, byte[] newName)
    {
        string source = PathOf(name);
        string target = ((SystemFolder)to).PathOf(newName);
        if (Path.Exists(target))
            throw new FileFailure(FileTrouble.Exists, $"cannot rename {source} to {target}: the name is taken");
        if (Find(name) is { Kind: FileKind.Folder })
            Directory.Move(source, target);
        else
            File.Move(source, target, overwrite: false);
    }

    public override void DeleteFile(byte[] name)
    {
        FileInfo file = new(PathOf(name));
        if (file.Attributes.HasFlag(FileAttributes.ReadOnly))
            file.IsReadOnly = false;
        if (file.Attributes.HasFlag(FileAttributes.Directory))
            Directory.Delete(file.FullName); // a link to a folder
        else
            file.Delete();
    }

    public override void DeleteFolder(byte[] name) => Directory.Delete(PathOf(name));

    public override void Flush()
    {
        // NTFS journals its names.
    }

    public override void FlushFilesystem()
    {
        // Files are flushed one by one where this matters.
    }

    private static EnumerationOptions AllEntries => new()
    {
        AttributesToSkip = FileAttributes.None,
        IgnoreInaccessible = false,
        RecurseSubdirectories = false,
    };

    private static FileStatus StatusOf(FileSystemInfo info)
    {
        FileKind kind = info.LinkTarget is not null ? FileKind.SymbolicLink
            : info.Attributes.HasFlag(FileAttributes.Directory) ? FileKind.Folder
            : FileKind.Regular;
        FileTime modified = FileTime.From(info.LastWriteTimeUtc);
        long size = kind == FileKind.Regular ? ((FileInfo)info).Length : 0;
        return new FileStatus(kind, null, null, size, size, modified, modified, 0, 0, 1, false);
    }

    private string PathOf(byte[] name) => IsPossible(name)
        ? Path.Combine(Display, Encoding.UTF8.GetString(name))
        : throw new FileFailure(FileTrouble.Unsupported, $"{Describe(name)}: Windows cannot have a file of that name");

    /// <summary>
    /// Whether Windows keeps a file under exactly this name ("Naming Files, Paths, and Namespaces", Microsoft Learn). Names of a tree from
    /// elsewhere may hold a backslash, which would lead out of the folder, or a colon, which would name another stream of a file.
    /// </summary>
    private static bool IsPossible(byte[] name)
    {
        const string forbidden = "<>:\"/\\|?*";
        string text = Encoding.UTF8.GetString(name);
        string stem = text.Split('.')[0].TrimEnd(' ').ToUpperInvariant();
        bool isDevice = stem is "CON" or "PRN" or "AUX" or "NUL" or "CONIN$" or "CONOUT$"
            || (stem.Length == 4 && stem[..3] is "COM" or "LPT" && (char.IsAsciiDigit(stem[3]) || stem[3] is '¹' or '²' or '³'));
        return text.Length > 0 && !isDevice && text[^1] is not ('.' or ' ')
            && !text.Any(static c => c < ' ' || forbidden.Contains(c, StringComparison.Ordinal))
            && name.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(text));
    }
}
