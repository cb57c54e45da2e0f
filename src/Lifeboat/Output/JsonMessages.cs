using System.Text.Json.Serialization;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Output;

/// <summary>A line of a long run's JSON; <c>message_type</c> comes first.</summary>
internal abstract record JsonMessage([property: JsonPropertyOrder(-1)] string MessageType);

/// <summary>Progress, at most once a second.</summary>
/// <param name="PercentDone">Null where the total is unknown.</param>
internal sealed record StatusMessage(
    double SecondsElapsed, long BytesDone, long BytesTotal, double? PercentDone, IReadOnlyList<PhaseStatus> Running)
    : JsonMessage("status");

/// <summary>One phase that runs.</summary>
internal sealed record PhaseStatus(
    string? Source, string Phase, long BytesDone, long BytesTotal, long BytesPerSecond, double? SecondsRemaining);

internal sealed record WarningMessage(string Code, string Name, string Message, string Hint, string? Where) : JsonMessage("warning");

internal sealed record ErrorMessage(string Code, string Name, string Message, string Hint, string? Where, int ExitStatus)
    : JsonMessage("error");

/// <summary>A problem inside a document.</summary>
internal sealed record ProblemDocument(string Code, string Message, string Hint, string? Where)
{
    public static ProblemDocument From(Problem problem) => new(
        problem.Code.Id,
        Redaction.Clean(problem.Message),
        Redaction.Clean(problem.Hint),
        problem.Where is null ? null : Redaction.Clean(problem.Where));

    public static IReadOnlyList<ProblemDocument> From(IEnumerable<Problem> problems) => [.. problems.Select(From)];
}

internal sealed record InitDocument(
    string AppFile, string PassphraseFile, bool PassphraseIsNew, IReadOnlyList<string> Found, IReadOnlyList<string> Notes);

internal sealed record DoctorDocument(
    string App, bool Ok, IReadOnlyList<FindingDocument> Findings,
    IReadOnlyList<ProblemDocument> Warnings);

internal sealed record FindingDocument(
    string Subject, bool Ok, IReadOnlyList<ProblemDocument> Blockers,
    IReadOnlyList<ProblemDocument> Warnings);

/// <param name="Restores">Restores that were interrupted, or keep the state before them.</param>
internal sealed record ListDocument(
    string? App, IReadOnlyList<SnapshotDocument> Snapshots, IReadOnlyList<PastRestoreDocument> Restores, IReadOnlyList<ProblemDocument> Warnings);

/// <param name="Encrypted">Whether the bundle itself looks encrypted; null where that cannot be seen.</param>
/// <param name="ExportStatus">Null where the store does not tell without the password.</param>
internal sealed record SnapshotDocument(
    string Id, string? App, string Store, string Path, DateTimeOffset Timestamp, long Bytes, bool? Encrypted, string? ExportStatus,
    IReadOnlyList<string>? Sources, IReadOnlyList<string>? SourcesLeftOut, string? Host, bool MadeElsewhere, bool InTheFuture);

/// <param name="Encrypted">Whether the bundle is, whatever its metadata says.</param>
internal sealed record ShowDocument(
    string Id, string Store, string Path, long Bytes, bool Encrypted, SnapshotMetadata Metadata, IReadOnlyList<ProblemDocument> Warnings);

internal sealed record SourceSummary(string Name, string Type, string? Engine, long Bytes, long Files, int? Tables, long? Rows);

internal sealed record BackupSummary(
    bool DryRun,
    string App,
    string? BundlePath,
    string ExportStatus,
    long Bytes,
    long BundleBytes,
    double DurationSeconds,
    double CutWidthSeconds,
    IReadOnlyList<SourceSummary> Sources,
    int Warnings,
    int ExitStatus) : JsonMessage("summary");

internal sealed record VerifySummary(
    string Id, string Path, bool Ok, long FilesChecked, long BytesChecked, long TablesChecked, double DurationSeconds, int Problems,
    int Warnings, IReadOnlyList<string>? SourcesLeftOut, int ExitStatus) : JsonMessage("summary");

/// <param name="Authentic">Whether the snapshot shows that somebody wrote it who knows the password.</param>
/// <param name="Doubts">Why somebody must vouch for the snapshot.</param>
internal sealed record PlanMessage(
    string RestoreId, string Id, string App, bool Authentic, IReadOnlyList<ProblemDocument> Doubts, IReadOnlyList<SourcePlan> Sources,
    IReadOnlyList<ProblemDocument> Blockers, IReadOnlyList<ProblemDocument> Warnings) : JsonMessage("plan");

internal sealed record SourcePlan(
    string Name,
    string? Type,
    string Target,
    bool Replaces,
    string? KeptAs,
    IReadOnlyList<string> Steps,
    IReadOnlyDictionary<string, long> BytesNeeded,
    IReadOnlyList<ProblemDocument> Blockers,
    IReadOnlyList<ProblemDocument> Warnings);

/// <param name="Evidence">The path of the page that shows what was done and compared; beside it is the same as JSON.</param>
internal sealed record RestoreSummary(
    bool DryRun, bool Committed, string RestoreId, string App, double DurationSeconds, IReadOnlyList<RestoredSource> Sources, string? Evidence,
    int Blockers, int Warnings, int ExitStatus) : JsonMessage("summary");

internal sealed record RestoredSource(
    string Name, string Target, string? KeptAs, int Checks,
    IReadOnlyList<DifferenceDocument> Differences, IReadOnlyList<MergedDocument> Merged);

/// <summary>What a merge did with one table or tree.</summary>
internal sealed record MergedDocument(string Subject, long Added, long Equal, long Different, IReadOnlyList<string> Examples);

internal sealed record DifferenceDocument(string Subject, string Expected, string Found);

internal sealed record StatusDocument(string App, IReadOnlyList<PastRestoreDocument> Restores);

/// <param name="Kind"><c>restore</c> or <c>undo</c>.</param>
/// <param name="State"><c>interrupted</c>, <c>committed</c>, <c>kept</c> or <c>discarding</c>.</param>
internal sealed record PastRestoreDocument(
    string Id, string Kind, string? Undoes, string? Snapshot, DateTimeOffset Began, string State, string Reached, IReadOnlyList<KeptDocument> Kept);

/// <param name="Bytes">Null where that cannot be told.</param>
internal sealed record KeptDocument(string Source, string KeptAs, long? Bytes);

internal sealed record UndoSummary(
    string UndoId, string Undoes, string App, IReadOnlyList<KeptDocument> Restored, double DurationSeconds, int ExitStatus) : JsonMessage("summary");

internal sealed record DiscardSummary(
    string App, IReadOnlyList<PastRestoreDocument> Discarded, long Bytes, double DurationSeconds, int ExitStatus) : JsonMessage("summary");

internal sealed record DemoStep(int Step, string Title, double SecondsElapsed) : JsonMessage("step");

internal sealed record DemoSummary(
    bool Identical, bool WithPostgres, IReadOnlyList<DemoCheck> Checks, double DurationSeconds, int ExitStatus) : JsonMessage("summary");

internal sealed record DemoCheck(string What, string Before, string After, bool Identical);

/// <summary>All JSON that the program prints: snake_case, one line each. Field names are permanent once released.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = false)]
[JsonSerializable(typeof(StatusMessage))]
[JsonSerializable(typeof(WarningMessage))]
[JsonSerializable(typeof(ErrorMessage))]
[JsonSerializable(typeof(InitDocument))]
[JsonSerializable(typeof(DoctorDocument))]
[JsonSerializable(typeof(ListDocument))]
[JsonSerializable(typeof(ShowDocument))]
[JsonSerializable(typeof(BackupSummary))]
[JsonSerializable(typeof(VerifySummary))]
[JsonSerializable(typeof(PlanMessage))]
[JsonSerializable(typeof(RestoreSummary))]
[JsonSerializable(typeof(StatusDocument))]
[JsonSerializable(typeof(UndoSummary))]
[JsonSerializable(typeof(DiscardSummary))]
[JsonSerializable(typeof(DemoStep))]
[JsonSerializable(typeof(DemoSummary))]
internal sealed partial class OutputJson : JsonSerializerContext;
