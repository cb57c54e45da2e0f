using System.Text;

namespace Lifeboat.Engine.Sources.Postgres.Sessions;

/// <summary>Reads COPY's text format (PostgreSQL manual, COPY, "Text Format").</summary>
internal static class CopyText
{
    /// <summary>Splits whole rows into fields; null for <c>\N</c>.</summary>
    /// <param name="bytes">Rows, each with its line feed.</param>
    public static List<string?[]> ParseRows(ReadOnlySpan<byte> bytes, Encoding encoding)
    {
        List<string?[]> rows = [];
        while (bytes.Length > 0)
        {
            int end = bytes.IndexOf((byte)'\n');
            ReadOnlySpan<byte> row = end < 0 ? bytes : bytes[..end];
            rows.Add(ParseRow(row, encoding));
            bytes = end < 0 ? [] : bytes[(end + 1)..];
        }

        return rows;
    }

    /// <summary>Writes a field, so that COPY reads the same text back.</summary>
    public static string Escape(string? field) => field is null
        ? "\\N"
        : field.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\t", "\\t", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal).Replace("\r", "\\r", StringComparison.Ordinal);

    private static string?[] ParseRow(ReadOnlySpan<byte> row, Encoding encoding)
    {
        List<string?> fields = [];
        while (true)
        {
            int tab = row.IndexOf((byte)'\t');
            ReadOnlySpan<byte> field = tab < 0 ? row : row[..tab];
            fields.Add(field is [(byte)'\\', (byte)'N'] ? null : Unescape(field, encoding));
            if (tab < 0)
                return [.. fields];
            row = row[(tab + 1)..];
        }
    }

    private static string Unescape(ReadOnlySpan<byte> field, Encoding encoding)
    {
        if (!field.Contains((byte)'\\'))
            return encoding.GetString(field);
        byte[] plain = new byte[field.Length];
        int length = 0;
        for (int i = 0; i < field.Length; i++)
        {
            plain[length++] = field[i] == '\\' && i + 1 < field.Length ? Unescape(field[++i]) : field[i];
        }

        return encoding.GetString(plain, 0, length);
    }

    /// <summary>COPY TO writes only these escapes, never octal or hexadecimal ones.</summary>
    private static byte Unescape(byte letter) => letter switch
    {
        (byte)'b' => 8,
        (byte)'t' => 9,
        (byte)'n' => 10,
        (byte)'v' => 11,
        (byte)'f' => 12,
        (byte)'r' => 13,
        _ => letter,
    };
}
