using System.Text.Json;
using System.Text.Json.Serialization;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources;

namespace Lifeboat.Engine.Restore.Evidence;

/// <summary>What a restore leaves for people and machines to look at later: what was restored into what, and everything that was compared.</summary>
/// <param name="Version">Of this document's form. Field names are permanent once released.</param>
/// <param name="Outcome"><c>restored</c>, or <c>taken_back</c> where it failed and what was live is unchanged.</param>
public sealed record RestoreEvidence(
    int Version,
    string RestoreId,
    string Outcome,
    string App,
    string Snapshot,
    DateTimeOffset SnapshotTaken,
    string SnapshotHost,
    string LifeboatVersion,
    string Host,
    DateTimeOffset Began,
    DateTimeOffset Ended,
    IReadOnlyList<EvidenceSource> Sources,
    IReadOnlyList<EvidenceProblem> Warnings,
    IReadOnlyList<EvidenceProblem> Errors)
{
    public const int CurrentVersion = 1;

    [JsonIgnore]
    public int Checks => Sources.Sum(static source => source.Checks.Count);

    [JsonIgnore]
    public int Differences => Sources.Sum(static source => source.Checks.Count(static check => !check.Passed));

    public string ToJson() => JsonSerializer.Serialize(this, EvidenceJson.Default.RestoreEvidence) + "\n";

    internal static EvidenceSource Of(SourceRestore source, SourceMetadata captured, RestoreScope scope, IReadOnlyList<PhaseFinished> phases) => new(
        source.Name,
        captured.Type,
        captured.Engine,
        source.Plan.Target,
        source.Plan.KeptAs,
        scope.IsWhole ? captured.Tables?.Count : null,
        scope.IsWhole ? captured.Tables?.Sum(static table => table.Rows) : null,
        scope.IsWhole ? captured.Files : null,
        scope.IsWhole ? captured.Bytes : null,
        source.Plan.Steps,
        [.. (source.Verification?.Checks ?? []).Select(static check => new EvidenceCheck(check.Subject, check.Expected, check.Found, check.Passed))],
        [.. phases.Where(phase => phase.Source == source.Name).Select(static phase => new EvidencePhase(
            JsonNamingPolicy.SnakeCaseLower.ConvertName(phase.Phase.ToString()), Math.Round(phase.Elapsed.TotalSeconds, 3)))],
        source.Merged.Count == 0 ? null : source.Merged,
        scope.IsWhole ? null : (scope.Parts.Count == 0 ? "all" : string.Join(", ", scope.Parts)) + (scope.Mode == RestoreMode.Replace ? "" : $" ({scope.Words})"));
}

/// <param name="Target">What it was restored into.</param>
/// <param name="KeptAs">Where the state before is kept; null where there was none.</param>
/// <param name="Parts">Which parts were asked for, and how; null where all was restored. The counts are of whole sources, so they are null then.</param>
/// <param name="Merged">What a merge added, found equal, and left different; null for anything else.</param>
/// <param name="Done">What the plan said would be created, replaced, kept; roles and accounts too.</param>
public sealed record EvidenceSource(
    string Name,
    string Type,
    string? Engine,
    string Target,
    string? KeptAs,
    int? Tables,
    long? Rows,
    long? Files,
    long? Bytes,
    IReadOnlyList<string> Done,
    IReadOnlyList<EvidenceCheck> Checks,
    IReadOnlyList<EvidencePhase> Timings,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<MergeCount>? Merged = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Parts = null);

/// <summary>One comparison of what the snapshot says with what was read back after staging.</summary>
public sealed record EvidenceCheck(string Subject, string Expected, string Found, bool Passed);

public sealed record EvidencePhase(string Phase, double Seconds);

public sealed record EvidenceProblem(string Code, string Message, string Hint, string? Where)
{
    internal static EvidenceProblem Of(Problem problem) => new(problem.Code.Id, problem.Message, problem.Hint, problem.Where);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, NewLine = "\n")]
[JsonSerializable(typeof(RestoreEvidence))]
internal sealed partial class EvidenceJson : JsonSerializerContext;
