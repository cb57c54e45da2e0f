using System.Globalization;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Storage;

/// <summary>Looks for free space before the first byte is written. What it lets through can still fill a disk; that is an error of its own.</summary>
public static class SpaceCheck
{
    // What a filesystem must have left over beside the need, bytes: a tenth of that, but not next to nothing, and not much on a large disk.
    private const long LeastReserve = 1 << 20, MostReserve = 16 << 20;

    /// <summary>The least share of the raw bytes that a bundle can be expected to take: text compresses six- to tenfold.</summary>
    private const double SmallestRatio = 0.1;

    /// <summary>Bytes that a bundle needs at least, judged by the app's previous bundle where there is one.</summary>
    public static long BundleNeed(long rawBytes, long? previousRaw, long? previousBundle) =>
        previousRaw > 0 && previousBundle > 0
            ? (long)(rawBytes * (double)previousBundle.Value / previousRaw.Value)
            : (long)(rawBytes * SmallestRatio);

    /// <exception cref="LifeboatException">The folder's filesystem has less than needed.</exception>
    public static void Require(string directory, long bytes, string purpose)
    {
        if (Shortage(directory, bytes, purpose) is { } problem)
            throw new LifeboatException([problem]);
    }

    /// <summary>What is wrong with the space for <paramref name="bytes"/> in a folder that may not exist yet; null if it suffices.</summary>
    public static Problem? Shortage(string directory, long bytes, string purpose)
    {
        long free = new DriveInfo(ExistingParent(directory)).AvailableFreeSpace;
        long reserve = Math.Clamp(bytes / 10, LeastReserve, MostReserve);
        return free >= bytes + reserve
            ? null
            : new Problem(
                ErrorCodes.NotEnoughSpace,
                $"{purpose} needs about {Megabytes(bytes)} in {directory}, with {Megabytes(reserve)} to be left over, and {Megabytes(free)} are free",
                "free some space there, or choose a folder on a larger filesystem",
                directory);
    }

    private static string ExistingParent(string directory)
    {
        while (!Directory.Exists(directory))
            directory = Path.GetDirectoryName(directory) ?? throw new ArgumentException("the path has no root", nameof(directory));
        return directory;
    }

    private static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:#,0.#} MB");
}
