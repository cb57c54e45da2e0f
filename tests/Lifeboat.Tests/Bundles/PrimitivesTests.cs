using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Lifeboat.Engine.Bundles;
using Lifeboat.Engine.Secrets;

namespace Lifeboat.Tests.Bundles;

public sealed class PrimitivesTests
{
    [Fact]
    public void The_crc_of_the_check_string_is_the_published_one()
    {
        Crc32 crc = default;
        crc.Append("123456789"u8);
        Assert.Equal(0xCBF43926u, crc.Value);
    }

    [Fact]
    public void The_crc_is_the_same_in_any_pieces_and_with_or_without_the_processors_help()
    {
        byte[] data = Shared.BundleFixture.Noise(1, 10_000);
        for (int length = 0; length < 700; length++)
        {
            Crc32 fast = default, slow = default, pieces = default;
            fast.Append(data.AsSpan(3, length));
            slow.AppendBySlices(data.AsSpan(3, length));
            pieces.Append(data.AsSpan(3, length / 3));
            pieces.Append(data.AsSpan(3 + (length / 3), length - (length / 3)));
            Assert.Equal(slow.Value, fast.Value);
            Assert.Equal(slow.Value, pieces.Value);
        }
    }

    [Fact]
    public void Key_derivation_is_what_the_framework_derives() =>
        Prop.ForAll<string, byte>((text, seed) =>
        {
            byte[] password = Encoding.UTF8.GetBytes(text ?? "");
            int count = 1 + (seed % 7); // with every width of vector, and with lanes left over
            byte[] salts = Shared.BundleFixture.Noise(seed, count * Pbkdf2Sha1.SaltBytes);
            byte[] derived = new byte[count * Pbkdf2Sha1.OutputBytes];
            Pbkdf2Sha1.Derive(password, salts, derived);
            return derived.SequenceEqual(salts.Chunk(Pbkdf2Sha1.SaltBytes).SelectMany(salt =>
                Rfc2898DeriveBytes.Pbkdf2(password, salt, 1000, HashAlgorithmName.SHA1, Pbkdf2Sha1.OutputBytes)));
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(300)]
    public void Key_derivation_takes_long_passwords_as_hmac_prescribes(int length)
    {
        byte[] password = Shared.BundleFixture.Noise(2, length);
        byte[] salt = Shared.BundleFixture.Noise(3, Pbkdf2Sha1.SaltBytes);
        byte[] derived = new byte[Pbkdf2Sha1.OutputBytes];
        Pbkdf2Sha1.Derive(password, salt, derived);
        Assert.Equal(Rfc2898DeriveBytes.Pbkdf2(password, salt, 1000, HashAlgorithmName.SHA1, Pbkdf2Sha1.OutputBytes), derived);
    }

    [Fact]
    public void The_cipher_counts_little_endian_from_one_in_any_pieces()
    {
        EntryKeys keys = EntryKeys.Derive(new Secret("secret"), new byte[16])[0];
        byte[] plain = Shared.BundleFixture.Noise(4, 40_001);
        byte[] expected = Reference(keys, plain);
        foreach (int piece in (int[])[1, 7, 16, 1000, 8192, 20_000, 40_001])
        {
            using EntryCipher cipher = new(keys);
            byte[] encrypted = new byte[plain.Length];
            for (int at = 0; at < plain.Length; at += piece)
                cipher.Encrypt(plain.AsSpan(at, Math.Min(piece, plain.Length - at)), encrypted.AsSpan(at));
            Assert.Equal(expected, encrypted);
            byte[] code = new byte[10];
            cipher.Finish(code);
            Assert.Equal(HMACSHA1.HashData(keys.Authentication, expected)[..10], code);
        }
    }

    private static byte[] Reference(EntryKeys keys, byte[] plain)
    {
        using Aes aes = Aes.Create();
        aes.SetKey(keys.Encryption);
        byte[] result = new byte[plain.Length];
        byte[] counter = new byte[16];
        for (int at = 0; at < plain.Length; at += 16)
        {
            BinaryPrimitives.WriteInt64LittleEndian(counter, (at / 16) + 1);
            byte[] stream = aes.EncryptEcb(counter, PaddingMode.None);
            for (int i = at; i < Math.Min(at + 16, plain.Length); i++)
                result[i] = (byte)(plain[i] ^ stream[i - at]);
        }

        return result;
    }
}
