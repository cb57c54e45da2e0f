using System.Security.Cryptography;
using System.Text;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Secrets;

namespace Lifeboat.Engine.Bundles;

/// <summary>The keys of one encrypted entry (WinZip AES specification, "Key generation").</summary>
internal sealed class EntryKeys
{
    public const int SaltBytes = Pbkdf2Sha1.SaltBytes;
    public const int VerifierBytes = 2;
    public const int CodeBytes = 10;

    /// <summary>What encryption adds to an entry's stored bytes.</summary>
    public const int Overhead = SaltBytes + VerifierBytes + CodeBytes;

    private readonly byte[] _derived;

    private EntryKeys(byte[] salt, byte[] derived)
    {
        Salt = salt;
        _derived = derived;
    }

    public byte[] Salt { get; }

    public ReadOnlySpan<byte> Encryption => _derived.AsSpan(0, 32);

    public ReadOnlySpan<byte> Authentication => _derived.AsSpan(32, 32);

    public ReadOnlySpan<byte> Verifier => _derived.AsSpan(64, VerifierBytes);

    /// <summary>Keys for new entries, each with a salt of its own: as many as are derived in the time of one.</summary>
    public static EntryKeys[] Create(Secret password, HostEnvironment host)
    {
        byte[] salts = new byte[Pbkdf2Sha1.SaltsAtOnce * SaltBytes];
        host.FillRandom(salts);
        return Derive(password, salts);
    }

    /// <param name="salts">One for each entry, one behind the other.</param>
    public static EntryKeys[] Derive(Secret password, ReadOnlySpan<byte> salts)
    {
        byte[] text = Encoding.UTF8.GetBytes(password.Reveal());
        EntryKeys[] keys = new EntryKeys[salts.Length / SaltBytes];
        byte[] derived = new byte[keys.Length * Pbkdf2Sha1.OutputBytes];
        Pbkdf2Sha1.Derive(text, salts, derived);
        for (int i = 0; i < keys.Length; i++)
            keys[i] = new EntryKeys(
                salts.Slice(i * SaltBytes, SaltBytes).ToArray(), derived.AsSpan(i * Pbkdf2Sha1.OutputBytes, Pbkdf2Sha1.OutputBytes).ToArray());
        CryptographicOperations.ZeroMemory(text);
        CryptographicOperations.ZeroMemory(derived);
        return keys;
    }
}
