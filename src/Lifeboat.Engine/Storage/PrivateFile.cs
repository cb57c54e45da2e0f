using Microsoft.Win32.SafeHandles;

namespace Lifeboat.Engine.Storage;

/// <summary>Files and folders that their owner alone can read, whatever the process's umask, and that never come to lie behind a link.</summary>
internal static class PrivateFile
{
    private const UnixFileMode OwnFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnFolder = OwnFile | UnixFileMode.UserExecute;

    /// <summary>Makes a file that was not there: nothing is replaced, and no link is followed.</summary>
    public static FileStream Create(string path, FileShare share = FileShare.None, long reserved = 0)
    {
        FileStreamOptions options = Options(FileMode.CreateNew, share);
        options.PreallocationSize = reserved;
        FileStream file = new(path, options);
        Narrow(file.SafeFileHandle);
        return file;
    }

    /// <summary>For reading and writing a file that is made private where it is missing.</summary>
    public static FileStreamOptions Options(FileMode mode, FileShare share)
    {
        FileStreamOptions options = new() { Mode = mode, Access = FileAccess.ReadWrite, Share = share };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnFile;
        return options;
    }

    /// <summary>Makes a file of some bytes that was not there.</summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        using FileStream file = Create(path);
        file.Write(content);
    }

    /// <summary>Writes a file, or puts another in the place of the one that is there; a link of that name is replaced, not followed.</summary>
    /// <param name="id">Part of the name under which it is written first.</param>
    public static async Task ReplaceAsync(string path, ReadOnlyMemory<byte> content, string id, CancellationToken cancellation)
    {
        string partial = Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.{id}{PartialFile.Suffix}");
        try
        {
            await using (FileStream file = Create(partial))
                await file.WriteAsync(content, cancellation);
            File.Move(partial, path, overwrite: true);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }
    }

    /// <summary>Makes a folder, with those above it, that its owner alone can enter; one that is there stays as it is.</summary>
    public static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, OwnFolder);
    }

    /// <summary>Gives a file that was made under another umask its mode.</summary>
    public static void Narrow(SafeFileHandle file)
    {
        if (!OperatingSystem.IsWindows() && File.GetUnixFileMode(file) != OwnFile)
            File.SetUnixFileMode(file, OwnFile);
    }

    /// <summary>Gives a folder of this user's that was made under another umask its mode.</summary>
    public static void NarrowFolder(string path)
    {
        if (!OperatingSystem.IsWindows() && File.GetUnixFileMode(path) != OwnFolder)
            File.SetUnixFileMode(path, OwnFolder);
    }
}
