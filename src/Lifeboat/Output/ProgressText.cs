using Lifeboat.Engine.Progress;

namespace Lifeboat.Output;

/// <summary>How the state of a phase reads, as a finished line and as a bar.</summary>
internal static class ProgressText
{
    private const int BarCells = 24;

    /// <summary><c>main: captured 1.4 GB in 3.2 s (438 MB/s)</c></summary>
    public static string Finished(PhaseState state)
    {
        string subject = state.Source is null ? "" : TextReport.Clean(state.Source) + ": ";
        string time = Quantity.Duration(state.Elapsed);
        if (state.Done == 0)
            return $"{subject}{Past(state.Phase)} in {time}";
        string rate = state.Elapsed.TotalSeconds >= 0.5 ? $" ({Quantity.Rate(state.Done / state.Elapsed.TotalSeconds)})" : "";
        return $"{subject}{Past(state.Phase)} {Quantity.Bytes(state.Done)} in {time}{rate}";
    }

    /// <summary><c>main: capturing, 45 %, 1.4 GB of 3.1 GB, 438 MB/s, 0:04 left</c></summary>
    public static string Plain(PhaseState state)
    {
        List<string> parts = [(state.Source is null ? "" : TextReport.Clean(state.Source) + ": ") + Present(state.Phase)];
        if (state.Fraction is { } fraction)
            parts.Add($"{(int)(fraction * 100)} %");
        if (state.Done > 0)
            parts.Add(Quantity.Bytes(state.Done) + (state.Total > 0 ? $" of about {Quantity.Bytes(state.Total)}" : ""));
        if (state.Rate >= 1)
            parts.Add(Quantity.Rate(state.Rate));
        if (state.Remaining is { } remaining)
            parts.Add($"{Quantity.Clock(remaining)} left");
        return string.Join(", ", parts);
    }

    /// <summary>One line of at most <paramref name="width"/> columns.</summary>
    public static string Bar(PhaseState state, int nameWidth, int width, bool unicode)
    {
        string name = state.Source is null ? "all" : TextReport.Clean(state.Source);
        if (name.Length > nameWidth)
            name = name[..(nameWidth - 1)] + (unicode ? "…" : "~");
        string line = $"{name.PadRight(nameWidth)}  {Present(state.Phase),-10} ";
        if (state.Fraction is { } fraction)
            line += $"{Cells(fraction, unicode)} {(int)(fraction * 100),3} %";
        if (state.Done > 0)
            line += $" {Quantity.Bytes(state.Done),8}";
        if (state.Rate >= 1)
            line += $" {Quantity.Rate(state.Rate),10}";
        if (state.Remaining is { } remaining)
            line += $" {Quantity.Clock(remaining),5}";
        return line.Length > width ? line[..width] : line;
    }

    private static string Cells(double fraction, bool unicode)
    {
        int full = (int)Math.Round(fraction * BarCells);
        return unicode
            ? new string('━', full) + new string('─', BarCells - full)
            : new string('#', full) + new string('.', BarCells - full);
    }

    private static string Present(Phase phase) => phase switch
    {
        Phase.Check => "checking",
        Phase.Open => "opening",
        Phase.Capture => "capturing",
        Phase.Write => "writing",
        Phase.Preflight => "preflight",
        Phase.Stage => "staging",
        Phase.Verify => "verifying",
        Phase.Neutralize => "making neutral",
        _ => "switching",
    };

    private static string Past(Phase phase) => phase switch
    {
        Phase.Check => "checked",
        Phase.Open => "opened",
        Phase.Capture => "captured",
        Phase.Write => "written",
        Phase.Preflight => "preflight done",
        Phase.Stage => "staged",
        Phase.Verify => "verified",
        Phase.Neutralize => "made neutral",
        _ => "switched in",
    };
}
