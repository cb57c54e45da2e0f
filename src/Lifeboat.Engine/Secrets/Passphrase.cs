using System.Text;
using Lifeboat.Engine.Hosting;

namespace Lifeboat.Engine.Secrets;

/// <summary>Makes passphrases.</summary>
public static class Passphrase
{
    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz234567"; // RFC 4648, in lower case

    /// <summary>128 bits of chance as 26 letters and digits in five groups: <c>x6bq7-…</c>.</summary>
    public static Secret Generate(HostEnvironment host)
    {
        byte[] bytes = new byte[16];
        host.FillRandom(bytes);
        StringBuilder text = new(30);
        UInt128 left = System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
        for (int i = 0; i < 26; i++, left >>= 5)
            text.Append(i is 5 or 10 or 15 or 20 ? "-" : "").Append(Alphabet[(int)(left & 31)]);
        return new Secret(text.ToString());
    }
}
