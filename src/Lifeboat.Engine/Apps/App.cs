using Lifeboat.Engine.Apps.Validation;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Apps;

/// <summary>How entries of a bundle are compressed.</summary>
public enum Compression
{
    /// <summary>Zstandard, ZIP method 93.</summary>
    Zstd,

    /// <summary>Deflate, ZIP method 8, for the widest compatibility.</summary>
    Deflate,
}

/// <summary>A directory of bundles.</summary>
public sealed record StoreSettings(string Name, string Path);

/// <summary>When a restore of the definitions, without the rows, is tried behind a backup; see <c>restore_check:</c>.</summary>
public enum RestoreCheckTime
{
    /// <summary>Where a source's definitions are not those that were tried last.</summary>
    Changed,

    /// <summary>Behind every backup.</summary>
    Always,
}

/// <summary><c>restore_check:</c></summary>
/// <param name="Targets">By source: where the definitions are restored, instead of beside the live database.</param>
public sealed record RestoreCheckSettings(RestoreCheckTime When, IReadOnlyDictionary<string, string> Targets);

/// <summary>What is backed up as one: a checked app file, all its paths absolute.</summary>
public sealed record App
{
    public required string Name { get; init; }

    /// <summary>The app file's own path; null where a restore runs without one.</summary>
    public required string? File { get; init; }

    /// <summary>The folder that holds the app file, and <c>.lifeboat/</c> with the lock.</summary>
    public required string Directory { get; init; }

    /// <summary>The folder of Lifeboat's own state for the app: lock, journals, evidence.</summary>
    public string StateDirectory => Path.Combine(Directory, ".lifeboat");

    public required IReadOnlyList<SourceSettings> Sources { get; init; }

    public required IReadOnlyList<StoreSettings> Stores { get; init; }

    /// <summary>Null for <c>encryption: none</c>.</summary>
    public required SecretReference? Password { get; init; }

    public Compression Compression { get; init; } = Compression.Zstd;

    /// <summary><c>host:</c>: whose snapshots are this installation's; null to go by the state folder.</summary>
    public string? Host { get; init; }

    /// <summary><c>workers:</c>; null for one per core.</summary>
    public int? Workers { get; init; }

    /// <summary><c>keep_previous:</c>: how long a restore's previous state is kept; null until it is discarded.</summary>
    public TimeSpan? KeepPrevious { get; init; }

    /// <summary><c>references:</c>: columns whose values name files.</summary>
    public IReadOnlyList<FileReference> References { get; init; } = [];

    public Hooks Hooks { get; init; } = new();

    /// <summary><c>restore_check:</c>; null where a backup does not try to restore its definitions.</summary>
    public RestoreCheckSettings? RestoreCheck { get; init; }

    /// <summary><c>pass_environment:</c>: variables that hooks and the programs of <c>command:</c> secrets inherit beside the usual few.</summary>
    public IReadOnlyList<string> PassEnvironment { get; init; } = [];

    /// <summary><c>tools:</c>: folders to look for an engine's client programs in first, by engine (<c>postgres</c>).</summary>
    public IReadOnlyDictionary<string, string> Tools { get; init; } = new Dictionary<string, string>();

    /// <summary>The app with other places for some of its sources: what <c>--target SOURCE=URL|PATH</c> asks for.</summary>
    /// <param name="targets">By source: a URL, or an absolute path.</param>
    /// <exception cref="LifeboatException">A source does not exist or a target does not suit it; every such reason.</exception>
    public App WithTargets(IReadOnlyDictionary<string, string> targets)
    {
        List<Problem> problems = [];
        foreach (string unknown in targets.Keys.Where(name => Sources.All(source => source.Name != name)))
            problems.Add(UnknownTarget(unknown, [.. Sources.Select(static source => source.Name)]));
        List<SourceSettings> sources = [];
        foreach (SourceSettings source in Sources)
        {
            try
            {
                sources.Add(targets.TryGetValue(source.Name, out string? target) ? source.WithTarget(target) : source);
            }
            catch (LifeboatException e)
            {
                problems.AddRange(e.Problems);
            }
        }

        return problems.Count == 0 ? this with { Sources = sources } : throw new LifeboatException(problems);
    }

    internal static Problem UnknownTarget(string name, IReadOnlyCollection<string> known)
    {
        string? meant = NearMiss.Find(name, known);
        return new Problem(
            ErrorCodes.TargetInvalid,
            "a target is given for a source that does not exist",
            meant is not null ? $"did you mean `{meant}`?" : $"write --target SOURCE=URL|PATH with one of: {string.Join(", ", known)}",
            "--target");
    }
}
