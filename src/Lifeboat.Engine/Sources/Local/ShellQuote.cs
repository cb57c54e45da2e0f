namespace Lifeboat.Engine.Sources.Local;

/// <summary>Text as one word for a POSIX shell.</summary>
internal static class ShellQuote
{
    public static string Of(string text) => "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}
