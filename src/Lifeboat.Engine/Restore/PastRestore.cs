using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources;

namespace Lifeboat.Engine.Restore;

/// <summary>How far a restore has come, by its journal.</summary>
public enum PastRestoreState
{
    /// <summary>It did not reach its commit point: the next command takes it back.</summary>
    Interrupted,

    /// <summary>Another process is at it.</summary>
    Running,

    /// <summary>It passed its commit point: the next command brings it to its end.</summary>
    Committed,

    /// <summary>It is complete, and the state before it is kept.</summary>
    Kept,

    /// <summary>What it kept is being removed: the next command goes on with that.</summary>
    Discarding,
}

/// <summary>A restore or undo that left a journal.</summary>
/// <param name="Undoes">With an undo: what it took back.</param>
/// <param name="Reached">How far it came, in words.</param>
public sealed record PastRestore(
    string Id, DateTimeOffset Began, string? Snapshot, string? Undoes, PastRestoreState State, string Reached, IReadOnlyList<KeptSource> Kept)
{
    /// <summary>What a person should know of a restore that was interrupted; null for any other.</summary>
    public Problem? Interruption => State is PastRestoreState.Kept or PastRestoreState.Discarding or PastRestoreState.Running ? null : new Problem(
        ErrorCodes.RestoreInterrupted, $"the {(Undoes is null ? "restore" : "undo")} {Id} was interrupted {Reached}",
        State == PastRestoreState.Interrupted ? "the next backup or restore takes it back first" : "the next backup or restore brings it to its end first");
}

/// <summary>What is kept of one source.</summary>
/// <param name="State">Null where it could not be looked at.</param>
/// <param name="Problem">Why it could not be looked at.</param>
public sealed record KeptSource(string Source, KeptState? State, Problem? Problem);
