using System.Collections.Concurrent;
using System.Text;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Progress;

/// <summary>Passes events on and keeps the warnings, and the lines of the snapshot's log.</summary>
public sealed class RunRecorder(IProgressSink next, TimeProvider time) : IProgressSink
{
    private readonly ConcurrentQueue<(string? Source, Problem Problem)> _warnings = new();
    private readonly ConcurrentQueue<PhaseFinished> _phases = new();
    private readonly ConcurrentQueue<string> _lines = new();

    public IReadOnlyList<(string? Source, Problem Problem)> Warnings => [.. _warnings];

    /// <summary>The phases that came to their end, in that order.</summary>
    public IReadOnlyList<PhaseFinished> Phases => [.. _phases];

    public void Report(RunEvent happened)
    {
        if (happened is PhaseFinished finished)
            _phases.Enqueue(finished);
        if (happened is Warned warned)
            _warnings.Enqueue((warned.Source, warned.Problem));
        if (LineFor(happened) is { } line)
            _lines.Enqueue($"{time.GetUtcNow().UtcDateTime:yyyy-MM-ddTHH:mm:ss.fffZ} {line}");
        next.Report(happened);
    }

    /// <summary>The log so far, a line an event.</summary>
    public string Log()
    {
        StringBuilder text = new();
        foreach (string line in _lines)
            text.Append(line).Append('\n');
        return text.ToString();
    }

    private static string? LineFor(RunEvent happened)
    {
        string source = happened.Source is null ? "" : happened.Source + ": ";
        return happened switch
        {
            PhaseStarted started => $"{source}{started.Phase} started",
            PhaseFinished finished => string.Create(
                System.Globalization.CultureInfo.InvariantCulture, $"{source}{finished.Phase} done in {finished.Elapsed.TotalSeconds:0.00} s"),
            Warned warned => $"{source}warning {warned.Problem}",
            Noted noted => source + noted.Text,
            _ => null,
        };
    }
}
