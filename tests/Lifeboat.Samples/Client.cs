using System.Diagnostics;
using System.Text;

namespace Lifeboat.Samples;

/// <summary>A stock client program that is fed a script.</summary>
internal static class Client
{
    private const int BufferCharacters = 256 * 1024;

    /// <exception cref="InvalidOperationException">It ended with an error.</exception>
    public static void Feed(string program, IEnumerable<string> arguments, Action<TextWriter> write)
    {
        ProcessStartInfo info = new(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(info)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        try
        {
            using StreamWriter script = new(process.StandardInput.BaseStream, new UTF8Encoding(false), BufferCharacters) { NewLine = "\n" };
            write(script);
        }
        catch (IOException)
        {
            // It ended early; its status and its words tell why.
        }

        process.WaitForExit();
        output.Wait();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} ended with status {process.ExitCode}: {errors.Result}");
    }
}
