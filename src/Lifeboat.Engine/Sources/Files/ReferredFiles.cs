using System.Globalization;
using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Files;

/// <summary>
/// Which files of a tree the rows of databases name, and which of them are not captured. Of each captured name 16 bytes are kept, of each that is missing the name.
/// </summary>
/// <param name="root">The tree's folder: values may be whole paths.</param>
internal sealed class ReferredFiles(string root, IReadOnlyList<ReferringColumn> columns)
{
    /// <summary>So many are looked for again at most; where more are missing, the column does not name files of this tree.</summary>
    private const int MostMissing = 100_000;

    private const int Named = 5;

    private readonly HashSet<(ulong, ulong)> _captured = [];
    private readonly Dictionary<string, string> _missing = new(StringComparer.Ordinal);
    private readonly HashSet<(string Column, string Value)> _strange = [];

    public bool Any => columns.Count > 0;

    public int Count => _missing.Count;

    /// <summary>The paths of those that are missing, in the order of a walk.</summary>
    public IReadOnlyList<byte[]> Missing
    {
        get
        {
            List<byte[]> paths = [.. _missing.Keys.Select(Encoding.UTF8.GetBytes)];
            paths.Sort(static (one, other) => TreePath.Compare(one, other));
            return paths;
        }
    }

    /// <summary>Something with this path is in the snapshot.</summary>
    public void Captured(byte[] path)
    {
        if (Any)
            _captured.Add(Key(path));
        if (_missing.Count > 0)
            _missing.Remove(Encoding.UTF8.GetString(path));
    }

    public bool Has(byte[] path) => _captured.Contains(Key(path));

    /// <summary>Reads the columns.</summary>
    public async Task FindAsync(CancellationToken cancellation)
    {
        foreach (ReferringColumn column in columns)
            await column.ReadAsync(value => Look(column.Name, value), cancellation);
    }

    /// <summary>For each column, what it names that is not in the snapshot.</summary>
    public IEnumerable<Problem> Problems(string source)
    {
        foreach (ReferringColumn column in columns)
        {
            string[] names =
            [
                .. _missing.Where(one => one.Value == column.Name).Select(static one => one.Key[2..]),
                .. _strange.Where(one => one.Column == column.Name).Select(static one => one.Value),
            ];
            if (names.Length == 0)
                continue;
            Array.Sort(names, StringComparer.Ordinal);
            string more = names.Length > Named ? string.Create(CultureInfo.InvariantCulture, $" and {names.Length - Named} more") : "";
            yield return new Problem(
                ErrorCodes.ReferredFileMissing,
                string.Create(CultureInfo.InvariantCulture, $"{names.Length} files that {column.Name} names are not in the snapshot: {string.Join(", ", names.Take(Named))}{more}"),
                $"look whether the application has lost them, and whether older snapshots have them; or correct `references` in the app file, if the values are no paths in {source}",
                source);
        }
    }

    private static (ulong, ulong) Key(byte[] path) => XxHash64.Hash(path, 0, 1);

    private void Look(string column, string value)
    {
        if (value.Length == 0)
            return; // as frameworks write "no file"
        if (PathOf(value) is not { } path)
        {
            if (_strange.Count < MostMissing)
                _strange.Add((column, value));
        }
        else if (!Has(Encoding.UTF8.GetBytes(path)) && _missing.Count < MostMissing)
        {
            _missing.TryAdd(path, column);
        }
    }

    /// <summary>The path inside the tree; null where it is none.</summary>
    private string? PathOf(string value)
    {
        string relative = value.StartsWith(root + "/", StringComparison.Ordinal) ? value[(root.Length + 1)..] : value;
        string[] names = [.. relative.Split('/').Where(static name => name is not ("" or "."))];
        return relative.StartsWith('/') || names.Length == 0 || names.Contains("..") || relative.Contains('\0', StringComparison.Ordinal) ? null : "./" + string.Join('/', names);
    }
}
