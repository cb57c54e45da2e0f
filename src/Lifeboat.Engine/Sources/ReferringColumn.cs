namespace Lifeboat.Engine.Sources;

/// <summary>A column of a captured database whose values name files of a captured tree.</summary>
/// <param name="Name">As the app file has it.</param>
/// <param name="ReadAsync">Gives the values in the rows of the cut, one after another.</param>
public sealed record ReferringColumn(string Name, Func<Action<string>, CancellationToken, Task> ReadAsync);
