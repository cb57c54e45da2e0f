using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Progress;

namespace Lifeboat.Output;

/// <summary>JSON on standard output and nothing else there; errors are repeated as text on standard error for whoever watches.</summary>
internal sealed class JsonOutput : IRunOutput
{
    private static readonly TimeSpan StatusInterval = TimeSpan.FromSeconds(1);
    private readonly Lock _lock = new();
    private readonly Streams _streams;
    private readonly ProgressTracker _tracker;
    private readonly ITimer? _timer;
    private readonly bool _lines;
    private readonly bool _verbose;
    private readonly HashSet<Problem> _warned = [];
    private readonly List<Problem> _warnings = [];
    private bool _over;

    /// <param name="lines">
    /// Whether this is a long run, told in lines. Otherwise the one document is all there is, and it carries the warnings.
    /// </param>
    public JsonOutput(ProgramHost host, Streams streams, bool lines, bool quiet, bool verbose)
    {
        _streams = streams;
        _lines = lines;
        _verbose = verbose;
        _tracker = new ProgressTracker(host.Environment.Time);
        if (lines && !quiet)
            _timer = host.Environment.Time.CreateTimer(_ => Tick(), null, StatusInterval, StatusInterval);
    }

    public IReadOnlyList<Problem> Warnings
    {
        get
        {
            lock (_lock)
                return [.. _warnings];
        }
    }

    public void Report(RunEvent happened)
    {
        if (happened is Warned warned)
            Warn(warned.Problem, warned.Source);
        else
            _tracker.Add(happened);
    }

    public void Say(string line)
    {
    }

    public void Warn(Problem problem, string? source = null)
    {
        Problem shown = problem with { Where = problem.Where ?? source };
        lock (_lock)
        {
            if (!_warned.Add(shown with { Where = null }))
                return;
            _warnings.Add(shown);
        }

        ProblemDocument clean = ProblemDocument.From(shown);
        if (_lines)
            Write(new WarningMessage(clean.Code, shown.Code.Name, clean.Message, clean.Hint, clean.Where),
                OutputJson.Default.WarningMessage);
    }

    public void Fail(IReadOnlyList<Problem> problems, ExitStatus exit, string? details = null)
    {
        End();
        foreach (Problem problem in problems)
        {
            ProblemDocument clean = ProblemDocument.From(problem);
            Write(
                new ErrorMessage(clean.Code, problem.Code.Name, clean.Message, clean.Hint, clean.Where, (int)exit),
                OutputJson.Default.ErrorMessage);
            string where = problem.Where is null ? "" : " " + TextReport.Clean(problem.Where);
            _streams.Error($"error {problem.Code}{where}: {TextReport.Clean(problem.Message)}\nHINT: {TextReport.Clean(problem.Hint)}\n");
        }

        if (_verbose && details is not null)
            _streams.Error(string.Concat(details.Split('\n').Select(static line => "  " + TextReport.Clean(line.TrimEnd('\r')) + "\n")));
    }

    public void Show<T>(T document, JsonTypeInfo<T> type, Action<TextReport> people) => Write(document, type);

    public void Settle()
    {
    }

    public void Dispose()
    {
        _timer?.Dispose();
        End();
    }

    /// <summary>Writes a status line, if anything runs.</summary>
    internal void Tick()
    {
        IReadOnlyList<PhaseState> running = _tracker.Snapshot();
        lock (_lock)
            if (!_over && running.Count > 0)
                Write(Status(running, _tracker.Elapsed), OutputJson.Default.StatusMessage);
    }

    internal static StatusMessage Status(IReadOnlyList<PhaseState> running, TimeSpan elapsed)
    {
        long done = running.Sum(static state => state.Done);
        bool known = running.All(static state => state.Total > 0);
        long total = running.Sum(static state => state.Total);
        double? percent = known ? Math.Round(Math.Min(100.0 * done / total, 99), 1) : null;
        return new StatusMessage(
            Math.Round(elapsed.TotalSeconds, 1),
            done,
            total,
            percent,
            [.. running.Select(static state => new PhaseStatus(
                state.Source, Name(state.Phase), state.Done, state.Total, (long)state.Rate, Rounded(state.Remaining)))]);
    }

    /// <summary>Phases that a failure broke off never finish; no status of them comes after the error.</summary>
    private void End()
    {
        lock (_lock)
            _over = true;
    }

    private static double? Rounded(TimeSpan? time) => time is { } known ? Math.Round(known.TotalSeconds, 0) : null;

    private static string Name(Phase phase) => JsonNamingPolicy.SnakeCaseLower.ConvertName(phase.ToString());

    private void Write<T>(T message, JsonTypeInfo<T> type) => _streams.Out(JsonSerializer.Serialize(message, type) + "\n");
}
