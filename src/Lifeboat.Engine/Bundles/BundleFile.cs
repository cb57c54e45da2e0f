using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Storage;
using Microsoft.Win32.SafeHandles;

namespace Lifeboat.Engine.Bundles;

/// <summary>A bundle's bytes at any place, from any thread.</summary>
internal sealed class BundleFile : IDisposable
{
    private readonly SafeFileHandle _handle;
    private readonly string _path;

    private BundleFile(SafeFileHandle handle, string path)
    {
        _handle = handle;
        _path = path;
        Length = RandomAccess.GetLength(handle);
    }

    public long Length { get; }

    public static BundleFile Open(string path)
    {
        try
        {
            return new BundleFile(File.OpenHandle(path), path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new LifeboatException(
                ErrorCodes.SnapshotNotFound, "there is no such bundle", "see the path; `lifeboat list` shows the snapshots", path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw StorageErrors.Reading(e, "the bundle", path);
        }
    }

    /// <summary>Reads some bytes, at least one unless the file ends there.</summary>
    public int Read(long offset, Span<byte> buffer)
    {
        try
        {
            return RandomAccess.Read(_handle, buffer, offset);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StorageErrors.Reading(e, "the bundle", _path);
        }
    }

    public void ReadExactly(long offset, Span<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            int count = Read(offset, buffer);
            if (count == 0)
                throw BundleProblems.Damaged("the file ends too early");
            offset += count;
            buffer = buffer[count..];
        }
    }

    public void Dispose() => _handle.Dispose();
}
