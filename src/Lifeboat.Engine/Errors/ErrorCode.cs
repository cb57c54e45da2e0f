namespace Lifeboat.Engine.Errors;

/// <summary>A permanent name of one kind of problem, described in docs/errors.md.</summary>
/// <param name="Id">The code as people see it, <c>LB</c> and four digits.</param>
/// <param name="Name">A short name in kebab case.</param>
/// <param name="Exit">The exit status of a run that ends with it.</param>
public sealed record ErrorCode(string Id, string Name, ExitStatus Exit)
{
    public override string ToString() => Id;
}
