using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Lifeboat.EngineTests.EndToEnd;

/// <param name="ExitStatus">128 + N for a program that signal N ended.</param>
public sealed record ProgramRun(int ExitStatus, string Output, string Errors)
{
    public string All => Output + Errors;

    /// <summary>The JSON lines of a run with <c>--json</c>.</summary>
    public IReadOnlyList<JsonElement> Messages =>
        [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => JsonDocument.Parse(line).RootElement)];
}

/// <summary>Runs the built program as people do: as a process of its own.</summary>
public static class LifeboatProgram
{
    /// <summary>The program beside the tests, or the one that <c>LIFEBOAT_PROGRAM</c> names (a published one).</summary>
    public static string Path => Environment.GetEnvironmentVariable("LIFEBOAT_PROGRAM") is { Length: > 0 } named
        ? named
        : System.IO.Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "lifeboat.exe" : "lifeboat");

    public static ProgramRun Run(string directory, params string[] arguments) => Run(directory, new Dictionary<string, string>(), arguments);

    public static ProgramRun Run(string directory, IReadOnlyDictionary<string, string> variables, params string[] arguments) =>
        RunProgram(Path, directory, variables, arguments);

    /// <summary>Runs another program that takes the same command lines.</summary>
    public static ProgramRun RunProgram(string program, string directory, IReadOnlyDictionary<string, string> variables, params string[] arguments)
    {
        using Process process = Start(program, directory, variables, arguments);
        return Finish(process);
    }

    public static Process Start(string directory, IReadOnlyDictionary<string, string> variables, params string[] arguments) =>
        Start(Path, directory, variables, arguments);

    private static Process Start(string program, string directory, IReadOnlyDictionary<string, string> variables, string[] arguments)
    {
        // A test run in the background inherits an ignored SIGINT, which a program must respect; env(1) makes it the default again, and becomes the program.
        ProcessStartInfo info = OperatingSystem.IsWindows()
            ? Info(program, directory, arguments)
            : Info("env", directory, ["--default-signal=INT", program, .. arguments]);
        foreach ((string name, string value) in variables)
            info.Environment[name] = value;
        return Process.Start(info)!;
    }

    /// <summary>Gives the program its input and waits for its end.</summary>
    public static ProgramRun Finish(Process process, string input = "")
    {
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromMinutes(5)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail("the program did not end within five minutes");
        }

        return new ProgramRun(process.ExitCode, output.Result, errors.Result);
    }

    /// <summary>Runs a stock tool; a missing one skips the test, but fails it in CI.</summary>
    public static ProgramRun Tool(string directory, string program, params string[] arguments) => Tool(directory, "", program, arguments);

    private static ProgramRun Tool(string directory, string input, string program, string[] arguments)
    {
        try
        {
            using Process process = Process.Start(Info(program, directory, arguments))!;
            return Finish(process, input);
        }
        catch (System.ComponentModel.Win32Exception) when (Environment.GetEnvironmentVariable("CI") != "true")
        {
            Assert.Skip($"{program} is not installed");
            throw;
        }
    }

    /// <summary>Runs a script with bash, which must succeed.</summary>
    public static string Shell(string directory, string script, string input = "")
    {
        ProgramRun run = Tool(directory, input, "bash", ["-euo", "pipefail", "-c", script]);
        Assert.True(run.ExitStatus == 0, $"{script}\nended with {run.ExitStatus}:\n{run.All}");
        return run.Output;
    }

    private static ProcessStartInfo Info(string program, string directory, string[] arguments) => new(program, arguments)
    {
        WorkingDirectory = directory,
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        StandardInputEncoding = new UTF8Encoding(false),
        StandardOutputEncoding = new UTF8Encoding(false),
        StandardErrorEncoding = new UTF8Encoding(false),
        Environment = { ["LC_ALL"] = "C.UTF-8", ["NO_COLOR"] = "1" },
    };
}
