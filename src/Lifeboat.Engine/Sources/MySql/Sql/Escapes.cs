using System.Text;

namespace Lifeboat.Engine.Sources.MySql.Sql;

/// <summary>Reads rows as the client program writes them, and as the data files hold them: <c>\t</c>, <c>\n</c>, <c>\0</c>, <c>\\</c>, and <c>\N</c> for NULL.</summary>
internal static class Escapes
{
    public static IReadOnlyList<string?[]> ParseRows(ReadOnlySpan<byte> text, Encoding encoding)
    {
        List<string?[]> rows = [];
        while (text.Length > 0)
        {
            int end = text.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? text : text[..end];
            List<string?> fields = [];
            foreach (Range field in line.Split((byte)'\t'))
                fields.Add(Unescape(line[field], encoding));
            rows.Add([.. fields]);
            text = end < 0 ? [] : text[(end + 1)..];
        }

        return rows;
    }

    /// <summary>A field's own bytes.</summary>
    public static byte[] Unescape(ReadOnlySpan<byte> field)
    {
        byte[] bytes = new byte[field.Length];
        int length = 0;
        for (int i = 0; i < field.Length; i++)
        {
            byte c = field[i];
            if (c == (byte)'\\' && i + 1 < field.Length)
                c = field[++i] switch { (byte)'t' => (byte)'\t', (byte)'n' => (byte)'\n', (byte)'0' => 0, var other => other };
            bytes[length++] = c;
        }

        return bytes[..length];
    }

    private static string? Unescape(ReadOnlySpan<byte> field, Encoding encoding) =>
        field.SequenceEqual("\\N"u8) ? null : encoding.GetString(field.Contains((byte)'\\') ? Unescape(field) : field);
}
