using Lifeboat.Engine.Hosting;

namespace Lifeboat;

/// <summary>What a run of the program is given by the process around it; tests hand in their own.</summary>
internal sealed record ProgramHost
{
    public required TextWriter Out { get; init; }

    public required TextWriter Error { get; init; }

    public required TextReader In { get; init; }

    public required bool InputIsTerminal { get; init; }

    public required bool OutputIsTerminal { get; init; }

    public required bool ErrorIsTerminal { get; init; }

    /// <summary>Columns of the terminal; asked again for each drawing, since a person may resize it.</summary>
    public required Func<int> Width { get; init; }

    /// <summary>Where relative paths on the command line and the search for the app file start.</summary>
    public required string WorkingDirectory { get; init; }

    /// <summary>The zone that people's times are shown in.</summary>
    public required TimeZoneInfo Zone { get; init; }

    public required HostEnvironment Environment { get; init; }

    /// <summary>Told of each step of a restore that changes something.</summary>
    public IStepProbe Steps { get; init; } = new NoProbe();

    /// <summary>Whether escape sequences (colours, redrawing) may be written; see https://no-color.org and TERM=dumb.</summary>
    public bool AllowsEscapes =>
        string.IsNullOrEmpty(Variable("NO_COLOR")) && Variable("TERM") != "dumb";

    public string? Variable(string name) => Environment.Variables.GetValueOrDefault(name);
}
