using System.Text;
using System.Text.Json.Serialization.Metadata;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Progress;

namespace Lifeboat.Output;

/// <summary>Text for people: results and progress on standard output, warnings and errors on standard error.</summary>
internal sealed class TextOutput : IRunOutput
{
    private static readonly TimeSpan BarInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(10);
    private readonly Lock _lock = new();
    private readonly ProgramHost _host;
    private readonly Streams _streams;
    private readonly ProgressTracker _tracker;
    private readonly ITimer? _timer;
    private readonly HashSet<Problem> _warned = [];
    private readonly List<Problem> _warnings = [];
    private readonly bool _quiet;
    private readonly bool _verbose;
    private readonly bool _live;
    private readonly bool _unicode;
    private int _drawn;
    private int _nameWidth = 8;
    private bool _over;

    public TextOutput(ProgramHost host, Streams streams, bool quiet, bool verbose)
    {
        _host = host;
        _streams = streams;
        _quiet = quiet;
        _verbose = verbose;
        _tracker = new ProgressTracker(host.Environment.Time);
        _live = host.OutputIsTerminal && host.AllowsEscapes;
        _unicode = host.Out.Encoding is UnicodeEncoding or UTF8Encoding;
        TimeSpan interval = _live ? BarInterval : PlainInterval;
        if (!quiet)
            _timer = host.Environment.Time.CreateTimer(_ => Tick(), null, interval, interval);
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
        switch (happened)
        {
            case Warned warned:
                Warn(warned.Problem, warned.Source);
                break;
            case Noted noted:
                if (_verbose)
                    Say((noted.Source is null ? "" : noted.Source + ": ") + noted.Text);
                break;
            default:
                if (_tracker.Add(happened) is { } finished && !_quiet && IsWorthALine(finished))
                    Print(ProgressText.Finished(finished) + "\n", error: false);
                break;
        }
    }

    public void Say(string line)
    {
        if (_quiet)
            return;
        int indent = line.Length - line.TrimStart().Length;
        Print(string.Concat(TextReport.Wrap(TextReport.Clean(line), Columns, indent + 2).Select(static part => part + "\n")), error: false);
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

        Print(Describe("warning", "33", shown), error: true);
    }

    public void Fail(IReadOnlyList<Problem> problems, ExitStatus exit, string? details = null)
    {
        End();
        foreach (Problem problem in problems)
            Print(Describe("error", "31", problem), error: true);
        if (_verbose && details is not null)
            Print(string.Concat(details.Split('\n').Select(static line => "  " + TextReport.Clean(line.TrimEnd('\r')) + "\n")),
                error: true);
    }

    public void Show<T>(T document, JsonTypeInfo<T> type, Action<TextReport> people)
    {
        Settle();
        if (_quiet)
            return;
        TextReport report = new(Columns, _unicode, _host.Zone);
        people(report);
        Print(report.ToString(), error: false);
    }

    public void Settle()
    {
        lock (_lock)
            Erase();
    }

    public void Dispose()
    {
        _timer?.Dispose();
        End();
    }

    /// <summary>Draws the bars again, or writes a plain line for each running phase.</summary>
    internal void Tick()
    {
        IReadOnlyList<PhaseState> running = _tracker.Snapshot();
        if (!_live)
        {
            lock (_lock)
                if (!_over)
                    foreach (PhaseState state in running.Where(static state => state.Elapsed >= PlainInterval))
                        Print(ProgressText.Plain(state) + "\n", error: false);
            return;
        }

        lock (_lock)
        {
            if (_over)
                return;
            int width = _host.Width() - 1;
            _nameWidth = running.Select(static state => state.Source?.Length ?? 3).Append(_nameWidth).Max();
            _nameWidth = Math.Min(_nameWidth, 20);
            StringBuilder frame = new();
            if (_drawn > 0)
                frame.Append($"\e[{_drawn}A");
            foreach (PhaseState state in running)
                frame.Append("\r\e[K").Append(ProgressText.Bar(state, _nameWidth, width, _unicode)).Append('\n');
            if (running.Count < _drawn)
                frame.Append("\e[J");
            _drawn = running.Count;
            if (frame.Length > 0)
                _streams.Out(frame.ToString());
        }
    }

    /// <summary>Where the reader is a program or a file, lines are not broken.</summary>
    private int Columns => _host.OutputIsTerminal ? _host.Width() : 1000;

    /// <summary>A phase that took no time and moved no bytes tells a person nothing.</summary>
    private bool IsWorthALine(PhaseState finished) =>
        _verbose || finished.Done > 0 || finished.Elapsed >= TimeSpan.FromSeconds(1);

    private string Describe(string kind, string color, Problem problem)
    {
        string label = _host.ErrorIsTerminal && _host.AllowsEscapes ? $"\e[1;{color}m{kind} {problem.Code}\e[0m" : $"{kind} {problem.Code}";
        string where = problem.Where is null ? "" : " " + TextReport.Clean(problem.Where);
        return $"{label}{where}: {TextReport.Clean(problem.Message)}\nHINT: {TextReport.Clean(problem.Hint)}\n";
    }

    private void Print(string text, bool error)
    {
        lock (_lock)
        {
            Erase();
            if (error)
                _streams.Error(text);
            else
                _streams.Out(text);
        }
    }

    /// <summary>Phases that a failure broke off never finish; nothing more is drawn of them, whatever a timer's last turn finds.</summary>
    private void End()
    {
        lock (_lock)
        {
            _over = true;
            Erase();
        }
    }

    private void Erase()
    {
        if (_drawn == 0)
            return;
        _streams.Out($"\e[{_drawn}A\r\e[J");
        _drawn = 0;
    }
}
