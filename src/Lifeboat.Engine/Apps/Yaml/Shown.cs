using System.Text.RegularExpressions;

namespace Lifeboat.Engine.Apps.Yaml;

/// <summary>
/// Decides what of an app file a message may repeat. Values never; keys only where they look like keys: a person who forgets the
/// space in <c>{password:hunter2}</c> has made the secret a part of a key.
/// </summary>
internal static partial class Shown
{
    /// <summary>The key in backquotes, or words for it where it may hold something else.</summary>
    public static string Key(string key) => IsPlainWord().IsMatch(key) ? $"`{key}`" : "a key";

    [GeneratedRegex("^[A-Za-z][A-Za-z_-]{0,30}$", RegexOptions.CultureInvariant)]
    private static partial Regex IsPlainWord();
}
