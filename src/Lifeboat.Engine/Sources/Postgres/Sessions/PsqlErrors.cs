namespace Lifeboat.Engine.Sources.Postgres.Sessions;

/// <summary>Collects what psql writes to its error stream, so that a command's messages can be told from the next one's.</summary>
internal sealed class PsqlErrors
{
    private const int KeptLines = 500;
    private readonly List<string> _lines = [];
    private string? _seen;

    /// <summary>Takes one line; called on a thread of the pool.</summary>
    public void Add(string line)
    {
        lock (_lines)
        {
            if (line.StartsWith("\\!", StringComparison.Ordinal))
            {
                _seen = line.Trim();
                Monitor.PulseAll(_lines);
            }
            else if (_lines.Count < KeptLines)
            {
                _lines.Add(line);
            }
        }
    }

    public void Clear()
    {
        lock (_lines)
            _lines.Clear();
    }

    /// <summary>Everything since the last <see cref="Clear"/>.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
                return [.. _lines];
        }
    }

    /// <summary>Waits until a mark has come through, so that all messages before it are here.</summary>
    public void WaitFor(string mark, TimeSpan longest)
    {
        lock (_lines)
        {
            while (_seen != mark && Monitor.Wait(_lines, longest))
            {
                // Woken by another mark: look again.
            }
        }
    }
}
