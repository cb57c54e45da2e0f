using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Progress;

/// <summary>The phases of a run, in the order in which a source goes through them.</summary>
public enum Phase
{
    Check,
    Open,
    Capture,
    Write,
    Preflight,
    Stage,
    Verify,
    Neutralize,
    Commit,
}

/// <summary>What an operation reports while it runs. Events may come from several threads at once.</summary>
/// <param name="Source">The source's name, or null for the run as a whole.</param>
public abstract record RunEvent(string? Source);

/// <summary>A source (or the run) enters a phase.</summary>
/// <param name="TotalBytes">How many bytes <see cref="BytesDone"/> is expected to add up to; 0 where unknown.</param>
public sealed record PhaseStarted(string? Source, Phase Phase, long TotalBytes) : RunEvent(Source);

/// <summary>Some more bytes are done (not a running total); sent about once per 256 KiB, never once per row.</summary>
public sealed record BytesDone(string? Source, Phase Phase, long Bytes) : RunEvent(Source);

public sealed record PhaseFinished(string? Source, Phase Phase, TimeSpan Elapsed) : RunEvent(Source);

/// <summary>Something that a person must read; the run goes on and ends with exit status 3 at best.</summary>
public sealed record Warned(string? Source, Problem Problem) : RunEvent(Source);

/// <summary>A line for <c>-v</c> and for the snapshot's log; never a secret.</summary>
public sealed record Noted(string? Source, string Text) : RunEvent(Source);
