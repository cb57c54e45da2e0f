using Lifeboat.Commands;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Output;

namespace Lifeboat.Tests.Output;

/// <summary>A program's surroundings in memory: streams that can be read afterwards, a clock that stands still.</summary>
internal sealed class ProgramFixture
{
    private readonly StringWriter _out = new() { NewLine = "\n" };
    private readonly StringWriter _error = new() { NewLine = "\n" };

    public ProgramFixture(
        bool terminal = false, string input = "", string? workingDirectory = null, IReadOnlyDictionary<string, string>? variables = null,
            TextWriter? output = null) =>
        Host = new ProgramHost
        {
            Out = output ?? _out,
            Error = _error,
            In = new StringReader(input),
            InputIsTerminal = terminal,
            OutputIsTerminal = terminal,
            ErrorIsTerminal = terminal,
            Width = static () => 80,
            WorkingDirectory = workingDirectory ?? Path.GetTempPath(),
            Zone = TimeZoneInfo.CreateCustomTimeZone("test", TimeSpan.FromHours(2), "test", "test"),
            Environment = new HostEnvironment
            {
                Time = Time,
                Variables = variables ?? new Dictionary<string, string>(),
                TempDirectory = Path.GetTempPath(),
                HostName = "test",
                ProcessId = 4711,
                Workers = 2,
                LifeboatVersion = "1.2.3",
            },
        };

    public ManualTime Time { get; } = new();

    public ProgramHost Host { get; }

    public string Out => _out.ToString();

    public string Error => _error.ToString();

    public ExitStatus Run(params string[] arguments) =>
        CommandTree.RunAsync(arguments, Host, CancellationToken.None).GetAwaiter().GetResult();

    public TextOutput Text(bool quiet = false, bool verbose = false) => new(Host, new Streams(Host), quiet, verbose);

    public JsonOutput Json(bool lines = true) => new(Host, new Streams(Host), lines, quiet: false, verbose: false);
}

/// <summary>A clock that tests move.</summary>
internal sealed class ManualTime : TimeProvider
{
    private long _ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _ticks;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(_ticks);

    public void Advance(double seconds) => _ticks += TimeSpan.FromSeconds(seconds).Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new NoTimer();

    private sealed class NoTimer : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
