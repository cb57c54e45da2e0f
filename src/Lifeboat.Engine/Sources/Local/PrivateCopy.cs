using Lifeboat.Engine.Storage;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>A file of the run's own in the temporary folder.</summary>
internal static class PrivateCopy
{
    /// <summary>Writes all of it to a stream.</summary>
    public static void Pour(string path, Stream stream, ByteMeter meter, CancellationToken cancellation)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        byte[] buffer = new byte[256 * 1024];
        while (file.Read(buffer) is > 0 and int count)
        {
            cancellation.ThrowIfCancellationRequested();
            stream.Write(buffer, 0, count);
            meter.Add(count);
        }
    }

    /// <summary>Makes a folder in the temporary folder that nobody else can enter.</summary>
    public static void CreateFolder(string path) => PrivateFile.CreateFolder(path);

    public static void DeleteFolder(string path)
    {
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
    }
}
