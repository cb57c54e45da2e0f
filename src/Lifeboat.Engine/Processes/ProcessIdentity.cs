using System.Diagnostics;
using System.Globalization;

namespace Lifeboat.Engine.Processes;

/// <summary>Names one process for good: a pid alone is used again, after a restart of the machine at the latest.</summary>
/// <param name="Boot">Linux's boot id (proc_sys_kernel(5)); elsewhere empty.</param>
/// <param name="Started">The process's start, in clock ticks since boot on Linux (proc_pid_stat(5)), else as UTC ticks.</param>
public sealed record ProcessIdentity(int Pid, string Boot, long Started)
{
    public static ProcessIdentity Of(int pid) => new(pid, BootId(), StartOf(pid) ?? 0);

    /// <summary>Whether the process still runs on this machine.</summary>
    public bool IsRunning() => Boot == BootId() && StartOf(Pid) is { } started && started == Started;

    private static string BootId()
    {
        const string file = "/proc/sys/kernel/random/boot_id";
        return File.Exists(file) ? File.ReadAllText(file).Trim() : "";
    }

    private static long? StartOf(int pid)
    {
        string stat = $"/proc/{pid}/stat";
        try
        {
            if (!OperatingSystem.IsLinux())
                return StartTimeOf(pid);

            // The command's name, in parentheses, may itself hold spaces and parentheses; the start is the 22nd field.
            string text = File.ReadAllText(stat);
            string[] after = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return long.Parse(after[19], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null; // no such process
        }
    }

#pragma warning disable RS0030 // this folder is the one that deals with processes
    private static long? StartTimeOf(int pid)
    {
        try
        {
            using Process process = Process.GetProcessById(pid);
            return process.StartTime.ToUniversalTime().Ticks;
        }
        catch (ArgumentException)
        {
            return null; // no such process
        }
    }
#pragma warning restore RS0030
}
