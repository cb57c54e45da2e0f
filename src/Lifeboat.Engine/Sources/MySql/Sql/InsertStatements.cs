using System.Buffers;
using System.Text;

namespace Lifeboat.Engine.Sources.MySql.Sql;

/// <summary>How a column's values stand in a data file, and so how they are written into SQL.</summary>
public enum ValueForm
{
    /// <summary>Text that the server reads itself: numbers, dates, addresses.</summary>
    Plain,

    /// <summary>The column's own bytes, in whatever character set.</summary>
    Bytes,

    /// <summary>UTF-8 text that must be declared as such: MySQL's JSON.</summary>
    Utf8,

    /// <summary>A number: the position of an ENUM's value, the bits of a SET's.</summary>
    Number,
}

/// <summary>
/// Makes INSERT statements out of a data file's lines. The files' escapes are those of string literals, so only quotes are added. A statement is about
/// 1 MiB long, or as long as its one row.
/// </summary>
/// <param name="head">Up to and with <c>VALUES</c>.</param>
/// <param name="jsonDecimals">Whether documents may hold decimals, which text alone does not bring back: MySQL's.</param>
internal sealed class InsertStatements(string head, IReadOnlyList<ValueForm> forms, bool jsonDecimals = false)
{
    private const int StatementBytes = 1024 * 1024;
    private const int ReadBytes = 256 * 1024;
    private static readonly SearchValues<byte> s_special = SearchValues.Create("\t'"u8);

    private readonly byte[] _head = Encoding.UTF8.GetBytes(head);
    private byte[] _statement = new byte[2 * StatementBytes];
    private int _length;

    /// <summary>The statements, each valid until the next is asked for.</summary>
    /// <param name="onBytes">Told how many bytes were read.</param>
    /// <exception cref="FormatException">A line has another number of fields than the table.</exception>
    public IEnumerable<ReadOnlyMemory<byte>> Read(Stream rows, Action<long> onBytes)
    {
        byte[] buffer = new byte[ReadBytes];
        int filled = 0;
        int count;
        _length = 0;
        while ((count = rows.Read(buffer, filled, buffer.Length - filled)) > 0)
        {
            onBytes(count);
            int searched = filled;
            filled += count;
            int start = 0;
            int found;
            while ((found = buffer.AsSpan(searched, filled - searched).IndexOf((byte)'\n')) >= 0)
            {
                int end = searched + found;
                Append(buffer.AsSpan(start, end - start));
                start = searched = end + 1;
                if (_length < StatementBytes)
                    continue;
                yield return _statement.AsMemory(0, _length);
                _length = 0;
            }

            filled -= start;
            buffer.AsSpan(start, filled).CopyTo(buffer);
            if (filled == buffer.Length)
                Array.Resize(ref buffer, checked(buffer.Length * 2));
        }

        if (filled > 0)
            Append(buffer.AsSpan(0, filled));
        if (_length > 0)
            yield return _statement.AsMemory(0, _length);
    }

    private void Append(ReadOnlySpan<byte> line)
    {
        if (_length == 0)
            Put(_head);
        else
            Put(","u8);
        Put("("u8);
        for (int field = 0; ; field++)
        {
            if (field == forms.Count)
                throw new FormatException("a row has more fields than its table has columns");
            if (field > 0)
                Put(","u8);
            if (!AppendField(ref line, forms[field]))
            {
                if (field != forms.Count - 1)
                    throw new FormatException("a row has fewer fields than its table has columns");
                break;
            }
        }

        Put(")"u8);
    }

    /// <summary>Takes one field off the line; gives whether another follows.</summary>
    private bool AppendField(ref ReadOnlySpan<byte> line, ValueForm form)
    {
        if (line.StartsWith("\\N"u8) && (line.Length == 2 || line[2] == (byte)'\t'))
        {
            Put("NULL"u8);
            bool more = line.Length > 2;
            line = more ? line[3..] : [];
            return more;
        }

        if (form == ValueForm.Number)
        {
            int tab = line.IndexOf((byte)'\t');
            ReadOnlySpan<byte> digits = tab < 0 ? line : line[..tab];
            if (digits.Length == 0 || digits.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
                throw new FormatException("a number is wanted where there is none");
            Put(digits);
            line = tab < 0 ? [] : line[(tab + 1)..];
            return tab >= 0;
        }

        if (form == ValueForm.Utf8 && jsonDecimals && JsonDecimals.Find(Unescaped(line)) is { Count: > 0 } decimals)
        {
            Put("JSON_REPLACE(CAST("u8);
            bool another = AppendText(ref line, form);
            Put(" AS JSON)"u8);
            foreach (JsonDecimal one in decimals)
                Put(Encoding.UTF8.GetBytes($",_utf8mb4{SqlText.Literal(one.Path)},{one.Sql}"));
            Put(")"u8);
            return another;
        }

        return AppendText(ref line, form);
    }

    /// <summary>The line's first field as it was before it was written into the file.</summary>
    private static byte[] Unescaped(ReadOnlySpan<byte> line)
    {
        int tab = line.IndexOf((byte)'\t');
        return Escapes.Unescape(tab < 0 ? line : line[..tab]);
    }

    /// <summary>Takes one field off the line, as a literal.</summary>
    private bool AppendText(ref ReadOnlySpan<byte> line, ValueForm form)
    {
        Put(form switch { ValueForm.Bytes => "_binary'"u8, ValueForm.Utf8 => "_utf8mb4'"u8, _ => "'"u8 });
        while (true)
        {
            int found = line.IndexOfAny(s_special);
            ReadOnlySpan<byte> piece = found < 0 ? line : line[..found];
            // A backslash that escapes nothing would swallow the quote that ends the literal; the client program never writes one.
            if ((piece.Length - piece.TrimEnd((byte)'\\').Length) % 2 != 0)
                throw new FormatException("a field ends in a backslash that escapes nothing");
            Put(piece);
            byte special = found < 0 ? (byte)0 : line[found];
            line = found < 0 ? [] : line[(found + 1)..];
            if (special == (byte)'\'')
            {
                Put("\\'"u8);
                continue;
            }

            Put("'"u8);
            return special == (byte)'\t';
        }
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        if (_length + bytes.Length > _statement.Length)
            Array.Resize(ref _statement, checked(Math.Max(_statement.Length * 2, _length + bytes.Length)));
        bytes.CopyTo(_statement.AsSpan(_length));
        _length += bytes.Length;
    }
}
