using System.Buffers;
using System.Buffers.Binary;
using SQLitePCL;

namespace Lifeboat.Engine.Sources.Sqlite;

/// <summary>
/// The row encoding <c>sqlite-row-v1</c>: for each column in the table's order, generated columns left out, one byte for the value's
/// storage
/// class (0 null, 1 integer, 2 real, 3 text, 4 blob), its length in bytes (4 bytes, little-endian) and its bytes: an integer as 8 bytes
/// in two's complement, a real as 8 bytes IEEE 754, both little-endian; text in the database's encoding, whatever its bytes are; a
/// null has none. The row id is not part of a row unless it is a column.
/// </summary>
internal sealed class SqliteRow
{
    public const string Encoding = "sqlite-row-v1";
    private readonly ArrayBufferWriter<byte> _bytes = new(1024);

    public ReadOnlySpan<byte> Bytes => _bytes.WrittenSpan;

    /// <summary>Encodes the current row.</summary>
    public void Read(SqliteRows rows)
    {
        _bytes.ResetWrittenCount();
        for (int column = 0; column < rows.Columns; column++)
        {
            switch (rows.Type(column))
            {
                case raw.SQLITE_INTEGER:
                    BinaryPrimitives.WriteInt64LittleEndian(Start(1, 8), rows.Integer(column));
                    break;
                case raw.SQLITE_FLOAT:
                    BinaryPrimitives.WriteDoubleLittleEndian(Start(2, 8), rows.Real(column));
                    break;
                case raw.SQLITE_TEXT:
                    ReadOnlySpan<byte> text = rows.Bytes(column);
                    text.CopyTo(Start(3, text.Length));
                    break;
                case raw.SQLITE_BLOB:
                    ReadOnlySpan<byte> blob = rows.Bytes(column);
                    blob.CopyTo(Start(4, blob.Length));
                    break;
                default:
                    Start(0, 0);
                    break;
            }
        }
    }

    private Span<byte> Start(byte tag, int length)
    {
        Span<byte> room = _bytes.GetSpan(5 + length)[..(5 + length)];
        room[0] = tag;
        BinaryPrimitives.WriteInt32LittleEndian(room[1..], length);
        _bytes.Advance(5 + length);
        return room[5..];
    }
}
