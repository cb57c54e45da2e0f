using Lifeboat.Engine.Secrets;

namespace Lifeboat.Engine.Processes;

/// <summary>How to start a program. Arguments are visible to every user of the machine, so none may hold a secret.</summary>
/// <param name="Program">A path, or a name to look up in PATH.</param>
public sealed record ProgramStart(string Program, IReadOnlyList<string> Arguments)
{
    /// <summary>Variables that the program inherits beside the usual few (docs/app-file.md); <c>*</c> at the end stands for anything.</summary>
    public IReadOnlyList<string> Inherits { get; init; } = [];

    /// <summary>Variables to set beside the inherited ones; null removes one.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>Variables that hold secrets.</summary>
    public IReadOnlyDictionary<string, Secret> Secrets { get; init; } = new Dictionary<string, Secret>();

    public string? WorkingDirectory { get; init; }

    /// <summary>For messages.</summary>
    public override string ToString() => string.Join(' ', [Program, .. Arguments]);
}
