using System.Text;

namespace Lifeboat.Engine.Apps.Detection;

/// <summary>Makes names for sources and apps out of names of files, databases and variables.</summary>
internal static class DraftNames
{
    /// <summary>Letters, digits, <c>-</c> and <c>_</c> of a name, at most <paramref name="longest"/>; the fallback where none is left.</summary>
    public static string Of(string text, string fallback, int longest = 32)
    {
        StringBuilder name = new();
        foreach (char c in text)
            name.Append(char.IsAsciiLetterOrDigit(c) || c == '_' ? c : '-');
        string tidy = name.ToString().Trim('-');
        tidy = tidy.Length > longest ? tidy[..longest].TrimEnd('-') : tidy;
        return tidy.Length == 0 ? fallback : tidy;
    }

    /// <summary>The name, or the name and a number where another one has it.</summary>
    public static string Unique(string name, HashSet<string> taken)
    {
        string unique = name;
        for (int number = 2; !taken.Add(unique); number++)
            unique = $"{name}-{number}";
        return unique;
    }
}
