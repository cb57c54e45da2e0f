using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Sources;

/// <summary>What a restore of one source would do.</summary>
/// <param name="Target">What would be replaced or created, for people: <c>database "shop" on db:5432</c>, a path.</param>
/// <param name="Replaces">Whether something live is there now.</param>
/// <param name="KeptAs">The name that the live state would be kept under; null where there is none.</param>
/// <param name="Steps">What would be created, replaced, kept: a line each.</param>
/// <param name="BytesNeeded">Free space needed, by the folder whose filesystem must have it (only folders of this machine).</param>
/// <param name="Blockers">Every reason why the restore would fail; it is not started if there is one.</param>
/// <param name="Warnings">What a person should know before.</param>
public sealed record RestorePlan(
    string Target,
    bool Replaces,
    string? KeptAs,
    IReadOnlyList<string> Steps,
    IReadOnlyDictionary<string, long> BytesNeeded,
    IReadOnlyList<Problem> Blockers,
    IReadOnlyList<Problem> Warnings)
{
    /// <summary>The plan of a source that could not be looked at, a server that does not answer for one: all it has is why.</summary>
    public static RestorePlan NotMade(string source, IReadOnlyList<Problem> why) =>
        new($"source {source}", false, null, [], new Dictionary<string, long>(), why, []) { IsMade = false };

    /// <summary>Whether the target was looked at, so that the rest says what is there and would be done.</summary>
    public bool IsMade { get; private init; } = true;
}

/// <summary>What verification compared, and what it found different.</summary>
/// <param name="Checks">Each thing that was compared.</param>
public sealed record VerifyReport(IReadOnlyList<VerifyCheck> Checks)
{
    public bool Passed => Checks.All(static check => check.Passed);
}

/// <param name="Subject">What was compared: <c>table public.orders</c>, <c>schema</c>, <c>role app</c>, <c>file a/b.txt</c>.</param>
/// <param name="Expected">What the snapshot says.</param>
/// <param name="Found">What was read back.</param>
public sealed record VerifyCheck(string Subject, string Expected, string Found)
{
    public bool Passed => Expected == Found;
}
