using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Sources.Postgres.Sessions;

/// <summary>
/// Passes COPY text on to psql and refuses a line that begins with <c>\.</c>: psql would take it for the data's end and what follows
/// for commands. It refuses a NUL too, behind which psql may take the middle of a line for its beginning, and drops what it does not see. COPY TO never writes either,
/// so such data is damaged or forged.
/// </summary>
internal sealed class CopyInStream(Stream inner, string source) : Stream
{
    private byte _beforeLast = (byte)'\n';
    private byte _last = (byte)'\n';
    private bool _anything;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>Whether the last line still needs its line feed.</summary>
    public bool EndsMidLine => _anything && _last != (byte)'\n';

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        Check(buffer);
        inner.Write(buffer);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Check(buffer.Span);
        return inner.WriteAsync(buffer, cancellationToken);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
        // Pipes have nothing to flush.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private void Check(ReadOnlySpan<byte> data)
    {
        if (data.Length == 0)
            return;
        bool across = (_beforeLast == '\n' && _last == '\\' && data[0] == '.') || (_last == '\n' && data.StartsWith("\\."u8));
        if (data.Contains((byte)0))
            throw Never("a NUL");
        if (across || data.IndexOf("\n\\."u8) >= 0)
            throw Never("a line that begins with \\.");
        _beforeLast = data.Length > 1 ? data[^2] : _last;
        _last = data[^1];
        _anything = true;
    }

    private LifeboatException Never(string what) => new(
        ErrorCodes.PostgresCopyDataInvalid, $"the table's data holds {what}, which PostgreSQL never writes", "use another snapshot; this one was altered or damaged", source);
}
