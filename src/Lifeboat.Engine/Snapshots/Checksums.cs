using System.Buffers;
using System.Text;
using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Snapshots;

/// <summary><c>checksums.sha256</c>, as sha256sum(1) writes and checks it: hex, two spaces, path, line feed.</summary>
/// <remarks>Snapshot paths have no backslashes or line ends, so coreutils' escaped form is never needed.</remarks>
public static class Checksums
{
    public const string FileName = "checksums.sha256";

    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");

    public static byte[] Write(IEnumerable<EntryReceipt> receipts)
    {
        StringBuilder text = new();
        foreach (EntryReceipt receipt in receipts.OrderBy(static r => r.Path, StringComparer.Ordinal))
            text.Append(receipt.Sha256).Append("  ").Append(receipt.Path).Append('\n');
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>Reads a list into SHA-256 (lower-case hex) by path.</summary>
    /// <exception cref="LifeboatException">A line is not of the form, or a path stands twice.</exception>
    public static async Task<Dictionary<string, string>> ReadAsync(Stream stream, CancellationToken cancellation)
    {
        Dictionary<string, string> sums = new(StringComparer.Ordinal);
        using StreamReader reader = new(stream, new UTF8Encoding(false, throwOnInvalidBytes: true), detectEncodingFromByteOrderMarks: false);
        while (await ReadLineAsync(reader, cancellation) is { } line)
        {
            if (line.Length < 67 || line[64] != ' ' || line[65] is not (' ' or '*') || line.AsSpan(0, 64).ContainsAnyExcept(LowerHex))
                throw Damaged($"line {sums.Count + 1} is not a checksum line");
            if (!sums.TryAdd(line[66..], line[..64]))
                throw Damaged($"it names {line[66..]} twice");
        }

        return sums;
    }

    private static async Task<string?> ReadLineAsync(StreamReader reader, CancellationToken cancellation)
    {
        try
        {
            return await reader.ReadLineAsync(cancellation);
        }
        catch (DecoderFallbackException)
        {
            throw Damaged("it is not UTF-8 text");
        }
    }

    private static LifeboatException Damaged(string why) => new(
        ErrorCodes.BundleDamaged, $"the list of checksums cannot be read: {why}", "use another snapshot; this one was altered or damaged", FileName);
}
