using Lifeboat.Engine.Errors;
using Lifeboat.Output;

namespace Lifeboat.Tests.Output;

public sealed class FailureReportTests
{
    [Fact]
    public void The_first_problem_decides_the_exit_status()
    {
        LifeboatException two = new([new Problem(ErrorCodes.WrongPassword, "m", "h"), new Problem(ErrorCodes.Locked, "m", "h")]);
        FailureReport report = FailureReport.Of(two, cancelled: false);
        Assert.Equal(ExitStatus.WrongPassword, report.Exit);
        Assert.Equal(2, report.Problems.Count);
        Assert.Null(report.Details);
    }

    [Fact]
    public void Whatever_ends_a_run_that_was_asked_to_end_counts_as_cancelled_and_is_told()
    {
        FailureReport report = FailureReport.Of(new LifeboatException(ErrorCodes.StorageFailed, "stuck", "h"), cancelled: true);
        Assert.Equal(ExitStatus.Cancelled, report.Exit);
        Assert.Equal([ErrorCodes.Cancelled, ErrorCodes.StorageFailed], report.Problems.Select(static problem => problem.Code));
        Assert.Equal(ExitStatus.Cancelled, FailureReport.Of(new OperationCanceledException(), cancelled: true).Exit);
        Assert.Equal(ExitStatus.Cancelled, FailureReport.Of(new InvalidOperationException(), cancelled: true).Exit);
    }

    [Fact]
    public void The_unexpected_is_internal_and_keeps_its_details_for_v()
    {
        FailureReport report = FailureReport.Of(new InvalidOperationException("boom"), cancelled: false);
        Assert.Equal(ErrorCodes.Internal, report.Problems[0].Code);
        Assert.Equal(ExitStatus.Failed, report.Exit);
        Assert.Contains("InvalidOperationException", report.Details, StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_disk_is_told_as_such()
    {
        Assert.Equal(ErrorCodes.DiskFull,
            FailureReport.Of(new IOException("No space left on device", 28), cancelled: false).Problems[0].Code);
        Assert.Equal(ErrorCodes.StorageFailed,
            FailureReport.Of(new UnauthorizedAccessException("denied"), cancelled: false).Problems[0].Code);
    }

    [Fact]
    public void An_error_of_ours_inside_of_others_is_found()
    {
        AggregateException several = new(new InvalidOperationException(), new LifeboatException(ErrorCodes.Locked, "m", "h"));
        Assert.Equal(ExitStatus.Locked, FailureReport.Of(several, cancelled: false).Exit);
    }
}
