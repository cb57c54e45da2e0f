using System.Diagnostics;
using System.Globalization;
using Lifeboat.Engine.Hosting;

namespace Lifeboat.Interrupted;

/// <summary>
/// Counts a restore's steps, writes their names to a file, and at one of them kills the process (as kill -9 does) or lets the step fail.
/// <c>LIFEBOAT_STOP</c> is <c>kill-before:N</c>, <c>kill-after:N</c>, <c>fail-before:N</c>, <c>fail-after:N</c>, or <c>run-before:N</c>, which runs the shell's command of
/// <c>LIFEBOAT_RUN</c> and goes on; in the place of N stands a step's number, or how its name begins; <c>LIFEBOAT_STEPS</c> names the file.
/// </summary>
internal sealed class StoppingProbe(string action, string at, string? file, string? command) : IStepProbe
{
    /// <summary>The numbers of the steps that are being taken: a step may have others within it.</summary>
    private readonly Stack<bool> _open = new();
    private int _count;
    private bool _met;

    public static StoppingProbe From(ProgramHost host)
    {
        string[] stop = (host.Variable("LIFEBOAT_STOP") ?? "never:0").Split(':', 2);
        return new StoppingProbe(stop[0], stop[1], host.Variable("LIFEBOAT_STEPS"), host.Variable("LIFEBOAT_RUN"));
    }

    public void Before(string step)
    {
        _open.Push(IsMeant(step));
        if (file is not null)
            File.AppendAllText(file, step.ReplaceLineEndings(" ") + "\n");
        if (_open.Peek())
            Stop("before");
    }

    public void After(string step)
    {
        if (_open.Pop())
            Stop("after");
    }

    /// <summary>Whether it is the step with the number, or the first one with the name.</summary>
    private bool IsMeant(string step)
    {
        string number = (++_count).ToString(CultureInfo.InvariantCulture);
        bool isMeant = !_met && (at == number || (!int.TryParse(at, CultureInfo.InvariantCulture, out _) && step.Replace("\"", "", StringComparison.Ordinal).StartsWith(at, StringComparison.Ordinal)));
        _met |= isMeant;
        return isMeant;
    }

    private void Stop(string side)
    {
        if (action == "kill-" + side)
            Process.GetCurrentProcess().Kill();
        else if (action == "run-" + side)
            Run();
        else if (action == "fail-" + side)
            throw new IOException($"a step fails, as it was asked to ({side} {at})");
    }

    private void Run()
    {
        using Process shell = Process.Start(new ProcessStartInfo("sh", ["-c", command!]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        shell.WaitForExit();
    }
}
