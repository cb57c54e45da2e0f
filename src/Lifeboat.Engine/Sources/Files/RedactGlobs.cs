using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Files;

/// <summary>Which files of a tree are captured without their content: those that a glob matches, and those in folders that one matches.</summary>
internal sealed class RedactGlobs(string source, IReadOnlyList<string> globs)
{
    private readonly (string Text, ExcludeGlobs Glob)[] _globs = [.. globs.Select(static glob => (glob, new ExcludeGlobs([glob])))];
    private readonly HashSet<string> _used = [];
    private readonly Dictionary<(ulong Device, ulong Inode), (bool Redacted, string Path)> _linked = [];

    /// <summary>Whether a regular file's content is left out.</summary>
    /// <exception cref="LifeboatException">The file has another name in the tree, under which its content would be captured.</exception>
    public bool Match(TreeItem item)
    {
        if (_globs.Length == 0 || item.Status.Kind != FileKind.Regular)
            return false;
        bool redacted = false;
        foreach ((string text, ExcludeGlobs glob) in _globs.Where(one => MatchesOrIsInside(one.Glob, item.Path)))
        {
            redacted = true;
            _used.Add(text);
        }

        string path = Folder.Readable(TreePath.Relative(item.Path));
        if (item.Status.Links > 1 && !_linked.TryAdd((item.Status.Device, item.Status.Inode), (redacted, path))
            && _linked[(item.Status.Device, item.Status.Inode)] is var other && other.Redacted != redacted)
            throw new LifeboatException(
                ErrorCodes.RedactIncomplete, $"{path} and {other.Path} are one file (hard links), and only one of them is named in sources.{source}.redact",
                "name both of them, or copy one of them", source);
        return redacted;
    }

    /// <summary>Globs that no file has matched so far.</summary>
    public IEnumerable<Problem> Unused => _globs.Where(one => !_used.Contains(one.Text))
        .Select(one => Redacting.Unknown(source, one.Text, "no file in the tree matches", []));

    private static bool MatchesOrIsInside(ExcludeGlobs glob, byte[] path)
    {
        ReadOnlySpan<byte> rest = path;
        for (; TreePath.Depth(rest) > 0; rest = TreePath.ParentOf(rest))
            if (glob.Match(rest.ToArray()))
                return true;
        return false;
    }
}
