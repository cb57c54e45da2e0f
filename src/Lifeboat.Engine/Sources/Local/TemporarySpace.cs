using System.Globalization;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>Room for what a source copies into the temporary folder.</summary>
internal static class TemporarySpace
{
    /// <param name="of">What is copied, for the message.</param>
    /// <exception cref="LifeboatException">There is less.</exception>
    public static void Require(HostEnvironment host, long bytes, string of, string source)
    {
        long free = new DriveInfo(host.TempDirectory).AvailableFreeSpace;
        if (free < bytes)
            throw new LifeboatException(
                ErrorCodes.NotEnoughSpace,
                string.Create(CultureInfo.InvariantCulture, $"the copy of {of} takes {bytes} bytes and {host.TempDirectory} has {free} free"),
                "free some space there, or set TMPDIR to a folder that has more",
                source);
    }
}
