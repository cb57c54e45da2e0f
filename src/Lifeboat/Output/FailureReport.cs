using Lifeboat.Engine.Errors;

namespace Lifeboat.Output;

/// <summary>The one place that says what an exception means for a person and for the exit status.</summary>
/// <param name="Details">What <c>-v</c> shows beside; null where the problems say it all.</param>
internal sealed record FailureReport(IReadOnlyList<Problem> Problems, ExitStatus Exit, string? Details)
{
    private const int UnixNoSpace = 28; // ENOSPC
    private const int UnixQuota = 122; // EDQUOT
    private const int WindowsDiskFull = unchecked((int)0x80070070); // ERROR_DISK_FULL

    /// <param name="cancelled">Whether the run had been asked to end: then whatever stopped it counts as cancelled.</param>
    public static FailureReport Of(Exception exception, bool cancelled)
    {
        Exception cause = Unwrap(exception);
        if (cancelled || cause is OperationCanceledException)
        {
            IReadOnlyList<Problem> others = cause is LifeboatException ours ? ours.Problems : [];
            string? details = cause is OperationCanceledException ? null : cause.ToString();
            return new FailureReport([Cancelled, .. others], ExitStatus.Cancelled, details);
        }

        IReadOnlyList<Problem> problems = cause switch
        {
            LifeboatException ours => ours.Problems,
            IOException io when io.HResult is UnixNoSpace or UnixQuota or WindowsDiskFull => [new Problem(
                ErrorCodes.DiskFull, io.Message, "free space on that disk and run again")],
            IOException or UnauthorizedAccessException => [new Problem(
                ErrorCodes.StorageFailed, cause.Message, "see that the path exists and that this user may read and write there")],
            _ => [new Problem(
                ErrorCodes.Internal,
                $"something unexpected happened: {cause.Message}",
                "run again with -v and report what it prints; it holds no secrets of yours, but read it first")],
        };
        bool expected = cause is LifeboatException { InnerException: null };
        return new FailureReport(problems, problems[0].Code.Exit, expected ? null : cause.ToString());
    }

    private static Problem Cancelled { get; } = new(
        ErrorCodes.Cancelled, "the run was cancelled", "run the command again when it suits");

    private static Exception Unwrap(Exception exception) => exception switch
    {
        AggregateException { InnerExceptions.Count: > 0 } several =>
            several.Flatten().InnerExceptions.FirstOrDefault(static e => e is LifeboatException) ?? several.Flatten().InnerExceptions[0],
        _ => exception,
    };
}
