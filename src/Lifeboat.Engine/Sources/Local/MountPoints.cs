using System.Globalization;
using System.Text;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>What is mounted on this machine (proc(5), /proc/pid/mountinfo).</summary>
internal static class MountPoints
{
    private const string Table = "/proc/self/mountinfo";

    /// <summary>The mount points below a folder, itself not included; none where the system does not say.</summary>
    public static IReadOnlyList<string> Below(string path)
    {
        if (OperatingSystem.IsWindows() || !File.Exists(Table))
            return [];
        return [.. File.ReadLines(Table)
            .Select(static line => line.Split(' '))
            .Where(static words => words.Length > 4)
            .Select(static words => Unescaped(words[4]))
            .Where(point => point.StartsWith(path + "/", StringComparison.Ordinal))];
    }

    /// <summary>Spaces, tabs, line ends and backslashes are written as three octal digits.</summary>
    private static string Unescaped(string text)
    {
        StringBuilder plain = new(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 3 < text.Length
                && int.TryParse(text.AsSpan(i + 1, 3), NumberStyles.None, CultureInfo.InvariantCulture, out _))
            {
                plain.Append((char)Convert.ToInt32(text.Substring(i + 1, 3), 8));
                i += 3;
            }
            else
            {
                plain.Append(text[i]);
            }
        }

        return plain.ToString();
    }
}
