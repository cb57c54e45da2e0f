using Lifeboat.Engine.Progress;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>Reports bytes as they are done, in lots of 256 KiB and more. Safe for several threads.</summary>
internal sealed class ByteMeter(IProgressSink sink, string source, Phase phase)
{
    private const long Lot = 256 * 1024;
    private long _pending;

    public void Add(long bytes)
    {
        if (Interlocked.Add(ref _pending, bytes) >= Lot)
            Flush();
    }

    public void Flush()
    {
        long bytes = Interlocked.Exchange(ref _pending, 0);
        if (bytes > 0)
            sink.Report(new BytesDone(source, phase, bytes));
    }
}
