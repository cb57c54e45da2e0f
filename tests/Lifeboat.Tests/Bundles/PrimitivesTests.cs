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
    public void Zstandard_is_the_same_with_the_systems_library_and_without()
    {
        ZstdLibrary? library = ZstdLibrary.Here;
        Assert.SkipWhen(library is null, "this machine has no libzstd");
        byte[] block = [.. Enumerable.Range(0, 300_000).Select(static i => (byte)"customers and their orders"[i % 1000 * i / 7 % 26])];
        using NativeZstdCompressor native = new(library, block.Length);
        using ManagedZstdCompressor managed = new(block.Length);
        byte[] frames = [.. native.Compress(block, last: false).ToArray(), .. native.Compress([], last: false).ToArray(), .. native.Compress(block.AsSpan(0, 1000), last: true).ToArray()];
        byte[] same = [.. managed.Compress(block, last: false).ToArray(), .. managed.Compress([], last: false).ToArray(), .. managed.Compress(block.AsSpan(0, 1000), last: true).ToArray()];
        Assert.Equal(frames, same);
        byte[] expected = [.. block, .. block.AsSpan(0, 1000)];
        Assert.Equal(expected, ReadAll(new ZstdReadStream(() => new NativeZstdDecoder(library), new MemoryStream(frames))));
        Assert.Equal(expected, ReadAll(new ZstdReadStream(static () => new ManagedZstdDecoder(), new MemoryStream(frames))));
    }

    /// <summary>Every byte of some frames is flipped, and they are cut at each length: what is read without an error is at most what was there.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Zstandard_that_is_damaged_is_invalid_data_whatever_reads_it(bool native)
    {
        ZstdLibrary? library = ZstdLibrary.Here;
        Assert.SkipWhen(native && library is null, "this machine has no libzstd");
        using ManagedZstdCompressor compressor = new(2000);
        byte[] frames = [.. compressor.Compress(Shared.BundleFixture.Noise(3, 300), last: false).ToArray(), .. compressor.Compress(new byte[2000], last: true).ToArray()];
        Stream Open(byte[] bytes) => new ZstdReadStream(() => native ? new NativeZstdDecoder(library!) : new ManagedZstdDecoder(), new MemoryStream(bytes));
        int whole = ReadAll(Open(frames)).Length;
        for (int i = 0; i < frames.Length; i++)
        {
            byte[] flipped = [.. frames];
            flipped[i] ^= 0x41;
            foreach (byte[] damaged in new[] { flipped, frames[..i] })
            {
                try
                {
                    Assert.InRange(ReadAll(Open(damaged)).Length, 0, 9_000_000);
                }
                catch (InvalidDataException e)
                {
                    Assert.StartsWith("the compressed data", e.Message, StringComparison.Ordinal);
                }
            }
        }

        Assert.Equal(2300, whole);
        // A frame that asks for a window of 128 MiB is refused.
        byte[] wide = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x88, 0x01, 0x00, 0x00];
        Assert.Throws<InvalidDataException>(() => ReadAll(Open(wide)));
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

    private static byte[] ReadAll(Stream from)
    {
        using (from)
        using (MemoryStream all = new())
        {
            from.CopyTo(all);
            return all.ToArray();
        }
    }
}
