using System.Text;
using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Settings;

/// <summary>
/// <c>environment.env</c>: one <c>NAME='value'</c> each, which a POSIX shell reads with <c>set -a; . ./environment.env</c>.
/// </summary>
internal static class EnvironmentFile
{
    /// <summary>Whether a shell takes this as a variable's name (POSIX, 3.231).</summary>
    public static bool IsName(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(static c => char.IsAsciiLetterOrDigit(c) || c == '_');

    /// <summary>
    /// Whether a value is what the system had: values are bytes there, and what is not UTF-8 reaches this program as U+FFFD.
    /// </summary>
    public static bool IsExact(string value) => !value.Contains('\uFFFD', StringComparison.Ordinal);

    /// <param name="variables">Null for a value that is left out.</param>
    public static byte[] Write(IEnumerable<(string Name, string? Value)> variables)
    {
        StringBuilder text = new();
        foreach ((string name, string? value) in variables)
            _ = value is null ? text.Append("# ").Append(name).Append(" is not in the snapshot: enter it again\n") : text.Append(name).Append('=').Append(ShellQuote.Of(value)).Append('\n');
        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
