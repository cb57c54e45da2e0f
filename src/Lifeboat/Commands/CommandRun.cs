using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Restore;
using Lifeboat.Engine.Trust;
using Lifeboat.Output;

namespace Lifeboat.Commands;

/// <summary>One run of a command: what it was given, where it reports, and how it ends.</summary>
internal sealed class CommandRun(ProgramHost host, SharedValues shared, IRunOutput output)
{
    private const string DefaultAppFile = "lifeboat.yaml";
    private readonly long _started = host.Environment.Time.GetTimestamp();

    public ProgramHost Host => host;

    public SharedValues Shared => shared;

    public IRunOutput Output => output;

    public RunContext Context { get; } = new(host.Environment, output) { Steps = host.Steps };

    public TimeSpan Elapsed => host.Environment.Time.GetElapsedTime(_started);

    /// <summary>Runs a command's body and turns whatever comes out of it into an exit status.</summary>
    public static async Task<int> ExecuteAsync(
        ProgramHost host,
        SharedValues shared,
        bool isLong,
        Func<CommandRun, CancellationToken, Task<ExitStatus>> body,
        CancellationToken cancellation)
    {
        Streams streams = new(host);
        using IRunOutput output = shared.Json
            ? new JsonOutput(host, streams, isLong, shared.Quiet, shared.Verbose)
            : new TextOutput(host, streams, shared.Quiet, shared.Verbose);
        CommandRun run = new(host, shared, output);
        ExitStatus exit;
        try
        {
            exit = await body(run, cancellation);
        }
#pragma warning disable CA1031 // the one place that turns every exception into an exit status
        catch (Exception e)
#pragma warning restore CA1031
        {
            FailureReport report = FailureReport.Of(e, cancellation.IsCancellationRequested);
            output.Fail(report.Problems, report.Exit, report.Details);
            exit = report.Exit;
        }

        if (streams.Failure is { } failure && exit is ExitStatus.Done or ExitStatus.Warnings)
        {
            Problem unwritten = new(
                ErrorCodes.OutputFailed,
                $"standard output could not be written: {failure.Message}",
                "the command itself came to its end; free space where its output goes, and use `lifeboat list` to see what there is");
            output.Fail([unwritten], ExitStatus.Failed);
            exit = ExitStatus.Failed;
        }

        return (int)exit;
    }

    /// <summary>The status of a run that came to its end: done, or done with warnings.</summary>
    public ExitStatus Conclude() => output.Warnings.Count > 0 ? ExitStatus.Warnings : ExitStatus.Done;

    /// <summary>Shows the problems that stopped the run, and gives the exit status.</summary>
    public ExitStatus Fail(IReadOnlyList<Problem> problems, ExitStatus exit)
    {
        output.Fail(problems, exit);
        return exit;
    }

    /// <summary>Makes a path from the command line absolute.</summary>
    public string Absolute(string path) => Path.GetFullPath(path, host.WorkingDirectory);

    public async Task<App> LoadAppAsync(CancellationToken cancellation) =>
        await FindAppAsync(cancellation) ?? throw new LifeboatException(
            ErrorCodes.AppFileMissing,
            $"there is no {DefaultAppFile} in {host.WorkingDirectory} or in a folder above it",
            "go to the app's folder, name the file with -c FILE, or run `lifeboat init` to write one");

    /// <summary>As <see cref="LoadAppAsync"/>; where there is no app file, the app that was restored without one, as its journal has it.</summary>
    public async Task<App> LoadRestoredAppAsync(CancellationToken cancellation) =>
        await FindAppAsync(cancellation) ?? AppFromJournals.Find(host.WorkingDirectory, Context) ?? await LoadAppAsync(cancellation);

    /// <summary>As <see cref="LoadAppAsync"/>, but null where none is named and none is found.</summary>
    public async Task<App?> FindAppAsync(CancellationToken cancellation)
    {
        if (shared.Config is { } named)
            return await AppFile.LoadAsync(Absolute(named), new FileTrust(host.Environment), cancellation);
        for (string? folder = host.WorkingDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            string file = Path.Combine(folder, DefaultAppFile);
            if (File.Exists(file) && AppFile.SnapshotAround(file) is null)
                return await AppFile.LoadAsync(file, new FileTrust(host.Environment), cancellation);
        }

        return null;
    }

    /// <summary>Fails unless the person at the terminal types <paramref name="name"/>.</summary>
    /// <param name="question">What is about to happen.</param>
    public async Task<bool> ConfirmAsync(string question, string name, CancellationToken cancellation)
    {
        output.Settle();
        string text = $"{TextReport.Clean(question)}\nType the app's name ({TextReport.Clean(name)}) to go on: ";
        await host.Out.WriteAsync(text.AsMemory(), cancellation);
        try
        {
            string? answer = await Task.Run(host.In.ReadLine, cancellation).WaitAsync(cancellation);
            return answer?.Trim() == name;
        }
        catch (OperationCanceledException)
        {
            await host.Out.WriteAsync("\n".AsMemory(), CancellationToken.None);
            throw;
        }
    }

    /// <summary>Whether there is a person who can be asked.</summary>
    public bool CanAsk => host.InputIsTerminal && host.OutputIsTerminal && !shared.Json;
}
