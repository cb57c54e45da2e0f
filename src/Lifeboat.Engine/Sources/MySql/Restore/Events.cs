using System.Text.RegularExpressions;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>Events that must not run yet.</summary>
internal static partial class Events
{
    /// <summary>The same event, disabled. SHOW CREATE EVENT always prints the state, in one form, before comment and body.</summary>
    public static string Asleep(string create) => State().Replace(create, "$1 DISABLE", 1);

    [GeneratedRegex(@"( ON COMPLETION (?:NOT )?PRESERVE) (?:ENABLE|DISABLE ON SLAVE|DISABLE ON REPLICA|DISABLE)\b")]
    private static partial Regex State();
}
