using System.Text.Json;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Sources;

/// <summary>One store of the app's state: can be captured into a snapshot and restored from one.</summary>
public interface ISource
{
    string Name { get; }

    /// <summary>Every reason why the source could not be captured completely now (or would be with warnings); changes nothing.</summary>
    Task<IReadOnlyList<Problem>> CheckAsync(CancellationToken cancellation);

    /// <summary>Opens one consistent cut, as quickly as possible: all sources' cuts are opened before the first is written.</summary>
    /// <exception cref="LifeboatException">The source cannot be captured.</exception>
    Task<ICapture> OpenAsync(CancellationToken cancellation);

    /// <summary>The same together with other sources: a database waits for its turn when it is ready, and opens its cut then.</summary>
    Task<ICapture> OpenAsync(CutTurn turn, CancellationToken cancellation) => OpenAsync(cancellation);

    /// <summary>
    /// Opens a cut of the definitions alone: of what a restore makes by running statements, without the rows. Null for a kind of source whose restore runs none,
    /// because it copies what was captured.
    /// </summary>
    /// <exception cref="LifeboatException">The source cannot be captured.</exception>
    Task<ICapture?> OpenDefinitionsAsync(CancellationToken cancellation) => Task.FromResult<ICapture?>(null);

    /// <summary>Tells the definitions that were captured from others; null for a kind of source that has none.</summary>
    string? DefinitionsDigest(SourceMetadata captured) => null;

    /// <summary>Prepares to put back what <paramref name="captured"/> describes; touches nothing yet.</summary>
    IRestoration PrepareRestore(VerifiedSnapshot snapshot, SourceMetadata captured, RestoreRun restore);

    /// <summary>Prepares to put back parts of what <paramref name="captured"/> describes, or to add what is missing; touches nothing yet.</summary>
    /// <param name="scope">Not <see cref="RestoreScope.IsWhole"/>.</param>
    /// <exception cref="LifeboatException">This kind of source cannot be restored so.</exception>
    IRestoration PreparePart(VerifiedSnapshot snapshot, SourceMetadata captured, RestoreScope scope, RestoreRun restore) => throw new LifeboatException(
        ErrorCodes.PartsUnsupported, $"a source of type {captured.Type} can only be restored as a whole, not with {scope.Words}",
        $"restore all of it to another place with `--target {Name}=…` and take from there what is needed", Name);

    /// <summary>
    /// Holds the place that the source names against every other restore, undo and discard, of whatever app file and machine, until the result is disposed or this
    /// process ends.
    /// </summary>
    /// <returns>Null where nobody else can come to it, or the holder has it already.</returns>
    /// <exception cref="LifeboatException">Another one holds it (<see cref="ErrorCodes.Locked"/>), or it cannot be reached.</exception>
    Task<IAsyncDisposable?> HoldTargetAsync(TargetHolder holder, CancellationToken cancellation) => Task.FromResult<IAsyncDisposable?>(null);

    /// <summary>Takes up the switch of a restore that another process began.</summary>
    /// <param name="record">Its <see cref="ISwitch.Record"/>.</param>
    /// <param name="restore">Where a changed record is put.</param>
    ISwitch Resume(JsonElement record, RestoreRun restore);
}

/// <summary>One open cut of a source. Disposing lets go of it.</summary>
public interface ICapture : IAsyncDisposable
{
    /// <summary>When the source is consistent; of a tree, which never is, when it was listed.</summary>
    DateTimeOffset CutAt { get; }

    /// <summary>About how many bytes <see cref="WriteAsync"/> will write.</summary>
    long EstimatedBytes { get; }

    /// <summary>Bytes of temporary space that writing needs in the host's temporary folder.</summary>
    long TemporaryBytes { get; }

    /// <summary>Tells a tree which columns name files of it; to be called before <see cref="WriteAsync"/>.</summary>
    void Refer(IReadOnlyList<ReferringColumn> columns)
    {
        // Others have no files that are named by others.
    }

    /// <summary>Gives the values of a column in the rows of the cut, as texts, without NULL; to be called before <see cref="WriteAsync"/>.</summary>
    /// <param name="column">Schema (PostgreSQL alone), table, column.</param>
    /// <exception cref="LifeboatException">There is no such column.</exception>
    Task ReadColumnAsync(IReadOnlyList<string> column, Action<string> value, CancellationToken cancellation) =>
        throw new NotSupportedException("this kind of source has no columns");

    /// <summary>
    /// Writes the source's part of the tree and says what was written. Reports <see cref="Progress.BytesDone"/> and
    /// warnings, and uses up to the host's number of workers at once.
    /// </summary>
    Task<SourceMetadata> WriteAsync(ISnapshotWriter writer, CancellationToken cancellation);

    /// <summary>The source's chapter of <c>restore_instructions.md</c>, as Markdown; called after <see cref="WriteAsync"/>.</summary>
    string Instructions { get; }
}

/// <summary>
/// The restore of one source: plan, stage, verify; what is staged is then switched in. Nothing of it touches what is live.
/// </summary>
public interface IRestoration : IAsyncDisposable
{
    /// <summary>Preflight: what would happen, and every reason why it would fail. Changes nothing.</summary>
    Task<RestorePlan> PlanAsync(CancellationToken cancellation);

    /// <summary>Builds the restored state beside the live one.</summary>
    Task StageAsync(CancellationToken cancellation);

    /// <summary>Reads back what was staged and compares it with the metadata.</summary>
    Task<VerifyReport> VerifyAsync(CancellationToken cancellation);

    /// <summary>What a merge did; complete when it was switched in. Empty for anything else.</summary>
    IReadOnlyList<MergeCount> Merged => [];

    /// <summary>Makes what was staged and verified neutral, where its settings say how; all of it or nothing.</summary>
    /// <exception cref="LifeboatException">It could not be done; what is staged must not be switched in.</exception>
    Task NeutralizeAsync(CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>
    /// Closes what is staged, as far as the store can, until it is switched in; and proves that it is what was verified (and made neutral), where that can be told.
    /// </summary>
    /// <exception cref="LifeboatException">Somebody wrote to it: it must not be switched in.</exception>
    Task SealAsync(CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>What switches the staged state in; also what removes it, however far the staging got.</summary>
    /// <exception cref="InvalidOperationException">Nothing was planned yet, or the plan could not be made.</exception>
    ISwitch Switch { get; }
}
