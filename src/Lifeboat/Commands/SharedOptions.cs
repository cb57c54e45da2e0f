using System.CommandLine;

namespace Lifeboat.Commands;

/// <summary>The options that every command takes.</summary>
internal sealed class SharedOptions
{
    public Option<string?> Config { get; } = new("--config", "-c")
    {
        Description = "The app file; without it, lifeboat.yaml here or in the nearest folder above",
        HelpName = "FILE",
        Recursive = true,
    };

    public Option<bool> Json { get; } = new("--json")
    {
        Description = "Write JSON to standard output, and nothing else there",
        Recursive = true,
    };

    public Option<bool> Quiet { get; } = new("--quiet", "-q")
    {
        Description = "Show only warnings and errors",
        Recursive = true,
    };

    public Option<bool> Verbose { get; } = new("--verbose", "-v")
    {
        Description = "Show more of what is done, and the details of errors",
        Recursive = true,
    };

    public void AddTo(Command command)
    {
        command.Add(Config);
        command.Add(Json);
        command.Add(Quiet);
        command.Add(Verbose);
    }

    public SharedValues Read(ParseResult parsed) =>
        new(parsed.GetValue(Config), parsed.GetValue(Json), parsed.GetValue(Quiet), parsed.GetValue(Verbose));
}

internal sealed record SharedValues(string? Config, bool Json, bool Quiet, bool Verbose);
