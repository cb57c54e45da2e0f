using System.ComponentModel;
using System.Diagnostics;
using System.IO.Pipes;
using System.Runtime.Versioning;
using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Secrets;

namespace Lifeboat.Engine.Processes;

/// <summary>
/// A started program with its streams. What it writes to its error stream is read all the time, line by line, and its first and last 32 KiB
/// are kept; the caller must read its output. Disposing kills it, and whatever it started, if it still runs.
/// </summary>
#pragma warning disable RS0030 // this folder is the one that starts programs
public sealed class RunningProgram : IAsyncDisposable
{
    /// <summary>errno(3): EMFILE, ENFILE.</summary>
    private const int TooManyOpenFiles = 24, TooManyOpenFilesInSystem = 23;

    private const int KeptErrorCharacters = 32 * 1024;
    private readonly Process _process;
    private readonly StringBuilder _firstErrors = new();
    private readonly StringBuilder _lastErrors = new();
    private readonly Task _errorPump;

    private RunningProgram(ProgramStart start, Process process, Action<string>? onErrorLine)
    {
        Start = start;
        _process = process;
        _errorPump = PumpErrorsAsync(onErrorLine);
    }

    public ProgramStart Start { get; }

    public int Id => _process.Id;

    /// <summary>The program's input; close it to let the program see the end.</summary>
    public Stream Input => _process.StandardInput.BaseStream;

    public Stream Output => _process.StandardOutput.BaseStream;

    public bool HasExited => _process.HasExited;

    /// <summary>What the program has written to its error stream so far: the first 32 KiB, where the reason often is, and the last 32 KiB.</summary>
    public string Errors
    {
        get
        {
            lock (_firstErrors)
                return string.Concat(_firstErrors, _lastErrors);
        }
    }

    /// <summary>Starts a program with all three streams connected.</summary>
    /// <param name="onErrorLine">Called for each line of the error stream, on a thread of the pool.</param>
    /// <exception cref="LifeboatException">The program is not there or may not be run.</exception>
    public static RunningProgram Launch(ProgramStart start, Action<string>? onErrorLine = null)
    {
        ProcessStartInfo info = new(start.Program, start.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
            StandardErrorEncoding = new UTF8Encoding(false),
            WorkingDirectory = start.WorkingDirectory ?? "",
        };
        ProgramVariables.Narrow(info.Environment, start.Inherits);
        foreach ((string name, string? value) in start.Environment)
            info.Environment[name] = value;
        foreach ((string name, Secret secret) in start.Secrets.Select(static s => (s.Key, s.Value)))
            info.Environment[name] = secret.Reveal();
        if (!OperatingSystem.IsWindows())
            info.FileName = Find(start, info.Environment.TryGetValue("PATH", out string? path) ? path : null);
        try
        {
            Process process = Process.Start(info) ?? throw new InvalidOperationException("no new process was started");
            return new RunningProgram(start, process, onErrorLine);
        }
        catch (Win32Exception e) when (e.NativeErrorCode is TooManyOpenFiles or TooManyOpenFilesInSystem && !OperatingSystem.IsWindows())
        {
            throw new LifeboatException(
                ErrorCodes.TooFewOpenFiles, $"cannot start {start.Program}: {e.Message}",
                "raise the limit of open files (`ulimit -Hn`, LimitNOFILE= of a systemd unit), or set fewer `workers` in the app file", inner: e);
        }
        catch (Win32Exception e)
        {
            throw new LifeboatException(
                ErrorCodes.ProgramMissing, $"cannot start {start.Program}: {e.Message}", $"install {Path.GetFileName(start.Program)}, or correct its path in the app file", inner: e);
        }
    }

    /// <summary>
    /// Where a program is, as execvp(3) finds it. The framework looks in the working directory of this process before PATH, where anybody may have put one.
    /// </summary>
    [UnsupportedOSPlatform("windows")]
    private static string Find(ProgramStart start, string? path)
    {
        if (start.Program.Contains('/', StringComparison.Ordinal))
            return start.WorkingDirectory is { } folder ? Path.GetFullPath(start.Program, folder) : start.Program;
        const UnixFileMode executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return (path ?? "/usr/local/bin:/usr/bin:/bin").Split(':').Where(Path.IsPathFullyQualified).Select(folder => Path.Combine(folder, start.Program))
            .FirstOrDefault(file => File.Exists(file) && (File.GetUnixFileMode(file) & executable) != 0)
            ?? throw new LifeboatException(
                ErrorCodes.ProgramMissing, $"cannot start {start.Program}: it is in no folder of PATH",
                $"install {start.Program}, or name its path in the app file");
    }

    /// <summary>Lets the program write and be written to up to 1 MiB ahead instead of 64 KiB, where the system can: fewer switches between the two.</summary>
    public void EnlargePipes()
    {
        if (!OperatingSystem.IsLinux())
            return;
        foreach (PipeStream pipe in new[] { Input, Output }.OfType<PipeStream>())
            _ = NativePipe.SetSize(pipe.SafePipeHandle, 1024 * 1024);
    }

    /// <summary>Waits until the program has ended and its error stream is read, and gives its exit status.</summary>
    public async Task<int> WaitAsync(CancellationToken cancellation)
    {
        await _process.WaitForExitAsync(cancellation);
        await _errorPump.WaitAsync(cancellation);
        return _process.ExitCode;
    }

    /// <summary>Closes the program's input, which is how one that reads commands is told to end, and waits for it.</summary>
    /// <param name="longest">How long; disposing kills what has not ended by then.</param>
    public async Task CloseAsync(TimeSpan longest)
    {
        try
        {
            await Input.DisposeAsync();
            using CancellationTokenSource enough = new(longest);
            await WaitAsync(enough.Token);
        }
        catch (IOException)
        {
            // It ended before.
        }
        catch (OperationCanceledException)
        {
            // It will be killed.
        }
    }

    /// <summary>Kills the program and whatever it started.</summary>
    public void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It ended by itself meanwhile.
        }
        catch (Win32Exception)
        {
            // Likewise, on Windows.
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Kill();
            await _process.WaitForExitAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(10)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _process.Dispose();
    }

    private async Task PumpErrorsAsync(Action<string>? onErrorLine)
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            lock (_firstErrors)
            {
                if (_firstErrors.Length + line.Length < KeptErrorCharacters)
                {
                    _firstErrors.Append(line).Append('\n');
                }
                else
                {
                    _lastErrors.Append(line).Append('\n');
                    if (_lastErrors.Length > KeptErrorCharacters)
                        _lastErrors.Remove(0, _lastErrors.Length - KeptErrorCharacters);
                }
            }

            onErrorLine?.Invoke(line);
        }
    }
}
#pragma warning restore RS0030
