namespace Lifeboat.Output;

/// <summary>
/// The program's two streams, for several threads. A stream that can no longer be written (a full disk behind <c>&gt;</c>) does not
/// stop a run in the middle of its work: it is remembered, and the run then ends with an error.
/// </summary>
internal sealed class Streams(ProgramHost host)
{
    private readonly Lock _lock = new();

    /// <summary>The first failure to write to standard output.</summary>
    public Exception? Failure { get; private set; }

    public void Out(string text)
    {
        lock (_lock)
        {
            try
            {
                host.Out.Write(text);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Failure ??= e;
            }
        }
    }

    public void Error(string text)
    {
        lock (_lock)
        {
            try
            {
                host.Error.Write(text);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Nowhere is left to say it.
            }
        }
    }
}
