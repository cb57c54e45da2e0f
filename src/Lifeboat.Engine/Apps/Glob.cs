using System.Text;
using System.Text.RegularExpressions;

namespace Lifeboat.Engine.Apps;

/// <summary>
/// One <c>exclude:</c> glob, compared with paths relative to the source's folder, <c>/</c> between names. <c>*</c> and <c>?</c> stay
/// within a name; <c>**</c> as a whole name stands for any number of folders, none included. A folder that matches takes
/// everything below it along: callers stop there.
/// </summary>
internal sealed class Glob
{
    private readonly Regex _pattern;

    public Glob(string glob)
    {
        StringBuilder pattern = new("^");
        string[] names = glob.TrimEnd('/').Split('/');
        for (int i = 0; i < names.Length; i++)
        {
            bool last = i == names.Length - 1;
            if (names[i] == "**")
                pattern.Append(last ? ".+" : "(?:[^/]+/)*");
            else
                pattern.Append(OneName(names[i])).Append(last ? "" : "/");
        }

        // Unlike a backtracking match, this one's time grows with the path's length only.
        _pattern = new Regex(pattern.Append("\\z").ToString(), RegexOptions.CultureInvariant | RegexOptions.NonBacktracking | RegexOptions.Singleline);
    }

    public bool Matches(string path) => _pattern.IsMatch(path);

    private static string OneName(string name)
    {
        StringBuilder pattern = new();
        foreach (char c in name)
            pattern.Append(c switch { '*' => "[^/]*", '?' => "(?:[\uD800-\uDBFF][\uDC00-\uDFFF]|[^/])", _ => Regex.Escape(c.ToString()) });
        return pattern.ToString();
    }
}
