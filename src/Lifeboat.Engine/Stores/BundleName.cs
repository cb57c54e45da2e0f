using System.Globalization;

namespace Lifeboat.Engine.Stores;

/// <summary>The name of a bundle: <c>APP_yyyyMMdd_HHmmssZ.zip</c>, the UTC time at which its run started.</summary>
public sealed record BundleName(string App, DateTimeOffset Timestamp)
{
    /// <summary>What is put behind a bundle's name for the copy of its metadata.</summary>
    public const string SidecarSuffix = ".metadata.json";

    private const string TimeFormat = "yyyyMMdd_HHmmss'Z'";

    public string Id => Timestamp.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);

    public string FileName => $"{App}_{Id}.zip";

    public static BundleName? TryParse(string fileName)
    {
        const int idLength = 16;
        int end = fileName.Length - ".zip".Length;
        int start = end - idLength;
        if (start < 2 || !fileName.EndsWith(".zip", StringComparison.Ordinal) || fileName[start - 1] != '_')
            return null;
        return DateTimeOffset.TryParseExact(
            fileName.AsSpan(start, idLength), TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset time)
            ? new BundleName(fileName[..(start - 1)], time)
            : null;
    }
}
