using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Progress;
using Lifeboat.Output;

namespace Lifeboat.Tests.Output;

public sealed class TextOutputTests
{
    private static readonly Problem Hostile = new(ErrorCodes.StorageFailed, "table \u001b[2Jx\nfake: postgresql://u:secret@h/d", "do\nthis",
        "a\nb");

    [Fact]
    public void Errors_and_warnings_are_one_line_and_a_hint_on_standard_error()
    {
        ProgramFixture program = new();
        using TextOutput output = program.Text();
        output.Fail([Hostile], ExitStatus.Failed);
        output.Report(new Warned("files", new Problem(ErrorCodes.DiskFull, "m", "h")));
        Assert.Equal("", program.Out);
        Assert.Equal(
            "error LB7004 a\\nb: table \\e[2Jx\\nfake: postgresql://u:[redacted]@h/d\nHINT: do\\nthis\nwarning LB7003 files: m\nHINT: h\n",
            program.Error);
    }

    [Fact]
    public void A_warning_told_twice_is_shown_and_counted_once()
    {
        ProgramFixture program = new();
        using TextOutput output = program.Text();
        Problem warning = new(ErrorCodes.DiskFull, "m", "h");
        output.Report(new Warned("files", warning));
        output.Warn(warning with { Where = "files" });
        Assert.Single(output.Warnings);
        Assert.Single(program.Error.Split('\n'), static line => line.StartsWith("warning", StringComparison.Ordinal));
    }

    [Fact]
    public void Quiet_shows_warnings_and_errors_alone()
    {
        ProgramFixture program = new();
        using TextOutput output = program.Text(quiet: true);
        output.Say("said");
        output.Report(new PhaseStarted("main", Phase.Capture, 10));
        output.Report(new BytesDone("main", Phase.Capture, 10));
        output.Report(new PhaseFinished("main", Phase.Capture, TimeSpan.FromSeconds(5)));
        output.Show(new DemoStep(1, "t", 0), OutputJson.Default.DemoStep, static text => text.Line("shown"));
        output.Report(new Warned(null, new Problem(ErrorCodes.DiskFull, "m", "h")));
        Assert.Equal("", program.Out);
        Assert.StartsWith("warning LB7003: m", program.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Notes_and_details_are_for_verbose_runs()
    {
        ProgramFixture quietly = new();
        using (TextOutput output = quietly.Text())
        {
            output.Report(new Noted("main", "note"));
            output.Fail([Hostile], ExitStatus.Failed, "details");
        }

        Assert.DoesNotContain("note", quietly.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("details", quietly.Error, StringComparison.Ordinal);
        ProgramFixture loudly = new();
        using (TextOutput output = loudly.Text(verbose: true))
        {
            output.Report(new Noted("main", "note"));
            output.Fail([Hostile], ExitStatus.Failed, "details");
        }

        Assert.Equal("main: note\n", loudly.Out);
        Assert.EndsWith("  details\n", loudly.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Away_from_a_terminal_progress_is_plain_lines()
    {
        ProgramFixture program = new();
        using TextOutput output = program.Text();
        output.Report(new PhaseStarted("main", Phase.Capture, 4_000_000));
        program.Time.Advance(12);
        output.Report(new BytesDone("main", Phase.Capture, 1_000_000));
        output.Tick();
        output.Report(new PhaseFinished("main", Phase.Capture, TimeSpan.FromSeconds(20)));
        Assert.Equal(
            "main: capturing, 25 %, 1.0 MB of about 4.0 MB, 83.3 kB/s, 0:36 left\nmain: captured 1.0 MB in 20 s (50.0 kB/s)\n",
                program.Out);
        Assert.DoesNotContain('\e', program.Out);
    }

    [Fact]
    public void On_a_terminal_bars_are_redrawn_in_place_and_make_way_for_text()
    {
        ProgramFixture program = new(terminal: true);
        using TextOutput output = program.Text();
        output.Report(new PhaseStarted("main", Phase.Capture, 100));
        output.Report(new PhaseStarted("files", Phase.Capture, 0));
        output.Tick();
        Assert.Equal(2, program.Out.Count(static c => c == '\n'));
        output.Tick();
        Assert.Contains("\e[2A", program.Out, StringComparison.Ordinal);
        output.Say("hello");
        Assert.EndsWith("\e[2A\r\e[Jhello\n", program.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("NO_COLOR", "1")]
    [InlineData("TERM", "dumb")]
    public void No_escape_is_written_where_the_terminal_does_not_want_any(string name, string value)
    {
        ProgramFixture program = new(terminal: true, variables: new Dictionary<string, string> { [name] = value });
        using TextOutput output = program.Text();
        output.Report(new PhaseStarted("main", Phase.Capture, 100));
        output.Tick();
        output.Fail([Hostile], ExitStatus.Failed);
        output.Settle();
        Assert.DoesNotContain('\e', program.Out + program.Error);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_bar_fits_into_eighty_columns(bool unicode)
    {
        PhaseState state = new("a-rather-long-name-of-a-source", Phase.Preflight, 999_900_000_000, 1_999_900_000_000, 999_900_000,
            TimeSpan.FromHours(3));
        string bar = ProgressText.Bar(state, nameWidth: 20, width: 79, unicode);
        Assert.InRange(bar.Length, 60, 79);
        Assert.Contains("49 %", bar, StringComparison.Ordinal);
        Assert.Equal(unicode, bar.Contains('━', StringComparison.Ordinal));
    }

    [Fact]
    public void An_estimate_that_was_too_low_never_shows_more_than_99_percent()
    {
        PhaseState state = new("main", Phase.Capture, 300, 100, 10, TimeSpan.FromSeconds(30));
        Assert.Equal(0.99, state.Fraction);
        Assert.Equal(TimeSpan.Zero, state.Remaining);
    }

    [Fact]
    public void The_rate_is_of_the_last_seconds()
    {
        ManualTime time = new();
        ProgressTracker tracker = new(time);
        tracker.Add(new PhaseStarted("main", Phase.Capture, 0));
        for (int second = 0; second < 20; second++)
        {
            time.Advance(1);
            tracker.Add(new BytesDone("main", Phase.Capture, second < 10 ? 1000 : 10));
        }

        Assert.InRange(tracker.Snapshot()[0].Rate, 9, 11);
    }

    [Fact]
    public void Bytes_of_a_finer_phase_count_for_the_one_that_was_announced()
    {
        ProgressTracker tracker = new(new ManualTime());
        tracker.Add(new PhaseStarted("main", Phase.Capture, 100));
        tracker.Add(new BytesDone("main", Phase.Write, 40));
        PhaseState state = Assert.Single(tracker.Snapshot());
        Assert.Equal((Phase.Capture, 40), (state.Phase, state.Done));
        Assert.Equal(40, tracker.Add(new PhaseFinished("main", Phase.Capture, TimeSpan.Zero))!.Done);
        Assert.Empty(tracker.Snapshot());
    }

    [Fact]
    public void Tables_keep_markup_and_escape_control_characters_and_stay_within_the_width()
    {
        TextReport report = new(80, unicode: true, TimeZoneInfo.Utc);
        report.Table(new TextTable("Name", ">Rows").Row("[red]x[/]\u001b[31m\n", "12,345").Row(new string('n', 200), "1"));
        string text = report.ToString();
        Assert.Contains("[red]x[/]\\e[31m\\n", text, StringComparison.Ordinal);
        Assert.All(text.Split('\n'), static line => Assert.True(line.Length <= 80, line));
        Assert.DoesNotContain('\e', text);
    }

    [Fact]
    public void Wrapping_breaks_at_words_and_leaves_long_paths_whole()
    {
        Assert.Equal(["  one two", "    three"], TextReport.Wrap("  one two three", 10, 4));
        Assert.Equal(["  /a/very/long/path/without/spaces"], TextReport.Wrap("  /a/very/long/path/without/spaces", 10, 4));
        Assert.Equal(["/a/very/long/path", "  then words"], TextReport.Wrap("/a/very/long/path then words", 12, 2));
    }
}
