using System.CommandLine;
using Lifeboat.Demo;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Commands;

internal sealed class DemoCommand : Verb
{
    private readonly Option<bool> _keep = new("--keep") { Description = "Leave the sample app and its bundle in their temporary folder" };

    public DemoCommand(ProgramHost host, SharedOptions shared)
        : base(
            "demo",
            "Watch a sample app being backed up, destroyed, restored and proven identical, in a temporary folder",
            host,
            shared,
            "lifeboat demo",
            "lifeboat demo --keep") =>
        Add(_keep);

    protected override bool IsLong => true;

    protected override Task<ExitStatus> RunAsync(ParseResult parsed, CommandRun run, CancellationToken cancellation) =>
        new DemoStory(run, parsed.GetValue(_keep)).TellAsync(cancellation);
}
