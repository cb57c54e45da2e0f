using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;

namespace Lifeboat.Engine.Bundles;

/// <summary>
/// PBKDF2-HMAC-SHA1 (RFC 8018 section 5.2, RFC 2104, FIPS 180-4) for exactly what WinZip AES-256 asks: a 16-byte salt, 1000 rounds, 66
/// bytes.
/// Those are four output blocks, independent of each other, so each lane of a vector computes one: a bundle
/// derives keys for every entry, and this takes a quarter of the time of four chains one after the other.
/// </summary>
internal static unsafe class Pbkdf2Sha1
{
    public const int Rounds = 1000;
    public const int SaltBytes = 16;
    public const int OutputBytes = 66;

    // A 20-byte message after one 64-byte block: its padding, and its length in bits.
    private const uint PaddingStart = 0x80000000;
    private const uint MessageBits = (64 + 20) * 8;

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Derive(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, Span<byte> output)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(salt.Length, SaltBytes);
        ArgumentOutOfRangeException.ThrowIfNotEqual(output.Length, OutputBytes);
        State inner = Keyed(password, 0x36);
        State outer = Keyed(password, 0x5c);
        Vector128<uint>* message = stackalloc Vector128<uint>[16];
        for (int i = 0; i < 4; i++)
            message[i] = Vector128.Create(BinaryPrimitives.ReadUInt32BigEndian(salt[(i * 4)..]));
        message[4] = Vector128.Create(1u, 2u, 3u, 4u);
        State sum = default;
        for (int round = 0; round < Rounds; round++)
        {
            Pad(message);
            inner.Compress(message).StoreTo(message);
            Pad(message);
            State made = outer.Compress(message);
            made.StoreTo(message);
            sum = sum ^ made;
        }

        sum.StoreTo(message);
        Span<byte> all = stackalloc byte[80];
        for (int i = 0; i < 20; i++)
            BinaryPrimitives.WriteUInt32BigEndian(all[(i * 4)..], message[i % 5][i / 5]);
        all[..OutputBytes].CopyTo(output);
        CryptographicOperations.ZeroMemory(all);
        Unsafe.InitBlock(message, 0, 16 * 16);
    }

    private static void Pad(Vector128<uint>* message)
    {
        message[5] = Vector128.Create(PaddingStart);
        for (int i = 6; i < 15; i++)
            message[i] = Vector128<uint>.Zero;
        message[15] = Vector128.Create(MessageBits);
    }

    /// <summary>The state after HMAC's first block: the key, padded with zeros and XORed with a constant.</summary>
    private static State Keyed(ReadOnlySpan<byte> password, byte xor)
    {
        Span<byte> key = stackalloc byte[64];
        key.Clear();
        if (password.Length > key.Length)
            SHA1.HashData(password, key);
        else
            password.CopyTo(key);
        Vector128<uint>* message = stackalloc Vector128<uint>[16];
        for (int i = 0; i < 16; i++)
            message[i] = Vector128.Create(BinaryPrimitives.ReadUInt32BigEndian(key[(i * 4)..]) ^ (xor * 0x01010101u));
        CryptographicOperations.ZeroMemory(key);
        State initial = new(
            Vector128.Create(0x67452301u), Vector128.Create(0xEFCDAB89u), Vector128.Create(0x98BADCFEu), Vector128.Create(0x10325476u),
                Vector128.Create(0xC3D2E1F0u));
        return initial.Compress(message);
    }

    private readonly struct State(Vector128<uint> a, Vector128<uint> b, Vector128<uint> c, Vector128<uint> d, Vector128<uint> e)
    {
        private readonly Vector128<uint> _a = a;
        private readonly Vector128<uint> _b = b;
        private readonly Vector128<uint> _c = c;
        private readonly Vector128<uint> _d = d;
        private readonly Vector128<uint> _e = e;

        public static State operator ^(State left, State right) =>
            new(left._a ^ right._a, left._b ^ right._b, left._c ^ right._c, left._d ^ right._d, left._e ^ right._e);

        public void StoreTo(Vector128<uint>* words)
        {
            words[0] = _a;
            words[1] = _b;
            words[2] = _c;
            words[3] = _d;
            words[4] = _e;
        }

        /// <summary>One SHA-1 block in each lane. Uses the message's sixteen words up.</summary>
        [SkipLocalsInit]
        [MethodImpl(MethodImplOptions.AggressiveOptimization)] // hot from the first entry on: do not wait for the second tier
        public State Compress(Vector128<uint>* w)
        {
            Vector128<uint> a = _a, b = _b, c = _c, d = _d, e = _e;
            for (int i = 0; i < 20; i += 5)
            {
                Step(a, ref b, d ^ (b & (c ^ d)), ref e, 0x5A827999u, Word(w, i));
                Step(e, ref a, c ^ (a & (b ^ c)), ref d, 0x5A827999u, Word(w, i + 1));
                Step(d, ref e, b ^ (e & (a ^ b)), ref c, 0x5A827999u, Word(w, i + 2));
                Step(c, ref d, a ^ (d & (e ^ a)), ref b, 0x5A827999u, Word(w, i + 3));
                Step(b, ref c, e ^ (c & (d ^ e)), ref a, 0x5A827999u, Word(w, i + 4));
            }

            for (int i = 20; i < 40; i += 5)
                FiveByParity(ref a, ref b, ref c, ref d, ref e, 0x6ED9EBA1u, w, i);
            for (int i = 40; i < 60; i += 5)
            {
                Step(a, ref b, (b & c) | (d & (b | c)), ref e, 0x8F1BBCDCu, Next(w, i));
                Step(e, ref a, (a & b) | (c & (a | b)), ref d, 0x8F1BBCDCu, Next(w, i + 1));
                Step(d, ref e, (e & a) | (b & (e | a)), ref c, 0x8F1BBCDCu, Next(w, i + 2));
                Step(c, ref d, (d & e) | (a & (d | e)), ref b, 0x8F1BBCDCu, Next(w, i + 3));
                Step(b, ref c, (c & d) | (e & (c | d)), ref a, 0x8F1BBCDCu, Next(w, i + 4));
            }

            for (int i = 60; i < 80; i += 5)
                FiveByParity(ref a, ref b, ref c, ref d, ref e, 0xCA62C1D6u, w, i);
            return new State(_a + a, _b + b, _c + c, _d + d, _e + e);
        }

        /// <summary>Five steps, after which every variable is again in its place.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void FiveByParity(
            ref Vector128<uint> a, ref Vector128<uint> b, ref Vector128<uint> c, ref Vector128<uint> d, ref Vector128<uint> e,
                uint constant, Vector128<uint>* w, int i)
        {
            Step(a, ref b, b ^ c ^ d, ref e, constant, Next(w, i));
            Step(e, ref a, a ^ b ^ c, ref d, constant, Next(w, i + 1));
            Step(d, ref e, e ^ a ^ b, ref c, constant, Next(w, i + 2));
            Step(c, ref d, d ^ e ^ a, ref b, constant, Next(w, i + 3));
            Step(b, ref c, c ^ d ^ e, ref a, constant, Next(w, i + 4));
        }

        /// <summary>One step; instead of moving five variables on, the caller names them one place further in the next step.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Step(Vector128<uint> a, ref Vector128<uint> b, Vector128<uint> mixed, ref Vector128<uint> e, uint constant,
            Vector128<uint> word)
        {
            e += mixed + Vector128.Create(constant) + word + RotateLeft(a, 5);
            b = RotateLeft(b, 30);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector128<uint> Word(Vector128<uint>* w, int i) => i < 16 ? w[i] : Next(w, i);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector128<uint> Next(Vector128<uint>* w, int i) =>
            w[i & 15] = RotateLeft(w[(i - 3) & 15] ^ w[(i - 8) & 15] ^ w[(i - 14) & 15] ^ w[i & 15], 1);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector128<uint> RotateLeft(Vector128<uint> value, [ConstantExpected] byte by) =>
            Avx512F.VL.IsSupported ? Avx512F.VL.RotateLeft(value, by) : (value << by) | (value >>> (32 - by));
    }
}
