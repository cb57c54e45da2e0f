using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Stores;

namespace Lifeboat.Engine.Restore;

/// <param name="Only">What to restore: <c>SOURCE</c>, or <c>SOURCE/PART</c> with a glob of its tables or files; empty for all in the snapshot.</param>
/// <param name="Targets">Where to restore a source instead of where it lives: a URL, or an absolute path, by source.</param>
/// <param name="DryRun">Show the plan and change nothing.</param>
public sealed record RestoreRequest(StoredSnapshot Snapshot, IReadOnlyList<string> Only, IReadOnlyDictionary<string, string> Targets, bool DryRun)
{
    /// <summary>How what is restored meets what is live.</summary>
    public RestoreMode Mode { get; init; } = RestoreMode.Replace;

    /// <summary>The sources that <see cref="Only"/> names; empty for all.</summary>
    public IReadOnlyList<string> OnlySources => [.. Only.Select(static one => one.Split('/', 2)[0]).Distinct()];

    /// <summary>What of a source is restored. A source that is named without a part is restored with all of them.</summary>
    public RestoreScope ScopeOf(string source) => new(
        Only.Contains(source) ? [] : [.. Only.Where(one => one.StartsWith(source + "/", StringComparison.Ordinal)).Select(one => one[(source.Length + 1)..])], Mode);

    /// <summary>Change database roles that exist on the target to what they were.</summary>
    public bool UpdateRoles { get; init; }

    /// <summary>Whether a person vouches for a snapshot that does not show who wrote it.</summary>
    public Trust Trust { get; init; } = Trust.Withheld;

    /// <summary>Whether restored sources are made neutral before they are switched in; null for those alone that go to another target.</summary>
    public bool? Neutralize { get; init; }
}

/// <summary>What a person says about a snapshot that does not show who wrote it.</summary>
public enum Trust
{
    /// <summary>Nothing: such a snapshot is refused.</summary>
    Withheld,

    /// <summary>The person is asked with the plan, which names the doubts; a yes covers them.</summary>
    Asked,

    /// <summary>It is trusted.</summary>
    Given,
}

/// <summary>One source's part of a restore.</summary>
/// <param name="Verification">Null until the source was verified.</param>
public sealed record SourceRestore(string Name, RestorePlan Plan, VerifyReport? Verification)
{
    /// <summary>What a merge did; empty for anything else, and until it was done.</summary>
    public IReadOnlyList<MergeCount> Merged { get; init; } = [];
}

/// <summary>A restore's plan, and after it was done its outcome.</summary>
/// <param name="RestoreId">Part of the names under which the previous state is kept.</param>
/// <param name="Blockers">Every reason why it would fail.</param>
/// <param name="Committed">Whether the restored state is live now.</param>
public sealed record RestoreResult(
    string RestoreId, IReadOnlyList<SourceRestore> Sources, IReadOnlyList<Problem> Blockers, IReadOnlyList<Problem> Warnings, bool Committed)
{
    /// <summary>Whether the snapshot shows who wrote it: somebody who knows the password.</summary>
    public bool Authentic { get; init; }

    /// <summary>Why somebody must vouch for the snapshot, where that is so and they did, or are asked to.</summary>
    public IReadOnlyList<Problem> Doubts { get; init; } = [];

    /// <summary>Without an app file: the folder to run <c>lifeboat undo</c> in.</summary>
    public string? UndoFrom { get; init; }

    /// <summary>The path of the page that shows what was done and compared; null where there is none.</summary>
    public string? Evidence { get; init; }
}
