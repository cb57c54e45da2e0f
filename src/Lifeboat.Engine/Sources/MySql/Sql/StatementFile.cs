using System.Text;

namespace Lifeboat.Engine.Sources.MySql.Sql;

/// <summary>
/// A file of statements that the stock client program runs, whatever they hold: a DELIMITER line names a text that occurs in none of them, and stands on
/// a line of its own behind each. In memory a character stands for a byte (Latin-1), because routines keep the bytes of their own character set.
/// </summary>
internal static class StatementFile
{
    private const string Keyword = "DELIMITER ";

    public static byte[] Write(string comment, IReadOnlyList<string> statements)
    {
        string delimiter = ";;";
        for (int i = 0; statements.Any(s => s.Contains(delimiter, StringComparison.Ordinal)); i++)
            delimiter = $";~{i}~;";
        StringBuilder text = new();
        text.Append("-- ").Append(comment).Append('\n').Append(Keyword).Append(delimiter).Append('\n');
        foreach (string statement in statements)
            text.Append(statement).Append('\n').Append(delimiter).Append('\n');
        return Encoding.Latin1.GetBytes(text.Append(Keyword).Append(";\n").ToString());
    }

    /// <exception cref="FormatException">It is no such file.</exception>
    public static IReadOnlyList<string> Read(ReadOnlySpan<byte> file)
    {
        string text = Encoding.Latin1.GetString(file);
        int keyword = text.IndexOf(Keyword, StringComparison.Ordinal);
        int line = keyword < 0 ? -1 : text.IndexOf('\n', keyword);
        if (line < 0)
            throw new FormatException("the file has no DELIMITER line");
        string delimiter = $"\n{text[(keyword + Keyword.Length)..line]}\n";
        List<string> statements = [];
        int start = line + 1;
        for (int end; (end = text.IndexOf(delimiter, start, StringComparison.Ordinal)) >= 0; start = end + delimiter.Length)
            statements.Add(text[start..end]);
        return text[start..] == Keyword + ";\n" ? statements : throw new FormatException("the file does not end where its statements end");
    }
}
