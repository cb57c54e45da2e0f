using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using Lifeboat.Commands;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;

namespace Lifeboat;

/// <summary>The process: its streams, its environment, its signals.</summary>
internal static class EntryPoint
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>The version without the build's revision.</summary>
    public static string Version { get; } =
        (typeof(EntryPoint).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
            ?? "0.0.0").Split('+')[0];

    /// <param name="change">What is to be different from the process as it is.</param>
    public static async Task<int> RunAsync(string[] arguments, Func<ProgramHost, ProgramHost>? change = null)
    {
        ProgramHost host = CreateHost();
        using CancellationTokenSource cancellation = new();
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Stop(signal, cancellation));
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Stop(signal, cancellation));
        using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal => Stop(signal, cancellation));
        return (int)await CommandTree.RunAsync(arguments, change?.Invoke(host) ?? host, cancellation.Token);
    }

    /// <summary>The first signal asks the run to clean up and end; the second ends the process at once.</summary>
    private static void Stop(PosixSignalContext signal, CancellationTokenSource cancellation)
    {
        signal.Cancel = true;
        if (cancellation.IsCancellationRequested)
        {
            LeaveTerminalUsable();
            Environment.Exit((int)ExitStatus.Cancelled);
        }

        cancellation.Cancel();
    }

    private static void LeaveTerminalUsable()
    {
        if (!Console.IsOutputRedirected)
            Console.Out.Write("\n");
    }

    private static ProgramHost CreateHost() => new()
    {
        // Not Console.Out: it sets the terminal up for reading keys, which costs start-up time. These streams drop what is
        // written after the reader has gone (SIGPIPE is ignored by the runtime).
        Out = new StreamWriter(Console.OpenStandardOutput(), Utf8) { AutoFlush = true },
        Error = new StreamWriter(Console.OpenStandardError(), Utf8) { AutoFlush = true },
        In = new StreamReader(Console.OpenStandardInput(), Utf8),
        InputIsTerminal = !Console.IsInputRedirected,
        OutputIsTerminal = !Console.IsOutputRedirected,
        ErrorIsTerminal = !Console.IsErrorRedirected,
        Width = TerminalWidth.Columns,
        WorkingDirectory = Environment.CurrentDirectory,
        Zone = TimeZoneInfo.Local,
        Environment = new HostEnvironment
        {
            Time = TimeProvider.System,
            Variables = ReadVariables(),
            TempDirectory = Path.GetTempPath(),
            HostName = Environment.MachineName,
            ProcessId = Environment.ProcessId,
            Workers = Environment.ProcessorCount,
            OpenFiles = ReadOpenFiles(),
            LifeboatVersion = Version,
        },
    };

    /// <summary>By proc(5), /proc/pid/limits: name, soft limit, hard limit, unit, in columns. The runtime has raised the soft limit as far as it may.</summary>
    private static int? ReadOpenFiles()
    {
        const string name = "Max open files ";
        const string limits = "/proc/self/limits";
        string? line = File.Exists(limits) ? File.ReadLines(limits).FirstOrDefault(static line => line.StartsWith(name, StringComparison.Ordinal)) : null;
        return int.TryParse(line?[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture, out int soft) ? soft : null;
    }

    private static Dictionary<string, string> ReadVariables()
    {
        Dictionary<string, string> variables = new(OperatingSystem.IsWindows() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);
        foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables())
            variables[(string)entry.Key] = (string?)entry.Value ?? "";
        return variables;
    }
}
