using System.Globalization;
using System.Text;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Sources.Postgres.Sessions;

/// <summary>What COPY wrote: bytes with line ends, and rows with their digest.</summary>
public readonly record struct CopiedRows(long Bytes, TableDigest Digest)
{
    /// <summary>These rows and others of the same table.</summary>
    public CopiedRows Plus(CopiedRows others)
    {
        TableDigest digest = Digest;
        digest.Add(others.Digest);
        return new CopiedRows(Bytes + others.Bytes, digest);
    }
}

/// <summary>What psql said at a command's end.</summary>
/// <param name="Encoding">The connection's, as psql names it.</param>
/// <param name="State">psql's <c>ERROR</c>, a dot, the SQLSTATE; <see cref="Done"/> for success.</param>
internal readonly record struct CommandEnd(long Command, string State, long RowCount, string Encoding)
{
    public const string Done = "false.00000";
}

/// <summary>
/// Reads psql's output: rows of COPY text, and after each command our own line that tells its end. That line begins with a backslash
/// and <c>!</c>, which COPY text never does: it writes a backslash only before one of <c>\bfnrtvN</c>.
/// Blocking, for the session's own thread.
/// </summary>
internal sealed class PsqlOutput(Stream stream)
{
    /// <summary>Large enough for few calls, small enough to stay in the processor's cache between reading and hashing.</summary>
    private const int BufferBytes = 256 * 1024;

    /// <summary>Written on as soon as less than this is free; so writes are of 128 KiB and more.</summary>
    private const int FlushBelow = 128 * 1024;

    private readonly byte[] _buffer = new byte[BufferBytes];
    private int _end;

    /// <summary>Reads up to a command's end.</summary>
    /// <param name="destination">Takes the rows as they are, line ends included.</param>
    /// <param name="onBytes">Told how many bytes have just been written to <paramref name="destination"/>.</param>
    /// <returns>Null for the end where psql ended first.</returns>
    public (CommandEnd? End, CopiedRows Rows) ReadCommand(Stream destination, Action<long>? onBytes)
    {
        TableDigest digest = default;
        long bytes = 0;
        int row = 0; // where the row begins that is not complete yet
        int searched = 0; // up to where it is known to have no line end
        bool rowBegun = false; // its beginning has left the buffer already
        while (true)
        {
            int found = _buffer.AsSpan(searched, _end - searched).IndexOf((byte)'\n');
            if (found >= 0)
            {
                int lineEnd = searched + found;
                ReadOnlySpan<byte> line = _buffer.AsSpan(row, lineEnd - row);
                if (!rowBegun && line is [(byte)'\\', (byte)'!', ..])
                    return (Finish(line, destination, row, onBytes, ref bytes), new CopiedRows(bytes, digest));
                if (rowBegun)
                    digest.EndRow(line);
                else
                    digest.Add(line);
                rowBegun = false;
                row = searched = lineEnd + 1;
                continue;
            }

            searched = _end;
            if (_buffer.Length - _end < FlushBelow)
            {
                // Complete rows go on; so does the beginning of a row that alone fills the buffer.
                if (row == 0)
                {
                    digest.BeginRow(_buffer.AsSpan(0, _end), rowBegun);
                    rowBegun = true;
                    row = _end;
                }

                bytes += Pass(destination, row, onBytes);
                row = 0;
                searched = _end;
            }

            int count = stream.Read(_buffer, _end, _buffer.Length - _end);
            if (count == 0)
                return (null, new CopiedRows(bytes, digest));
            _end += count;
        }
    }

    /// <summary>Writes the first <paramref name="count"/> bytes on and moves what follows to the front.</summary>
    private long Pass(Stream destination, int count, Action<long>? onBytes)
    {
        if (count > 0)
        {
            destination.Write(_buffer, 0, count);
            onBytes?.Invoke(count);
            _buffer.AsSpan(count, _end - count).CopyTo(_buffer);
            _end -= count;
        }

        return count;
    }

    private CommandEnd Finish(ReadOnlySpan<byte> line, Stream destination, int row, Action<long>? onBytes, ref long bytes)
    {
        string[] words = Encoding.ASCII.GetString(line).Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        int after = row + line.Length + 1;
        bytes += Pass(destination, row, onBytes);
        after -= row;
        _buffer.AsSpan(after, _end - after).CopyTo(_buffer);
        _end -= after;
        return new CommandEnd(
            long.Parse(words[1], CultureInfo.InvariantCulture), words[2], words.Length > 3
                && long.TryParse(words[3], CultureInfo.InvariantCulture, out long rows) ? rows : 0, words[^1]);
    }
}
