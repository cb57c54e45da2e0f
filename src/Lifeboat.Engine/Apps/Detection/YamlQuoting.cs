using System.Globalization;
using System.Text;

namespace Lifeboat.Engine.Apps.Detection;

/// <summary>Writes texts as YAML's double-quoted scalars, and as comments.</summary>
internal static class YamlQuoting
{
    public static string Quote(string text)
    {
        StringBuilder quoted = new("\"");
        foreach (char c in text)
        {
            if (c is '"' or '\\')
                quoted.Append('\\').Append(c);
            else if (IsUnsafe(c))
                quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}");
            else
                quoted.Append(c);
        }

        return quoted.Append('"').ToString();
    }

    /// <summary>A text that ends no line and hides nothing.</summary>
    public static string Comment(string text) => string.Create(text.Length, text, static (safe, from) =>
    {
        for (int i = 0; i < safe.Length; i++)
            safe[i] = IsUnsafe(from[i]) ? '?' : from[i];
    });

    private static bool IsUnsafe(char c) => char.IsControl(c) || c is '\u2028' or '\u2029' or '\uFEFF' || (c >= '\uFFFE');
}
