using System.Text.Json;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Sources;

/// <summary>
/// The exchange of what is live of one source for something that stands beside it, the incoming state; what was live becomes the outgoing one and is kept.
/// All that it goes by is in its <see cref="Record"/>, which the journal keeps, and every step looks at where things are before it moves them:
/// so another process can go on where one was killed, and may take any step again.
/// </summary>
public interface ISwitch
{
    /// <summary>What another process needs to go on with this; holds no secret.</summary>
    JsonElement Record { get; }

    /// <summary>The live state becomes the outgoing one, the incoming one becomes live, where nobody is let in yet as far as the store can keep them out.</summary>
    /// <exception cref="LifeboatException">It could not be done, or not wholly: call <see cref="BackAsync"/>.</exception>
    Task ForwardAsync(CancellationToken cancellation);

    /// <summary>Lets the application in, where that has not been done.</summary>
    Task OpenAsync(CancellationToken cancellation);

    /// <summary>The inverse of <see cref="ForwardAsync"/>, from wherever that got to; only to be called after it was begun.</summary>
    Task BackAsync(CancellationToken cancellation);

    /// <summary>What is left to do when there is no way back any more.</summary>
    Task FinishAsync(CancellationToken cancellation);

    /// <summary>Removes the incoming state, with what was created for it, wherever its making got to; never what is live.</summary>
    Task DropIncomingAsync(CancellationToken cancellation);

    /// <summary>Every reason why the outgoing state must not be removed: it holds what may be nowhere else.</summary>
    Task<IReadOnlyList<Problem>> CheckOutgoingAsync(CancellationToken cancellation) => Task.FromResult<IReadOnlyList<Problem>>([]);

    /// <summary>Removes the outgoing state, which was kept.</summary>
    Task DropOutgoingAsync(CancellationToken cancellation);

    /// <summary>Whether an application may have written to the state that was switched in.</summary>
    /// <param name="since">When the switch was begun.</param>
    Task<bool> WasUsedAsync(DateTimeOffset since, CancellationToken cancellation);

    /// <summary>The outgoing state, where there is one; null otherwise.</summary>
    Task<KeptState?> KeptAsync(CancellationToken cancellation);

    /// <summary>The record of the switch that takes this one back after it was committed: what was kept comes in, what is live is kept.</summary>
    /// <param name="id">Part of the name under which that switch keeps what it replaces.</param>
    /// <exception cref="LifeboatException">What was kept is not there any more.</exception>
    Task<JsonElement> InverseAsync(string id, CancellationToken cancellation);
}

/// <summary>What a restore keeps of the state before it.</summary>
/// <param name="Name">A path, or <c>database "NAME"</c>.</param>
/// <param name="Bytes">The space it takes; null where that cannot be told.</param>
public sealed record KeptState(string Name, long? Bytes)
{
    internal static LifeboatException Missing(string what, string source) => new(
        ErrorCodes.KeptStateMissing, $"{what}, which the restore kept, is not there any more",
        "somebody removed it, so there is no way back; `lifeboat discard` forgets the restore", source);
}

/// <summary>The restore that a source's part belongs to.</summary>
/// <param name="Id">Part of the names of what is staged and of what is kept: <c>__staging_ID</c>, <c>__before_ID</c>.</param>
public sealed record RestoreRun(string Id)
{
    /// <summary>
    /// Puts the source's record on the disk. Called before each step that leaves something behind, with a record by which that can be found and removed.
    /// </summary>
    public Func<JsonElement, CancellationToken, Task> RecordAsync { get; init; } = static (_, _) => Task.CompletedTask;
}
