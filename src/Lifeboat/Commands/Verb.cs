using System.CommandLine;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Commands;

/// <summary>One command of the program.</summary>
internal abstract class Verb : Command
{
    /// <param name="examples">Whole command lines for the end of the help text.</param>
    protected Verb(string name, string description, ProgramHost host, SharedOptions shared, params string[] examples)
        : base(name, description)
    {
        Examples = examples;
        Validators.Add(result =>
        {
            if (result.GetValue(shared.Quiet) && result.GetValue(shared.Verbose))
                result.AddError("-q and -v contradict each other");
        });
        SetAction((parsed, cancellation) => CommandRun.ExecuteAsync(
            host, shared.Read(parsed), IsLong, (run, token) => RunAsync(parsed, run, token), cancellation));
    }

    public IReadOnlyList<string> Examples { get; }

    /// <summary>Whether its JSON is lines that tell of progress; otherwise it is one document.</summary>
    protected virtual bool IsLong => false;

    protected abstract Task<ExitStatus> RunAsync(ParseResult parsed, CommandRun run, CancellationToken cancellation);
}
