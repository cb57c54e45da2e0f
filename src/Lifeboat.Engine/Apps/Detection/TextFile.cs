using System.Text;

namespace Lifeboat.Engine.Apps.Detection;

/// <summary>Reads small settings files of others, if they can be read.</summary>
internal static class TextFile
{
    private const int MaxBytes = 256 * 1024;

    /// <summary>The file's text; null where it is not there, too large, or may not be read.</summary>
    public static async Task<string?> ReadAsync(string path, CancellationToken cancellation)
    {
        try
        {
            // The length is 0 for pipes and devices, which could keep a reader waiting for ever.
            FileInfo info = new(path);
            if (!info.Exists || info.Length is 0 or > MaxBytes)
                return null;
            await using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using StreamReader reader = new(file, Encoding.UTF8);
            return await reader.ReadToEndAsync(cancellation);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
