using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;

namespace Lifeboat.Engine.Runs;

/// <summary>Whether this process may have enough files open at once: better told before than met in the middle of a run.</summary>
internal static class OpenFilesCheck
{
    /// <summary>The runtime's own files, bundle, lock, journal, and the folders above what is worked on.</summary>
    private const int Always = 192;

    /// <summary>For each stream that is worked on: three pipes of a client program, a file, and the folders above it.</summary>
    private const int EachWorker = 32;

    public static IEnumerable<Problem> Shortage(HostEnvironment host)
    {
        int needed = Always + (EachWorker * host.Workers);
        if (host.OpenFiles < needed)
            yield return new Problem(
                ErrorCodes.TooFewOpenFiles, $"this process may have {host.OpenFiles} files open at once, and {needed} are needed with {host.Workers} workers",
                $"raise the limit (`ulimit -Hn {needed}`, LimitNOFILE= of a systemd unit), or set fewer `workers` in the app file");
    }
}
