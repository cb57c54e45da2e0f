using System.Globalization;
using Lifeboat.Engine.Hosting;

namespace Lifeboat.Engine.Sources;

/// <summary>Who holds the places that a run changes, for whoever finds them held.</summary>
/// <param name="command">What it runs: <c>restore</c>, <c>undo</c>.</param>
public sealed class TargetHolder(string command, string app, HostEnvironment host)
{
    /// <summary>What a PostgreSQL server keeps of an application's name, less the end of the text (NAMEDATALEN).</summary>
    private const int MaxLength = 63;

    private readonly HashSet<string> _held = new(StringComparer.Ordinal);

    /// <summary>In the characters that every server shows as they are; no other run has the same, whatever its container makes of pids and hosts.</summary>
    public string Name { get; } = Shown(string.Create(
        CultureInfo.InvariantCulture, $"lifeboat {command} {host.NewId()}, pid {host.ProcessId} on {host.HostName}, app {app}"));

    /// <summary>Whether another source of the same run has the place already; it has from now on.</summary>
    public bool HasAlready(string place) => !_held.Add(place);

    private static string Shown(string text) =>
        new([.. text.Take(MaxLength).Select(static c => char.IsAscii(c) && !char.IsControl(c) ? c : '?')]);
}
