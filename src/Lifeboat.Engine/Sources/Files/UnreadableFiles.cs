using System.Globalization;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Files;

/// <summary>
/// Collects what could not be read, so that one run names all of it (and stays within memory: 10,000 by name, the rest by number).
/// </summary>
internal sealed class UnreadableFiles(string source)
{
    private const int Named = 10_000;
    private readonly Lock _lock = new();
    private readonly List<Problem> _problems = [];
    private long _unnamed;

    public bool Any
    {
        get
        {
            lock (_lock)
                return _problems.Count > 0;
        }
    }

    public IReadOnlyList<Problem> Problems
    {
        get
        {
            lock (_lock)
            {
                return _unnamed == 0 ? [.. _problems] : [.. _problems, Unreadable(
                    string.Create(CultureInfo.InvariantCulture, $"{_unnamed} more files cannot be read"), source)];
            }
        }
    }

    public void Add(byte[] path, string message)
    {
        lock (_lock)
        {
            if (_problems.Count < Named)
                _problems.Add(Unreadable(message, $"{source}: {Local.Folder.Readable(TreePath.Relative(path))}"));
            else
                _unnamed++;
        }
    }

    private static Problem Unreadable(string message, string where) => new(
        ErrorCodes.FileUnreadable, message, "run as a user who may read it, correct its mode, or list it under exclude:", where);
}
