namespace Lifeboat.Engine.Errors;

/// <summary>One thing that is wrong, or (as a warning) one thing that a person must read.</summary>
/// <param name="Code">The permanent code.</param>
/// <param name="Message">What is wrong, in lower case, with the names concerned and never a secret.</param>
/// <param name="Hint">What to do about it.</param>
/// <param name="Where">Where it is: <c>lifeboat.yaml:12 sources.main.url</c>, a source's name, an entry's path.</param>
public sealed record Problem(ErrorCode Code, string Message, string Hint, string? Where = null)
{
    public override string ToString() => Where is null ? $"{Code}: {Message}" : $"{Code}: {Where}: {Message}";
}
