using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>How it is known what stays in a folder that is switched.</summary>
/// <param name="Exclude">Globs of what the source leaves out.</param>
/// <param name="Reserved">What is not the source's.</param>
/// <param name="Restore">Where the switch's record is put when that is known.</param>
internal sealed record StayingRules(IReadOnlyList<string> Exclude, IReadOnlyList<ReservedPath> Reserved, RestoreRun Restore)
{
    /// <summary>The exchange with what stays, as the folder is now.</summary>
    public PathExchange Settle(PathExchange path, CancellationToken cancellation)
    {
        if (!Directory.Exists(path.Path))
            return path;
        string near = path.Inside ? path.Path : Path.GetDirectoryName(path.Path)!;
        using Folder? incoming = path.Incoming is { } name && Directory.Exists(Path.Combine(near, name)) ? Folder.Open(Path.Combine(near, name)) : null;
        Staying staying = StayingLook.Take(path.Path, incoming, Exclude, Reserved, cancellation);
        return path with { Staying = staying.Folders.Count == 0 ? null : staying };
    }
}
