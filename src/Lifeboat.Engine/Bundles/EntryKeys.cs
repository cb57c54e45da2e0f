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

    private readonly byte[] _derived = new byte[Pbkdf2Sha1.OutputBytes];

    private EntryKeys(byte[] salt) => Salt = salt;

    public byte[] Salt { get; }

    public ReadOnlySpan<byte> Encryption => _derived.AsSpan(0, 32);

    public ReadOnlySpan<byte> Authentication => _derived.AsSpan(32, 32);

    public ReadOnlySpan<byte> Verifier => _derived.AsSpan(64, VerifierBytes);

    /// <summary>Keys for a new entry, with a salt of its own.</summary>
    public static EntryKeys Create(Secret password, HostEnvironment host)
    {
        byte[] salt = new byte[SaltBytes];
        host.FillRandom(salt);
        return Derive(password, salt);
    }

    public static EntryKeys Derive(Secret password, byte[] salt)
    {
        EntryKeys keys = new(salt);
        byte[] text = Encoding.UTF8.GetBytes(password.Reveal());
        Pbkdf2Sha1.Derive(text, salt, keys._derived);
        CryptographicOperations.ZeroMemory(text);
        return keys;
    }
}
