using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Secrets;

namespace Lifeboat.Engine.Processes;

/// <param name="ExitStatus">The program's exit status.</param>
/// <param name="Output">What it printed, as bytes.</param>
/// <param name="Errors">The end of what it wrote to its error stream.</param>
public sealed record ProgramResult(int ExitStatus, byte[] Output, string Errors)
{
    /// <summary>The output as UTF-8 text.</summary>
    public string Text => Encoding.UTF8.GetString(Output);
}

/// <summary>Runs programs to their end.</summary>
public static class ProgramRunner
{
    /// <summary>Runs a program whose output is small enough to be held; feeds it <paramref name="input"/> first.</summary>
    /// <exception cref="LifeboatException">It cannot be started.</exception>
    public static async Task<ProgramResult> RunAsync(ProgramStart start, CancellationToken cancellation, ReadOnlyMemory<byte> input = default)
    {
        using MemoryStream output = new();
        (int exit, string errors) = await PumpAsync(
            start,
            async (stream, token) => await stream.WriteAsync(input, token),
            async (stream, token) => await stream.CopyToAsync(output, token),
            cancellation);
        return new ProgramResult(exit, output.ToArray(), errors);
    }

    /// <summary>As <see cref="RunAsync"/>, and fails unless the exit status is 0.</summary>
    public static async Task<ProgramResult> RequireAsync(ProgramStart start, CancellationToken cancellation, ReadOnlyMemory<byte> input = default)
    {
        ProgramResult result = await RunAsync(start, cancellation, input);
        return result.ExitStatus == 0 ? result : throw Failed(start, result.ExitStatus, result.Errors);
    }

    /// <summary>Runs a program with both streams handled at once; gives its exit status and the end of its error stream.</summary>
    /// <remarks>A program that ends without reading all its input is judged by its exit status, not by the broken pipe.</remarks>
    public static async Task<(int ExitStatus, string Errors)> PumpAsync(
        ProgramStart start,
        Func<Stream, CancellationToken, Task> feed,
        Func<Stream, CancellationToken, Task> drain,
        CancellationToken cancellation)
    {
        await using RunningProgram program = RunningProgram.Launch(start);
        await using CancellationTokenRegistration kill = cancellation.Register(program.Kill);
        Task feeding = FeedAsync(program, feed, cancellation);
        try
        {
            await Task.Run(() => drain(program.Output, cancellation), CancellationToken.None);
        }
        catch
        {
            program.Kill();
            await feeding.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        await feeding;
        int exit = await program.WaitAsync(cancellation);
        cancellation.ThrowIfCancellationRequested();
        return (exit, program.Errors);
    }

    /// <summary>The error for a program that ended with a status other than 0; says why in its words.</summary>
    public static LifeboatException Failed(ProgramStart start, int exitStatus, string errors) => new(
        ErrorCodes.ProgramFailed,
        $"{Path.GetFileName(start.Program)} ended with status {exitStatus}: {ProgramMessage.Of(errors)}",
        "the program's own message says what is wrong; mend that and run again");

    private static async Task FeedAsync(RunningProgram program, Func<Stream, CancellationToken, Task> feed, CancellationToken cancellation)
    {
        try
        {
            await using Stream input = program.Input;
            await Task.Run(() => feed(input, cancellation), CancellationToken.None);
        }
        catch (IOException)
        {
            // A broken pipe: the program ended first, and its exit status tells why.
        }
    }
}
