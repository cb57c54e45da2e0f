using System.Buffers;
using System.Text;

namespace Lifeboat.Engine.Sources.Postgres.Sessions;

/// <summary>Takes COPY text of one column, and gives each value on.</summary>
internal sealed class CopyValues(Encoding encoding, Action<string> value) : Stream
{
    private readonly ArrayBufferWriter<byte> _rest = new();

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        int end = buffer.LastIndexOf((byte)'\n') + 1;
        _rest.Write(buffer[..end]);
        if (end > 0)
        {
            foreach (string?[] row in CopyText.ParseRows(_rest.WrittenSpan, encoding))
                value(row[0] ?? "");
            _rest.ResetWrittenCount();
        }

        _rest.Write(buffer[end..]);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        // What is complete has been given on.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
