using System.Globalization;
using Lifeboat.Engine.Hosting;

namespace Lifeboat.Engine.Storage;

/// <summary>Who is writing a partial file: part of its name, so that others who use the same folder let it be.</summary>
/// <param name="Installation">The id of the state folder under whose lock it is written.</param>
public sealed record PartialOwner(string Installation)
{
    /// <summary>For how long nobody has written to a partial file of others before it is taken for a dead run's.</summary>
    public static readonly TimeSpan LongEnough = TimeSpan.FromDays(7);

    /// <summary>The part of the name, for people too: the host, the installation, the process.</summary>
    internal string ToString(HostEnvironment host)
    {
        const int most = 40;
        string name = new([.. host.HostName.Take(most).Select(static c => char.IsAsciiLetterOrDigit(c) || c == '-' ? c : '-')]);
        return string.Create(CultureInfo.InvariantCulture, $"{name}.{Installation}.{host.ProcessId}.");
    }

    /// <summary>Takes a partial file's name apart.</summary>
    /// <returns>The name that it was to get, and whose it is (null for one of a version that did not say so); null for the name of something else.</returns>
    public static (string Final, PartialOwner? Owner)? Parse(string name)
    {
        if (!name.StartsWith('.') || !name.EndsWith(PartialFile.Suffix, StringComparison.Ordinal))
            return null;
        string[] parts = name[1..^PartialFile.Suffix.Length].Split('.');
        int zip = Array.LastIndexOf(parts, "zip");
        return zip < 1 ? null : (string.Join('.', parts[..(zip + 1)]), parts.Length - zip - 1) switch
        {
            (var final, 1) => (final, null),
            (var final, 4) => (final, new PartialOwner(parts[zip + 2])),
            _ => null,
        };
    }
}
