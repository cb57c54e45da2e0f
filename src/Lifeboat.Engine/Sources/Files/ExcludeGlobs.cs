using System.Text;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Files;

/// <summary>
/// What a tree leaves out: globs relative to its root. <c>*</c> and <c>?</c> match within a name, <c>**</c> as a whole name matches any
/// number of folders, none included. A folder that matches is left out with all that is in it.
/// </summary>
internal sealed class ExcludeGlobs
{
    private readonly byte[][][] _globs;

    public ExcludeGlobs(IEnumerable<string> globs) => _globs = [.. globs.Select(Split).Where(static names => names.Length > 0)];

    public bool IsEmpty => _globs.Length == 0;

    /// <param name="path">See <see cref="TreePath"/>.</param>
    public bool Match(byte[] path)
    {
        if (IsEmpty || TreePath.IsRoot(path))
            return false;
        List<byte[]> names = Names(path);
        return _globs.Any(glob => MatchNames(glob, names, 0, 0));
    }

    /// <summary>Whether something below a folder may match, which itself does not.</summary>
    public bool MayMatchBelow(byte[] folder)
    {
        if (IsEmpty || TreePath.IsRoot(folder))
            return !IsEmpty;
        List<byte[]> names = Names(folder);
        return _globs.Any(glob => MayMatchBelow(glob, names));
    }

    private static List<byte[]> Names(byte[] path)
    {
        List<byte[]> names = [];
        foreach (Range range in TreePath.Relative(path).Split((byte)'/'))
            names.Add(TreePath.Relative(path)[range].ToArray());
        return names;
    }

    private static bool MayMatchBelow(byte[][] glob, List<byte[]> folder)
    {
        for (int i = 0; i < folder.Count; i++)
        {
            if (i == glob.Length)
                return false;
            if (glob[i].AsSpan().SequenceEqual("**"u8))
                return true;
            if (!MatchName(glob[i], folder[i]))
                return false;
        }

        return glob.Length > folder.Count;
    }

    private static byte[][] Split(string glob) =>
        [.. glob.Split('/').Where(static name => name is not ("" or ".")).Select(Encoding.UTF8.GetBytes)];

    private static bool MatchNames(byte[][] glob, List<byte[]> names, int g, int n)
    {
        for (; g < glob.Length; g++, n++)
        {
            if (glob[g].AsSpan().SequenceEqual("**"u8))
            {
                // At the end it stands for what is inside a folder, so it takes at least one name.
                int least = g == glob.Length - 1 ? n + 1 : n;
                for (int rest = names.Count; rest >= least; rest--)
                {
                    if (MatchNames(glob, names, g + 1, rest))
                        return true;
                }

                return false;
            }

            if (n == names.Count || !MatchName(glob[g], names[n]))
                return false;
        }

        return n == names.Count;
    }

    private static bool MatchName(ReadOnlySpan<byte> glob, ReadOnlySpan<byte> name)
    {
        int g = 0, n = 0, star = -1, starName = 0;
        while (n < name.Length)
        {
            if (g < glob.Length && glob[g] == '*')
            {
                star = g++;
                starName = n;
            }
            else if (g < glob.Length && (glob[g] == '?' || glob[g] == name[n]))
            {
                n += glob[g] == '?' ? CharacterLength(name[n..]) : 1;
                g++;
            }
            else if (star >= 0)
            {
                g = star + 1;
                n = ++starName;
            }
            else
            {
                return false;
            }
        }

        return glob[g..].TrimStart((byte)'*').IsEmpty;
    }

    /// <summary>A question mark stands for one character of UTF-8, or for one byte that is not UTF-8.</summary>
    private static int CharacterLength(ReadOnlySpan<byte> name) =>
        Rune.DecodeFromUtf8(name, out _, out int length) == System.Buffers.OperationStatus.Done ? length : 1;
}
