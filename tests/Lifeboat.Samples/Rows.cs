using System.Globalization;
using System.Text;

namespace Lifeboat.Samples;

/// <summary>Writes rows into a script, for either kind of server.</summary>
internal static class Rows
{
    private const int StatementCharacters = 256 * 1024;

    /// <summary>One COPY with all rows.</summary>
    public static void Copy(this TextWriter script, string table, IEnumerable<object?[]> rows)
    {
        script.Write($"COPY {table} FROM STDIN;\n");
        foreach (object?[] row in rows)
        {
            for (int i = 0; i < row.Length; i++)
            {
                if (i > 0)
                    script.Write('\t');
                script.Write(row[i] is null ? @"\N" : CopyText(Text(row[i]!)));
            }

            script.Write('\n');
        }

        script.Write("\\.\n");
    }

    /// <summary>INSERT statements of some hundred rows.</summary>
    public static void Insert(this TextWriter script, string table, IEnumerable<object?[]> rows)
    {
        StringBuilder statement = new();
        foreach (object?[] row in rows)
        {
            statement.Append(statement.Length == 0 ? $"INSERT INTO {table} VALUES (" : ",\n(").AppendJoin(',', row.Select(Literal)).Append(')');
            if (statement.Length < StatementCharacters)
                continue;
            script.Write(statement.Append(";\n"));
            statement.Clear();
        }

        if (statement.Length > 0)
            script.Write(statement.Append(";\n"));
    }

    private static string Text(object value) => value switch
    {
        string text => text,
        DateTime moment => moment.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => throw new ArgumentException($"no value of a row: {value.GetType()}", nameof(value)),
    };

    private static string CopyText(string text) => text.Replace("\\", @"\\", StringComparison.Ordinal)
        .Replace("\t", @"\t", StringComparison.Ordinal).Replace("\n", @"\n", StringComparison.Ordinal);

    private static string Literal(object? value) => value switch
    {
        null => "NULL",
        string text => $"'{text.Replace("\\", @"\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)}'",
        DateTime => $"'{Text(value)}'",
        byte[] bytes => $"0x{Convert.ToHexString(bytes)}",
        _ => Text(value),
    };
}
