using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Sources;

/// <summary>How what is restored meets what is live.</summary>
public enum RestoreMode
{
    /// <summary>What is live is replaced, and kept.</summary>
    Replace,

    /// <summary>What is restored stands beside the live one under a name of its own, for a person to look at.</summary>
    Beside,

    /// <summary>What is missing is added; nothing that exists is changed.</summary>
    Merge,
}

/// <summary>What of a source is restored, and how.</summary>
/// <param name="Parts">Globs of the parts: tables as <c>SCHEMA.TABLE</c>, files by their paths below the source's folder; empty for all of the source.</param>
public sealed record RestoreScope(IReadOnlyList<string> Parts, RestoreMode Mode)
{
    /// <summary>All of a source in the place of the live one: the restore that switches a whole store.</summary>
    public bool IsWhole => Parts.Count == 0 && Mode == RestoreMode.Replace;

    /// <inheritdoc cref="IsWhole"/>
    public static RestoreScope Whole { get; } = new([], RestoreMode.Replace);

    /// <summary>Whether something of that name is restored.</summary>
    public bool Takes(string name) => Parts.Count == 0 || Parts.Any(part => new Glob(part).Matches(name));

    /// <summary>The scope in words, for messages.</summary>
    public string Words => Mode == RestoreMode.Merge ? "--merge" : Mode == RestoreMode.Beside ? "--beside" : "--only SOURCE/PART";

    /// <summary>The patterns that match none of <paramref name="names"/>: mistakes of whoever wrote them.</summary>
    public IEnumerable<string> Unmatched(IReadOnlyCollection<string> names) => Parts.Where(part =>
    {
        Glob glob = new(part);
        return !names.Any(glob.Matches);
    });

    /// <summary>The same as problems.</summary>
    /// <param name="what">What the snapshot has not: <c>no table</c>, <c>nothing</c>.</param>
    public IEnumerable<Problem> NotInSnapshot(string what, IReadOnlyCollection<string> names, string source) => Unmatched(names).Select(part => new Problem(
        ErrorCodes.PartNotInSnapshot, $"the snapshot has {what} in {source} that matches {part}", $"it has {string.Join(", ", names)}", source));
}

/// <summary>What a merge did with one table or tree.</summary>
/// <param name="Subject"><c>table public.orders</c>, <c>files</c>.</param>
/// <param name="Added">Rows or files that were missing and are there now.</param>
/// <param name="Equal">Those that were there and are as in the snapshot.</param>
/// <param name="Different">Those that were there, are not as in the snapshot, and were left as they are.</param>
/// <param name="Examples">Names or keys of some that are different.</param>
public sealed record MergeCount(string Subject, long Added, long Equal, long Different, IReadOnlyList<string> Examples);
