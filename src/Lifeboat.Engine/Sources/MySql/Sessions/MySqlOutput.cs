using System.Text;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Sources.MySql.Sessions;

/// <summary>Rows as they were passed on: bytes with line ends, rows with their digest, and the length of the longest one.</summary>
public readonly record struct DumpedRows(long Bytes, TableDigest Digest, long LongestRow);

/// <summary>
/// How a query's rows are marked, for the client program prints a NULL as it prints the word: the first <paramref name="Masks"/> fields are numbers
/// whose bits say which of the others are NULL; they are taken off.
/// </summary>
/// <param name="Bits">For each field after the masks, its bit (60 to a mask), or -1 where it cannot be NULL.</param>
internal sealed record RowShape(int Masks, int[] Bits)
{
    public const int BitsPerMask = 60;

    /// <summary>Rows as they are, with the word NULL for NULL.</summary>
    public static RowShape Plain { get; } = new(0, []);
}

/// <summary>
/// Reads the client program's output: a row a line, tabs between fields, and after each statement our own line, which begins with the mark.
/// Blocking, for the session's own thread; holds no row as a whole.
/// </summary>
internal sealed class MySqlOutput(Stream stream, string mark)
{
    private const int BufferBytes = 256 * 1024;
    private const int FlushAbove = 128 * 1024;

    private readonly byte[] _mark = Encoding.ASCII.GetBytes(mark);
    private readonly byte[] _in = new byte[BufferBytes];
    private readonly byte[] _out = new byte[BufferBytes];
    private readonly ulong[] _masks = new ulong[128];
    private int _start;
    private int _end;
    private int _filled;
    private long _bytes;
    private RowDigester _digester = new();
    private Stream _destination = Stream.Null;
    private Action<long>? _onBytes;

    /// <summary>Reads up to the end of a statement's rows.</summary>
    /// <returns>The mark's line, without the mark; null where the program ended first.</returns>
    public (string? End, DumpedRows Rows) ReadStatement(RowShape shape, Stream destination, Action<long>? onBytes)
    {
        (_destination, _onBytes, _bytes, _digester) = (destination, onBytes, 0, new RowDigester());
        long longest = 0;
        while (Available())
        {
            if (_in[_start] == _mark[0] && TakeMark() is { } end)
            {
                Flush();
                return (end, new DumpedRows(_bytes, _digester.Finish(), longest));
            }

            long before = _bytes + _filled;
            if (!PassRow(shape))
                break;
            longest = Math.Max(longest, _bytes + _filled - before);
        }

        return (null, default);
    }

    private bool PassRow(RowShape shape)
    {
        bool anyNull = false;
        for (int i = 0; i < shape.Masks; i++)
        {
            if (!ReadMask(out _masks[i]))
                return false;
            anyNull |= _masks[i] != 0;
        }

        for (int field = 0; anyNull; field++)
        {
            int bit = shape.Bits[field];
            bool isNull = bit >= 0 && (_masks[bit / RowShape.BitsPerMask] & (1UL << (bit % RowShape.BitsPerMask))) != 0;
            if (isNull)
                Emit("\\N"u8);
            if (!PassField(drop: isNull, out byte end))
                return false;
            if (end == (byte)'\n')
                return true;
        }

        while (Available())
        {
            ReadOnlySpan<byte> rest = _in.AsSpan(_start, _end - _start);
            int found = rest.IndexOf((byte)'\n');
            Emit(found < 0 ? rest : rest[..(found + 1)]);
            _start = found < 0 ? _end : _start + found + 1;
            if (found >= 0)
                return true;
        }

        return false;
    }

    private bool PassField(bool drop, out byte end)
    {
        end = 0;
        while (Available())
        {
            ReadOnlySpan<byte> rest = _in.AsSpan(_start, _end - _start);
            int found = rest.IndexOfAny((byte)'\t', (byte)'\n');
            if (!drop)
                Emit(found < 0 ? rest : rest[..found]);
            _start = found < 0 ? _end : _start + found + 1;
            if (found < 0)
                continue;
            end = rest[found];
            Emit(rest.Slice(found, 1));
            return true;
        }

        return false;
    }

    private bool ReadMask(out ulong mask)
    {
        mask = 0;
        while (Available())
        {
            byte c = _in[_start++];
            if (c == (byte)'\t')
                return true;
            mask = (mask * 10) + (ulong)(c - '0');
        }

        return false;
    }

    /// <summary>Our own line at the buffer's start; null where it is a row that begins alike.</summary>
    private string? TakeMark()
    {
        int found;
        while ((found = _in.AsSpan(_start, _end - _start).IndexOf((byte)'\n')) < 0)
        {
            if (_end - _start > 1000 || !Fill())
                return null;
        }

        ReadOnlySpan<byte> line = _in.AsSpan(_start, found);
        if (!line.StartsWith(_mark))
            return null;
        _start += found + 1;
        return Encoding.ASCII.GetString(line[_mark.Length..]);
    }

    private void Emit(ReadOnlySpan<byte> bytes)
    {
        if (_filled + bytes.Length > _out.Length)
            Flush();
        if (bytes.Length > _out.Length)
            throw new InvalidOperationException("a piece is larger than the buffer it came from");
        bytes.CopyTo(_out.AsSpan(_filled));
        _filled += bytes.Length;
        if (_filled >= FlushAbove)
            Flush();
    }

    private void Flush()
    {
        if (_filled == 0)
            return;
        _digester.Append(_out.AsSpan(0, _filled));
        _destination.Write(_out, 0, _filled);
        _bytes += _filled;
        _onBytes?.Invoke(_filled);
        _filled = 0;
    }

    private bool Available() => _start < _end || Fill();

    private bool Fill()
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }
        else if (_end == _in.Length)
        {
            _in.AsSpan(_start, _end - _start).CopyTo(_in);
            _end -= _start;
            _start = 0;
        }

        int count = stream.Read(_in, _end, _in.Length - _end);
        _end += count;
        return count > 0;
    }
}
