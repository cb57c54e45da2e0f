using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;

namespace Lifeboat.Engine.Bundles;

/// <summary>
/// PBKDF2-HMAC-SHA1 (RFC 8018 section 5.2, RFC 2104, FIPS 180-4) for exactly what WinZip AES-256 asks: a 16-byte salt, 1000 rounds, 66
/// bytes. Those are four output blocks, independent of each other, so each lane of a vector computes one; a wider vector takes
/// several salts at once. A bundle derives keys for every entry, and with many small files that is most of its work.
/// </summary>
internal static unsafe class Pbkdf2Sha1
{
    public const int Rounds = 1000;
    public const int SaltBytes = 16;
    public const int OutputBytes = 66;

    /// <summary>Blocks of 20 bytes that an output is cut from.</summary>
    private const int BlocksPerSalt = 4;

    // A 20-byte message after one 64-byte block: its padding, and its length in bits.
    private const uint PaddingStart = 0x80000000;
    private const uint MessageBits = (64 + 20) * 8;

    /// <summary>How many salts take no more time than one.</summary>
    public static int SaltsAtOnce => Vector512.IsHardwareAccelerated ? 4 : Vector256.IsHardwareAccelerated ? 2 : 1;

    /// <summary>Derives an output for each salt; all lie one behind the other.</summary>
    public static void Derive(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salts, Span<byte> outputs)
    {
        int count = Math.DivRem(salts.Length, SaltBytes, out int rest);
        ArgumentOutOfRangeException.ThrowIfNotEqual(rest, 0);
        ArgumentOutOfRangeException.ThrowIfNotEqual(outputs.Length, count * OutputBytes);
        for (int done = 0; done < count;)
        {
            int some = Vector512.IsHardwareAccelerated && count - done > 2 ? DeriveSome<Lanes16>(password, salts, outputs, done)
                : Vector256.IsHardwareAccelerated && count - done > 1 ? DeriveSome<Lanes8>(password, salts, outputs, done)
                : DeriveSome<Lanes4>(password, salts, outputs, done);
            done += some;
        }
    }

    /// <summary>Derives as many outputs as there are lanes for, from the <paramref name="first"/> on; gives how many.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // hot from the first entry on: do not wait for the second tier
    private static int DeriveSome<T>(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salts, Span<byte> outputs, int first)
        where T : unmanaged, ILanes<T>
    {
        int lanes = sizeof(T) / sizeof(uint);
        int count = Math.Min(lanes / BlocksPerSalt, (salts.Length / SaltBytes) - first);
        State<T> inner = Keyed<T>(password, 0x36);
        State<T> outer = Keyed<T>(password, 0x5c);
        T* message = stackalloc T[16];
        uint* words = (uint*)message;
        for (int lane = 0; lane < lanes; lane++)
        {
            ReadOnlySpan<byte> salt = salts[((first + Math.Min(lane / BlocksPerSalt, count - 1)) * SaltBytes)..];
            for (int i = 0; i < 4; i++)
                words[(i * lanes) + lane] = BinaryPrimitives.ReadUInt32BigEndian(salt[(i * 4)..]);
            words[(4 * lanes) + lane] = (uint)(lane % BlocksPerSalt) + 1;
        }

        State<T> sum = default;
        for (int round = 0; round < Rounds; round++)
        {
            Pad(message);
            inner.Compress(message).StoreTo(message);
            Pad(message);
            State<T> made = outer.Compress(message);
            made.StoreTo(message);
            sum = sum.Xor(made);
        }

        sum.StoreTo(message);
        Span<byte> all = stackalloc byte[BlocksPerSalt * 20];
        for (int salt = 0; salt < count; salt++)
        {
            for (int i = 0; i < 20; i++)
                BinaryPrimitives.WriteUInt32BigEndian(all[(i * 4)..], words[(i % 5 * lanes) + (salt * BlocksPerSalt) + (i / 5)]);
            all[..OutputBytes].CopyTo(outputs[((first + salt) * OutputBytes)..]);
        }

        CryptographicOperations.ZeroMemory(all);
        Unsafe.InitBlock(message, 0, (uint)(16 * sizeof(T)));
        return count;
    }

    private static void Pad<T>(T* message)
        where T : unmanaged, ILanes<T>
    {
        message[5] = T.Create(PaddingStart);
        for (int i = 6; i < 15; i++)
            message[i] = default;
        message[15] = T.Create(MessageBits);
    }

    /// <summary>The state after HMAC's first block: the key, padded with zeros and XORed with a constant.</summary>
    private static State<T> Keyed<T>(ReadOnlySpan<byte> password, byte xor)
        where T : unmanaged, ILanes<T>
    {
        Span<byte> key = stackalloc byte[64];
        key.Clear();
        if (password.Length > key.Length)
            SHA1.HashData(password, key);
        else
            password.CopyTo(key);
        T* message = stackalloc T[16];
        for (int i = 0; i < 16; i++)
            message[i] = T.Create(BinaryPrimitives.ReadUInt32BigEndian(key[(i * 4)..]) ^ (xor * 0x01010101u));
        CryptographicOperations.ZeroMemory(key);
        State<T> initial = new(T.Create(0x67452301u), T.Create(0xEFCDAB89u), T.Create(0x98BADCFEu), T.Create(0x10325476u), T.Create(0xC3D2E1F0u));
        return initial.Compress(message);
    }

    /// <summary>A vector of 32-bit words.</summary>
    private interface ILanes<T>
        where T : unmanaged, ILanes<T>
    {
        static abstract T Create(uint value);

        static abstract T operator +(T left, T right);

        static abstract T operator ^(T left, T right);

        static abstract T operator &(T left, T right);

        static abstract T operator |(T left, T right);

        static abstract T RotateLeft(T value, [ConstantExpected] byte by);
    }

    private readonly struct Lanes4(Vector128<uint> value) : ILanes<Lanes4>
    {
        private readonly Vector128<uint> _value = value;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes4 Create(uint value) => new(Vector128.Create(value));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes4 operator +(Lanes4 left, Lanes4 right) => new(left._value + right._value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes4 operator ^(Lanes4 left, Lanes4 right) => new(left._value ^ right._value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes4 operator &(Lanes4 left, Lanes4 right) => new(left._value & right._value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes4 operator |(Lanes4 left, Lanes4 right) => new(left._value | right._value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes4 RotateLeft(Lanes4 value, [ConstantExpected] byte by) => new(
            Avx512F.VL.IsSupported ? Avx512F.VL.RotateLeft(value._value, by) : (value._value << by) | (value._value >>> (32 - by)));
    }

    private readonly struct Lanes8(Vector256<uint> value) : ILanes<Lanes8>
    {
        private readonly Vector256<uint> _value = value;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes8 Create(uint value) => new(Vector256.Create(value));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes8 operator +(Lanes8 left, Lanes8 right) => new(left._value + right._value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes8 operator ^(Lanes8 left, Lanes8 right) => new(left._value ^ right._value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes8 operator &(Lanes8 left, Lanes8 right) => new(left._value & right._value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes8 operator |(Lanes8 left, Lanes8 right) => new(left._value | right._value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes8 RotateLeft(Lanes8 value, [ConstantExpected] byte by) => new(
            Avx512F.VL.IsSupported ? Avx512F.VL.RotateLeft(value._value, by) : (value._value << by) | (value._value >>> (32 - by)));
    }

    private readonly struct Lanes16(Vector512<uint> value) : ILanes<Lanes16>
    {
        private readonly Vector512<uint> _value = value;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes16 Create(uint value) => new(Vector512.Create(value));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes16 operator +(Lanes16 left, Lanes16 right) => new(left._value + right._value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes16 operator ^(Lanes16 left, Lanes16 right) => new(left._value ^ right._value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes16 operator &(Lanes16 left, Lanes16 right) => new(left._value & right._value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes16 operator |(Lanes16 left, Lanes16 right) => new(left._value | right._value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes16 RotateLeft(Lanes16 value, [ConstantExpected] byte by) => new(
            Avx512F.IsSupported ? Avx512F.RotateLeft(value._value, by) : (value._value << by) | (value._value >>> (32 - by)));
    }

    private readonly struct State<T>(T a, T b, T c, T d, T e)
        where T : unmanaged, ILanes<T>
    {
        private readonly T _a = a;
        private readonly T _b = b;
        private readonly T _c = c;
        private readonly T _d = d;
        private readonly T _e = e;

        public State<T> Xor(State<T> other) => new(_a ^ other._a, _b ^ other._b, _c ^ other._c, _d ^ other._d, _e ^ other._e);

        public void StoreTo(T* words)
        {
            words[0] = _a;
            words[1] = _b;
            words[2] = _c;
            words[3] = _d;
            words[4] = _e;
        }

        /// <summary>One SHA-1 block in each lane. Uses the message's sixteen words up.</summary>
        /// <remarks>Not unrolled: the compiler stops inlining in a method with so many variables, and the processor renames them for nothing.</remarks>
        [SkipLocalsInit]
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public State<T> Compress(T* w)
        {
            T a = _a, b = _b, c = _c, d = _d, e = _e;
            T constant = T.Create(0x5A827999u);
            for (int i = 0; i < 16; i++)
                Step(ref a, ref b, ref c, ref d, ref e, d ^ (b & (c ^ d)), constant + w[i]);
            for (int i = 16; i < 20; i++)
                Step(ref a, ref b, ref c, ref d, ref e, d ^ (b & (c ^ d)), constant + Next(w, i));
            constant = T.Create(0x6ED9EBA1u);
            for (int i = 20; i < 40; i++)
                Step(ref a, ref b, ref c, ref d, ref e, b ^ c ^ d, constant + Next(w, i));
            constant = T.Create(0x8F1BBCDCu);
            for (int i = 40; i < 60; i++)
                Step(ref a, ref b, ref c, ref d, ref e, (b & c) | (d & (b | c)), constant + Next(w, i));
            constant = T.Create(0xCA62C1D6u);
            for (int i = 60; i < 80; i++)
                Step(ref a, ref b, ref c, ref d, ref e, b ^ c ^ d, constant + Next(w, i));
            return new State<T>(_a + a, _b + b, _c + c, _d + d, _e + e);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Step(ref T a, ref T b, ref T c, ref T d, ref T e, T mixed, T word)
        {
            T next = T.RotateLeft(a, 5) + mixed + e + word;
            e = d;
            d = c;
            c = T.RotateLeft(b, 30);
            b = a;
            a = next;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static T Next(T* w, int i) =>
            w[i & 15] = T.RotateLeft(w[(i - 3) & 15] ^ w[(i - 8) & 15] ^ w[(i - 14) & 15] ^ w[i & 15], 1);
    }
}
