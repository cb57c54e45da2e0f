using System.Text.RegularExpressions;

namespace Lifeboat.Engine.Sources.Postgres.Sql;

/// <summary>What pg_restore writes that only newer servers understand, although the dump is of an older one: its own settings, and options of subscriptions.</summary>
internal static partial class OlderServer
{
    // What pg_restore sets at its start, by the major version that brought it; an older server refuses it.
    private static readonly (int Major, string Sql)[] s_settings = [(17, "\nSET transaction_timeout = 0;")];

    /// <summary>Whether a text of these programs must be edited for a server.</summary>
    public static bool Needs(int toolsMajor, int serverMajor) =>
        toolsMajor > serverMajor && (serverMajor < SubscriptionDefaults.RunsAsTablesOwner || s_settings.Any(one => one.Major > serverMajor && one.Major <= toolsMajor));

    /// <summary>The text of a section without what a server does not understand.</summary>
    public static string Edit(string text, int serverMajor)
    {
        foreach ((int major, string sql) in s_settings)
            if (major > serverMajor && text.IndexOf(sql, StringComparison.Ordinal) is var at and >= 0)
                text = text.Remove(at, sql.Length); // The first one is pg_restore's own.
        return serverMajor < SubscriptionDefaults.RunsAsTablesOwner ? RunAsOwner().Replace(text, "") : text;
    }

    [GeneratedRegex(@"(?<=\nCREATE SUBSCRIPTION [^\n]*), run_as_owner = true\b", RegexOptions.CultureInvariant)]
    private static partial Regex RunAsOwner();
}
