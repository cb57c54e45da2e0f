using System.Globalization;
using Lifeboat.Engine.Apps.Keys;
using Lifeboat.Engine.Apps.Yaml;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Apps.Validation;

/// <summary>Collects the mistakes of one app file, each with its place.</summary>
internal sealed class Mistakes(string fileName)
{
    /// <summary>More than these help nobody.</summary>
    private const int Most = 100;

    private readonly List<(Position At, string Path, Fault Fault)> _found = [];

    public bool Any => _found.Count > 0;

    public void Add(Position at, string path, Fault fault) => _found.Add((at, path, fault));

    public void Add(Position at, string path, string message, string hint) => Add(at, path, new Fault(message, hint));

    public void Add(IEnumerable<YamlFault> faults)
    {
        foreach (YamlFault fault in faults)
            Add(fault.At, "", fault.Message, fault.Hint);
    }

    /// <summary>All of them in the file's order, as problems.</summary>
    public IReadOnlyList<Problem> Problems
    {
        get
        {
            List<Problem> problems =
            [
                .. _found.OrderBy(static f => f.At.Line).ThenBy(static f => f.At.Column).Take(Most)
                    .Select(f => new Problem(ErrorCodes.AppFileInvalid, f.Fault.Message, f.Fault.Hint, Where(f.At, f.Path))),
            ];
            if (_found.Count > Most)
                problems.Add(new Problem(
                    ErrorCodes.AppFileInvalid, $"there are {_found.Count - Most} more mistakes", "correct these first", fileName));
            return problems;
        }
    }

    private string Where(Position at, string path) =>
        string.Create(CultureInfo.InvariantCulture, $"{fileName}:{at.Line}{(path.Length > 0 ? " " : "")}{path}");
}
