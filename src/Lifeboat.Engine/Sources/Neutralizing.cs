using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Sources;

/// <summary>What all kinds of source say of making a restored copy neutral.</summary>
internal static class Neutralizing
{
    private const int ShownLength = 160;

    /// <summary>A line of the plan.</summary>
    public static string Step(string what)
    {
        string line = string.Join(' ', what.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return $"make the copy neutral: {(line.Length > ShownLength ? line[..ShownLength] + "…" : line)}";
    }

    public static Problem Failed(string source, string what, string why) => new(
        ErrorCodes.NeutralizeFailed,
        $"{Step(what)}: {why}",
        $"correct sources.{source}.neutralize and restore again, or restore with --no-neutralize; nothing live was changed",
        source);
}
