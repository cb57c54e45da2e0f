using System.Text;

namespace Lifeboat.Engine.Snapshots;

/// <summary>
/// The rules for paths in a snapshot tree: relative, <c>/</c> between names, no empty, <c>.</c> or <c>..</c> names, no control
/// characters, backslashes or lone surrogates, names of at most 255 and paths of at most 4,000 bytes of UTF-8. So every
/// path is a valid relative path wherever a stock tool unpacks it, and stays below where it is unpacked.
/// </summary>
public static class SnapshotPath
{
    public const int MaxNameBytes = 255;
    public const int MaxPathBytes = 4000;

    public static bool IsValid(string path)
    {
        if (path.Length == 0 || HasLoneSurrogate(path) || Encoding.UTF8.GetByteCount(path) > MaxPathBytes)
            return false;
        foreach (string name in path.Split('/'))
        {
            if (name is "" or "." or ".." || Encoding.UTF8.GetByteCount(name) > MaxNameBytes)
                return false;
            if (name.Any(static c => char.IsControl(c) || c == '\\'))
                return false;
        }

        // A drive letter would be an absolute path on Windows.
        return !(path.Length >= 2 && path[1] == ':' && char.IsAsciiLetter(path[0]));
    }

    /// <summary>
    /// Makes one name that is valid in a path out of any text: <c>%</c> and whatever is not allowed become <c>%XX</c> of their
    /// UTF-8 bytes, likewise <c>/</c> and the characters that Windows refuses. Longer names are cut and end in a hash.
    /// </summary>
    public static string EscapeName(string text) => EscapeName(Encoding.UTF8.GetBytes(text));

    /// <inheritdoc cref="EscapeName(string)"/>
    public static string EscapeName(ReadOnlySpan<byte> utf8)
    {
        StringBuilder name = new(utf8.Length);
        while (utf8.Length > 0)
        {
            bool whole = Rune.DecodeFromUtf8(utf8, out Rune rune, out int length) == System.Buffers.OperationStatus.Done;
            if (whole && !Rune.IsControl(rune) && !(rune.IsAscii && "%/\\:*?\"<>|".Contains((char)rune.Value, StringComparison.Ordinal)))
                name.Append(rune);
            else
                foreach (byte value in utf8[..length])
                    name.Append('%').Append(value.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
            utf8 = utf8[length..];
        }

        if (name.Length > 0 && name[^1] is '.' or ' ')
        {
            char last = name[^1];
            name.Length--;
            name.Append(last == '.' ? "%2E" : "%20");
        }

        return name.Length == 0 ? "%" : Shortened(name.ToString());
    }

    private static string Shortened(string name)
    {
        const int longest = 200; // leaves room for ".NNNN.copy" and a schema's name beside a table's
        if (Encoding.UTF8.GetByteCount(name) <= longest)
            return name;
        byte[] whole = Encoding.UTF8.GetBytes(name);
        string hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(whole).AsSpan(0, 8));
        int keep = longest - hash.Length - 1;
        while ((whole[keep] & 0xC0) == 0x80)
            keep--;
        return Encoding.UTF8.GetString(whole, 0, keep) + "~" + hash;
    }

    private static bool HasLoneSurrogate(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
                continue;
            if (!char.IsHighSurrogate(text[i]) || i + 1 == text.Length || !char.IsLowSurrogate(text[i + 1]))
                return true;
            i++;
        }

        return false;
    }
}
