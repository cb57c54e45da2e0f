using System.Security.Cryptography;

namespace Lifeboat.Engine.Hosting;

/// <summary>
/// The machine and process around the engine: clock, environment, chance, temporary folder, cores. The program makes
/// one at its start and hands it in; nothing in the engine asks the system for these by itself.
/// </summary>
public sealed record HostEnvironment
{
    public required TimeProvider Time { get; init; }

    /// <summary>The process's environment variables, as they were at its start.</summary>
    public required IReadOnlyDictionary<string, string> Variables { get; init; }

    /// <summary>Where temporary folders are made; absolute.</summary>
    public required string TempDirectory { get; init; }

    public required string HostName { get; init; }

    public required int ProcessId { get; init; }

    /// <summary>How many streams are worked on at once; the number of cores where nothing else is asked for.</summary>
    public required int Workers { get; init; }

    /// <summary>How many files this process may have open at once (getrlimit(2), RLIMIT_NOFILE); null where there is no limit that is known.</summary>
    public int? OpenFiles { get; init; }

    public required string LifeboatVersion { get; init; }

    /// <summary>
    /// How long what has to be brought to an end waits for a server that is away. A restart takes seconds, and with the recovery of what was written since the last
    /// checkpoint (five minutes of it, by default) mostly less than this; whoever waits for longer would think that nothing happens.
    /// </summary>
    public TimeSpan LongestWaitForServer { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Fills a buffer with chance fit for keys.</summary>
    public Action<Memory<byte>> FillRandom { get; init; } = static buffer => RandomNumberGenerator.Fill(buffer.Span);

    /// <summary>A short id (10 characters of a–z2–7, 50 bits) for one restore or one temporary name.</summary>
    public string NewId()
    {
        byte[] bytes = new byte[10];
        FillRandom(bytes);
        return string.Create(bytes.Length, bytes, static (text, from) =>
        {
            for (int i = 0; i < text.Length; i++)
                text[i] = "abcdefghijklmnopqrstuvwxyz234567"[from[i] & 31];
        });
    }
}
