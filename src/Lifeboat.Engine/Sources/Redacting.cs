using System.Security.Cryptography;
using System.Text;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Apps.Validation;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Sources;

/// <summary>What all kinds of source say of values that are not captured.</summary>
internal static class Redacting
{
    /// <summary>The key of a run's hashes; it is not kept, so that nobody can find values by hashing guesses.</summary>
    public static string NewKey(HostEnvironment host)
    {
        byte[] key = new byte[32];
        host.FillRandom(key);
        return Convert.ToHexStringLower(key);
    }

    /// <summary>A mask of the same shape: lower-case letters and whatever is not ASCII become x, others X, digits 0; where there are none of these, all becomes x.</summary>
    public static string Mask(string text)
    {
        StringBuilder masked = new(text.Length);
        bool any = false;
        foreach (Rune rune in text.EnumerateRunes())
        {
            bool kept = (rune.Value is (>= ' ' and <= '~') or '\n' or '\r' or '\t') && !Rune.IsLetterOrDigit(rune);
            any |= !kept;
            masked.Append(kept ? (char)rune.Value : rune.Value is >= 'A' and <= 'Z' ? 'X' : rune.Value is >= '0' and <= '9' ? '0' : 'x');
        }

        return any ? masked.ToString() : new string('x', text.Length);
    }

    /// <summary>32 hex digits that tell nothing of the text without the key.</summary>
    public static string Hash(string key, string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key + text)))[..32];

    public static IReadOnlyList<RedactedMetadata>? Describe(IReadOnlyList<ColumnRedaction> columns) => columns.Count == 0 ? null : [.. columns.Select(Describe)];

    public static RedactedMetadata Describe(ColumnRedaction column) => new("column", column.Name, column.Word);

    /// <summary>What a misspelt name would let into the snapshot is a secret, so that nothing is captured.</summary>
    /// <param name="known">Names that it may have been meant to be.</param>
    public static Problem Unknown(string source, string name, string what, IReadOnlyCollection<string> known)
    {
        string? meant = NearMiss.Find(name, known);
        return new Problem(
            ErrorCodes.RedactUnknown, $"sources.{source}.redact names {name}, but {what}",
            meant is null ? "correct the name, or remove it if there is nothing to leave out any more" : $"did you mean `{meant}`?", source);
    }

    public static Problem Refused(string source, string name, string why, string hint) =>
        new(ErrorCodes.RedactRefused, $"{name} cannot be redacted so: {why}", hint, source);

    public static Problem Twice(string source, string name) =>
        new(ErrorCodes.RedactRefused, $"sources.{source}.redact names the column {name} twice", "keep one of the two", source);
}
