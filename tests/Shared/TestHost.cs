using System.Collections.Concurrent;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;

namespace Lifeboat.Tests.Shared;

/// <summary>A run context for tests, which keeps what was reported.</summary>
public sealed class TestHost : IProgressSink
{
    public TestHost(string tempDirectory, int workers = 2, IReadOnlyDictionary<string, string>? variables = null) =>
        Context = new RunContext(
            new HostEnvironment
            {
                Time = TimeProvider.System,
                Variables = variables ?? new Dictionary<string, string> { ["PATH"] = Environment.GetEnvironmentVariable("PATH") ?? "" },
                TempDirectory = tempDirectory,
                HostName = "test",
                ProcessId = Environment.ProcessId,
                Workers = workers,
                LifeboatVersion = "0.0.0-test",
            },
            this);

    public RunContext Context { get; }

    public ConcurrentQueue<RunEvent> Events { get; } = new();

    public IEnumerable<Problem> Warnings => Events.OfType<Warned>().Select(static e => e.Problem);

    public void Report(RunEvent happened) => Events.Enqueue(happened);
}
