using System.Globalization;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>The paths that a journal may name for a source that is switched by renames.</summary>
/// <param name="source">For messages.</param>
/// <param name="isPlace">Whether something live of the source may stand at a path.</param>
internal sealed class PathNames(string source, Predicate<string> isPlace)
{
    /// <summary>Whether exactly one path is switched; else there may be none (of a merge that found all files there).</summary>
    public bool IsOne { get; init; }

    /// <summary>For a source with one live path.</summary>
    public static PathNames Of(string source, string live)
    {
        string place = SwitchPlace.Resolve(live);
        return new PathNames(source, path => path == place) { IsOne = true };
    }

    /// <exception cref="Errors.LifeboatException">It names something else.</exception>
    public PathSwitchRecord Require(PathSwitchRecord record, IReadOnlyList<string> sideSuffixes)
    {
        if (!record.SideSuffixes.SequenceEqual(sideSuffixes))
            throw SwitchNames.Foreign(source, string.Join(", ", record.SideSuffixes));
        if (IsOne && record.Paths.Count != 1)
            throw SwitchNames.Foreign(source, string.Create(CultureInfo.InvariantCulture, $"{record.Paths.Count} paths"));
        foreach (PathExchange path in record.Paths)
        {
            RequirePlace(path.Path);
            RequireNames(path.Path, path.Inside, path.Incoming, path.Outgoing);
            if (path.CreatedFolders.FirstOrDefault(folder => !IsAbove(folder, path.Path)) is { } foreign)
                throw SwitchNames.Foreign(source, foreign);
        }

        return record;
    }

    public void RequirePlace(string path)
    {
        if (!Path.IsPathFullyQualified(path) || Path.GetFullPath(path) != path || !isPlace(path))
            throw SwitchNames.Foreign(source, path);
    }

    public void RequireNames(string path, bool inside, string? incoming, string outgoing)
    {
        string prefix = inside ? InPlaceExchange.Prefix : $"{Path.GetFileName(path)}__";
        SwitchNames.Require(source, incoming, outgoing, id => $"{prefix}staging_{id}", id => $"{prefix}before_{id}");
    }

    private static bool IsAbove(string folder, string path) =>
        Path.IsPathFullyQualified(folder) && Path.GetFullPath(folder) == folder && path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}
