namespace Lifeboat.Engine.Errors;

/// <summary>The one exception of ours: a run cannot go on, for one or more reasons that a person can act on.</summary>
public sealed class LifeboatException : Exception
{
    public LifeboatException(ErrorCode code, string message, string hint, string? where = null, Exception? inner = null)
        : this([new Problem(code, message, hint, where)], inner)
    {
    }

    public LifeboatException(IReadOnlyList<Problem> problems, Exception? inner = null)
        : base(string.Join(Environment.NewLine, problems), inner)
    {
        ArgumentOutOfRangeException.ThrowIfZero(problems.Count, nameof(problems));
        Problems = problems;
    }

    /// <summary>Every reason, at least one; the first decides the exit status.</summary>
    public IReadOnlyList<Problem> Problems { get; }

    public ErrorCode Code => Problems[0].Code;

    public string Hint => Problems[0].Hint;
}
