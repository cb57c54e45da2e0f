using System.Security.Cryptography;
using System.Text;

namespace Lifeboat.Demo;

/// <summary>Digests of the demo's own making: plain SHA-256, so that the proof does not rest on what it proves.</summary>
internal static class Digest
{
    private const int Shown = 16; // hex digits; enough for the eye

    public static string OfLines(IEnumerable<string> lines) =>
        Of(Encoding.UTF8.GetBytes(string.Join('\n', lines.Order(StringComparer.Ordinal))));

    public static string Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes))[..Shown];

    public static async Task<string> OfFileAsync(string path, CancellationToken cancellation)
    {
        await using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellation))[..Shown];
    }
}
