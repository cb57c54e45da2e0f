using System.Text;
using Lifeboat.Engine.Apps.Validation;
using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Trees;

/// <summary>
/// What in one tree is not the tree's (<see cref="ReservedPaths"/>), found also where a symbolic link or a mount leads to it; with what restores keep and
/// stage beside it.
/// </summary>
internal sealed class ReservedNames
{
    private static readonly byte[][] RestoreSuffixes = ["__staging_"u8.ToArray(), "__before_"u8.ToArray()];

    private readonly List<(ReservedPath Of, byte[] Path)> _names = [];

    /// <param name="root">The tree's folder.</param>
    public ReservedNames(string root, IReadOnlyList<ReservedPath> reserved)
    {
        string real = AppPaths.Real(root);
        IReadOnlyList<string> mounts = reserved.Count == 0 ? [] : MountPoints.Below(real);
        List<(string Inside, string Place)> doors = [(".", real), .. mounts.Select(point => (AppPaths.Inside(real, point)!, point))];
        foreach (ReservedPath one in reserved)
        {
            string there = AppPaths.Real(one.Path);
            if (AppPaths.Inside(real, there) is { } inside)
                Add(one, inside);
            foreach ((string door, string place) in doors)
                AddThrough(one, there, door, place);
        }
    }

    /// <summary>What was found, with its path below the root.</summary>
    public IReadOnlyList<(ReservedPath Of, byte[] Path)> All => _names;

    /// <summary>Whether a path of the tree is reserved, is a file that belongs to what is, or was made beside it by a restore.</summary>
    public bool Match(byte[] path, Reservation? except = null) => _names.Exists(name => name.Of.Why != except && Match(name.Of, name.Path, path));

    /// <summary>Whether something reserved may be below a folder.</summary>
    public bool MayBeBelow(byte[] folder) => _names.Exists(name => TreePath.IsAtOrBelow(name.Path, folder));

    private static bool Match(ReservedPath of, byte[] reserved, byte[] path)
    {
        if (!path.AsSpan().StartsWith(reserved))
            return false;
        ReadOnlySpan<byte> rest = path.AsSpan(reserved.Length);
        if (rest.IsEmpty)
            return true;
        if (of.Why != Reservation.Source || rest.Contains((byte)'/'))
            return false;
        foreach (string side in of.SideSuffixes)
        {
            if (rest.SequenceEqual(Encoding.UTF8.GetBytes(side)))
                return true;
        }

        return rest.StartsWith(RestoreSuffixes[0]) || rest.StartsWith(RestoreSuffixes[1]);
    }

    private void Add(ReservedPath one, string inside)
    {
        byte[] path = [.. "./"u8, .. Folder.Name(inside)];
        if (inside != "." && !_names.Exists(name => name.Path.AsSpan().SequenceEqual(path)))
            _names.Add((one, path));
    }

    /// <summary>A folder above the reserved path may be mounted in the tree once more (a bind mount), or be the tree's own root by another path.</summary>
    private void AddThrough(ReservedPath one, string there, string door, string place)
    {
        for (string? above = there; above is not null; above = Path.GetDirectoryName(above))
        {
            if (!OperatingSystem.IsWindows() && UnixFolder.AreSame(above, place))
                Add(one, Joined(door, AppPaths.Inside(above, there)!));
        }
    }

    private static string Joined(string door, string inside) => door == "." ? inside : inside == "." ? door : $"{door}/{inside}";
}
